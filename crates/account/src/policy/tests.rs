use super::*;
use crate::entity::{Account, Entity, TokenId, TsigAlgorithm, ZoneEntry};
use crate::key::{Credential, KeyPolicy, TsigKey};
use crate::secret::Secret;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn account(id: u64, frozen: bool) -> Account {
    Account {
        id: AccountId(id),
        name: format!("account {id}"),
        created: Timestamp(0),
        frozen,
        tokens_void_until: None,
    }
}

fn host(text: &str, account: u64, created: i64) -> Host {
    Host {
        name: name(text),
        zone: name("one.test"),
        account: AccountId(account),
        created: Timestamp(created),
        ttl_s: None,
        private_ok: false,
        scope: None,
        last_seen: None,
        expiry: None,
        parked: None,
    }
}

fn token(hosts: &[&str]) -> Token {
    Token {
        id: TokenId(1),
        account: AccountId(1),
        hash: Secret::from_random([1; 16]).hash(),
        hosts: hosts.iter().map(|host| name(host)).collect(),
        label: String::new(),
        created: Timestamp(10),
        revoked: None,
        exposed: None,
    }
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
    let actor = directory.authenticate(Secret::from_random([1; 16]).reveal().as_bytes()).unwrap();
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
        let found = authorize_edit(&directory, &actor, &name(owner), rtype);
        assert_eq!(found.map(drop), expected, "{owner} {rtype:?}");
    }
}

#[test]
fn authorize_edit_looks_at_the_token_as_it_is_now() {
    let now = |change: &dyn Fn(&mut Directory)| {
        let (mut directory, actor) = directory();
        change(&mut directory);
        let owner = name("own.one.test");
        authorize_edit(&directory, &actor, &owner, Some(Rtype::A)).map(drop)
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

#[test]
fn authorize_key_table() {
    let key = |update, zones: &[&str], created| {
        Entity::Key(TsigKey {
            name: name("k"),
            credential: Credential::Shared {
                algorithm: TsigAlgorithm::HmacSha256,
                secret: vec![1],
            },
            zones: zones.iter().map(|zone| name(zone)).collect(),
            update,
            transfer: true,
            policy: KeyPolicy::everything(),
            truncated_ok: false,
            created: Timestamp(created),
        })
    };
    let zone = Entity::Zone(ZoneEntry {
        apex: name("one.test"),
        account: AccountId(2),
        created: Timestamp(5),
        suffix: true,
        host_ttl_s: 60,
        scavenge: None,
    });
    for (why, entity, owner, expected) in [
        ("good", key(true, &["one.test"], 5), "a.one.test", Ok(())),
        ("case", key(true, &["ONE.test"], 5), "a.one.test", Ok(())),
        ("no update", key(false, &["one.test"], 5), "a.one.test", Err(Denied::NotCovered)),
        ("other zone", key(true, &["test"], 5), "a.one.test", Err(Denied::NotCovered)),
        ("older", key(true, &["one.test"], 4), "a.one.test", Err(Denied::NotCovered)),
        ("frozen host", key(true, &["one.test"], 5), "own.one.test", Err(Denied::Frozen)),
    ] {
        let (mut directory, _) = directory();
        directory.put(zone.clone());
        directory.put(Entity::Account(account(1, true)));
        directory.put(entity);
        let owners = [name("x.one.test"), name(owner)];
        let found = authorize_key(&directory, &name("k"), &name("one.test"), &owners);
        assert_eq!(found, expected, "{why}");
        directory.put(Entity::Account(account(2, true)));
        assert!(authorize_key(&directory, &name("k"), &name("one.test"), &owners).is_err());
        assert!(authorize_key(&directory, &name("l"), &name("one.test"), []).is_err());
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
