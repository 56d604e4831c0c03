//! One Rust file with what the rules ask of it: code without words, which lines are test code,
//! and the functions.
//!
//! This is a lexer, not a parser: it knows comments, strings and braces, which is all that the
//! rules need, and it never fails.

use std::collections::BTreeSet;

/// A Rust file.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its path relative to the root.
    pub(crate) path: String,
    /// What it says.
    pub(crate) text: String,
    /// The same with comments and the inside of strings blanked; as many lines.
    pub(crate) code: String,
    /// The comments, with everything else blanked; as many lines.
    pub(crate) comments: String,
    /// For each line, whether it is only built for tests.
    test_lines: Vec<bool>,
}

/// One function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// The line of its `fn`, counted from 1.
    pub(crate) line: usize,
    /// Lines of code between its braces, without blank lines and comments.
    pub(crate) length: usize,
}

impl Source {
    /// Reads files together, because a module may be gated where it is declared.
    pub(crate) fn read_all(files: Vec<(String, String)>) -> Vec<Source> {
        let mut sources: Vec<Source> =
            files.into_iter().map(|(path, text)| Source::read(path, text)).collect();
        let gated: BTreeSet<String> = sources.iter().flat_map(Source::gated_modules).collect();
        for source in &mut sources {
            let stem = source.path.trim_end_matches(".rs");
            if gated.iter().any(|module| stem == module || stem.starts_with(&format!("{module}/")))
            {
                source.test_lines.fill(true);
            }
        }
        sources
    }

    fn read(path: String, text: String) -> Source {
        let (code, comments) = split(&text);
        let lines = text.lines().count();
        let whole = ["/tests/", "/benches/", "/examples/"].iter().any(|part| path.contains(part))
            || path.ends_with("/tests.rs");
        let mut test_lines = vec![whole; lines];
        for (first, last) in test_regions(&text, &code) {
            test_lines[first..=last].fill(true);
        }
        Source { path, text, code, comments, test_lines }
    }

    /// Lines of code (blanked) that are built for use, with their numbers from 1.
    pub(crate) fn used_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code
            .lines()
            .enumerate()
            .filter(|(index, _)| !self.test_lines.get(*index).copied().unwrap_or(false))
            .map(|(index, line)| (index + 1, line))
    }

    /// Every function with a body, tests included.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let code = self.code.as_bytes();
        let mut found = Vec::new();
        for at in positions(&self.code, "fn ") {
            if at > 0 && is_word(code[at - 1]) {
                continue;
            }
            let name: String = self.code[at + 3..]
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if name.is_empty() {
                continue;
            }
            if let Some((open, close)) = body(code, at) {
                let length =
                    self.code[open + 1..close].lines().filter(|l| !l.trim().is_empty()).count();
                found.push(Function { name, line: line_of(code, at), length });
            }
        }
        found
    }

    /// Paths without `.rs` of the modules that this file declares for tests only.
    fn gated_modules(&self) -> Vec<String> {
        let (folder, file) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        let stem = file.trim_end_matches(".rs");
        let below = match stem {
            "lib" | "main" => folder.to_owned(),
            _ => format!("{folder}/{stem}"),
        };
        let mut gated = Vec::new();
        let mut open_gate = false;
        for line in self.text.lines().map(str::trim) {
            if is_test_gate(line) {
                open_gate = true;
            } else if open_gate && !line.starts_with("#[") && !line.starts_with("//") {
                open_gate = false;
                let item = line.trim_start_matches("pub(crate) ").trim_start_matches("pub ");
                if let Some(name) = item.strip_prefix("mod ").and_then(|n| n.strip_suffix(';')) {
                    gated.push(format!("{below}/{name}"));
                }
            }
        }
        gated
    }
}

/// Whether this attribute keeps an item out of what is shipped.
fn is_test_gate(line: &str) -> bool {
    line.starts_with("#[cfg(test)]")
        || line.starts_with("#[cfg(any(test")
        || line.starts_with("#[cfg(feature = \"contract\")]")
}

/// First and last line (from 0) of every item under a test gate.
fn test_regions(text: &str, code: &str) -> Vec<(usize, usize)> {
    let mut regions = Vec::new();
    let bytes = code.as_bytes();
    let mut start = 0;
    for (index, line) in text.lines().enumerate() {
        // The blanked text has as many octets as the original, so positions agree.
        let at = start;
        start += line.len() + 1;
        if !is_test_gate(line.trim()) {
            continue;
        }
        let item = at + line.find("#[").unwrap_or(0) + 1;
        let after_attribute = item + closing(bytes, item, b'[', b']').unwrap_or(0);
        let last = match body(bytes, after_attribute) {
            Some((_, close)) => line_of(bytes, close) - 1,
            None => index + 1,
        };
        let last_line = text.lines().count() - 1;
        regions.push((index, last.min(last_line)));
    }
    regions
}

/// Where the next body opens and closes, unless a `;` ends the item before.
fn body(code: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut depth = 0usize;
    for (offset, octet) in code.get(from..)?.iter().enumerate() {
        match octet {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b';' if depth == 0 => return None,
            b'{' if depth == 0 => {
                let open = from + offset;
                return closing(code, open, b'{', b'}').map(|length| (open, open + length));
            }
            _ => {}
        }
    }
    None
}

/// How far behind the opening mark at `from` its closing one is.
fn closing(code: &[u8], from: usize, open: u8, close: u8) -> Option<usize> {
    let mut depth = 0usize;
    for (offset, octet) in code.get(from..)?.iter().enumerate() {
        if *octet == open {
            depth += 1;
        } else if *octet == close {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(offset);
            }
        }
    }
    None
}

/// Every position of `word` in `text`.
pub(crate) fn positions<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(word).map(|(at, _)| at)
}

fn line_of(code: &[u8], at: usize) -> usize {
    code[..at].iter().filter(|octet| **octet == b'\n').count() + 1
}

/// Whether an octet can be part of an identifier.
pub(crate) fn is_word(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || octet == b'_'
}

/// The text as code and as comments, octet for octet: each has spaces for what the other has,
/// and both for strings and character literals.
fn split(text: &str) -> (String, String) {
    let octets = text.as_bytes();
    let (mut code, mut comments) = (Vec::with_capacity(octets.len()), Vec::new());
    while code.len() < octets.len() {
        let at = code.len();
        let end = literal(octets, at);
        let comment = end.is_some() && octets[at] == b'/';
        for octet in &octets[at..end.unwrap_or(at + 1)] {
            let blank = if *octet == b'\n' { b'\n' } else { b' ' };
            code.push(if end.is_some() { blank } else { *octet });
            comments.push(if comment { *octet } else { blank });
        }
    }
    // A literal ends at an ASCII octet, so what is left is still UTF-8.
    (String::from_utf8_lossy(&code).into_owned(), String::from_utf8_lossy(&comments).into_owned())
}

/// Where the comment or literal that begins at `at` ends, if one begins there.
fn literal(octets: &[u8], at: usize) -> Option<usize> {
    let rest = &octets[at..];
    let after_word = at > 0 && is_word(octets[at - 1]);
    if rest.starts_with(b"//") {
        return Some(rest.iter().position(|o| *o == b'\n').map_or(octets.len(), |end| at + end));
    }
    if rest.starts_with(b"/*") {
        return Some(block_comment_end(octets, at));
    }
    if rest[0] == b'"' {
        return Some(quoted_end(octets, at + 1));
    }
    if !after_word
        && (rest.starts_with(b"r\"") || rest.starts_with(b"r#") || rest.starts_with(b"br"))
    {
        return raw_end(octets, at);
    }
    if rest[0] == b'\'' { char_end(octets, at) } else { None }
}

fn block_comment_end(octets: &[u8], at: usize) -> usize {
    let mut depth = 0usize;
    let mut i = at;
    while i < octets.len() {
        if octets[i..].starts_with(b"/*") {
            depth += 1;
            i += 2;
        } else if octets[i..].starts_with(b"*/") {
            depth -= 1;
            i += 2;
            if depth == 0 {
                return i;
            }
        } else {
            i += 1;
        }
    }
    octets.len()
}

fn quoted_end(octets: &[u8], from: usize) -> usize {
    let mut i = from;
    while i < octets.len() {
        match octets[i] {
            b'\\' => i += 2,
            b'"' => return i + 1,
            _ => i += 1,
        }
    }
    octets.len()
}

fn raw_end(octets: &[u8], at: usize) -> Option<usize> {
    let mut i = at + 1 + usize::from(octets[at] == b'b');
    let hashes = octets[i..].iter().take_while(|o| **o == b'#').count();
    i += hashes;
    if octets.get(i) != Some(&b'"') {
        return None;
    }
    let mut end = vec![b'"'];
    end.resize(hashes + 1, b'#');
    let found = octets[i + 1..].windows(end.len()).position(|w| w == end);
    Some(found.map_or(octets.len(), |offset| i + 1 + offset + end.len()))
}

/// A character literal, not a lifetime: `'x'`, `'\n'`, `'\u{7f}'`, `'ü'`.
fn char_end(octets: &[u8], at: usize) -> Option<usize> {
    let first = *octets.get(at + 1)?;
    if first == b'\\' {
        let close = octets.get(at + 3..)?.iter().position(|o| *o == b'\'')?;
        return Some(at + 3 + close + 1);
    }
    let width = match first {
        0x00..=0x7f => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    };
    (octets.get(at + 1 + width) == Some(&b'\'')).then_some(at + 2 + width)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(path: &str, text: &str) -> Source {
        Source::read_all(vec![(path.into(), text.into())]).remove(0)
    }

    #[test]
    fn words_are_not_code() {
        let cases = [
            ("a(); // b()", "a();"),
            ("x(\"}\\\"{\")", "x( )"),
            ("r#\"a\"b\"# + 1", "+ 1"),
            ("'{' 'a 'b'", "'a"),
            ("/* a /* b */ */c", "c"),
            ("for_r(r)", "for_r(r)"),
            ("'\\u{7d}'}", "}"),
        ];
        for (text, code) in cases {
            let kept = split(text).0;
            assert_eq!(kept.len(), text.len(), "{text}");
            let words: Vec<&str> = kept.split_whitespace().collect();
            assert_eq!(words.join(" "), code, "{text}");
        }
    }

    #[test]
    fn comments_are_told_from_strings() {
        let (_, comments) = split("a(\"// b\"); // c\n");
        assert_eq!(comments.trim_start(), "// c\n");
    }

    #[test]
    fn functions_are_measured_without_words_and_blank_lines() {
        let source = one(
            "a.rs",
            "fn one() {\n    // why\n\n    two();\n    three(\"}\");\n}\ntrait T { fn none(&self); }\n",
        );
        assert_eq!(
            source
                .functions()
                .iter()
                .map(|f| (f.name.as_str(), f.line, f.length))
                .collect::<Vec<_>>(),
            [("one", 1, 2)]
        );
    }

    #[test]
    fn test_code_is_told_from_code_in_use() {
        let used = |source: &Source| source.used_lines().map(|(line, _)| line).collect::<Vec<_>>();
        let inline = one("c/src/a.rs", "use a;\n#[cfg(test)]\nmod tests {\n    x();\n}\nuse b;\n");
        assert_eq!(used(&inline), [1, 6]);
        let beside = one("c/src/a/tests.rs", "use a;\n");
        assert!(used(&beside).is_empty());
        let sources = Source::read_all(vec![
            ("c/src/lib.rs".into(), "#[cfg(feature = \"contract\")]\npub mod contract;\n".into()),
            ("c/src/contract/feed.rs".into(), "use a;\n".into()),
            ("c/src/contract.rs".into(), "use a;\n".into()),
            ("c/src/other.rs".into(), "use a;\n".into()),
        ]);
        let lines: Vec<usize> = sources.iter().map(|source| used(source).len()).collect();
        assert_eq!(lines, [0, 0, 0, 1]);
    }
}
