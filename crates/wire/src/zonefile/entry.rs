//! Words and entries of a zone file (RFC 1035 §5.1), whatever they mean.

use crate::name::{NameError, unescape};

/// One word, without the quotes around it and with its escapes as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word<'a> {
    pub(crate) octets: &'a [u8],
    /// A quoted word is never a sign such as `@` or `\#`.
    pub(crate) is_quoted: bool,
    /// Nothing stands between it and the word before, as in `alpn="h2"`.
    pub(crate) is_joined: bool,
}

/// The words up to the end of a line, or of several that parentheses hold together.
#[derive(Debug, Default)]
pub(crate) struct Entry<'a> {
    pub(crate) words: Vec<Word<'a>>,
    /// It begins with a blank: the owner is the one of the entry before.
    pub(crate) is_indented: bool,
    /// Line of its first word; the first line of all is 1.
    pub(crate) line: usize,
}

/// Why the words of an entry cannot be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxError {
    /// `)` without `(`.
    #[error("a parenthesis is closed that was not opened")]
    Unopened,
    /// The text ends within parentheses.
    #[error("a parenthesis is not closed")]
    Unclosed,
    /// A line ends within quotes.
    #[error("a quoted text does not end on its line")]
    Unquoted,
    /// More words than any record has.
    #[error("an entry has too many words")]
    TooLong,
}

/// Takes a text apart, entry by entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    line: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Reader<'a> {
        Reader { rest: text, line: 1 }
    }

    /// The line that is read now.
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    /// Reads the next entry that has words into `entry`; whether there was one.
    pub(crate) fn next(&mut self, entry: &mut Entry<'a>) -> Result<bool, SyntaxError> {
        entry.words.clear();
        entry.is_indented = false;
        let mut depth = 0_usize;
        let mut is_joined = false;
        while let Some((&octet, after)) = self.rest.split_first() {
            match octet {
                b' ' | b'\t' | b'\r' => entry.is_indented |= entry.words.is_empty(),
                b'(' => depth += 1,
                b')' => depth = depth.checked_sub(1).ok_or(SyntaxError::Unopened)?,
                b'\n' => {
                    self.line += 1;
                    if depth == 0 && !entry.words.is_empty() {
                        self.rest = after;
                        return Ok(true);
                    }
                    // A line without words says nothing about the next one.
                    entry.is_indented &= depth > 0;
                }
                b';' => {
                    self.skip_comment();
                    continue;
                }
                _ => {
                    if entry.words.is_empty() {
                        entry.line = self.line;
                    }
                    if entry.words.len() == WORDS_MAX {
                        return Err(SyntaxError::TooLong);
                    }
                    let word = self.word(octet == b'"')?;
                    entry.words.push(Word { is_joined, ..word });
                    is_joined = true;
                    continue;
                }
            }
            self.rest = after;
            is_joined = false;
        }
        if depth > 0 { Err(SyntaxError::Unclosed) } else { Ok(!entry.words.is_empty()) }
    }

    fn skip_comment(&mut self) {
        let end = self.rest.iter().position(|&octet| octet == b'\n').unwrap_or(self.rest.len());
        self.rest = self.rest.get(end..).unwrap_or_default();
    }

    fn word(&mut self, is_quoted: bool) -> Result<Word<'a>, SyntaxError> {
        let text = self.rest.get(usize::from(is_quoted)..).unwrap_or_default();
        let mut end = 0;
        loop {
            let rest = text.get(end..).unwrap_or_default();
            let plain = rest.iter().position(|&octet| is_special(octet)).unwrap_or(rest.len());
            end += plain;
            let Some(&octet) = text.get(end) else { break };
            match octet {
                b'"' if is_quoted => {
                    self.rest = text.get(end + 1..).unwrap_or_default();
                    return Ok(Word {
                        octets: text.get(..end).unwrap_or_default(),
                        is_quoted,
                        is_joined: false,
                    });
                }
                b'\n' if is_quoted => return Err(SyntaxError::Unquoted),
                b' ' | b'\t' | b'\r' | b'\n' | b'(' | b')' | b';' | b'"' if !is_quoted => break,
                // What follows a backslash ends nothing, but for the line.
                b'\\' if text.get(end + 1).is_some_and(|&next| next != b'\n') => end += 2,
                _ => end += 1,
            }
        }
        if is_quoted {
            return Err(SyntaxError::Unquoted);
        }
        let (octets, rest) = text.split_at_checked(end).unwrap_or((text, &[]));
        self.rest = rest;
        Ok(Word { octets, is_quoted, is_joined: false })
    }
}

/// Whether an octet may be anything but part of a word.
fn is_special(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n' | b'(' | b')' | b';' | b'"' | b'\\')
}

impl Word<'_> {
    /// Whether this is a sign such as `@`, which means itself only when it is quoted.
    pub(crate) fn is_sign(&self, sign: &[u8]) -> bool {
        !self.is_quoted && self.octets == sign
    }

    /// The word as text, when it is some.
    pub(crate) fn text(&self) -> Option<&str> {
        std::str::from_utf8(self.octets).ok()
    }

    /// The beginning of the word, fit for a message: whoever wrote the file must not fill the
    /// terminal of who reads it, nor steer it.
    pub(crate) fn shown(&self) -> String {
        let shown = self.octets.iter().take(SHOWN_OCTETS_MAX);
        let plain = shown.map(|&octet| match octet {
            b' '..=b'~' => char::from(octet),
            _ => '?',
        });
        let more = if self.octets.len() > SHOWN_OCTETS_MAX { "…" } else { "" };
        plain.collect::<String>() + more
    }

    /// The octets that the word stands for.
    pub(crate) fn unescaped(&self) -> Result<Vec<u8>, NameError> {
        let mut out = Vec::with_capacity(self.octets.len());
        let mut rest = self.octets.iter();
        while let Some(&octet) = rest.next() {
            out.push(if octet == b'\\' { unescape(&mut rest)? } else { octet });
        }
        Ok(out)
    }

    /// The seconds of a time: a number, or numbers with the units of other servers (`1h30m`).
    pub(crate) fn seconds(&self) -> Option<u32> {
        let mut total = 0_u32;
        let mut number = None;
        for octet in self.octets {
            let unit_s = match octet.to_ascii_lowercase() {
                digit @ b'0'..=b'9' => {
                    let so_far = number.unwrap_or(0_u32).checked_mul(10)?;
                    number = Some(so_far.checked_add(u32::from(digit - b'0'))?);
                    continue;
                }
                b's' => 1,
                b'm' => 60,
                b'h' => 3600,
                b'd' => 86_400,
                b'w' => 604_800,
                _ => return None,
            };
            total = total.checked_add(number.take()?.checked_mul(unit_s)?)?;
        }
        match number {
            Some(number) => (total == 0).then_some(number),
            None => (!self.octets.is_empty()).then_some(total),
        }
    }
}

/// Octets of a word in a message.
const SHOWN_OCTETS_MAX: usize = 40;
/// Most words of an entry: each octet of data written by itself in hexadecimal, and some.
const WORDS_MAX: usize = 70_000;
