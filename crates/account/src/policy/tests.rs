use std::net::IpAddr;

use super::*;
use crate::TsigAlgorithm;
use crate::entity::{Account, Entity, TokenId, ZoneEntry};
use crate::key::{Credential, KeyPolicy, NamePattern, TsigKey};
use crate::network::Network;
use crate::secret::Secret;
use crate::token::{Role, Rule, Terms, Token};
use crate::{Actor, Host, TokenActor};

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn account(id: u64, frozen: bool) -> Account {
    Account { frozen, ..Account::new(AccountId(id), &format!("account {id}"), Timestamp(0)) }
}

fn host(text: &str, account: u64, created: i64) -> Host {
    Host::new(name(text), name("one.test"), AccountId(account), Timestamp(created))
}

fn token(hosts: &[&str]) -> Token {
    let hosts = hosts.iter().map(|host| name(host)).collect();
    let hash = Secret::from_random([1; 16]).hash();
    Token { hosts, ..Token::new(TokenId(1), AccountId(1), hash, Timestamp(10)) }
}

/// A token of account 1 over three hosts: its own, one that was claimed again after the token was
/// made, and one that another account has claimed.
fn directory() -> (Directory, TokenActor) {
    let mut directory = Directory::default();
    for entity in [
        Entity::Account(account(1, false)),
        Entity::Account(account(2, false)),
        Entity::Zone(ZoneEntry {
            suffix: true,
            ..ZoneEntry::new(name("one.test"), AccountId(2), Timestamp(5))
        }),
        Entity::Zone(ZoneEntry::new(name("own.test"), AccountId(1), Timestamp(5))),
        Entity::Host(host("own.one.test", 1, 10)),
        Entity::Host(host("newer.one.test", 1, 11)),
        Entity::Host(host("theirs.one.test", 2, 5)),
        Entity::Host(host("second.one.test", 1, 5)),
        Entity::Token(token(&[
            "gone.one.test",
            "newer.one.test",
            "own.one.test",
            "second.one.test",
            "theirs.one.test",
        ])),
    ] {
        directory.put(entity);
    }
    let secret = Secret::from_random([1; 16]);
    let actor = directory.authenticate(secret.reveal().as_bytes(), Timestamp(20), HERE).unwrap();
    (directory, actor)
}

/// Addresses of a name are replaced.
fn replacing(owner: &Name) -> TokenEdit<'_> {
    TokenEdit { owner, types: &[Rtype::A], actions: Actions::ALL, addresses: &[] }
}

#[test]
fn authorize_edit_table() {
    let (directory, actor) = directory();
    for (owner, rtype, expected) in [
        ("own.one.test", Some(Rtype::A), Ok(())),
        ("OWN.one.test", Some(Rtype::AAAA), Ok(())),
        ("second.one.test", Some(Rtype::A), Ok(())),
        ("own.one.test", Some(Rtype::TXT), Err(Denied::Type)),
        ("own.one.test", Some(Rtype::SOA), Err(Denied::Type)),
        ("own.one.test", Some(Rtype::ANY), Err(Denied::Type)),
        ("own.one.test", None, Ok(())),
        ("gone.one.test", None, Err(Denied::NotCovered)),
        ("other.one.test", Some(Rtype::A), Err(Denied::NotCovered)),
        ("x.own.one.test", Some(Rtype::A), Err(Denied::NotCovered)),
        ("one.test", Some(Rtype::A), Err(Denied::NotCovered)),
        ("*.one.test", Some(Rtype::A), Err(Denied::NotCovered)),
        ("gone.one.test", Some(Rtype::A), Err(Denied::NotCovered)),
        ("newer.one.test", Some(Rtype::A), Err(Denied::NotCovered)),
        ("theirs.one.test", Some(Rtype::A), Err(Denied::NotCovered)),
    ] {
        let owned = name(owner);
        let types: Vec<Rtype> = rtype.into_iter().collect();
        let edit = TokenEdit { types: &types, ..replacing(&owned) };
        let found = authorize_edit(&directory, &actor, edit, Timestamp(20));
        assert_eq!(found.map(drop), expected, "{owner} {rtype:?}");
    }
}

#[test]
fn authorize_edit_looks_at_the_token_as_it_is_now() {
    let now = |change: &dyn Fn(&mut Directory)| {
        let (mut directory, actor) = directory();
        change(&mut directory);
        let owner = name("own.one.test");
        authorize_edit(&directory, &actor, replacing(&owner), Timestamp(20)).map(drop)
    };
    let all = ["own.one.test"];
    assert_eq!(now(&|_| {}), Ok(()));
    let revoked = Token { revoked: Some(Timestamp(11)), ..token(&all) };
    let put = |entity: Entity| move |directory: &mut Directory| directory.put(entity.clone());
    for (entity, expected) in [
        (Entity::Token(revoked), Denied::Token(AuthError::Revoked)),
        (Entity::Token(token(&["second.one.test"])), Denied::NotCovered),
        (Entity::Account(account(1, true)), Denied::Token(AuthError::Frozen)),
        (
            Entity::Account(Account {
                tokens_void_until: Some(Timestamp(10)),
                ..account(1, false)
            }),
            Denied::Token(AuthError::Revoked),
        ),
        (Entity::Host(host("own.one.test", 1, 11)), Denied::NotCovered),
    ] {
        assert_eq!(now(&put(entity.clone())), Err(expected), "{entity:?}");
    }
    let removed = now(&|directory| directory.remove(&crate::EntityKey::Token(TokenId(1))));
    assert_eq!(removed, Err(Denied::Token(AuthError::Unknown)));
}

fn key(zones: &[&str], policy: KeyPolicy) -> TsigKey {
    TsigKey {
        name: name("k.one.test"),
        credential: Credential::Shared { algorithm: TsigAlgorithm::HmacSha256, secret: vec![1] },
        zones: zones.iter().map(|zone| name(zone)).collect(),
        update: true,
        transfer: true,
        policy,
        truncated_ok: false,
        created: Timestamp(5),
    }
}

/// Whoever may do everything in a zone of account 2.
fn with_key(key: TsigKey) -> Directory {
    let (mut directory, _) = directory();
    let zone = ZoneEntry::new(name("one.test"), AccountId(2), Timestamp(5));
    directory.put(Entity::Zone(ZoneEntry { suffix: true, ..zone }));
    directory.put(Entity::Key(key));
    directory
}

#[test]
fn updating_key_table() {
    let good = || key(&["one.test"], KeyPolicy::everything());
    for (why, key, expected) in [
        ("good", good(), Ok(())),
        ("case", key(&["ONE.test"], KeyPolicy::everything()), Ok(())),
        ("no update", TsigKey { update: false, ..good() }, Err(Denied::NotCovered)),
        ("other zone", key(&["test"], KeyPolicy::everything()), Err(Denied::NotCovered)),
        ("older", TsigKey { created: Timestamp(4), ..good() }, Err(Denied::NotCovered)),
    ] {
        let mut directory = with_key(key);
        let (of, zone) = (name("K.one.test"), name("One.test"));
        let found = updating_key(&directory, &of, &zone).map(drop);
        assert_eq!(found, expected, "{why}");
        assert!(updating_key(&directory, &name("l"), &zone).is_err());
        assert!(updating_key(&directory, &of, &name("two.test")).is_err());
        directory.put(Entity::Account(account(2, true)));
        assert!(updating_key(&directory, &of, &zone).is_err());
    }
}

#[test]
fn a_key_changes_no_host_of_a_frozen_account() {
    let key = key(&["one.test"], KeyPolicy::everything());
    let mut directory = with_key(key.clone());
    directory.put(Entity::Account(account(1, true)));
    let frozen = Err(Denied::Frozen);
    for (owner, expected) in
        [("own.one.test", frozen), ("x.own.one.test", Ok(())), ("theirs.one.test", Ok(()))]
    {
        let owner = &name(owner);
        let edit = KeyEdit { owner, types: &[Rtype::A], actions: Actions::ADD };
        assert_eq!(authorize_key_edit(&directory, &key, edit), expected, "{owner}");
    }
}

/// Patterns, and which of [`OWNERS`] they cover: one letter each, `-` for a name that is not.
const PATTERNS: [(&str, &str); 13] = [
    ("", "abcdefgh"),
    ("one.test", "a-------"),
    ("h.one.test", "-b------"),
    ("H.One.Test.", "-b------"),
    ("*.h.one.test", "--cd----"),
    ("*.one.test", "-bcdefgh"),
    ("h.one.test *.h.one.test", "-bcd----"),
    (r"\*.one.test", "-----f--"),
    ("self", "------g-"),
    ("self-subtree", "------gh"),
    ("self h.one.test", "-b----g-"),
    ("two.test", "--------"),
    ("*.two.test", "--------"),
];
const OWNERS: [&str; 8] = [
    "one.test",
    "h.one.test",
    "a.h.one.test",
    "a.b.h.one.test",
    "xh.one.test",
    "*.one.test",
    "k.one.test",
    "_tcp.k.one.test",
];
/// Lists of types, and whether they hold A, TXT and SOA.
const TYPES: [(&[Rtype], [bool; 3]); 4] = [
    (&[], [true, true, true]),
    (&[Rtype::A, Rtype::AAAA], [true, false, false]),
    (&[Rtype::TXT], [false, true, false]),
    (&[Rtype::A, Rtype::TXT, Rtype::SOA], [true, true, true]),
];
const ACTIONS: [Actions; 4] =
    [Actions { add: false, delete: false }, Actions::ADD, Actions::DELETE, Actions::ALL];

fn patterns(text: &str) -> Vec<NamePattern> {
    text.split_whitespace().map(|word| NamePattern::parse(word).unwrap()).collect()
}

#[test]
fn every_pattern_type_and_action_decides_for_itself() {
    let ok = |holds: bool, why| if holds { Ok(()) } else { Err(why) };
    for (names, covered) in PATTERNS {
        for (types, held) in TYPES {
            for actions in ACTIONS {
                let names = patterns(names);
                let policy = KeyPolicy { names, types: types.to_vec(), actions };
                let key = key(&["one.test"], policy);
                let directory = with_key(key.clone());
                for (owner, is_covered) in OWNERS.iter().zip(covered.chars().map(|c| c != '-')) {
                    let owner = &name(owner);
                    let covers = ok(is_covered, Denied::NotCovered);
                    assert_eq!(authorize_key_name(&key, owner), covers, "{owner} {key:?}");
                    for (rtype, is_held) in [Rtype::A, Rtype::TXT, Rtype::SOA].iter().zip(held) {
                        for wanted in ACTIONS {
                            let add = ok(!wanted.add || actions.add, Denied::KeyAction("add"));
                            let delete =
                                ok(!wanted.delete || actions.delete, Denied::KeyAction("delete"));
                            let expected =
                                covers.and(add).and(delete).and(ok(is_held, Denied::KeyType));
                            let types = std::slice::from_ref(rtype);
                            let edit = KeyEdit { owner, types, actions: wanted };
                            let found = authorize_key_edit(&directory, &key, edit);
                            assert_eq!(found, expected, "{owner} {rtype} {wanted:?} {key:?}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn to_delete_a_name_takes_every_type_that_is_there() {
    let owner = &name("h.one.test");
    let there: [&[Rtype]; 4] =
        [&[], &[Rtype::A], &[Rtype::A, Rtype::AAAA], &[Rtype::A, Rtype::TXT]];
    for (types, expected) in [
        (&[][..], [true, true, true, true]),
        (&[Rtype::A], [true, true, false, false]),
        (&[Rtype::AAAA, Rtype::A], [true, true, true, false]),
        (&[Rtype::MX], [true, false, false, false]),
    ] {
        let policy = KeyPolicy { types: types.to_vec(), ..KeyPolicy::everything() };
        let key = key(&["one.test"], policy);
        let directory = with_key(key.clone());
        for (there, expected) in there.into_iter().zip(expected) {
            let edit = KeyEdit { owner, types: there, actions: Actions::DELETE };
            let found = authorize_key_edit(&directory, &key, edit);
            let expected = if expected { Ok(()) } else { Err(Denied::KeyType) };
            assert_eq!(found, expected, "{types:?} {there:?}");
        }
    }
}

#[test]
fn exposed_pace_table() {
    let exposed = Token { exposed: Some(Timestamp(0)), ..token(&[]) };
    let soon = Err(Denied::ExposedTooSoon);
    for (token, last, now, expected) in [
        (&token(&[]), Some(100), 100, Ok(())),
        (&exposed, None, 100, Ok(())),
        (&exposed, Some(100), 100, soon),
        (&exposed, Some(100), 60_099, soon),
        (&exposed, Some(100), 60_100, Ok(())),
        // The clock has gone back.
        (&exposed, Some(100), 50, soon),
    ] {
        let found = exposed_pace(token, last.map(Timestamp), Timestamp(now));
        assert_eq!(found, expected, "{last:?} {now}");
    }
}

fn rule(names: &[&str], types: &[Rtype]) -> Rule {
    Rule {
        names: names.iter().map(|text| NamePattern::parse(text).unwrap()).collect(),
        types: types.to_vec(),
        actions: Actions::ALL,
        values: Vec::new(),
    }
}

fn network(text: &str) -> Network {
    text.parse().unwrap()
}

fn with_terms(account: u64, terms: Terms) -> (Directory, TokenActor) {
    let (mut directory, _) = directory();
    let token = Token { account: AccountId(account), ..token(&[]) };
    directory.put(Entity::Token(Token { terms: Some(Box::new(terms)), ..token }));
    let secret = Secret::from_random([1; 16]);
    let actor = directory.authenticate(secret.reveal().as_bytes(), Timestamp(20), HERE).unwrap();
    (directory, actor)
}

/// What a token of these rules may do to records: rules, name, types, actions, addresses.
type Row<'a> = (Vec<Rule>, &'a str, &'a [Rtype], Actions, &'a [IpAddr], Result<(), Denied>);

/// Account 1 has a host under the suffix `one.test` of account 2, and the zone `own.test`.
fn check_rules(rows: Vec<Row<'_>>) {
    for (rules, owner, types, actions, addresses, expected) in rows {
        let shown = format!("{rules:?} {owner} {types:?}");
        let (directory, actor) = with_terms(1, Terms { rules, ..Terms::default() });
        let owner = name(owner);
        let edit = TokenEdit { owner: &owner, types, actions, addresses };
        let found = authorize_edit(&directory, &actor, edit, Timestamp(20)).map(drop);
        assert_eq!(found, expected, "{shown}");
    }
}

#[test]
fn a_rule_says_types_actions_and_values() {
    let challenge = "_acme-challenge.own.one.test";
    let narrow =
        Rule { values: vec![network("198.51.100.0/24")], ..rule(&["own.one.test"], &[Rtype::A]) };
    let adding = Rule { actions: Actions::ADD, ..rule(&[challenge], &[Rtype::TXT]) };
    let inside: IpAddr = [198, 51, 100, 7].into();
    let outside: IpAddr = [192, 0, 2, 7].into();
    let (add, all) = (Actions::ADD, Actions::ALL);
    let txt = [Rtype::TXT];
    check_rules(vec![
        (vec![adding.clone()], challenge, &txt, add, &[], Ok(())),
        (vec![adding.clone()], challenge, &txt, all, &[], Err(Denied::Action("delete"))),
        (vec![adding.clone()], challenge, &[Rtype::A], add, &[], Err(Denied::Type)),
        (vec![adding.clone()], "own.one.test", &txt, add, &[], Err(Denied::NotCovered)),
        (vec![narrow.clone()], "own.one.test", &[Rtype::A], all, &[inside], Ok(())),
        (vec![narrow.clone()], "own.one.test", &[Rtype::A], all, &[outside], Err(Denied::Value)),
        (
            vec![narrow.clone()],
            "own.one.test",
            &[Rtype::A],
            all,
            &[inside, outside],
            Err(Denied::Value),
        ),
        (vec![narrow.clone()], "own.one.test", &[Rtype::AAAA], all, &[], Err(Denied::Type)),
        // Each type by a rule of its own; one record by no two.
        (
            vec![narrow.clone(), rule(&["own.one.test"], &txt)],
            "own.one.test",
            &[Rtype::A, Rtype::TXT],
            Actions::DELETE,
            &[],
            Ok(()),
        ),
        (
            vec![
                Rule { actions: Actions::DELETE, ..rule(&["own.one.test"], &txt) },
                Rule { actions: Actions::ADD, ..rule(&["own.one.test"], &txt) },
            ],
            "own.one.test",
            &txt,
            all,
            &[],
            Err(Denied::Action("add")),
        ),
        // Nothing is there to be deleted.
        (vec![adding.clone()], challenge, &[], Actions::DELETE, &[], Ok(())),
        (vec![adding], "own.one.test", &[], Actions::DELETE, &[], Err(Denied::NotCovered)),
    ]);
}

#[test]
fn a_rule_is_of_names_of_its_account() {
    let (txt, all) = ([Rtype::TXT], Actions::ALL);
    check_rules(vec![
        (vec![rule(&["*.own.one.test"], &txt)], "a.b.own.one.test", &txt, all, &[], Ok(())),
        (
            vec![rule(&["*.own.one.test"], &txt)],
            "own.one.test",
            &txt,
            all,
            &[],
            Err(Denied::NotCovered),
        ),
        // A pattern may reach over names of others: they are theirs all the same.
        (vec![rule(&["*.one.test"], &txt)], "own.one.test", &txt, all, &[], Ok(())),
        (
            vec![rule(&["*.one.test"], &txt)],
            "theirs.one.test",
            &txt,
            all,
            &[],
            Err(Denied::NotCovered),
        ),
        (
            vec![rule(&["*.one.test"], &txt)],
            "x.theirs.one.test",
            &txt,
            all,
            &[],
            Err(Denied::NotCovered),
        ),
        (
            vec![rule(&["*.one.test"], &txt)],
            "free.one.test",
            &txt,
            all,
            &[],
            Err(Denied::NotCovered),
        ),
        (vec![rule(&["one.test"], &txt)], "one.test", &txt, all, &[], Err(Denied::NotCovered)),
        // No names: all of the account, wherever they lie.
        (vec![rule(&[], &txt)], "x.own.one.test", &txt, all, &[], Ok(())),
        (vec![rule(&[], &txt)], "free.own.test", &txt, all, &[], Ok(())),
        (vec![rule(&[], &txt)], "theirs.one.test", &txt, all, &[], Err(Denied::NotCovered)),
        // A guest does not cut the tree of names.
        (
            vec![rule(&[], &[Rtype::NS])],
            "x.own.one.test",
            &[Rtype::NS],
            all,
            &[],
            Err(Denied::Type),
        ),
        (vec![rule(&[], &[Rtype(43)])], "own.one.test", &[Rtype(43)], all, &[], Err(Denied::Type)),
        (vec![rule(&[], &[Rtype::NS])], "sub.own.test", &[Rtype::NS], all, &[], Ok(())),
        (vec![rule(&["self"], &txt)], "own.one.test", &txt, all, &[], Err(Denied::NotCovered)),
    ]);
}

#[test]
fn roles_of_a_token_table() {
    for (role, account, owner, rtype, expected) in [
        (Role::Owner, 1, "own.one.test", Rtype::A, Ok(())),
        (Role::Owner, 1, "newer.one.test", Rtype::MX, Ok(())),
        (Role::Owner, 1, "x.own.one.test", Rtype::NS, Err(Denied::Type)),
        (Role::Owner, 1, "theirs.one.test", Rtype::A, Err(Denied::NotCovered)),
        (Role::Owner, 1, "one.test", Rtype::A, Err(Denied::NotCovered)),
        (Role::Owner, 1, "own.test", Rtype::NS, Ok(())),
        (Role::Owner, 2, "one.test", Rtype::NS, Ok(())),
        (Role::Owner, 2, "own.one.test", Rtype::A, Err(Denied::NotCovered)),
        (Role::Owner, 0, "own.one.test", Rtype::NS, Ok(())),
        (Role::Owner, 0, "elsewhere.test", Rtype::A, Err(Denied::NotCovered)),
        (Role::Reader, 1, "own.one.test", Rtype::A, Err(Denied::NotCovered)),
        (Role::Reader, 0, "own.one.test", Rtype::A, Err(Denied::NotCovered)),
    ] {
        let (directory, actor) =
            with_terms(account, Terms { role: Some(role), ..Terms::default() });
        let owned = name(owner);
        let edit = TokenEdit { types: &[rtype], ..replacing(&owned) };
        let found = authorize_edit(&directory, &actor, edit, Timestamp(20)).map(drop);
        assert_eq!(found, expected, "{role:?} of {account}: {owner} {rtype}");
        let standing = standing(&directory, &Actor::Token(actor), Timestamp(20)).unwrap();
        let sees = |id| standing.sees(AccountId(id));
        let expected = [1, 2].map(|id| account == 0 || account == id);
        assert_eq!([sees(1), sees(2)], expected);
        let owns = [1, 2].map(|id| standing.owns(AccountId(id)));
        assert_eq!(owns, expected.map(|sees| sees && role == Role::Owner));
    }
}

#[test]
fn a_rule_does_not_outlive_its_zone() {
    let txt = [Rtype::TXT];
    let (mut directory, actor) =
        with_terms(1, Terms { rules: vec![rule(&["x.own.test"], &txt)], ..Terms::default() });
    let owner = name("x.own.test");
    let edit = TokenEdit { types: &txt, ..replacing(&owner) };
    assert!(authorize_edit(&directory, &actor, edit, Timestamp(20)).is_ok());
    directory.put(Entity::Zone(ZoneEntry::new(name("own.test"), AccountId(1), Timestamp(11))));
    let found = authorize_edit(&directory, &actor, edit, Timestamp(20)).map(drop);
    assert_eq!(found, Err(Denied::NotCovered), "another zone of this name");
}

#[test]
fn a_prerequisite_takes_a_rule() {
    let own = name("own.one.test");
    let (directory, actor) = directory();
    assert_eq!(authorize_name(&directory, &actor, &own, Timestamp(20)), Err(Denied::Type));
    let rules = vec![rule(&["own.one.test"], &[Rtype::TXT])];
    let (directory, actor) = with_terms(1, Terms { rules, ..Terms::default() });
    assert_eq!(authorize_name(&directory, &actor, &own, Timestamp(20)), Ok(()));
    let other = name("second.one.test");
    let found = authorize_name(&directory, &actor, &other, Timestamp(20));
    assert_eq!(found, Err(Denied::NotCovered));
}

/// When a token ends and where it is accepted: 1000 s after it was made, say.
#[test]
fn terms_of_a_token_table() {
    let day = 86_400;
    for (why, expires, unused_s, used, at, source, expected) in [
        ("nothing said", None, None, None, 9_000_000, HERE, Ok(())),
        ("before it expires", Some(1_000_000), None, None, 999_999, HERE, Ok(())),
        ("expired", Some(1_000_000), None, None, 1_000_000, HERE, Err(AuthError::Expired)),
        (
            "unused since it was made",
            None,
            Some(day),
            None,
            86_400_010,
            HERE,
            Err(AuthError::Unused),
        ),
        ("in time", None, Some(day), None, 86_400_009, HERE, Ok(())),
        ("used since", None, Some(day), Some(1000), 86_400_010, HERE, Ok(())),
        ("unused for a day", None, Some(day), Some(1000), 86_401_000, HERE, Err(AuthError::Unused)),
        ("both, expired", Some(5), Some(day), None, 90_000_000, HERE, Err(AuthError::Expired)),
        ("from elsewhere", None, None, None, 20, [192, 0, 2, 1].into(), Err(AuthError::Source)),
        ("from inside", None, None, None, 20, [127, 9, 9, 9].into(), Ok(())),
    ] {
        let expires = expires.map(Timestamp);
        let networks = vec![network("127.0.0.0/8")];
        let terms = Terms { networks, expires, unused_s, ..Terms::default() };
        let mut directory = directory().0;
        let last_used = used.map(Timestamp);
        let token = Token { last_used, terms: Some(Box::new(terms)), ..token(&["own.one.test"]) };
        directory.put(Entity::Token(token));
        let secret = Secret::from_random([1; 16]);
        let found = directory.authenticate(secret.reveal().as_bytes(), Timestamp(at), source);
        assert_eq!(found.map(drop), expected, "{why}");
    }
}

#[test]
fn a_use_is_due_to_be_noted_once_an_hour() {
    for (used, at, expected) in
        [(None, 20, true), (Some(20), 3_600_019, false), (Some(20), 3_600_020, true)]
    {
        let mut directory = directory().0;
        let token = Token { last_used: used.map(Timestamp), ..token(&["own.one.test"]) };
        directory.put(Entity::Token(token));
        let secret = Secret::from_random([1; 16]);
        let found = directory.authenticate(secret.reveal().as_bytes(), Timestamp(at), HERE);
        assert_eq!(found.unwrap().is_use_due(), expected, "{used:?} {at}");
    }
}
