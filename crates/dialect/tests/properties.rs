//! What holds for every input: cutting changes nothing, nothing panics, memory is bounded, and
//! both ends of the dialect understand each other.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use dialect::dyndns2::{self, Answer};
use dialect::http::{Limits, Malformed, Reader, Request};
use dialect::{Code, Hosts, Outcome, Profile, Wanted};
use proptest::collection::vec;
use proptest::prelude::*;

const LIMITS: Limits = Limits { head_octets: 256, body_octets: 64, headers: 8 };

proptest! {
    #[test]
    fn cutting_never_changes_what_comes_out(octets in stream(), cuts in vec(1..40_usize, 1..60)) {
        let whole = read(&octets, &[octets.len().max(1)]);
        prop_assert_eq!(read(&octets, &cuts), whole.clone());
        prop_assert_eq!(read(&octets, &[1]), whole);
    }

    #[test]
    fn arbitrary_octets_never_panic_and_never_pile_up(pieces in vec(vec(any::<u8>(), 0..300), 0..20)) {
        let mut reader = Reader::new(LIMITS);
        for piece in &pieces {
            reader.push(piece);
            prop_assert!(reader.room() <= LIMITS.head_octets + LIMITS.body_octets);
            while let Ok(Some(request)) = reader.next() {
                for profile in Profile::ALL {
                    let _ = (profile.credentials(&request), profile.parse(&request));
                }
            }
        }
        let _ = reader.end();
    }

    #[test]
    fn a_reader_that_needs_more_has_room_for_more(octets in stream()) {
        let mut reader = Reader::new(LIMITS);
        let mut rest = octets.as_slice();
        while !rest.is_empty() {
            let taken = reader.room().min(rest.len());
            reader.push(&rest[..taken]);
            rest = &rest[taken..];
            loop {
                match reader.next() {
                    Ok(Some(request)) if !request.persistent => return Ok(()),
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(_) => return Ok(()),
                }
            }
            prop_assert!(reader.room() > 0);
        }
    }

    #[test]
    fn a_request_with_a_hint_is_the_last(octets in stream()) {
        let (requests, _) = read(&octets, &[octets.len().max(1)]);
        for (index, request) in requests.iter().enumerate() {
            prop_assert!(request.hints.is_empty() || !request.persistent);
            prop_assert!(request.persistent || index + 1 == requests.len());
        }
    }

    #[test]
    fn any_query_is_parsed_and_unmentioned_families_are_preserved(
        query in "[ -~\u{e4}]{0,80}",
        v4 in any::<[u8; 4]>(),
        v6 in any::<[u8; 16]>(),
    ) {
        if let Some(request) = ask(&format!("/nic/update?{query}")) {
            let _ = Profile::Dyndns2.parse(&request);
        }
        let v4 = Ipv4Addr::from(v4);
        let v6 = Ipv6Addr::from(v6);
        prop_assume!(v6.to_ipv4_mapped().is_none());
        for name in ["myip", "myipv4", "ip"] {
            let update = Profile::Dyndns2.parse(&ask(&format!("/nic/update?{name}={v4}")).unwrap()).unwrap();
            prop_assert_eq!((update.ipv4, update.ipv6), (Wanted::Addresses(vec![v4]), Wanted::Preserve));
        }
        for name in ["myip", "myipv6", "ip6"] {
            let update = Profile::Dyndns2.parse(&ask(&format!("/nic/update?{name}={v6}")).unwrap()).unwrap();
            prop_assert_eq!((update.ipv4, update.ipv6), (Wanted::Preserve, Wanted::Addresses(vec![v6])));
        }
    }

    /// Only `-`, `delete` and `offline` delete, whatever else the value is.
    #[test]
    fn no_other_value_ever_deletes(name in "myip|myipv4|myipv6|ip", value in "[ -~]{0,40}") {
        let value = value.trim().to_owned();
        prop_assume!(value != "-" && !value.eq_ignore_ascii_case("delete"));
        let encoded: String = value.bytes().map(|octet| format!("%{octet:02x}")).collect();
        let request = ask(&format!("/nic/update?hostname=h.example&{name}={encoded}")).unwrap();
        if let Ok(update) = Profile::Dyndns2.parse(&request) {
            prop_assert_ne!(update.ipv4, Wanted::Delete);
            prop_assert_ne!(update.ipv6, Wanted::Delete);
        }
    }

    #[test]
    fn the_members_of_the_family_publish_what_is_sent_and_leave_the_rest(
        v4 in any::<[u8; 4]>(),
        v6 in any::<[u8; 16]>(),
    ) {
        let (v4, v6) = (Ipv4Addr::from(v4), Ipv6Addr::from(v6));
        prop_assume!(v6.to_ipv4_mapped().is_none() && v6.to_bits() << 64 != 0);
        let asked = |value: String| ask(&format!("/nic/update?hostname=h.example&myip={value}"));
        let (v4_only, v6_only) = (asked(v4.to_string()).unwrap(), asked(v6.to_string()).unwrap());
        let others = [Profile::Dyndns2, Profile::Dyn, Profile::NoIp, Profile::Google, Profile::He];
        for profile in others.into_iter().chain([Profile::Nsupdate]) {
            let ask = profile.parse(&v4_only).unwrap();
            prop_assert_eq!((ask.ipv4, ask.ipv6), (Wanted::Addresses(vec![v4]), Wanted::Preserve));
            let ask = profile.parse(&v6_only).unwrap();
            prop_assert_eq!((ask.ipv4, ask.ipv6), (Wanted::Preserve, Wanted::Addresses(vec![v6])));
        }
        let both = |query: String| {
            let request = ask(&format!("/?hostname=h.example&{query}")).unwrap();
            Profile::Desec.parse(&request).map(|ask| (ask.ipv4, ask.ipv6)).unwrap()
        };
        let kept = both(format!("myipv4={v4}&myipv6=preserve"));
        prop_assert_eq!(kept, (Wanted::Addresses(vec![v4]), Wanted::Preserve));
        let kept = both(format!("myipv4=preserve&myipv6={v6}"));
        prop_assert_eq!(kept, (Wanted::Preserve, Wanted::Addresses(vec![v6])));
    }

    /// deSEC deletes for an empty value and for a family without one, never for anything else.
    #[test]
    fn desec_never_deletes_a_family_that_has_a_value(value in "[!-~]{1,40}", v6 in any::<bool>()) {
        let encoded: String = value.bytes().map(|octet| format!("%{octet:02x}")).collect();
        let name = if v6 { "myipv6" } else { "myipv4" };
        let request = ask(&format!("/?hostname=h.example&{name}={encoded}")).unwrap();
        if let Ok(ask) = Profile::Desec.parse(&request) {
            let deletes = if v6 { ask.ipv6 == Wanted::Delete } else { ask.ipv4 == Wanted::Delete };
            prop_assert!(!deletes, "{}", value);
        }
    }

    #[test]
    fn what_the_agent_asks_is_what_the_service_reads(
        hosts in vec("[a-z0-9]{1,10}(\\.[a-z]{1,10}){1,3}", 1..20),
        v4 in vec(any::<[u8; 4]>().prop_map(Ipv4Addr::from), 0..3),
        v6 in vec(any::<[u8; 16]>().prop_map(Ipv6Addr::from), 0..3),
    ) {
        prop_assume!(v6.iter().all(|a| a.to_ipv4_mapped().is_none()));
        let (v4, v6) = (distinct(v4), distinct(v6));
        let addresses: Vec<IpAddr> =
            v4.iter().map(|a| IpAddr::V4(*a)).chain(v6.iter().map(|a| IpAddr::V6(*a))).collect();
        let names: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let request = ask(&dyndns2::request(&names, &addresses)).unwrap();
        prop_assert_eq!(&request.hints, &[]);
        prop_assert_eq!(Profile::detect(&request), Some(Profile::Dyndns2));
        let update = Profile::Dyndns2.parse(&request).unwrap();
        prop_assert_eq!(update.hints, vec![]);
        prop_assert_eq!(update.hosts, Hosts::Named(hosts));
        let none = addresses.is_empty();
        prop_assert_eq!(update.ipv4, wanted(v4, none));
        prop_assert_eq!(update.ipv6, wanted(v6, none));
    }

    #[test]
    fn what_the_service_renders_is_what_the_agent_reads(outcomes in vec(outcome(), 1..20)) {
        let response = Profile::Dyndns2.render(&ask("/nic/update").unwrap(), &outcomes);
        let body = String::from_utf8(response.body).unwrap();
        let expected: Vec<Answer> = outcomes.iter().map(|outcome| meaning(outcome.code)).collect();
        prop_assert_eq!(dyndns2::interpret(response.status, &body, outcomes.len()), expected);
    }

    #[test]
    fn any_body_is_interpreted_once_per_host(status in 100..600_u16, body in ".{0,200}", hosts in 0..25_usize) {
        prop_assert_eq!(dyndns2::interpret(status, &body, hosts).len(), hosts.max(1));
        if !(200..300).contains(&status) {
            let answers = dyndns2::interpret(status, "good 192.0.2.1\nnochg 192.0.2.1\n", 2);
            prop_assert!(!answers.iter().any(|a| matches!(a, Answer::Good | Answer::Nochg)));
        }
    }
}

/// Streams that look like requests, more or less: lines of the grammar's own pieces.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => prop::sample::select(vec![
            "GET /nic/update?hostname=h.example&myip=192.0.2.1 HTTP/1.1\r\n",
            "GET /ip HTTP/1.0\r\n",
            "POST / HTTP/1.1\r\n",
            "GET /\r\n",
            "get /a b HTTP/1.1\n",
            "Host: d\r\n",
            "Host: d\n",
            "Content-Length: 5\r\n",
            "Content-Length: 64\r\n",
            "Content-Length: 65\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Connection: keep-alive\r\n",
            "Connection: close\r\n",
            " folded\r\n",
            "X : y\r\n",
            "\r\n",
            "\r\n\r\n",
            "\n",
            "\r",
            "a=b&c",
            " ",
            "HTTP/1.1",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        4 => Just(b"GET /ip HTTP/1.1\r\nHost: d\r\n\r\n".to_vec()),
        1 => vec(any::<u8>(), 0..8),
    ];
    vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

/// Everything that a connection says, pushed in pieces of these sizes, over and over, each no
/// larger than there is room for.
fn read(octets: &[u8], sizes: &[usize]) -> (Vec<Request>, Option<Malformed>) {
    let mut reader = Reader::new(LIMITS);
    let mut requests = Vec::new();
    let mut rest = octets;
    for size in sizes.iter().cycle() {
        let (piece, after) = rest.split_at((*size).min(rest.len()).min(reader.room()));
        reader.push(piece);
        rest = after;
        loop {
            match reader.next() {
                Ok(Some(request)) => requests.push(request),
                Ok(None) => break,
                Err(malformed) => return (requests, Some(malformed)),
            }
        }
        if rest.is_empty() || requests.last().is_some_and(|r| !r.persistent) {
            break;
        }
    }
    (requests, reader.end().err())
}

fn ask(target: &str) -> Option<Request> {
    let mut reader = Reader::new(Limits::default());
    reader.push(format!("GET {target} HTTP/1.1\r\nHost: d\r\n\r\n").as_bytes());
    reader.next().ok().flatten()
}

fn distinct<A: PartialEq>(list: Vec<A>) -> Vec<A> {
    list.into_iter().fold(Vec::new(), |mut seen, a| {
        if !seen.contains(&a) {
            seen.push(a);
        }
        seen
    })
}

fn wanted<A>(list: Vec<A>, none: bool) -> Wanted<A> {
    match (list.is_empty(), none) {
        (false, _) => Wanted::Addresses(list),
        (true, true) => Wanted::Source,
        (true, false) => Wanted::Preserve,
    }
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let addresses = vec(any::<[u8; 16]>().prop_map(|a| IpAddr::V6(Ipv6Addr::from(a))), 0..3);
    let code = prop::sample::select(Code::ALL.to_vec());
    (code, addresses)
        .prop_map(|(code, addresses)| Outcome { addresses, ..Outcome::bare("h.example", code) })
}

fn meaning(code: Code) -> Answer {
    match code {
        Code::Good => Answer::Good,
        Code::Nochg => Answer::Nochg,
        Code::Badauth => Answer::Badauth,
        Code::Notfqdn => Answer::Notfqdn,
        Code::Nohost => Answer::Nohost,
        Code::Numhost => Answer::Numhost,
        Code::Abuse => Answer::Abuse,
        Code::Dnserr => Answer::Dnserr,
        Code::Unavailable => Answer::Unavailable,
        Code::Badagent => Answer::Badagent,
        Code::Donator => Answer::Donator,
    }
}
