//! What the tests of the profiles share: octets in, words out.

use std::fmt::Display;

use crate::ask::{Ask, Hosts, TxtAction, Verb, Wanted};
use crate::http::{Limits, Reader, Request};
use crate::{Code, Deleted, Outcome, Profile};

/// The one request in these octets.
pub(crate) fn request(octets: impl AsRef<[u8]>) -> Request {
    let mut reader = Reader::new(Limits::default());
    reader.push(octets.as_ref());
    reader.next().unwrap().expect("a whole request")
}

/// A GET as curl sends it.
pub(crate) fn get(target: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: d.example\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n"
    )
}

/// A POST of JSON with further header lines.
pub(crate) fn post(path: &str, lines: &str, json: &str) -> String {
    let length = json.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: d.example\r\n{lines}Content-Length: {length}\r\n\
         Content-Type: application/json\r\n\r\n{json}"
    )
}

/// What a request is taken for: profile, who asks, which hosts, what, and the hints of both layers.
pub(crate) fn told(octets: impl AsRef<[u8]>) -> String {
    let request = request(octets);
    let Some(profile) = Profile::detect(&request) else { return "nothing".to_owned() };
    let who = match profile.credentials(&request) {
        Some(who) => format!("{}:{}", who.user, who.password),
        None => "nobody".to_owned(),
    };
    let (what, hints) = match profile.parse(&request) {
        Ok(ask) => (wants(&ask), ask.hints),
        Err(refusal) => (refusal.code.word().to_owned(), refusal.hints),
    };
    let hints = [request.hints, hints].concat();
    format!("{} {who} {what} {hints:?}", profile.name())
}

/// The whole answer, with its line ends as they are.
pub(crate) fn answered(octets: impl AsRef<[u8]>, outcomes: &[Outcome]) -> String {
    let request = request(octets);
    let profile = Profile::detect(&request).expect("an update");
    let mut out = Vec::new();
    profile.render(&request, outcomes).write(Some(&request), false, &mut out);
    String::from_utf8(out).unwrap()
}

/// An answer of text in HTTP/1.1.
pub(crate) fn plain(status: &str, lines: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {}\r\nCache-Control: no-store\r\n{lines}\r\n{body}",
        body.len()
    )
}

/// The header line that asks for credentials.
pub(crate) const CHALLENGE: &str =
    "WWW-Authenticate: Basic realm=\"byname\", charset=\"UTF-8\"\r\n";

/// A change from one list of addresses to another.
pub(crate) fn good(host: &str, before: &[&str], addresses: &[&str]) -> Outcome {
    let parse = |list: &[&str]| list.iter().map(|address| address.parse().unwrap()).collect();
    Outcome {
        host: host.to_owned(),
        code: Code::Good,
        addresses: parse(addresses),
        before: parse(before),
        deleted: Deleted::default(),
    }
}

/// No change.
pub(crate) fn nochg(host: &str, addresses: &[&str]) -> Outcome {
    Outcome { code: Code::Nochg, ..good(host, &[], addresses) }
}

/// One outcome of each refusal for a host.
pub(crate) fn refusals(host: &str) -> Vec<Outcome> {
    let refusals = Code::ALL.into_iter().filter(|code| !code.is_success());
    refusals.map(|code| Outcome::bare(host, code)).collect()
}

fn wants(ask: &Ask) -> String {
    let hosts = match &ask.hosts {
        Hosts::Named(names) => names.join(","),
        Hosts::Labels(labels) => format!("label {}", labels.join(",")),
        Hosts::Group => "all".to_owned(),
        Hosts::Only => "only".to_owned(),
    };
    if ask.verb == Verb::List {
        return format!("{hosts} list");
    }
    let mut said = format!("{hosts} A={} AAAA={}", family(&ask.ipv4), family(&ask.ipv6));
    if let Some(prefix) = &ask.prefix {
        let prefix = match prefix {
            Wanted::Addresses(list) => {
                let list =
                    list.iter().map(|prefix| format!("{}/{}", prefix.address, prefix.length));
                list.collect::<Vec<_>>().join(",")
            }
            Wanted::Source => "source".to_owned(),
            Wanted::Delete => "delete".to_owned(),
            Wanted::Preserve
            | Wanted::Renumber(..)
            | Wanted::SourceElseDelete
            | Wanted::DeleteIfSource => "keep".to_owned(),
        };
        said.push_str(&format!(" prefix={prefix}"));
    }
    for edit in &ask.txt {
        let action = match &edit.action {
            TxtAction::Replace(value) => format!("={value}"),
            TxtAction::Add { value, keep } => format!("+{value} of {keep}"),
            TxtAction::Remove(value) => format!("-{value}"),
            TxtAction::Clear => " clear".to_owned(),
        };
        said.push_str(&format!(" TXT {}{action}", edit.below));
    }
    said
}

fn family<A: Display>(wanted: &Wanted<A>) -> String {
    match wanted {
        Wanted::Preserve => "keep".to_owned(),
        Wanted::Source => "source".to_owned(),
        Wanted::Addresses(list) => list.iter().map(A::to_string).collect::<Vec<_>>().join(","),
        Wanted::Renumber(address, length) => format!("{address}/{length}"),
        Wanted::Delete => "delete".to_owned(),
        Wanted::SourceElseDelete => "source or delete".to_owned(),
        Wanted::DeleteIfSource => "delete of source".to_owned(),
    }
}
