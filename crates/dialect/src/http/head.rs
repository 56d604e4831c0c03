//! The head of a request: request line and header fields, up to the empty line.

use super::credentials::authorization;
use super::fields::{self, Field, is_token};
use super::target::{Target, form_parameters};
use super::text::{owned_text, text};
use super::{Limits, Malformed, Method, Request, Version, bad};
use crate::Hint;
use crate::hint::note;

/// A head that has been read, and how many octets of body follow it.
pub(super) struct Head {
    request: Request,
    pub(super) body_octets: usize,
    kind: BodyKind,
}

/// What a body says it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BodyKind {
    Form,
    Json,
    Other,
}

impl Head {
    /// Reads a whole head, with its line ends.
    pub(super) fn parse(octets: &[u8], limits: &Limits) -> Result<Head, Malformed> {
        let mut hints = Vec::new();
        let lines = fields::lines(octets, &mut hints);
        let (line, rest) = lines.split_first().ok_or(bad("no request line"))?;
        // The last line is the empty one; HTTP/0.9 has neither it nor fields.
        let rest = rest.split_last().map_or(&[][..], |(_, fields)| fields);
        let fields = fields::parse(rest, limits, &mut hints)?;
        fields::check_forwarding(&fields, &hints)?;
        let line = RequestLine::parse(line, &mut hints)?;
        let framing = fields::framing(&fields, line.version, limits)?;
        check_singles(&fields, line.version, &mut hints)?;
        if line.method == Method::Post && !framing.has_length {
            note(&mut hints, Hint::PostWithoutLength);
        }

        let target = Target::parse(line.target, &mut hints);
        let value = |name: &str| fields.iter().find(|f| f.name.eq_ignore_ascii_case(name));
        let in_header = value("Authorization").and_then(|f| authorization(&f.value, &mut hints));
        let user_agent = value("User-Agent").map(|f| text(&f.value, &mut hints));
        let kind = value("Content-Type").map_or(BodyKind::Form, |f| BodyKind::of(&f.value));
        let request = Request {
            method: line.method,
            version: line.version,
            path: target.path,
            parameters_in_url: target.parameters.len(),
            parameters: target.parameters,
            body: Vec::new(),
            credentials: in_header.or(target.credentials),
            user_agent,
            persistent: framing.persistent,
            fields: kept(fields, &mut hints),
            hints,
        };
        Ok(Head { request, body_octets: framing.body_octets, kind })
    }

    /// The request, now that its body is there.
    pub(super) fn with_body(self, body: &[u8]) -> Request {
        let mut request = self.request;
        if request.method == Method::Post && !body.is_empty() {
            match self.kind {
                // JSON that comes as a form, which is what curl calls anything: no parameters.
                BodyKind::Form if body.trim_ascii_start().starts_with(b"{") => {}
                BodyKind::Form => {
                    let form = form_parameters(body.trim_ascii(), &mut request.hints);
                    request.parameters.extend(form);
                }
                BodyKind::Json => {}
                BodyKind::Other => note(&mut request.hints, Hint::BodyNotForm),
            }
            request.body = body.to_vec();
        }
        // Whoever is in front of us may have read an odd request otherwise than we did; what
        // follows it on this connection is then not what we would take it for.
        request.persistent &= request.hints.is_empty();
        request
    }
}

/// Whether a request line ends in a version, so that header fields follow.
pub(super) fn has_version(line: &[u8]) -> bool {
    version(line).is_some()
}

struct RequestLine<'a> {
    method: Method,
    target: &'a [u8],
    version: Version,
}

impl<'a> RequestLine<'a> {
    fn parse(line: &'a [u8], hints: &mut Vec<Hint>) -> Result<RequestLine<'a>, Malformed> {
        if line.iter().any(|&o| o.is_ascii_control() && o != b'\t') {
            return Err(bad("a control character in the request line"));
        }
        let (before, version) = match version(line) {
            Some((before, (1, 0))) => (before, Version::Http10),
            Some((before, (1, _))) => (before, Version::Http11),
            Some(_) => return Err(Malformed { status: 505, why: "not HTTP/1" }),
            None => {
                note(hints, Hint::NoVersion);
                (line, Version::Http09)
            }
        };
        let method_octets = before.iter().position(|&o| o == b' ').unwrap_or(before.len());
        let (method, rest) = before.split_at(method_octets);
        let target = rest.trim_ascii();
        let after = if version == Version::Http09 { 0 } else { VERSION.len() };
        if line.len() != method.len() + " ".len() + target.len() + after {
            note(hints, Hint::Spacing);
        }
        if after != 0 && !line.trim_ascii_end()[before.len()..].starts_with(b" HTTP/") {
            note(hints, Hint::LowerCase);
        }
        let method = self::method(method, hints)?;
        // HTTP/0.9 knows GET only, and a line that has a version somewhere is no line of 0.9.
        let odd = method != Method::Get || target.windows(6).any(|w| w == b" HTTP/");
        if version == Version::Http09 && odd {
            return Err(bad("not a request line"));
        }
        if target.is_empty() {
            note(hints, Hint::PathMissing);
        }
        Ok(RequestLine { method, target, version })
    }
}

/// What stands before the last ` HTTP/x.y` of a line, and that version, in any case.
fn version(line: &[u8]) -> Option<(&[u8], (u8, u8))> {
    let trimmed = line.trim_ascii_end();
    let before = trimmed.len().checked_sub(VERSION.len())?;
    let (before, version) = trimmed.split_at(before);
    match version.split_at(" HTTP/".len()) {
        (name, [major, b'.', minor])
            if name.eq_ignore_ascii_case(b" HTTP/")
                && major.is_ascii_digit()
                && minor.is_ascii_digit() =>
        {
            Some((before, (major - b'0', minor - b'0')))
        }
        _ => None,
    }
}

fn method(octets: &[u8], hints: &mut Vec<Hint>) -> Result<Method, Malformed> {
    if octets.is_empty() || !octets.iter().all(|&o| is_token(o)) {
        return Err(bad("the method is not a token"));
    }
    let known = [(&b"GET"[..], Method::Get), (b"POST", Method::Post), (b"HEAD", Method::Head)];
    let Some((name, method)) = known.iter().find(|(name, _)| octets.eq_ignore_ascii_case(name))
    else {
        return Ok(Method::Other);
    };
    if octets != *name {
        note(hints, Hint::LowerCase);
    }
    Ok(*method)
}

/// The fields that may appear once, and those that HTTP/1.1 asks for.
fn check_singles(
    fields: &[Field],
    version: Version,
    hints: &mut Vec<Hint>,
) -> Result<(), Malformed> {
    let named =
        |name: &'static str| fields.iter().filter(move |f| f.name.eq_ignore_ascii_case(name));
    if named("Authorization").nth(1).is_some() {
        return Err(bad("more than one Authorization"));
    }
    let mut hosts = named("Host");
    match (hosts.next(), hosts.next()) {
        (None, _) if version == Version::Http11 => note(hints, Hint::HostMissing),
        (None, _) => {}
        (Some(host), None) if is_host(&host.value) => {}
        (Some(_), None) => note(hints, Hint::HostOdd),
        (Some(_), Some(_)) => return Err(bad("more than one Host")),
    }
    // RFC 9110 §10.1.1: an expectation in HTTP/1.0 is ignored.
    if version == Version::Http11 && named("Expect").next().is_some() {
        return Err(Malformed { status: 417, why: "no expectation can be met here" });
    }
    Ok(())
}

/// RFC 9110 §7.2, roughly: a name or address and perhaps a port, or nothing.
fn is_host(value: &[u8]) -> bool {
    let (name, port) = match value.iter().rposition(|&o| o == b':') {
        Some(colon) if !value[colon..].contains(&b']') => value.split_at(colon),
        _ => (value, &[][..]),
    };
    let plain = name.iter().all(|&o| o.is_ascii_alphanumeric() || b"-._~%".contains(&o));
    let literal = name.starts_with(b"[") && name.ends_with(b"]");
    (plain || literal) && port.iter().skip(1).all(u8::is_ascii_digit)
}

impl BodyKind {
    fn of(content_type: &[u8]) -> BodyKind {
        let end = content_type.iter().position(|&o| o == b';').unwrap_or(content_type.len());
        let media_type = content_type[..end].trim_ascii();
        if media_type.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
            BodyKind::Form
        } else if media_type.eq_ignore_ascii_case(b"application/json") {
            BodyKind::Json
        } else {
            BodyKind::Other
        }
    }
}

/// The fields as text, without the one that holds a secret.
fn kept(mut fields: Vec<Field>, hints: &mut Vec<Hint>) -> Vec<(String, String)> {
    fields.retain(|f| !f.name.eq_ignore_ascii_case("Authorization"));
    fields.into_iter().map(|f| (f.name, owned_text(f.value, hints))).collect()
}

const VERSION: &str = " HTTP/1.1";
