//! What holds for the languages of all providers, whatever is sent: nothing panics, an answer is
//! whole and tells no secret, nothing is deleted but by a word for it, and what is not mentioned
//! stays.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use dialect::http::{Limits, Reader, Request};
use dialect::{Ask, Code, Deleted, Outcome, Profile, TxtAction, Wanted};
use proptest::collection::vec;
use proptest::prelude::*;

/// Each way to ask, with what a client puts into it: `T` the token, `H` a host, `A` addresses.
const WAYS: [&str; 13] = [
    "/update?domains=H&token=T&ip=A",
    "/update/H/T/A",
    "/api/update?zone=H&token=T&ipv4=A",
    "/api/update?zone=H&token=T&ipv6=A",
    "/dynamic/update.php?T&host=H&address=A",
    "/u/T/?h=H&address=A",
    "/update.php?key=T&domain=H&ip=A",
    "/nic/update?token=T&hostname=H&myip=A",
    "/nic/update?token=T&group=H&myip=A",
    "/dyndns/update?token=T&hostname=H&myip=A",
    "/auth/dynamic.html?password=T&host=H&dnsto=A",
    "/dyn/generic.php?password=T&hostname=H&myip=A",
    "/postscript.php?password=T&host=H&ip=A",
];

/// Values that no language has as a word for deleting.
const HARMLESS: [&str; 14] = [
    "",
    "192.0.2.1",
    "2001:db8::1",
    "0.0.0.0",
    "::",
    "<ipaddr>",
    "null",
    "none",
    "0",
    "fe80::1%25eth0",
    "2001:db8::/64",
    "2001:db8::1/64",
    "auto",
    "1.1.1.1",
];

/// All parameters that some language knows, but for its words for deleting.
const NAMES: [&str; 30] = [
    "domains",
    "token",
    "ip",
    "ipv6",
    "verbose",
    "clear",
    "txt",
    "zone",
    "hostname",
    "ipv4",
    "ipv6prefix",
    "action",
    "sha",
    "address",
    "h",
    "key",
    "user",
    "domain",
    "praefix",
    "onlyprefix",
    "ip6",
    "group",
    "myip",
    "host",
    "dnsto",
    "host_id",
    "u",
    "p",
    "wildcard",
    "mx",
];

const PATHS: [&str; 16] = [
    "/update",
    "/update/home/t",
    "/update/home/t/192.0.2.1",
    "/api/update",
    "/dynamic/update.php",
    "/api/",
    "/u/",
    "/u/t/",
    "/update.php",
    "/nic/update",
    "/dyndns/update",
    "/auth/dynamic.html",
    "/dyn/ez-ipupdate.php",
    "/postscript.php",
    "/present",
    "/cleanup",
];

proptest! {
    #[test]
    fn nothing_panics_and_every_answer_is_whole(
        path in prop::sample::select(&PATHS[..]),
        query in "[ -~\u{e4}\u{4e2d}]{0,60}",
        post in any::<bool>(),
        body in prop_oneof![Just(String::new()), "\\{[ -~\u{e4}]{0,60}\\}", json()],
        host in "[ -~\u{e4}\r\n<>\"|]{0,20}",
        addresses in vec(any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))), 0..3),
    ) {
        let (method, query) = (if post { "POST" } else { "GET" }, query.replace('\u{e4}', "%e4"));
        let Some(request) = ask(&format!(
            "{method} {path}?{query} HTTP/1.1\r\nHost: d\r\nX-Api-Key: k\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )) else { return Ok(()) };
        for profile in Profile::ALL {
            let _ = (profile.credentials(&request), profile.parse(&request));
            for code in Code::ALL {
                let outcome = Outcome {
                    host: host.clone(),
                    code,
                    addresses: addresses.clone(),
                    before: addresses.clone(),
                    deleted: Deleted::default(),
                };
                let mut out = Vec::new();
                profile.render(&request, &[outcome]).write(Some(&request), false, &mut out);
                whole(&out)?;
            }
            let mut out = Vec::new();
            profile.render(&request, &[]).write(Some(&request), false, &mut out);
            whole(&out)?;
        }
    }

    #[test]
    fn only_a_word_for_it_deletes(
        path in prop::sample::select(&PATHS[..]),
        pairs in vec(
            (prop::sample::select(&NAMES[..]), prop::sample::select(&HARMLESS[..])),
            0..8,
        ),
    ) {
        let query: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{name}={}", value.replace('<', "%3C"))).collect();
        let octets = format!("GET {path}?{} HTTP/1.1\r\nHost: d\r\n\r\n", query.join("&"));
        let request = ask(&octets).expect("a request");
        for profile in Profile::ALL {
            // These two delete without a word; only a host chooses them.
            if matches!(profile, Profile::Desec | Profile::Nsupdate) {
                prop_assert_ne!(Profile::detect(&request), Some(*profile), "{}", octets);
            } else if let Ok(ask) = profile.parse(&request) {
                prop_assert!(!deletes(&ask), "{:?} {octets}", profile);
            }
        }
    }

    #[test]
    fn a_family_that_is_not_mentioned_stays(
        way in prop::sample::select(&WAYS[..]),
        v4 in any::<[u8; 4]>(),
        v6 in any::<[u8; 16]>(),
    ) {
        let (v4, v6) = (Ipv4Addr::from(v4), Ipv6Addr::from(v6));
        prop_assume!(v6.to_ipv4_mapped().is_none());
        for address in [IpAddr::V4(v4), IpAddr::V6(v6)] {
            let Some((profile, ask)) = parsed(way, &address.to_string()) else { continue };
            match address {
                IpAddr::V4(v4) => {
                    let detected = v4 == Ipv4Addr::new(1, 1, 1, 1) && profile == Profile::EasyDns;
                    let wanted = if detected { Wanted::Source } else { Wanted::Addresses(vec![v4]) };
                    prop_assert!(ask.ipv6 == Wanted::Preserve, "{way}");
                    prop_assert!(ask.ipv4 == wanted, "{way}");
                }
                IpAddr::V6(v6) => {
                    prop_assert!(ask.ipv4 == Wanted::Preserve, "{way}");
                    prop_assert!(
                        ask.ipv6 == Wanted::Addresses(vec![v6]),
                        "{way}"
                    );
                }
            }
            prop_assert!(ask.txt.is_empty(), "{way}");
        }
    }
}

/// Text records and addresses never touch each other.
#[test]
fn a_text_leaves_the_addresses_alone() {
    for query in
        ["txt=v", "txt=v&ip=192.0.2.1", "txt=&clear=true", "txt=v&clear=true&ipv6=2001:db8::1"]
    {
        let (_, ask) =
            parsed(&format!("/update?domains=home&token=T&{query}"), "").expect("an update");
        assert_eq!((ask.ipv4, ask.ipv6), (Wanted::Preserve, Wanted::Preserve), "{query}");
        assert_eq!(ask.txt.len(), 1, "{query}");
    }
}

#[test]
fn no_answer_repeats_the_token() {
    for way in WAYS {
        let target = fill(way, "192.0.2.1").replace("t0ken", "byn_hush");
        let request = ask(&format!("GET {target} HTTP/1.1\r\nHost: d\r\n\r\n")).expect("a request");
        let profile = Profile::detect(&request).expect("an update");
        for code in Code::ALL {
            let response = profile.render(&request, &[Outcome::bare("home.example", code)]);
            assert!(!String::from_utf8_lossy(&response.body).contains("hush"), "{way}");
        }
    }
}

fn json() -> impl Strategy<Value = String> {
    let value =
        prop_oneof![Just("7".to_owned()), Just("[[[".to_owned()), "\"[!#-\\[\\]-~]{0,50}\""];
    let name = prop::sample::select(
        &["subdomain", "txt", "allowfrom", "fqdn", "value", "domain", "keyAuth", "x"][..],
    );
    vec((name, value), 0..4).prop_map(|members| {
        let members: Vec<String> =
            members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    })
}

fn ask(octets: &str) -> Option<Request> {
    let mut reader = Reader::new(Limits::default());
    reader.push(octets.as_bytes());
    reader.next().ok().flatten()
}

fn fill(way: &str, address: &str) -> String {
    way.replace("=T", "=t0ken")
        .replace("/T", "/t0ken")
        .replace("?T", "?t0ken")
        .replace("=H", "=home.example")
        .replace("/H", "/home.example")
        .replace("=A", &format!("={address}"))
        .replace("/A", &format!("/{address}"))
}

/// What a way to ask comes to with an address in it; `None` when it is refused, as an address of the
/// other family is where the parameter has one.
fn parsed(way: &str, address: &str) -> Option<(Profile, Ask)> {
    let target = fill(way, address);
    let request = ask(&format!("GET {target} HTTP/1.1\r\nHost: d\r\n\r\n")).expect("a request");
    let profile = Profile::detect(&request).expect("an update");
    Some((profile, profile.parse(&request).ok()?))
}

fn deletes(ask: &Ask) -> bool {
    fn may<A>(wanted: &Wanted<A>) -> bool {
        matches!(wanted, Wanted::Delete | Wanted::SourceElseDelete | Wanted::DeleteIfSource)
    }
    may(&ask.ipv4)
        || may(&ask.ipv6)
        || ask.own.iter().any(|own| own.ipv4.as_ref().is_some_and(may))
        || ask.own.iter().any(|own| own.ipv6.as_ref().is_some_and(may))
        || ask.prefix == Some(Wanted::Delete)
        || ask.txt.iter().any(|edit| matches!(edit.action, TxtAction::Clear | TxtAction::Remove(_)))
}

/// One head, the length that it says, and nothing behind it.
fn whole(out: &[u8]) -> Result<(), TestCaseError> {
    let end = out.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let head = std::str::from_utf8(&out[..end]).expect("a head of text");
    prop_assert!(head.starts_with("HTTP/1.1 "), "{head}");
    let length = head.split("Content-Length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
    prop_assert_eq!(length.and_then(|digits| digits.parse().ok()), Some(out.len() - end));
    for status in ["3", "Unnamed"] {
        prop_assert!(!head["HTTP/1.1 ".len()..].starts_with(status), "{head}");
    }
    Ok(())
}
