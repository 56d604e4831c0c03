//! From octets to text: percent-encoding, UTF-8 or else ISO 8859-1.

use crate::Hint;
use crate::hint::note;

/// UTF-8, or else every octet as the character of ISO 8859-1. Control characters that slipped in
/// become U+FFFD, so that no text of a request can end a line of a log.
pub(super) fn text(octets: &[u8], hints: &mut Vec<Hint>) -> String {
    owned_text(octets.to_vec(), hints)
}

/// The same of octets that are not needed any more.
pub(super) fn owned_text(octets: Vec<u8>, hints: &mut Vec<Hint>) -> String {
    let read = String::from_utf8(octets).unwrap_or_else(|why| {
        note(hints, Hint::NotUtf8);
        why.as_bytes().iter().map(|&octet| char::from(octet)).collect()
    });
    // Of what is ASCII, the octets tell, which is quicker.
    if read.is_ascii() && !read.bytes().any(|o| o.is_ascii_control() && o != b'\t') {
        return read;
    }
    if read.contains(|c: char| c.is_control() && c != '\t') {
        return read.replace(|c: char| c.is_control() && c != '\t', "\u{fffd}");
    }
    read
}

/// Percent-decodes; a `%` that begins nothing stays as it is.
pub(super) fn percent_decode(octets: &[u8], hints: &mut Vec<Hint>) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len());
    let mut rest = octets;
    while let [first, after @ ..] = rest {
        if *first != b'%' {
            out.push(*first);
            rest = after;
            continue;
        }
        match after {
            [high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(digit(*high) << 4 | digit(*low));
                rest = tail;
            }
            _ => {
                note(hints, Hint::LonePercent);
                out.push(b'%');
                rest = after;
            }
        }
    }
    out
}

/// Decodes one name or value of a form: `+` is a space, then percent-encoding.
pub(super) fn form_decode(octets: &[u8], hints: &mut Vec<Hint>) -> String {
    if !octets.iter().any(|o| matches!(o, b'+' | b'%')) {
        return text(octets, hints);
    }
    let spaced: Vec<u8> = octets.iter().map(|&o| if o == b'+' { b' ' } else { o }).collect();
    owned_text(percent_decode(&spaced, hints), hints)
}

fn digit(hex: u8) -> u8 {
    match hex {
        b'0'..=b'9' => hex - b'0',
        _ => (hex | 0x20) - b'a' + 10,
    }
}
