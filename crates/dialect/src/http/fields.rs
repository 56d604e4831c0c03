//! Header fields, and the strict reading of those that decide where a request ends.

use super::{Limits, Malformed, Version, bad};
use crate::Hint;
use crate::hint::note;

/// One header field.
pub(super) struct Field {
    /// As sent, without white space.
    pub(super) name: String,
    /// Without white space around it; the lines of a folded field joined by one space.
    pub(super) value: Vec<u8>,
    tolerated: bool,
}

/// Where the request ends and whether another may follow.
pub(super) struct Framing {
    pub(super) body_octets: usize,
    pub(super) has_length: bool,
    pub(super) persistent: bool,
}

/// The lines of a head: without their line ends. `octets` ends in a line end or is empty.
pub(super) fn lines<'a>(octets: &'a [u8], hints: &mut Vec<Hint>) -> Vec<&'a [u8]> {
    let whole = octets.strip_suffix(b"\n").unwrap_or(octets);
    if octets.is_empty() {
        return Vec::new();
    }
    let mut lines = Vec::with_capacity(LINES_USUAL);
    lines.extend(whole.split(|&o| o == b'\n').map(|line| match line.strip_suffix(b"\r") {
        Some(stripped) => stripped,
        None => {
            note(hints, Hint::BareLineFeed);
            line
        }
    }));
    lines
}

/// Reads header fields from the lines between request line and empty line.
pub(super) fn parse(
    lines: &[&[u8]],
    limits: &Limits,
    hints: &mut Vec<Hint>,
) -> Result<Vec<Field>, Malformed> {
    let mut fields: Vec<Field> = Vec::with_capacity(lines.len().min(limits.headers));
    for line in lines {
        if line.iter().any(|&o| o == 0 || o == b'\r') {
            return Err(bad("NUL or a lone CR in a header field"));
        }
        if line.iter().any(|&o| is_control(o)) {
            note(hints, Hint::ControlCharacter);
        }
        if matches!(line.first(), Some(b' ' | b'\t')) {
            let field =
                fields.last_mut().ok_or(bad("the first header field begins with a space"))?;
            note(hints, Hint::FoldedHeader);
            field.tolerated = true;
            field.value.push(b' ');
            field.value.extend_from_slice(line.trim_ascii());
            continue;
        }
        if fields.len() == limits.headers {
            return Err(Malformed { status: 431, why: "too many header fields" });
        }
        fields.push(field(line, hints)?);
    }
    Ok(fields)
}

/// A proxy that reads an odd head otherwise than we do lets its client write a forwarding field that
/// we take for the proxy's own. Only a proxy sends these, so no device is hurt; and to leave the
/// field out would publish the address of the proxy.
pub(super) fn check_forwarding(fields: &[Field], hints: &[Hint]) -> Result<(), Malformed> {
    let forwarded = |f: &Field| FORWARDING.iter().any(|name| name.eq_ignore_ascii_case(&f.name));
    let odd = |hint: &Hint| {
        matches!(hint, Hint::BareLineFeed | Hint::FoldedHeader | Hint::SpaceBeforeColon)
    };
    if hints.iter().any(odd) && fields.iter().any(forwarded) {
        return Err(bad("a forwarding header field in a head with odd lines"));
    }
    Ok(())
}

/// RFC 9112 §6 and §9.3, without any of its leniencies.
pub(super) fn framing(
    fields: &[Field],
    version: Version,
    limits: &Limits,
) -> Result<Framing, Malformed> {
    if fields.iter().any(|f| f.tolerated && is_framing(&f.name)) {
        return Err(bad("a header field about framing is folded or has a space before its colon"));
    }
    if fields.iter().any(|f| is_framing(&f.name) && f.value.iter().any(|&o| is_control(o))) {
        return Err(bad("a control character in a header field about framing"));
    }
    let named =
        |name: &'static str| fields.iter().filter(move |f| f.name.eq_ignore_ascii_case(name));
    let lengths: Vec<&[u8]> = named("Content-Length").map(|f| f.value.as_slice()).collect();
    if named("Transfer-Encoding").next().is_some() {
        return Err(match lengths.is_empty() {
            true => Malformed { status: 501, why: "Transfer-Encoding is not supported here" },
            false => bad("both Transfer-Encoding and Content-Length"),
        });
    }
    let body_octets = match lengths.as_slice() {
        [] => 0,
        [one] => length(one, limits)?,
        [..] => return Err(bad("more than one Content-Length")),
    };
    let said = |token: &[u8]| {
        let mut tokens = named("Connection").flat_map(|f| f.value.split(|&o| o == b','));
        tokens.any(|t| t.trim_ascii().eq_ignore_ascii_case(token))
    };
    let persistent = match version {
        Version::Http09 => false,
        Version::Http10 => said(b"keep-alive") && !said(b"close"),
        Version::Http11 => !said(b"close"),
    };
    Ok(Framing { body_octets, has_length: !lengths.is_empty(), persistent })
}

fn field(line: &[u8], hints: &mut Vec<Hint>) -> Result<Field, Malformed> {
    let colon =
        line.iter().position(|&o| o == b':').ok_or(bad("a header field without a colon"))?;
    let (sent, value) = (&line[..colon], &line[colon + 1..]);
    let name = sent.trim_ascii_end();
    let tolerated = name.len() != sent.len();
    if tolerated {
        note(hints, Hint::SpaceBeforeColon);
    }
    if name.is_empty() || !name.iter().all(|&o| is_token(o)) {
        return Err(bad("the name of a header field is not a token"));
    }
    let name = String::from_utf8_lossy(name).into_owned();
    Ok(Field { name, value: value.trim_ascii().to_vec(), tolerated })
}

/// Digits only: no sign, no list, no white space inside (RFC 9112 §6.3).
fn length(value: &[u8], limits: &Limits) -> Result<usize, Malformed> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(bad("Content-Length is not a number"));
    }
    let digits = std::str::from_utf8(value).unwrap_or_default();
    match digits.parse::<usize>() {
        Ok(octets) if octets <= limits.body_octets => Ok(octets),
        _ => Err(Malformed { status: 413, why: "the body is too large" }),
    }
}

fn is_framing(name: &str) -> bool {
    FRAMING.iter().any(|framing| framing.eq_ignore_ascii_case(name))
}

fn is_control(octet: u8) -> bool {
    octet.is_ascii_control() && octet != b'\t'
}

/// RFC 9110 §5.6.2.
pub(super) fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(
            octet,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// Room for the lines of a head; more are no trouble.
const LINES_USUAL: usize = 16;
const FRAMING: [&str; 4] = ["Content-Length", "Transfer-Encoding", "Connection", "Expect"];
const FORWARDING: [&str; 4] = ["X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "X-Real-IP"];
