//! One request or answer of a profile, on one line.

use data_encoding::BASE64;
use dialect::http::{Limits, Reader, Request};
use dialect::{Ask, Code, Deleted, Hosts, Outcome, Profile, TxtAction, Verb, Wanted};

/// The request that these octets are.
pub(crate) fn request(octets: &[u8]) -> Request {
    let mut reader = Reader::new(Limits::default());
    reader.push(octets);
    match reader.next() {
        Ok(Some(request)) => request,
        other => unreachable!("no request: {other:?}"),
    }
}

/// A GET without credentials.
pub(crate) fn get(target: &str) -> Request {
    request(format!("GET {target} HTTP/1.1\r\nHost: d\r\n\r\n").as_bytes())
}

/// A GET with Basic credentials.
pub(crate) fn get_as(user: &str, target: &str) -> Request {
    let basic = BASE64.encode(format!("{user}:token").as_bytes());
    let head = format!("GET {target} HTTP/1.1\r\nHost: d\r\nAuthorization: Basic {basic}\r\n\r\n");
    request(head.as_bytes())
}

/// What a request is taken for: hosts, both families, and whatever else it asks; or the code of a
/// refusal; then the hints that come of its meaning.
pub(crate) fn told(profile: Profile, request: &Request) -> String {
    let (meaning, hints) = match profile.parse(request) {
        Ok(ask) => (meant(&ask), ask.hints),
        Err(refusal) => (refusal.code.word().to_owned(), refusal.hints),
    };
    if hints.is_empty() { meaning } else { format!("{meaning} {hints:?}") }
}

fn meant(ask: &Ask) -> String {
    let hosts = match &ask.hosts {
        Hosts::Named(names) => names.join(","),
        Hosts::Labels(labels) => format!("labelled {}", labels.join(",")),
        Hosts::Group => "all".to_owned(),
        Hosts::Only => "the only one".to_owned(),
    };
    let mut text = format!("{hosts}: {} {}", wanted(&ask.ipv4), wanted(&ask.ipv6));
    for own in &ask.own {
        let family = |text: Option<String>| text.unwrap_or_else(|| "as all".to_owned());
        let (v4, v6) = (own.ipv4.as_ref().map(wanted), own.ipv6.as_ref().map(wanted));
        text += &format!("; {}: {} {}", own.host, family(v4), family(v6));
    }
    if let Some(prefix) = &ask.prefix {
        text += &match prefix {
            Wanted::Addresses(list) => format!("; prefix {}/{}", list[0].address, list[0].length),
            other => format!("; prefix {other:?}"),
        };
    }
    for edit in &ask.txt {
        let below = if edit.below.is_empty() { "" } else { " at " };
        text += &match &edit.action {
            TxtAction::Replace(value) => format!("; txt{below}{} ={value}", edit.below),
            TxtAction::Add { value, keep } => {
                format!("; txt{below}{} +{value}, {keep} at most", edit.below)
            }
            TxtAction::Remove(value) => format!("; txt{below}{} -{value}", edit.below),
            TxtAction::Clear => format!("; txt{below}{} cleared", edit.below),
        };
    }
    match ask.verb {
        Verb::Update => text,
        Verb::List => format!("list {text}"),
    }
}

fn wanted<A: ToString>(wanted: &Wanted<A>) -> String {
    match wanted {
        Wanted::Preserve => "keep".to_owned(),
        Wanted::Source => "source".to_owned(),
        Wanted::SourceElseDelete => "source-else-delete".to_owned(),
        Wanted::DeleteIfSource => "delete-if-source".to_owned(),
        Wanted::Delete => "delete".to_owned(),
        Wanted::Renumber(network, length) => format!("{}/{length}", network.to_string()),
        Wanted::Addresses(list) => list.iter().map(A::to_string).collect::<Vec<_>>().join(","),
    }
}

/// Checks what each request is taken for. A request is its target, and in front of that perhaps the
/// user of Basic credentials and a space.
pub(crate) fn check(profile: Profile, table: &[(&str, &str)]) {
    for (asked, expected) in table {
        assert_eq!(told(profile, &read(asked)), *expected, "{asked}");
    }
}

/// See [`check`].
pub(crate) fn read(asked: &str) -> Request {
    match asked.split_once(' ') {
        Some((user, target)) => get_as(user, target),
        None => get(asked),
    }
}

/// `good 192.0.2.1,2001:db8::1`: an outcome with these addresses.
pub(crate) fn outcome(text: &str) -> Outcome {
    let (word, addresses) = text.split_once(' ').unwrap_or((text, ""));
    let code = Code::ALL.into_iter().find(|code| code.word() == word);
    let addresses = addresses.split(',').filter_map(|text| text.parse().ok()).collect();
    Outcome { addresses, ..Outcome::bare("h.example", code.unwrap_or(Code::Dnserr)) }
}

/// The same of several hosts.
pub(crate) fn outcomes(texts: &[&str]) -> Vec<Outcome> {
    texts.iter().map(|text| outcome(text)).collect()
}

/// With what was deleted.
pub(crate) fn deleting(text: &str, ipv4: bool, ipv6: bool) -> Outcome {
    Outcome { deleted: Deleted { ipv4, ipv6 }, ..outcome(text) }
}

/// The whole answer to a request, without the header fields that every answer has.
pub(crate) fn answer(profile: Profile, asked: &Request, outcomes: &[Outcome]) -> String {
    let mut octets = Vec::new();
    profile.render(asked, outcomes).write(Some(asked), false, &mut octets);
    let text = String::from_utf8_lossy(&octets).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let length = format!("Content-Length: {}", body.len());
    let ours = [&*length, "Cache-Control: no-store", "Connection: close"];
    for field in &ours[..2] {
        assert!(head.lines().any(|line| line == *field), "{field} in {head}");
    }
    let rest: Vec<&str> = head.lines().filter(|line| !ours.contains(line)).collect();
    format!("{}\n\n{body}", rest.join("\n"))
}

/// Checks the whole answer to one host's outcomes: status, media type and further fields, body.
pub(crate) fn check_answers(profile: Profile, asked: &Request, table: &[(&[&str], &str)]) {
    for (texts, expected) in table {
        let found = answer(profile, asked, &outcomes(texts));
        assert_eq!(found, *expected, "{texts:?}");
        assert!(!found.starts_with("HTTP/1.1 3"), "a redirect");
    }
}

/// How the answers of the family begin.
pub(crate) const OK: &str = "HTTP/1.1 200 OK\nContent-Type: text/plain; charset=utf-8\n\n";
