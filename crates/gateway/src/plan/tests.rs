use std::sync::Arc;

use account::secret::Secret;
use std::net::{Ipv4Addr, Ipv6Addr};

use account::{AccountId, Entity, Scope, Token, TokenId};
use dialect::{Prefix, Wanted};
use engine::Engine;
use store::Item;
use wire::Serial;

use super::*;

const NOW: Timestamp = Timestamp(1_000_000_000);

/// A zone `own.example` and a suffix `dyn.example`, each with hosts `a`, `b`, `gone` and `other`; the
/// token covers all but `other`. `a.own.example` has been public for a while; the hosts `gone` are
/// parked.
fn live() -> (Arc<Live>, TokenActor) {
    let live = Arc::new(Live::new());
    let mut engine = Engine::new(Arc::clone(&live));
    let secret = Secret::from_random([1; 16]);
    let mut covered = Vec::new();
    for (apex, suffix) in [("own.example", false), ("dyn.example", true)] {
        let apex = Name::parse(apex).unwrap();
        let zone = ZoneEntry::new(apex.clone(), AccountId(0), Timestamp(0));
        let zone = ZoneEntry { suffix, ..zone };
        engine.load(Item::Entity(Entity::Zone(zone)));
        engine.load(Item::Zone { apex: apex.clone(), serial: Serial(1) });
        for label in ["a", "b", "gone", "other"] {
            let name = apex.child(label.as_bytes()).unwrap();
            if label != "other" {
                covered.push(name.clone());
            }
            let host = Host {
                ttl_s: (label == "b").then_some(5),
                scope: (label == "a" && !suffix).then_some((Scope::Public, Timestamp(0))),
                parked: (label == "gone").then_some(Timestamp(0)),
                ..Host::new(name, apex.clone(), AccountId(0), Timestamp(0))
            };
            engine.load(Item::Entity(Entity::Host(host)));
        }
    }
    let published = Rrset { ttl_s: 60, rdata: vec![Rdata::a(Ipv4Addr::new(8, 8, 8, 8))] };
    for owner in ["a.own.example", "gone.own.example"] {
        let (zone, owner) = (Name::parse("own.example").unwrap(), Name::parse(owner).unwrap());
        engine.load(Item::Rrset { zone, owner, rtype: Rtype::A, rrset: published.clone() });
    }
    covered.sort();
    let token = Token::new(TokenId(1), AccountId(0), secret.hash(), Timestamp(1));
    engine.load(Item::Entity(Entity::Token(Token { hosts: covered, ..token })));
    let here = Ipv4Addr::LOCALHOST.into();
    let actor =
        live.directory().authenticate(secret.reveal().as_bytes(), Timestamp(2), here).unwrap();
    (live, actor)
}

fn v4(texts: &[&str]) -> Wanted<Ipv4Addr> {
    Wanted::Addresses(texts.iter().map(|text| text.parse().unwrap()).collect())
}

fn v6(texts: &[&str]) -> Wanted<Ipv6Addr> {
    Wanted::Addresses(texts.iter().map(|text| text.parse().unwrap()).collect())
}

/// What one plan says, in short.
fn told(plan: &Plan) -> String {
    let list = |addresses: &[IpAddr]| {
        addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(",")
    };
    match plan {
        Plan::Answer { code, .. } => code.word().to_owned(),
        Plan::Stands { seen, code, addresses } => {
            let seen = if seen.is_some() { "seen: " } else { "" };
            format!("{seen}{} {}", code.word(), list(addresses))
        }
        Plan::Same(earlier) => format!("as {earlier}"),
        Plan::Submit { change, addresses, .. } => {
            let edits: Vec<String> = change.edits.iter().map(edit).collect();
            format!("{} -> {}", edits.join("; "), list(addresses))
        }
    }
}

fn edit(edit: &Edit) -> String {
    match edit {
        Edit::Replace { owner, rtype, rrset } => {
            format!("put {owner} {rtype:?} {} {}", rrset.ttl_s, rrset.rdata.len())
        }
        Edit::DeleteRrset { owner, rtype } => format!("delete {owner} {rtype:?}"),
        other => format!("{other:?}"),
    }
}

fn plans(
    hosts: &[&str],
    (ipv4, ipv6): (Wanted<Ipv4Addr>, Wanted<Ipv6Addr>),
    source: Option<&str>,
) -> Option<Vec<String>> {
    planned(&Ask { ipv4, ipv6, ..Ask::of(named(hosts)) }, source)
}

fn named(hosts: &[&str]) -> Hosts {
    Hosts::Named(hosts.iter().map(|&host| host.to_owned()).collect())
}

fn planned(ask: &Ask, source: Option<&str>) -> Option<Vec<String>> {
    let (live, actor) = live();
    let source = source.map(|text| text.parse().unwrap());
    let asked = Asked::new(&actor, ask, source, NOW)?;
    let hosts = asked.hosts(&live.directory());
    Some(asked.plans(&live, &hosts).iter().map(told).collect())
}

/// Checks the plan for one host and a source of 9.9.9.9.
fn check(host: &str, wanted: (Wanted<Ipv4Addr>, Wanted<Ipv6Addr>), expected: &str) {
    let found = plans(&[host], wanted.clone(), Some("9.9.9.9"));
    assert_eq!(found, Some(vec![expected.to_owned()]), "{host} {wanted:?}");
}

#[test]
fn a_family_that_is_not_mentioned_is_preserved() {
    use Wanted::{Delete, Preserve, Source};
    let a = "a.own.example";
    for (wanted, expected) in [
        ((v4(&["1.1.1.1"]), Preserve), "put a.own.example. A 60 1 -> 1.1.1.1"),
        ((Preserve, v6(&["2606::1"])), "put a.own.example. AAAA 60 1 -> 2606::1"),
        (
            (v4(&["1.1.1.1"]), v6(&["2606::1"])),
            "put a.own.example. A 60 1; put a.own.example. AAAA 60 1 -> 1.1.1.1,2606::1",
        ),
        ((v4(&["1.1.1.1", "1.0.0.1"]), Preserve), "put a.own.example. A 60 2 -> 1.1.1.1,1.0.0.1"),
        ((Source, Source), "put a.own.example. A 60 1 -> 9.9.9.9"),
        ((Source, v6(&["2606::1"])), {
            "put a.own.example. A 60 1; put a.own.example. AAAA 60 1 -> 9.9.9.9,2606::1"
        }),
        ((Delete, Preserve), "delete a.own.example. A -> "),
        ((Delete, Delete), "delete a.own.example. A; delete a.own.example. AAAA -> "),
    ] {
        check(a, wanted, expected);
    }
}

#[test]
fn a_source_of_the_other_family_changes_nothing() {
    check("a.own.example", (Wanted::Preserve, Wanted::Source), "seen: nochg 8.8.8.8");
    check("b.own.example", (Wanted::Preserve, Wanted::Source), "dnserr");
    check("a.own.example", (Wanted::Preserve, Wanted::Preserve), "seen: nochg 8.8.8.8");
}

#[test]
fn what_a_host_is_parked_at_is_not_taken_for_its_addresses() {
    check("gone.own.example", (Wanted::Preserve, Wanted::Source), "dnserr");
    let published = "put gone.own.example. A 60 1 -> 8.8.8.8";
    check("gone.own.example", (v4(&["8.8.8.8"]), Wanted::Preserve), published);
}

#[test]
fn an_unknown_source_is_neither_published_nor_deletes() {
    let a = ["a.own.example"];
    assert_eq!(plans(&a, (Wanted::Source, Wanted::Source), None), None);
    assert_eq!(plans(&a, (Wanted::Source, Wanted::Preserve), None), None);
    let found = plans(&a, (v4(&["1.1.1.1"]), Wanted::Source), None).unwrap();
    assert_eq!(found, ["put a.own.example. A 60 1 -> 1.1.1.1"]);
}

#[test]
fn each_address_gets_its_verdict() {
    let keep = || Wanted::Preserve;
    for (host, wanted, expected) in [
        ("a.own.example", (v4(&["192.168.1.1"]), keep()), "seen: good 192.168.1.1"),
        ("a.own.example", (v4(&["203.0.113.9"]), keep()), "seen: good 203.0.113.9"),
        ("a.own.example", (Wanted::Preserve, v6(&["fd00:d::1"])), "seen: good fd00:d::1"),
        (
            "a.own.example",
            (v4(&["192.168.1.1", "1.1.1.1"]), keep()),
            "put a.own.example. A 60 1 -> 1.1.1.1",
        ),
        ("b.own.example", (v4(&["192.168.1.1"]), keep()), {
            "put b.own.example. A 5 1 -> 192.168.1.1"
        }),
        ("a.dyn.example", (v4(&["10.0.0.1"]), keep()), "dnserr"),
        ("a.dyn.example", (v4(&["1.1.1.1", "10.0.0.1"]), keep()), "dnserr"),
        ("a.dyn.example", (v4(&["1.1.1.1"]), v6(&["fe80::1"])), "dnserr"),
        ("a.own.example", (v4(&["224.0.0.1"]), keep()), "dnserr"),
        ("a.dyn.example", (v4(&["1.1.1.1"]), keep()), "put a.dyn.example. A 60 1 -> 1.1.1.1"),
    ] {
        check(host, wanted, expected);
    }
}

#[test]
fn one_bad_host_never_hurts_another() {
    let hosts = [
        "a.own.example",
        "other.own.example",
        "not a name",
        "b.own.example",
        "no.such.example",
        "single",
        "münchen.example",
    ];
    let found = plans(&hosts, (v4(&["1.1.1.1"]), Wanted::Preserve), Some("9.9.9.9")).unwrap();
    assert_eq!(
        found,
        [
            "put a.own.example. A 60 1 -> 1.1.1.1",
            "nohost",
            "notfqdn",
            "put b.own.example. A 5 1 -> 1.1.1.1",
            "nohost",
            "notfqdn",
            "notfqdn",
        ]
    );
}

#[test]
fn a_host_named_twice_is_changed_once() {
    let hosts = ["A.Own.Example.", "b.own.example", "a.own.example", "nonsense", "nonsense"];
    let found = plans(&hosts, (v4(&["1.1.1.1"]), Wanted::Preserve), Some("9.9.9.9")).unwrap();
    assert_eq!(
        found,
        [
            "put a.own.example. A 60 1 -> 1.1.1.1",
            "put b.own.example. A 5 1 -> 1.1.1.1",
            "as 0",
            "notfqdn",
            "notfqdn",
        ]
    );
}

#[test]
fn no_host_means_none_when_the_token_has_several() {
    let ask = Ask { ipv4: v4(&["1.1.1.1"]), ..Ask::of(Hosts::Only) };
    assert_eq!(planned(&ask, None), Some(Vec::new()), "the token has six");
}

#[test]
fn a_group_is_all_hosts_of_the_token_and_a_label_one_of_them() {
    let of =
        |hosts: Hosts| planned(&Ask { ipv4: v4(&["1.1.1.1"]), ..Ask::of(hosts) }, None).unwrap();
    assert_eq!(of(Hosts::Group).len(), 6);
    let labels =
        |labels: &[&str]| of(Hosts::Labels(labels.iter().map(|&label| label.to_owned()).collect()));
    // Each label is that of two hosts, so there is no telling; a full name is one.
    assert_eq!(labels(&["a"]), ["nohost"]);
    let b = "put b.own.example. A 5 1 -> 1.1.1.1";
    assert_eq!(labels(&["B.own.example", "other", "none"]), [b, "nohost", "nohost"]);
}

#[test]
fn a_list_changes_nothing_and_is_not_seen() {
    let ask = Ask { verb: Verb::List, ..Ask::of(named(&["a.own.example", "b.own.example"])) };
    assert_eq!(planned(&ask, None), Some(vec!["nochg 8.8.8.8".to_owned(), "nochg ".to_owned()]));
}

#[test]
fn a_prefix_alone_is_refused_and_beside_an_address_left_out() {
    let prefix = Prefix { address: "2001:db8:1::".parse().unwrap(), length: 64 };
    let alone =
        Ask { prefix: Some(Wanted::Addresses(vec![prefix])), ..Ask::of(named(&["a.own.example"])) };
    assert_eq!(planned(&alone, Some("9.9.9.9")), Some(vec!["dnserr".to_owned()]));
    let beside = Ask { ipv6: v6(&["2606::1"]), ..alone };
    let put = "put a.own.example. AAAA 60 1 -> 2606::1".to_owned();
    assert_eq!(planned(&beside, None), Some(vec![put]));
}

#[test]
fn a_renumbered_host_keeps_its_own_bits() {
    let network = Ipv4Addr::new(9, 9, 9, 9);
    for (length, expected) in [(0, "8.8.8.8"), (8, "9.8.8.8"), (24, "9.9.9.8"), (32, "9.9.9.9")] {
        let ask = Ask {
            ipv4: Wanted::Renumber(network, length),
            ..Ask::of(named(&["a.own.example", "b.own.example"]))
        };
        let put = format!("put a.own.example. A 60 1 -> {expected}");
        // What has no address gets none.
        assert_eq!(planned(&ask, None), Some(vec![put, "dnserr".to_owned()]), "/{length}");
    }
}

#[test]
fn a_host_of_its_own_gets_its_own() {
    let own = |host: &str, ipv4| Own { host: host.to_owned(), ipv4: Some(ipv4), ipv6: None };
    let ask = Ask {
        ipv4: v4(&["1.1.1.1"]),
        own: vec![
            own("b.own.example", v4(&["1.0.0.1"])),
            own("gone.own.example", Wanted::Preserve),
        ],
        ..Ask::of(named(&["a.own.example", "b.own.example", "gone.own.example"]))
    };
    let expected =
        ["put a.own.example. A 60 1 -> 1.1.1.1", "put b.own.example. A 5 1 -> 1.0.0.1", "dnserr"];
    assert_eq!(planned(&ask, None).unwrap(), expected);
}

#[test]
fn what_rests_on_the_source_is_not_done_while_that_is_unknown() {
    let a = ["a.own.example"];
    let else_delete = || (Wanted::SourceElseDelete, Wanted::SourceElseDelete);
    let found = plans(&a, else_delete(), Some("9.9.9.9")).unwrap();
    assert_eq!(found, ["put a.own.example. A 60 1; delete a.own.example. AAAA -> 9.9.9.9"]);
    assert_eq!(plans(&a, else_delete(), None), None);
    assert_eq!(plans(&a, (v4(&["1.1.1.1"]), Wanted::SourceElseDelete), None), None);
    let of_source = || (Wanted::DeleteIfSource, Wanted::DeleteIfSource);
    let found = plans(&a, of_source(), Some("2606::1")).unwrap();
    assert_eq!(found, ["delete a.own.example. AAAA -> "]);
    assert_eq!(plans(&a, of_source(), None), None);
}

#[test]
fn together_is_all_or_none_and_one_change() {
    let of = |hosts: &[&str]| {
        let ask = Ask { together: true, ipv4: v4(&["1.1.1.1"]), ..Ask::of(named(hosts)) };
        planned(&ask, None).unwrap()
    };
    let both = "put a.own.example. A 60 1; put b.own.example. A 5 1 -> 1.1.1.1,1.1.1.1";
    assert_eq!(of(&["a.own.example", "b.own.example", "A.own.example"]), [both, "as 0", "as 0"]);
    assert_eq!(of(&["a.own.example", "other.own.example"]), ["nohost", "nohost"]);
    assert_eq!(of(&["a.own.example", "nonsense"]), ["notfqdn", "notfqdn"]);
    assert_eq!(of(&["a.own.example", "a.dyn.example"]), ["numhost", "numhost"]);
}
