//! Absolute domain names in wire form (RFC 1035 §3.1).

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// An absolute domain name: at most 255 octets, labels of 1 to 63 octets, case preserved.
///
/// Equality, hash and order fold ASCII case (RFC 4343); the order is the canonical one of
/// RFC 4034 §6.1, so that names of one subtree stand together.
#[derive(Clone)]
pub struct Name(Box<[u8]>);

/// Why octets or text are not a domain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The name would have more than 255 octets.
    #[error("the name is longer than 255 octets")]
    TooLong,
    /// A label has more than 63 octets.
    #[error("a label is longer than 63 octets")]
    LabelTooLong,
    /// Two dots in a row, or a dot in front.
    #[error("a label is empty")]
    EmptyLabel,
    /// No text at all.
    #[error("the name is empty")]
    Empty,
    /// A backslash that is not followed by a character or three digits up to 255.
    #[error("an escape is malformed")]
    BadEscape,
    /// The octets end within the name or go on after it, or a label type is unknown.
    #[error("the octets are not one domain name")]
    BadWire,
}

impl Name {
    /// The root.
    pub fn root() -> Name {
        Name(Box::new([0]))
    }

    /// Reads presentation form (RFC 1035 §5.1): `.` ends labels, `\.` and `\DDD` escape. The final
    /// dot may be left out: all names are absolute.
    pub fn parse(text: &str) -> Result<Name, NameError> {
        Name::read(text.as_bytes(), &Name::root())
    }

    /// The same; a name without a final dot lies under `origin`.
    pub(crate) fn read(text: &[u8], origin: &Name) -> Result<Name, NameError> {
        let mut wire = Vec::with_capacity(MAX_OCTETS.min(text.len() + 2 + origin.0.len()));
        Name::read_into(text, origin, &mut wire)?;
        Ok(Name(wire.into()))
    }

    /// The same in wire form, put in place of what `wire` holds.
    pub(crate) fn read_into(
        text: &[u8],
        origin: &Name,
        wire: &mut Vec<u8>,
    ) -> Result<(), NameError> {
        wire.clear();
        match text {
            b"" => return Err(NameError::Empty),
            b"." => {
                wire.push(0);
                return Ok(());
            }
            _ => {}
        }
        let mut rest = text;
        while !rest.is_empty() {
            let start = wire.len();
            wire.push(0);
            let is_closed = read_label(&mut rest, wire)?;
            close_label(wire, start)?;
            if is_closed && rest.is_empty() {
                // Absolute.
                wire.push(0);
            } else if rest.is_empty() {
                wire.extend_from_slice(&origin.0);
            }
        }
        if wire.len() > MAX_OCTETS { Err(NameError::TooLong) } else { Ok(()) }
    }

    /// Reads exactly one uncompressed name.
    pub fn from_wire(octets: &[u8]) -> Result<Name, NameError> {
        match wire_len(octets) {
            Some(len) if len == octets.len() => Ok(Name(octets.into())),
            _ => Err(NameError::BadWire),
        }
    }

    /// Reads the uncompressed name that `octets` begin with; also its length.
    pub fn split_from(octets: &[u8]) -> Result<(Name, usize), NameError> {
        let len = wire_len(octets).ok_or(NameError::BadWire)?;
        let name = octets.get(..len).ok_or(NameError::BadWire)?;
        Ok((Name(name.into()), len))
    }

    /// The name in wire form, root label included.
    pub fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.len() == 1
    }

    /// The labels, leftmost first, without the root label.
    pub fn labels(&self) -> Labels<'_> {
        Labels { rest: &self.0 }
    }

    /// Number of labels without the root label.
    pub fn label_count(&self) -> usize {
        self.labels().count()
    }

    /// The name without its leftmost label; `None` for the root.
    pub fn parent(&self) -> Option<Name> {
        let first = usize::from(*self.0.first()?);
        if first == 0 {
            return None;
        }
        self.0.get(1 + first..).map(|rest| Name(rest.into()))
    }

    /// Whether this name is `ancestor` or lies below it.
    pub fn is_subdomain_of(&self, ancestor: &Name) -> bool {
        self.strip_suffix(ancestor).is_some()
    }

    /// The labels before `apex`, in wire form without a root label; empty for the apex itself;
    /// `None` when the name does not lie at or below it.
    pub fn strip_suffix(&self, apex: &Name) -> Option<&[u8]> {
        strip_suffix(&self.0, apex)
    }

    /// Puts labels in wire form (no root label) in front of `apex`.
    pub fn join(relative: &[u8], apex: &Name) -> Result<Name, NameError> {
        if !is_label_sequence(relative) {
            return Err(NameError::BadWire);
        }
        if relative.len() + apex.0.len() > MAX_OCTETS {
            return Err(NameError::TooLong);
        }
        let mut wire = Vec::with_capacity(relative.len() + apex.0.len());
        wire.extend_from_slice(relative);
        wire.extend_from_slice(&apex.0);
        Ok(Name(wire.into()))
    }

    /// Whether [`Name::join`] would make a name of these.
    pub fn can_join(relative: &[u8], apex: &Name) -> bool {
        relative.len() + apex.0.len() <= MAX_OCTETS && is_label_sequence(relative)
    }

    /// Length of the uncompressed name that `octets` begin with, if there is one.
    pub fn length_of(octets: &[u8]) -> Option<usize> {
        wire_len(octets)
    }

    /// The name with one label put in front.
    pub fn child(&self, label: &[u8]) -> Result<Name, NameError> {
        let len = u8::try_from(label.len()).map_err(|_| NameError::LabelTooLong)?;
        if len == 0 {
            return Err(NameError::EmptyLabel);
        }
        if len > MAX_LABEL {
            return Err(NameError::LabelTooLong);
        }
        Name::join(&[&[len], label].concat(), self)
    }

    /// The wildcard below this name (RFC 4592 §2.1.1).
    pub fn wildcard(&self) -> Result<Name, NameError> {
        self.child(b"*")
    }

    /// Whether the leftmost label is `*`.
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with(b"\x01*")
    }

    /// The name with the ancestor `from` replaced by `to` (RFC 6672 §2.2); `BadWire` when it does
    /// not lie at or below `from`, `TooLong` when the result would have more than 255 octets.
    pub fn rebase(&self, from: &Name, to: &Name) -> Result<Name, NameError> {
        let relative = self.strip_suffix(from).ok_or(NameError::BadWire)?;
        Name::join(relative, to)
    }

    /// The name with ASCII letters in lower case.
    pub fn to_lowercase(&self) -> Name {
        // Length octets are at most 63, below the letters.
        Name(self.0.to_ascii_lowercase().into())
    }

    /// The same, of a name that is not needed any more.
    pub fn into_lowercase(mut self) -> Name {
        self.0.make_ascii_lowercase();
        self
    }
}

/// The labels of a name, leftmost first.
#[derive(Clone, Debug)]
pub struct Labels<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (&len, rest) = self.rest.split_first()?;
        if len == 0 {
            return None;
        }
        let (label, rest) = rest.split_at_checked(usize::from(len))?;
        self.rest = rest;
        Some(label)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        // Most that are the same are written alike.
        self.0 == other.0 || self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut folded = [0; MAX_OCTETS];
        state.write(fold_into(&self.0, &mut folded));
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Name) -> Ordering {
        let (mine, my_count) = label_offsets(&self.0);
        let (theirs, their_count) = label_offsets(&other.0);
        let mine = mine.iter().take(my_count).rev();
        let theirs = theirs.iter().take(their_count).rev();
        for (&a, &b) in mine.zip(theirs) {
            let ordering = cmp_folded(label_at(&self.0, a), label_at(&other.0, b));
            if ordering != Ordering::Equal {
                return ordering;
            }
        }
        my_count.cmp(&their_count)
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        for label in self.labels() {
            for &octet in label {
                match octet {
                    b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'$' => {
                        write!(f, "\\{}", char::from(octet))?;
                    }
                    0x21..=0x7e => write!(f, "{}", char::from(octet))?,
                    _ => write!(f, "\\{octet:03}")?,
                }
            }
            f.write_str(".")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Name, NameError> {
        Name::parse(text)
    }
}

/// Copies octets in lower case into a buffer, without allocation; the part that was written.
/// Octets beyond the buffer are left out: no name is longer than it.
pub fn fold_into<'b>(octets: &[u8], buffer: &'b mut [u8; MAX_OCTETS]) -> &'b [u8] {
    let len = octets.len().min(MAX_OCTETS);
    let (Some(folded), Some(octets)) = (buffer.get_mut(..len), octets.get(..len)) else {
        return &[];
    };
    folded.copy_from_slice(octets);
    folded.make_ascii_lowercase();
    folded
}

/// The labels before `apex` of a name in wire form.
pub(crate) fn strip_suffix<'o>(name: &'o [u8], apex: &Name) -> Option<&'o [u8]> {
    let cut = name.len().checked_sub(apex.0.len())?;
    let (head, tail) = name.split_at_checked(cut)?;
    // The cut must fall between labels: an equal tail alone may begin within one.
    let is_tail = *tail == *apex.0 || tail.eq_ignore_ascii_case(&apex.0);
    if !is_tail || !is_label_sequence(head) {
        return None;
    }
    Some(head)
}

/// Length of the uncompressed name that `octets` begin with, if there is one.
pub(crate) fn wire_len(octets: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let len = *octets.get(at)?;
        at += 1 + usize::from(len);
        if len > MAX_LABEL || at > MAX_OCTETS {
            return None;
        }
        if len == 0 {
            return Some(at);
        }
    }
}

fn is_label_sequence(octets: &[u8]) -> bool {
    let mut rest = octets;
    while let Some((&len, after)) = rest.split_first() {
        let len = usize::from(len);
        match after.get(len..) {
            Some(next) if (1..=usize::from(MAX_LABEL)).contains(&len) => rest = next,
            _ => return false,
        }
    }
    true
}

/// Reads one label with the dot after it; whether there was one.
fn read_label(rest: &mut &[u8], wire: &mut Vec<u8>) -> Result<bool, NameError> {
    loop {
        let end = rest.iter().position(|&octet| matches!(octet, b'.' | b'\\'));
        let (plain, after) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or_default();
        if wire.len() + plain.len() > MAX_OCTETS + 1 {
            return Err(NameError::TooLong);
        }
        wire.extend_from_slice(plain);
        let Some((&octet, after)) = after.split_first() else {
            *rest = after;
            return Ok(false);
        };
        *rest = after;
        if octet == b'.' {
            return Ok(true);
        }
        let mut escaped = rest.iter();
        wire.push(unescape(&mut escaped)?);
        *rest = escaped.as_slice();
    }
}

fn close_label(wire: &mut [u8], start: usize) -> Result<(), NameError> {
    match u8::try_from(wire.len() - start - 1) {
        Ok(0) => Err(NameError::EmptyLabel),
        Ok(len) if len <= MAX_LABEL => {
            if let Some(octet) = wire.get_mut(start) {
                *octet = len;
            }
            Ok(())
        }
        _ => Err(NameError::LabelTooLong),
    }
}

/// The octet that stands behind a backslash.
pub(crate) fn unescape(rest: &mut std::slice::Iter<'_, u8>) -> Result<u8, NameError> {
    let &first = rest.next().ok_or(NameError::BadEscape)?;
    if !first.is_ascii_digit() {
        return Ok(first);
    }
    let mut value = u16::from(first - b'0');
    for _ in 0..2 {
        match rest.next() {
            Some(digit) if digit.is_ascii_digit() => value = value * 10 + u16::from(digit - b'0'),
            _ => return Err(NameError::BadEscape),
        }
    }
    u8::try_from(value).map_err(|_| NameError::BadEscape)
}

/// Offsets of the labels of a valid name, leftmost first, and their number.
fn label_offsets(wire: &[u8]) -> ([u8; MAX_LABELS], usize) {
    let mut offsets = [0; MAX_LABELS];
    let mut count = 0;
    let mut at = 0_u8;
    for slot in &mut offsets {
        match wire.get(usize::from(at)) {
            Some(&len) if len > 0 => {
                *slot = at;
                count += 1;
                at = at.saturating_add(1 + len);
            }
            _ => break,
        }
    }
    (offsets, count)
}

fn label_at(wire: &[u8], offset: u8) -> &[u8] {
    let at = usize::from(offset);
    let len = wire.get(at).copied().map_or(0, usize::from);
    wire.get(at + 1..at + 1 + len).unwrap_or_default()
}

fn cmp_folded(a: &[u8], b: &[u8]) -> Ordering {
    let folded = |octet: &u8| octet.to_ascii_lowercase();
    a.iter().map(folded).cmp(b.iter().map(folded))
}

/// Most octets of a name in wire form (RFC 1035 §2.3.4).
pub(crate) const MAX_OCTETS: usize = 255;
/// Most octets of a label.
pub(crate) const MAX_LABEL: u8 = 63;
/// Most labels of a name: 127 of one octet each, and the root.
pub(crate) const MAX_LABELS: usize = 127;

#[cfg(test)]
mod tests;
