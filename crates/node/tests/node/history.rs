//! History: read backwards it gives every earlier state; changes are undone; sources are erased.

use std::collections::BTreeMap;

use account::{AccountId, Actor};
use engine::{Operation, Outcome, Request};
use node::Node;
use node::admin::{Command, HistoryOf, HistoryQuery, HostSettings, UndoTarget, ZoneSettings};
use node::history::{
    self, By, ByFilter, Changed, Entry, HistoryError, Kind, Of, Order, Query, Source, Target, Undo,
    UndoError, Viewer,
};
use proptest::prelude::*;
use store::Pos;
use wire::{Name, Rdata, Rrset, Rtype};
use zone::{Change, Edit};

use crate::playground::{Playground, ZONE, add_host, address_of, order, publish, shown};

type State = BTreeMap<(Name, Rtype), Rrset>;

fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

/// The operator changes records; the position of that.
fn change(node: &Node, edits: Vec<Edit>) -> Option<Pos> {
    let operation = Operation::Change { change: Change::new(name(ZONE), edits), lease: None };
    let request = Request { actor: Actor::Operator, origin: None, operation };
    match node.client().submit(request).expect("a queue").blocking_recv().expect("an outcome") {
        Outcome::Done { pos, .. } => Some(pos),
        Outcome::Unchanged | Outcome::Refused(_) => None,
        Outcome::Unavailable => unreachable!("the disk is fine"),
    }
}

fn address(owner: &str, last: u8) -> Edit {
    let rrset = Rrset { ttl_s: 60, rdata: vec![Rdata::a([192, 0, 2, last].into())] };
    Edit::Replace { owner: name(owner), rtype: Rtype::A, rrset }
}

fn state(node: &Node) -> State {
    let zone = node.live().zones().get(&name(ZONE)).expect("the zone");
    let sets = zone.snapshot();
    let sets = sets.rrsets().filter(|(_, rtype, _)| *rtype != Rtype::SOA);
    sets.map(|(owner, rtype, rrset)| ((owner, rtype), sorted(rrset))).collect()
}

fn sorted(mut rrset: Rrset) -> Rrset {
    rrset.rdata.sort_by(|a, b| a.as_wire().cmp(b.as_wire()));
    rrset
}

/// Everything, page by page.
fn all(node: &Node, query: &Query) -> Vec<Entry> {
    let mut query = query.clone();
    let mut entries = Vec::new();
    loop {
        let page = history::read(node, &query).expect("a page");
        assert!(page.entries.len() <= query.limit);
        entries.extend(page.entries);
        let Some(next) = page.next else { return entries };
        query.from = Some(next);
    }
}

fn positions(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.pos.0).collect()
}

/// Takes back what an entry says that was changed.
fn take_back(state: &mut State, entry: &Entry) {
    for changed in &entry.changes {
        let Changed::Records { owner, rtype, before, after, .. } = changed else { continue };
        if *rtype == Rtype::SOA {
            continue;
        }
        let key = (owner.clone(), *rtype);
        assert_eq!(state.get(&key).cloned(), after.clone().map(sorted), "at {:?}", entry.pos);
        match before {
            Some(before) => state.insert(key, sorted(before.clone())),
            None => state.remove(&key),
        };
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    let owners = ["a", "b", "_acme-challenge.a", "_443._tcp.b", "w.a", "*.b"];
    let owner = prop::sample::select(owners.map(|label| name(&format!("{label}.{ZONE}"))).to_vec());
    (owner, 0u8..5, 1u8..6).prop_map(|(owner, what, last)| match what {
        0 => Edit::DeleteName { owner },
        1 => Edit::DeleteRrset { owner, rtype: Rtype::TXT },
        2 => {
            let rdata = Rdata::txt(&[&[b'a' + last]]).expect("a text");
            Edit::Add { owner, rtype: Rtype::TXT, ttl_s: 60 + u32::from(last), rdata }
        }
        _ => {
            let rdata = vec![Rdata::a([192, 0, 2, last].into())];
            Edit::Replace { owner, rtype: Rtype::A, rrset: Rrset { ttl_s: 60, rdata } }
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn history_folded_backwards_from_the_present_gives_every_earlier_state(
        changes in prop::collection::vec(prop::collection::vec(edit(), 1..4), 1..30),
        limit in 1usize..8,
        again in any::<bool>(),
    ) {
        let playground = Playground::new();
        let mut states = BTreeMap::new();
        playground.with(|node| {
            states.insert(history::read(node, &Query::new(Of::All)).expect("a page").head, state(node));
            for edits in changes {
                if let Some(pos) = change(node, edits) {
                    states.insert(pos, state(node));
                }
            }
            check(node, &states, limit);
        });
        if again {
            playground.with(|node| check(node, &states, limit));
        }
    }
}

fn check(node: &Node, states: &BTreeMap<Pos, State>, limit: usize) {
    for of in [Of::All, Of::Zone(name(ZONE))] {
        let query = Query { limit, ..Query::new(of) };
        let entries = all(node, &query);
        let mut now = state(node);
        for entry in &entries {
            if let Some(then) = states.get(&entry.pos) {
                assert_eq!(&now, then, "at {:?}", entry.pos);
            }
            take_back(&mut now, entry);
        }
        // A zone begins as an import of all that is in it.
        assert_eq!(Some(&now), states.values().next(), "what it began with");
        let forwards = all(node, &Query { order: Order::OldestFirst, ..query });
        assert_eq!(forwards.into_iter().rev().collect::<Vec<_>>(), entries);
    }
    // Of a name: what hangs below it as well, and nothing else.
    for label in ["a", "b", "w.a"] {
        let host = name(&format!("{label}.{ZONE}"));
        let mut now = state(node);
        for entry in all(node, &Query { limit, ..Query::new(Of::Host(host.clone())) }) {
            take_back(&mut now, &entry);
        }
        assert!(now.keys().all(|(owner, _)| !store::belongs(owner, &host)), "{host}: {now:?}");
    }
}

#[test]
fn entries_say_who_when_from_where_and_by_which_token() {
    let playground = Playground::new();
    playground.with(|node| {
        let token = add_host(node, "nas");
        assert!(publish(node, "nas", &token, "198.51.100.7"));
        assert!(publish(node, "nas", &token, "198.51.100.8"));
        let host = Of::Host(name(&format!("nas.{ZONE}")));
        let entries = all(node, &Query::new(host.clone()));
        assert_eq!(entries.len(), 3, "{entries:?}");
        let newest = &entries[0];
        assert!(matches!(
            &newest.by,
            By::Token { label: Some(_), account: Some(AccountId(0)), .. }
        ));
        assert_eq!(newest.source, Source::Known("192.0.2.1".parse().expect("an address")));
        assert!(newest.serial.is_some());
        let told = newest.json();
        assert_eq!(told["changes"][0]["before"]["data"][0], "198.51.100.7");
        assert_eq!(told["changes"][0]["after"]["data"][0], "198.51.100.8");
        assert_eq!(entries[2].by, By::Operator);
        let kinds: Vec<Kind> = entries[2].changes.iter().map(Changed::kind).collect();
        assert_eq!(kinds, [Kind::Host, Kind::Token]);
        assert!(!told.to_string().contains("byn_"));
        // Filters.
        let query = |filter| Query { filter, ..Query::new(host.clone()) };
        let by = history::Filter { by: Some(ByFilter::Token(None)), ..Default::default() };
        assert_eq!(all(node, &query(by)).len(), 2);
        let kinds = history::Filter { kinds: vec![Kind::Host], ..Default::default() };
        assert_eq!(positions(&all(node, &query(kinds))), [entries[2].pos.0]);
        let since = history::Filter { since: Some(newest.at), ..Default::default() };
        assert!(positions(&all(node, &query(since))).contains(&newest.pos.0));
        let until = account::Timestamp(entries[2].at.0 - 1);
        let until = history::Filter { until: Some(until), ..Default::default() };
        assert_eq!(all(node, &query(until)), []);
    });
}

#[test]
fn accounts_see_their_own_hosts_only_and_only_since_they_have_them() {
    let playground = Playground::empty();
    playground.with(|node| {
        let settings = ZoneSettings { suffix: true, ..ZoneSettings::default() };
        order(node, &Command::ZoneAdd { zone: ZONE.to_owned(), ns: Vec::new(), settings });
        let accounts = ["alice", "bob"].map(|account| {
            let made = order(node, &Command::AccountAdd { account: account.to_owned() }).value;
            AccountId(made["id"].as_u64().expect("a number"))
        });
        let host = format!("nas.{ZONE}");
        let add = |account: &str| {
            let settings = HostSettings::default();
            let account = Some(account.to_owned());
            order(node, &Command::HostAdd { host: host.clone(), account, settings }).value
        };
        let token = add("alice")["token"].as_str().expect("a token").to_owned();
        assert!(publish(node, "nas", &token, "9.9.9.9"));
        let of = Of::Host(name(&host));
        let seen = |viewer: AccountId| {
            let query = Query { viewer: Viewer::Account(viewer), ..Query::new(of.clone()) };
            history::read(node, &query).map(|page| page.entries.len())
        };
        assert_eq!(seen(accounts[0]).expect("her own"), 2);
        assert!(matches!(seen(accounts[1]), Err(HistoryError::Missing("host"))));
        let own = |account: AccountId| Query {
            viewer: Viewer::Account(account),
            ..Query::new(Of::Account(account))
        };
        assert_eq!(all(node, &own(accounts[0])).len(), 3, "the account, the host, the address");
        assert_eq!(all(node, &own(accounts[1])).len(), 1);
        let zone =
            Query { viewer: Viewer::Account(accounts[0]), ..Query::new(Of::Zone(name(ZONE))) };
        assert!(matches!(history::read(node, &zone), Err(HistoryError::Missing("zone"))));
        let everything = Query { viewer: Viewer::Account(accounts[0]), ..Query::new(Of::All) };
        assert!(matches!(history::read(node, &everything), Err(HistoryError::OperatorOnly)));
    });
}

fn undo(node: &Node, target: Target, force: bool) -> Result<history::Undone, UndoError> {
    let order = Undo { target, force, dry_run: false, actor: Actor::Operator, origin: None };
    history::undo(node, &order)
}

#[test]
fn a_change_is_undone_when_nothing_else_is_there_and_that_is_undone_too() {
    let playground = Playground::new();
    playground.with(|node| {
        let host = format!("h.{ZONE}");
        let first = change(node, vec![address(&host, 1)]).expect("a change");
        let second = change(node, vec![address(&host, 2)]).expect("a change");
        let undone = undo(node, Target::Event(second), false).expect("it is undone");
        assert_eq!(address_of(node, "h"), ["192.0.2.1"]);
        let pos = undone.pos.expect("a change of its own");
        assert!(pos > second);
        // What the first one has left is there again, so it can be undone as well.
        undo(node, Target::Event(pos), false).expect("the undoing is undone");
        assert_eq!(address_of(node, "h"), ["192.0.2.2"]);
        let Err(UndoError::Moved(differences)) = undo(node, Target::Event(first), false) else {
            unreachable!("something else is there");
        };
        assert_eq!(differences.len(), 1);
        assert_eq!(address_of(node, "h"), ["192.0.2.2"]);
        let forced = undo(node, Target::Event(first), true).expect("by force");
        assert_eq!(forced.set_back[0].now.as_ref().map(|now| now.rdata.len()), Some(1));
        assert_eq!(address_of(node, "h"), [""; 0]);
        // It is there already: nothing is written.
        let again = undo(node, Target::Event(first), true).expect("nothing is to be done");
        assert_eq!((again.pos, again.set_back), (None, Vec::new()));
    });
}

#[test]
fn a_name_is_set_back_to_a_position_with_what_hangs_below_it() {
    let playground = Playground::new();
    playground.with(|node| {
        let (host, challenge) = (format!("h.{ZONE}"), format!("_acme-challenge.h.{ZONE}"));
        let text = |text: &[u8]| Edit::Add {
            owner: name(&challenge),
            rtype: Rtype::TXT,
            ttl_s: 60,
            rdata: Rdata::txt(&[text]).expect("a text"),
        };
        change(node, vec![address(&host, 1), text(b"one")]).expect("a change");
        let then = change(node, vec![address(&host, 2)]).expect("a change");
        let before = state(node);
        change(node, vec![address(&host, 3), text(b"two")]).expect("a change");
        change(node, vec![Edit::DeleteName { owner: name(&host) }]).expect("a change");
        let other = format!("other.{ZONE}");
        change(node, vec![address(&other, 9)]).expect("a change");
        let command = Command::Undo {
            target: UndoTarget::NameTo(host.clone(), then.0),
            force: false,
            dry_run: true,
        };
        assert_eq!(shown(node, &command)["changes"].as_array().map(Vec::len), Some(2));
        assert_eq!(address_of(node, "h"), [""; 0], "it was only asked what would be done");
        undo(node, Target::NameTo(name(&host), then), false).expect("it is set back");
        let mut now = state(node);
        now.remove(&(name(&other), Rtype::A)).expect("the other one stays");
        assert_eq!(now, before);
    });
}

#[test]
fn what_cannot_be_undone_is_said() {
    let playground = Playground::new();
    playground.with(|node| {
        add_host(node, "nas");
        let made = history::read(node, &Query::new(Of::All)).expect("a page").head;
        let settings = undo(node, Target::Event(made), true);
        assert!(matches!(settings, Err(UndoError::Cannot(_))), "{settings:?}");
        let none = undo(node, Target::Event(Pos(made.0 + 1)), false);
        assert!(matches!(none, Err(UndoError::NoSuchEvent)), "{none:?}");
    });
}

#[test]
fn sources_of_one_host_or_account_are_erased_and_the_chain_holds() {
    let playground = Playground::new();
    let head = playground.with(|node| {
        let tokens = ["nas", "cam"].map(|label| add_host(node, label));
        for (label, token) in ["nas", "cam"].iter().zip(&tokens) {
            assert!(publish(node, label, token, "198.51.100.7"));
            assert!(publish(node, label, token, "198.51.100.8"));
        }
        let known = |label: &str| {
            let host = name(&format!("{label}.{ZONE}"));
            let entries = all(node, &Query::new(Of::Host(host)));
            entries.iter().filter(|entry| matches!(entry.source, Source::Known(_))).count()
        };
        assert_eq!((known("nas"), known("cam")), (2, 2));
        let of = HistoryOf::Host(format!("nas.{ZONE}"));
        assert_eq!(order(node, &Command::EraseSources { of }).value["erased"], 2);
        assert_eq!((known("nas"), known("cam")), (0, 2));
        let of = HistoryOf::Account("operator".to_owned());
        assert_eq!(order(node, &Command::EraseSources { of }).value["erased"], 2);
        assert_eq!((known("nas"), known("cam")), (0, 0));
        let entries = all(node, &Query::new(Of::Host(name(&format!("nas.{ZONE}")))));
        assert_eq!(entries[0].source, Source::Erased);
        let checked = order(node, &Command::Check { head: None }).value;
        checked["head"].as_str().expect("a head").to_owned()
    });
    let log = std::fs::read(playground.data().join("log.db")).expect("the log");
    assert!(!log.windows(4).any(|octets| octets == [192, 0, 2, 1]), "no copy is left in the file");
    playground.with(|node| {
        let checked = order(node, &Command::Check { head: Some(head.clone()) }).value;
        assert_eq!(checked["noted_head_is_there"], true);
    });
}

#[test]
fn check_proves_that_a_head_that_was_noted_is_still_in_the_log() {
    let playground = Playground::new();
    playground.with(|node| {
        let check = |head: &str| {
            let command = Command::Check { head: Some(head.to_owned()) };
            node::admin::execute(node, &command, &mut std::io::empty()).map(|answer| answer.value)
        };
        let head = order(node, &Command::Check { head: None }).value["head"].clone();
        let head = head.as_str().expect("a head");
        change(node, vec![address(&format!("h.{ZONE}"), 1)]).expect("a change");
        check(head).expect("it is still there");
        let (pos, hash) = head.split_once(':').expect("two parts");
        let other = format!("{pos}:{}", "00".repeat(32));
        assert!(check(&other).expect_err("another").to_string().contains("another event"));
        let ahead = format!("{}:{hash}", 1000);
        assert!(check(&ahead).expect_err("ahead").to_string().contains("ends before"));
        assert!(check("x").expect_err("nonsense").to_string().contains("not a position"));
    });
}

#[test]
fn history_is_the_same_without_its_index_and_from_page_to_page() {
    let playground = Playground::new();
    let hosts = ["a", "b", "c"];
    let query = |label: &str, limit| Query {
        limit,
        ..Query::new(Of::Host(name(&format!("{label}.{ZONE}"))))
    };
    let before = playground.with(|node| {
        for round in 0..60u8 {
            let host = hosts[usize::from(round % 3)];
            change(node, vec![address(&format!("{host}.{ZONE}"), round + 1)]).expect("a change");
        }
        hosts.map(|host| positions(&all(node, &query(host, 1000))))
    });
    assert_eq!(before[0].len(), 20);
    for file in ["history.db", "history.db-wal", "history.db-shm"] {
        let _ = std::fs::remove_file(playground.data().join(file));
    }
    playground.with(|node| {
        for limit in [1, 3, 1000] {
            assert_eq!(hosts.map(|host| positions(&all(node, &query(host, limit)))), before);
        }
        let command = Command::History(HistoryQuery {
            of: HistoryOf::Host(format!("a.{ZONE}")),
            since_ms: None,
            until_ms: None,
            by: Some("operator".to_owned()),
            kinds: vec!["records".to_owned()],
            limit: Some(5),
            from: None,
            forward: true,
        });
        let rows = shown(node, &command);
        assert_eq!(rows.as_array().map(Vec::len), Some(5));
        assert_eq!(rows[0]["pos"], *before[0].last().expect("the oldest"));
    });
}
