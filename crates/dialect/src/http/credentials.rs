//! `Authorization` and user information, as tolerant as devices need.

use data_encoding::BASE64_NOPAD;

use super::Credentials;
use super::text::{percent_decode, text};
use crate::Hint;
use crate::hint::note;

/// Reads the value of `Authorization`: Basic, or Bearer and the `Token` that some clients write
/// instead. Anything else is no credentials, and a hint.
pub(super) fn authorization(value: &[u8], hints: &mut Vec<Hint>) -> Option<Credentials> {
    let scheme_octets = value.iter().position(|o| matches!(o, b' ' | b'\t')).unwrap_or(value.len());
    let (scheme, rest) = value.split_at(scheme_octets);
    let rest = rest.trim_ascii();
    let found = if scheme.eq_ignore_ascii_case(b"basic") {
        basic(rest, hints)
    } else if scheme.eq_ignore_ascii_case(b"bearer") || scheme.eq_ignore_ascii_case(b"token") {
        Some(Credentials { user: String::new(), password: text(rest, hints) })
    } else {
        None
    };
    if found.is_none() {
        note(hints, Hint::AuthorizationUnreadable);
    }
    found
}

/// The user information in front of `@` in an absolute request target.
pub(super) fn userinfo(octets: &[u8], hints: &mut Vec<Hint>) -> Credentials {
    note(hints, Hint::UserinfoInTarget);
    let (user, password) = at_colon(octets);
    let mut read = |octets| {
        let decoded = percent_decode(octets, hints);
        text(&decoded, hints)
    };
    Credentials { user: read(user), password: read(password) }
}

/// RFC 7617 §2, without padding too, in either alphabet of RFC 4648, with the white space that a
/// folded header leaves inside.
fn basic(encoded: &[u8], hints: &mut Vec<Hint>) -> Option<Credentials> {
    let mut plain = Vec::with_capacity(encoded.len());
    let digits = encoded.iter().filter(|o| !matches!(o, b' ' | b'\t' | b'='));
    plain.extend(digits.map(|&o| match o {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    }));
    let pair = BASE64_NOPAD.decode(&plain).ok()?;
    if !pair.contains(&b':') {
        note(hints, Hint::NoPassword);
    }
    let (user, password) = at_colon(&pair);
    Some(Credentials { user: text(user, hints), password: text(password, hints) })
}

/// The user name ends at the first colon; the password may contain more.
fn at_colon(pair: &[u8]) -> (&[u8], &[u8]) {
    match pair.iter().position(|&o| o == b':') {
        Some(colon) => (&pair[..colon], &pair[colon + 1..]),
        None => (pair, &[]),
    }
}
