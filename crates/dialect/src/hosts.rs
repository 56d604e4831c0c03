//! Names of hosts as devices write them.

use crate::address::is_placeholder;
use crate::ask::{HOSTS_MAX, Hosts};
use crate::hint::note;
use crate::http::Request;
use crate::{Code, Hint};

/// The names in the first group of parameters that has any: of several parameters in a group the
/// last that names a host counts; placeholders and empty ones name none.
pub(crate) fn named(request: &Request, groups: &[&[&str]], hints: &mut Vec<Hint>) -> Vec<String> {
    for group in groups {
        let named = request.values(group).into_iter().rev().map(|value| list(value, hints));
        if let Some(names) = named.into_iter().find(|names| !names.is_empty()) {
            return names;
        }
    }
    Vec::new()
}

/// The hosts that are named in the first group of parameters that names any, or else the token's only
/// one.
pub(crate) fn meant(
    request: &Request,
    groups: &[&[&str]],
    hints: &mut Vec<Hint>,
) -> Result<Hosts, Code> {
    let named = named(request, groups, hints);
    if named.is_empty() {
        return Ok(Hosts::Only);
    }
    few(&named, hints)?;
    Ok(Hosts::Named(named))
}

/// No more than are taken in one request.
pub(crate) fn few(names: &[String], hints: &mut Vec<Hint>) -> Result<(), Code> {
    if names.len() > HOSTS_MAX {
        note(hints, Hint::TooManyHosts);
        return Err(Code::Numhost);
    }
    Ok(())
}

/// The names of one list, without final dots.
pub(crate) fn list(value: &str, hints: &mut Vec<Hint>) -> Vec<String> {
    let mut names = Vec::new();
    for name in value.split([',', ' ', ';']) {
        let name = name.strip_suffix('.').unwrap_or(name);
        if is_placeholder(name) {
            note(hints, Hint::HostPlaceholder);
        } else if !name.is_empty() && name != "YES" {
            // deSEC has seen `hostname=YES` and takes it as nothing.
            names.push(name.to_owned());
        }
    }
    names
}

/// Whether a name could be a host: at least two labels of letters, digits, hyphens and
/// underscores, the first perhaps `*`, at most 63 octets each and 253 together, the last not a
/// number (RFC 1123 §2.1).
pub fn is_fqdn(name: &str) -> bool {
    let labels: Vec<&str> = name.split('.').collect();
    let last_is_number = labels.last().is_none_or(|l| l.bytes().all(|o| o.is_ascii_digit()));
    let (first, rest) = labels.split_at(1);
    name.len() <= 253
        && !rest.is_empty()
        && !last_is_number
        && (first == ["*"] || first.iter().all(|l| is_label(l)))
        && rest.iter().all(|l| is_label(l))
}

fn is_label(label: &str) -> bool {
    let plain = |o: u8| o.is_ascii_alphanumeric() || o == b'-' || o == b'_';
    (1..=63).contains(&label.len())
        && label.bytes().all(plain)
        && !label.starts_with('-')
        && !label.ends_with('-')
}
