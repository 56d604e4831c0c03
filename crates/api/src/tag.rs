//! Entity tags, and the preconditions that name them (RFC 9110 §8.8.3, §13.1).

use axum::http::HeaderMap;
use axum::http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
use data_encoding::BASE64URL_NOPAD;
use ring::digest::{Context, SHA256};
use wire::{Rrset, Rtype, Serial};

use crate::endpoint::Conditions;
use crate::problem::{Kind, Problem};

/// The preconditions of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Preconditions {
    pub(crate) matches: Option<Tags>,
    pub(crate) differs: Option<Tags>,
}

/// What a precondition names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tags {
    /// `*`: whatever there is.
    Any,
    /// One of these, with their quotes.
    Of(Vec<String>),
}

impl Tags {
    /// Whether something with this tag is meant; `None`: there is nothing.
    pub(crate) fn hold(&self, tag: Option<&str>) -> bool {
        match (self, tag) {
            (_, None) => false,
            (Tags::Any, Some(_)) => true,
            (Tags::Of(tags), Some(tag)) => tags.iter().any(|known| known == tag),
        }
    }
}

impl Preconditions {
    /// Reads the fields. A precondition that the operation does not know is an error.
    pub(crate) fn read(fields: &HeaderMap, known: Conditions) -> Result<Preconditions, Problem> {
        let others = [IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE];
        // RFC 9110 §13.1.3: it may be passed over where nothing has a date.
        if known != Conditions::Read && others.iter().any(|name| fields.contains_key(name)) {
            return Err(unknown("a date", known));
        }
        let matches = tags(fields, IF_MATCH.as_str())?;
        let differs = tags(fields, IF_NONE_MATCH.as_str())?;
        match known {
            Conditions::Write => {}
            Conditions::Read if matches.is_some() => return Err(unknown("`If-Match`", known)),
            Conditions::Read => {}
            Conditions::None if matches.is_some() || differs.is_some() => {
                return Err(unknown("`If-Match` or `If-None-Match`", known));
            }
            Conditions::None => {}
        }
        Ok(Preconditions { matches, differs })
    }
}

fn unknown(what: &str, known: Conditions) -> Problem {
    let problem = Problem::new(
        Kind::BadRequest,
        format!("this operation knows no precondition on {what}, so nothing was done"),
    );
    match known {
        Conditions::None => problem,
        Conditions::Read => problem.hint("`If-None-Match` with an `ETag` is understood"),
        Conditions::Write => problem.hint("`If-Match` and `If-None-Match` are understood"),
    }
}

fn tags(fields: &HeaderMap, name: &str) -> Result<Option<Tags>, Problem> {
    let mut list = Vec::new();
    for value in fields.get_all(name) {
        let text = value.to_str().map_err(|_| malformed(name))?.trim();
        if text == "*" {
            return Ok(Some(Tags::Any));
        }
        for tag in text.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
            // Ours never hold a comma. A weak one names no exact content (RFC 9110 §13.1.1), and a
            // proxy that made ours weak has changed nothing that counts here.
            let strong = tag.strip_prefix("W/").unwrap_or(tag);
            if strong.len() < 2 || !strong.starts_with('"') || !strong.ends_with('"') {
                return Err(malformed(name));
            }
            list.push(strong.to_owned());
        }
        if list.len() > TAGS_MAX {
            return Err(malformed(name));
        }
    }
    Ok((!list.is_empty()).then_some(Tags::Of(list)))
}

fn malformed(name: &str) -> Problem {
    let detail = format!("`{name}` is not `*` nor a list of up to 16 tags in quotes");
    Problem::new(Kind::BadRequest, detail)
}

/// The tag of an RRset: its records and its TTL.
pub(crate) fn of_rrset(rtype: Rtype, rrset: &Rrset) -> String {
    let mut records: Vec<_> = rrset.rdata.iter().map(|rdata| rdata.canonical(rtype)).collect();
    records.sort();
    let mut hash = Context::new(&SHA256);
    hash.update(&rrset.ttl_s.to_be_bytes());
    for record in &records {
        let octets = record.as_wire();
        hash.update(&u32::try_from(octets.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(octets);
    }
    let digest = hash.finish();
    let short = digest.as_ref().get(..TAG_OCTETS).unwrap_or_default();
    format!("\"{}\"", BASE64URL_NOPAD.encode(short))
}

/// The tag of the content of a zone: its serial.
pub(crate) fn of_serial(serial: Serial) -> String {
    format!("\"s{}\"", serial.0)
}

/// What tells settings from others, in a tag.
pub(crate) fn of_settings(text: &str) -> String {
    let digest = ring::digest::digest(&SHA256, text.as_bytes());
    BASE64URL_NOPAD.encode(digest.as_ref().get(..SETTINGS_OCTETS).unwrap_or_default())
}

/// Octets of a hash that tell settings from others.
const SETTINGS_OCTETS: usize = 6;
/// Most tags in one precondition.
const TAGS_MAX: usize = 16;
/// Octets of a hash that make a tag.
const TAG_OCTETS: usize = 15;

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use wire::Rdata;

    use super::*;

    fn fields(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in fields {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn rfc9110_13_1_preconditions_are_read_or_refused_but_never_passed_over() {
        let of = |tags: &[&str]| Some(Tags::Of(tags.iter().map(|&tag| tag.to_owned()).collect()));
        for (given, known, matches, differs) in [
            (&[][..], Conditions::None, None, None),
            (&[("if-match", "\"a\"")], Conditions::Write, of(&["\"a\""]), None),
            (&[("if-match", "\"a\", W/\"b\"")], Conditions::Write, of(&["\"a\"", "\"b\""]), None),
            (&[("if-match", "*")], Conditions::Write, Some(Tags::Any), None),
            (&[("if-none-match", "*")], Conditions::Write, None, Some(Tags::Any)),
            (&[("if-none-match", "\"a\"")], Conditions::Read, None, of(&["\"a\""])),
            (&[("if-modified-since", "x")], Conditions::Read, None, None),
        ] {
            let read = Preconditions::read(&fields(given), known).unwrap();
            assert_eq!(read, Preconditions { matches, differs }, "{given:?}");
        }
        for (given, known) in [
            (("if-match", "\"a\""), Conditions::None),
            (("if-none-match", "*"), Conditions::None),
            (("if-unmodified-since", "x"), Conditions::Write),
            (("if-match", "\"a\""), Conditions::Read),
            (("if-match", "a"), Conditions::Write),
            (("if-match", "\"a"), Conditions::Write),
            (("if-match", "\""), Conditions::Write),
        ] {
            let read = Preconditions::read(&fields(&[given]), known);
            assert_eq!(read.unwrap_err().kind, Kind::BadRequest, "{given:?}");
        }
    }

    #[test]
    fn tag_of_an_rrset_is_of_its_records_in_any_order_and_of_its_ttl() {
        let rrset = |ttl_s, last: &[u8]| Rrset {
            ttl_s,
            rdata: last.iter().map(|&octet| Rdata::a([192, 0, 2, octet].into())).collect(),
        };
        let tag = |ttl_s, last: &[u8]| of_rrset(Rtype::A, &rrset(ttl_s, last));
        assert_eq!(tag(60, &[1, 2]), tag(60, &[2, 1]));
        assert_ne!(tag(60, &[1, 2]), tag(61, &[1, 2]));
        assert_ne!(tag(60, &[1, 2]), tag(60, &[1]));
        assert_eq!(tag(60, &[1]).len(), 22);
    }
}
