use super::*;
use crate::TsigAlgorithm;
use crate::entity::{Account, Entity, TokenId, ZoneEntry};
use crate::key::{Credential, KeyPolicy, NamePattern, TsigKey};
use crate::secret::Secret;

const HERE: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

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
        ("own.one.test", None, Err(Denied::Type)),
        ("other.one.test", Some(Rtype::A), Err(Denied::NotCovered)),
        ("x.own.one.test", Some(Rtype::A), Err(Denied::NotCovered)),
        ("one.test", Some(Rtype::A), Err(Denied::NotCovered)),
        ("*.one.test", Some(Rtype::A), Err(Denied::NotCovered)),
        ("gone.one.test", Some(Rtype::A), Err(Denied::NotCovered)),
        ("newer.one.test", Some(Rtype::A), Err(Denied::NotCovered)),
        ("theirs.one.test", Some(Rtype::A), Err(Denied::NotCovered)),
    ] {
        let found = authorize_edit(&directory, &actor, &name(owner), rtype, Timestamp(20));
        assert_eq!(found.map(drop), expected, "{owner} {rtype:?}");
    }
}

#[test]
fn authorize_edit_looks_at_the_token_as_it_is_now() {
    let now = |change: &dyn Fn(&mut Directory)| {
        let (mut directory, actor) = directory();
        change(&mut directory);
        let owner = name("own.one.test");
        authorize_edit(&directory, &actor, &owner, Some(Rtype::A), Timestamp(20)).map(drop)
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
