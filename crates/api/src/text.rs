//! Names and moments as text, and back.

use account::{NamePattern, Network, NetworkError, Timestamp};
use jiff::Timestamp as Moment;
use wire::{Name, Rtype};

use crate::problem::{Kind, Problem};

/// A name for people and programs: no final dot.
pub(crate) fn name(name: &Name) -> String {
    let text = name.to_string();
    match text.strip_suffix('.') {
        Some(short) if !short.is_empty() => short.to_owned(),
        Some(_) | None => text,
    }
}

/// A name in a path, with or without the final dot.
pub(crate) fn name_in_path(text: &str) -> Result<Name, Problem> {
    read(text).map_err(|detail| Problem::new(Kind::BadRequest, detail))
}

/// A name in a body.
pub(crate) fn name_in_body(text: &str, pointer: &str) -> Result<Name, Problem> {
    read(text).map_err(|detail| Problem::invalid(detail).at(pointer))
}

fn read(text: &str) -> Result<Name, String> {
    if text.is_empty() {
        return Err("a domain name is missing".to_owned());
    }
    Name::parse(text)
        .map(|name| name.to_lowercase())
        .map_err(|why| format!("`{}` is not a domain name: {why}", shown(text)))
}

/// The type of a record: a mnemonic, or `TYPE` and a number (RFC 3597 §5).
pub(crate) fn rtype(text: &str) -> Option<Rtype> {
    let rtype: Rtype = text.parse().ok()?;
    (!rtype.is_meta()).then_some(rtype)
}

/// Patterns of names in a body.
pub(crate) fn patterns(texts: &[String], pointer: &str) -> Result<Vec<NamePattern>, Problem> {
    let pattern = |(at, text): (usize, &String)| {
        NamePattern::parse(text).map_err(|why| {
            let detail = format!("`{}` is not a name or pattern: {why}", shown(text));
            Problem::invalid(detail).at(format!("{pointer}/{at}"))
        })
    };
    texts.iter().enumerate().map(pattern).collect()
}

/// Types of records in a body.
pub(crate) fn rtypes(texts: &[String], pointer: &str) -> Result<Vec<Rtype>, Problem> {
    let one = |(at, text): (usize, &String)| {
        rtype(text).ok_or_else(|| {
            let detail = format!("`{}` is not the type of a record", shown(text));
            Problem::invalid(detail).at(format!("{pointer}/{at}"))
        })
    };
    texts.iter().enumerate().map(one).collect()
}

/// Blocks of addresses in a body.
pub(crate) fn networks(texts: &[String], pointer: &str) -> Result<Vec<Network>, Problem> {
    let network = |(at, text): (usize, &String)| {
        text.parse().map_err(|why: NetworkError| {
            Problem::invalid(format!("`{}`: {why}", shown(text))).at(format!("{pointer}/{at}"))
        })
    };
    texts.iter().enumerate().map(network).collect()
}

/// A moment in a body.
pub(crate) fn read_moment(text: &str) -> Result<Timestamp, Problem> {
    let moment: Result<Moment, _> = text.parse();
    moment.map(|at| Timestamp(at.as_millisecond())).map_err(|_| {
        let detail = format!("`{}` is no moment", shown(text));
        Problem::invalid(detail).at("/expires").hint("write `2027-01-02T03:04:05Z`, say")
    })
}

/// RFC 3339, in UTC.
pub(crate) fn moment(at: Timestamp) -> String {
    Moment::from_millisecond(at.0).map(|at| at.to_string()).unwrap_or_else(|_| at.0.to_string())
}

/// Text of a client's in an answer to it: short, and without what may be a token.
pub(crate) fn shown(text: &str) -> String {
    if text.to_ascii_lowercase().contains("byn_") {
        return "(holds a token)".to_owned();
    }
    let short: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

/// Most characters of a client's text that are repeated.
const SHOWN_CHARS_MAX: usize = 100;
