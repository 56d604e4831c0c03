//! The request target: where to, with which parameters.

use std::borrow::Cow;

use super::Credentials;
use super::credentials::userinfo;
use super::text::{form_decode, percent_decode, text};
use crate::Hint;
use crate::hint::note;
use crate::profile::{UPDATE, loose_path};

/// A request target, taken apart.
pub(super) struct Target {
    pub(super) path: String,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) credentials: Option<Credentials>,
}

impl Target {
    /// Reads any target; what is odd goes to the hints.
    pub(super) fn parse(octets: &[u8], hints: &mut Vec<Hint>) -> Target {
        if octets.iter().any(|&o| is_unescaped(o)) {
            note(hints, Hint::Unescaped);
        }
        let (octets, credentials) = after_authority(first_url(octets, hints), hints);
        let (path, query) = match octets.iter().position(|&o| o == b'?') {
            Some(mark) => (&octets[..mark], &octets[mark + 1..]),
            None => (octets, &[][..]),
        };
        let (inner, query) = one_query(query, hints);
        let path = inner.map_or_else(|| self::path(path, hints), str::to_owned);
        Target { path, parameters: form_parameters(&query, hints), credentials }
    }
}

/// The parameters of a query or form, `&` between them.
pub(super) fn form_parameters(form: &[u8], hints: &mut Vec<Hint>) -> Vec<(String, String)> {
    let pieces = form.split(|&o| o == b'&').filter(|piece| !piece.is_empty());
    pieces.map(|piece| parameter(piece, hints)).collect()
}

/// FRITZ!Box takes two URLs with a space between, and old versions send both as one. The second
/// one is dropped: it names another server, and the family that it carries is preserved.
fn first_url<'a>(octets: &'a [u8], hints: &mut Vec<Hint>) -> &'a [u8] {
    // Nearly always: no URL is without a colon.
    if !octets.contains(&b':') {
        return octets;
    }
    for separator in [&b" "[..], b"%20"] {
        for scheme in [&b"http:/"[..], b"https:/"] {
            let needle = [separator, scheme].concat();
            let found = octets.windows(needle.len()).position(|w| w.eq_ignore_ascii_case(&needle));
            if let Some(at) = found.filter(|&at| at > 0) {
                note(hints, Hint::FoldedUrls);
                return first_url(&octets[..at], hints);
            }
        }
    }
    octets
}

/// What follows `http://user:password@server` of an absolute target (RFC 9112 §3.2.2); the target
/// itself in any other form.
fn after_authority<'a>(octets: &'a [u8], hints: &mut Vec<Hint>) -> (&'a [u8], Option<Credentials>) {
    let scheme =
        |name: &[u8]| octets.get(..name.len()).is_some_and(|s| s.eq_ignore_ascii_case(name));
    let after_scheme = match (scheme(b"http://"), scheme(b"https://")) {
        (true, _) => &octets[7..],
        (_, true) => &octets[8..],
        _ => return (octets, None),
    };
    let end = after_scheme.iter().position(|o| matches!(o, b'/' | b'?'));
    let (authority, rest) = after_scheme.split_at(end.unwrap_or(after_scheme.len()));
    let rest = if rest.is_empty() { &b"/"[..] } else { rest };
    let at = authority.iter().rposition(|&o| o == b'@');
    (rest, at.map(|at| userinfo(&authority[..at], hints)))
}

/// Reads a second `?` as `&`. Some routers glue what the owner typed in front of their own
/// request, `/update?ip=%i&hostname=%h/nic/update?system=dyndns&…`: then the path within counts,
/// and is cut off the value in front of it.
fn one_query<'a>(query: &'a [u8], hints: &mut Vec<Hint>) -> (Option<&'static str>, Cow<'a, [u8]>) {
    if !query.contains(&b'?') {
        return (None, Cow::Borrowed(query));
    }
    note(hints, Hint::SecondQuestionMark);
    let mut inner = None;
    let mut joined = Vec::with_capacity(query.len());
    let mut pieces = query.split(|&o| o == b'?').peekable();
    while let Some(mut piece) = pieces.next() {
        let is_last = pieces.peek().is_none();
        if let Some(path) = loose_path(piece).filter(|_| !is_last) {
            note(hints, Hint::DoubledUrl);
            inner = Some(path);
            piece = &piece[..piece.len() - path.len()];
        }
        joined.extend_from_slice(piece);
        joined.push(b'&');
    }
    (inner, Cow::Owned(joined))
}

fn path(octets: &[u8], hints: &mut Vec<Hint>) -> String {
    if octets == b"*" {
        return "*".to_owned();
    }
    if octets == UPDATE.as_bytes() {
        return UPDATE.to_owned();
    }
    // A server name where the path belongs. Nobody but a device that was told "server" in one
    // field and nothing in the other sends this, so an update is meant.
    let is_server = !octets.contains(&b'/') && octets.iter().any(|o| matches!(o, b'.' | b':'));
    if is_server {
        note(hints, Hint::PathMissing);
        return UPDATE.to_owned();
    }
    let decoded = percent_decode(octets, hints);
    let sent = text(&decoded, hints);
    let tidy = tidy(&sent);
    // One slash at the end is how some services write their paths.
    if tidy != sent && sent.strip_suffix('/') != Some(&tidy) {
        note(hints, Hint::PathUntidy);
    }
    tidy
}

/// Single forward slashes with one in front; from a known update path, nothing else.
fn tidy(sent: &str) -> String {
    let segments: Vec<&str> = sent.split(['/', '\\']).filter(|s| !s.is_empty()).collect();
    let path = format!("/{}", segments.join("/"));
    match loose_path(path.to_ascii_lowercase().as_bytes()) {
        Some(known) => known.to_owned(),
        None => path,
    }
}

fn parameter(piece: &[u8], hints: &mut Vec<Hint>) -> (String, String) {
    let piece = match piece.strip_prefix(b"amp;") {
        Some(rest) => {
            note(hints, Hint::HtmlAmpersand);
            rest
        }
        None => piece,
    };
    let equals = piece.iter().position(|&o| o == b'=');
    let (name, value) = match equals {
        Some(at) => (&piece[..at], &piece[at + 1..]),
        None => (piece, &[][..]),
    };
    (form_decode(name, hints), form_decode(value, hints))
}

/// Octets that RFC 3986 does not let stand in a request target as they are.
fn is_unescaped(octet: u8) -> bool {
    !matches!(octet, 0x21..=0x7e)
        || matches!(
            octet,
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'#' | b'[' | b']'
        )
}
