use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::secret::Secret;
use crate::{Credential, KeyPolicy, TsigAlgorithm};

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn account(id: u64, name: &str) -> Account {
    Account {
        id: AccountId(id),
        name: name.to_owned(),
        created: Timestamp(0),
        frozen: false,
        tokens_void_until: None,
    }
}

fn host(text: &str, zone: &str) -> Host {
    Host {
        name: name(text),
        zone: name(zone),
        account: AccountId(0),
        created: Timestamp(0),
        ttl_s: None,
        private_ok: false,
        scope: None,
        last_seen: None,
        expiry: None,
        parked: None,
    }
}

fn token(id: u64, secret: u8, hosts: &[&str]) -> Token {
    Token {
        id: TokenId(id),
        account: AccountId(0),
        hash: Secret::from_random([secret; 16]).hash(),
        hosts: hosts.iter().map(|host| name(host)).collect(),
        label: String::new(),
        created: Timestamp(10),
        revoked: None,
        exposed: None,
    }
}

fn zone(apex: &str) -> Entity {
    Entity::Zone(ZoneEntry {
        apex: name(apex),
        account: AccountId(0),
        created: Timestamp(0),
        suffix: false,
        host_ttl_s: 60,
        scavenge: None,
    })
}

fn key(text: &str) -> Entity {
    Entity::Key(TsigKey {
        name: name(text),
        credential: Credential::Shared {
            algorithm: TsigAlgorithm::HmacSha256,
            secret: vec![0xcd; 32],
        },
        zones: vec![name("one.test")],
        update: true,
        transfer: false,
        policy: KeyPolicy::everything(),
        truncated_ok: false,
        created: Timestamp(0),
    })
}

const ZONES: [&str; 3] = ["one.test", "sub.one.test", "two.test"];
const HOSTS: [&str; 5] = ["a.one.test", "b.one.test", "b.sub.one.test", "one.test", "c.two.test"];

/// Puts and removals over few keys, so that they meet.
#[derive(Clone, Debug)]
enum Act {
    Put(Entity),
    Remove(EntityKey),
    RemoveHostsOf(Name),
}

fn entity() -> impl Strategy<Value = Entity> {
    let hosts = prop::collection::btree_set(0..HOSTS.len(), 0..4);
    prop_oneof![
        (0..3_u64, 0..4_u8).prop_map(|(id, n)| Entity::Account(account(id, &format!("n{n}")))),
        (0..ZONES.len()).prop_map(|n| zone(ZONES[n])),
        (0..HOSTS.len(), any::<bool>()).prop_map(|(n, far)| {
            let zones = ZONES.iter().filter(|zone| name(HOSTS[n]).is_subdomain_of(&name(zone)));
            let mut zones = zones.map(|zone| host(HOSTS[n], zone));
            let near = zones.next().unwrap();
            Entity::Host(zones.next().filter(|_| far).unwrap_or(near))
        }),
        (0..4_u64, hosts).prop_map(|(id, hosts)| {
            let hosts: Vec<&str> = hosts.into_iter().map(|n| HOSTS[n]).collect();
            // A secret belongs to one token, but a token may get another one.
            let secret = u8::try_from(id).unwrap() * 2 + u8::from(hosts.len() > 1);
            Entity::Token(token(id, secret, &hosts))
        }),
        (0..2_u8).prop_map(|n| key(&format!("key{n}"))),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => entity().prop_map(Act::Put),
        3 => entity().prop_map(|entity| Act::Remove(entity.key())),
        1 => (0..ZONES.len()).prop_map(|n| Act::RemoveHostsOf(name(ZONES[n]))),
    ]
}

proptest! {
    #[test]
    fn indexes_say_what_a_scan_says(acts in prop::collection::vec(act(), 0..60)) {
        let mut directory = Directory::default();
        let operator = directory.account(AccountId(0)).cloned().map(Entity::Account);
        let mut plain: BTreeMap<String, Entity> = BTreeMap::new();
        let text = |key: &EntityKey| format!("{key:?}");
        plain.extend(operator.map(|operator| (text(&operator.key()), operator)));
        for act in acts {
            match act {
                // Names of accounts are unique: the engine sees to that.
                Act::Put(Entity::Account(new)) if plain.values().any(|known| matches!(
                    known, Entity::Account(known) if known.name == new.name && known.id != new.id
                )) => {}
                Act::Put(entity) => {
                    plain.insert(text(&entity.key()), entity.clone());
                    directory.put(entity);
                }
                Act::Remove(key) => {
                    plain.remove(&text(&key));
                    directory.remove(&key);
                }
                Act::RemoveHostsOf(zone) => {
                    plain.retain(|_, known| {
                        !matches!(known, Entity::Host(host) if host.zone == zone)
                    });
                    directory.remove_hosts_of(&zone);
                }
            }
            check(&directory, &plain);
        }
    }
}

fn check(directory: &Directory, plain: &BTreeMap<String, Entity>) {
    let mut entities: Vec<Entity> = directory.entities().collect();
    entities.sort_by_cached_key(|entity| format!("{:?}", entity.key()));
    assert_eq!(entities, plain.values().cloned().collect::<Vec<_>>());
    for entity in plain.values() {
        assert_eq!(directory.entity(&entity.key()).as_ref(), Some(entity));
    }
    let hosts: Vec<&Host> = plain.values().filter_map(as_host).collect();
    assert_eq!(directory.host_count(), hosts.len());
    for zone in ZONES.map(name) {
        let mut below: Vec<Name> =
            hosts.iter().map(|h| h.name.clone()).filter(|n| n.is_subdomain_of(&zone)).collect();
        below.sort();
        let found: Vec<Name> =
            directory.hosts(Some(&zone), None).map(|host| host.name.clone()).collect();
        assert_eq!(found, below, "in canonical order");
        if let Some(first) = below.first() {
            let after: Vec<_> = directory.hosts(Some(&zone), Some(first)).collect();
            assert_eq!(after.len(), below.len() - 1, "goes on after a name");
        }
    }
    let tokens: Vec<&Token> = plain.values().filter_map(as_token).collect();
    for host in HOSTS.map(name) {
        let mut found: Vec<TokenId> = directory.tokens_of(&host).map(|token| token.id).collect();
        found.sort();
        let naming = tokens.iter().filter(|token| token.hosts.contains(&host));
        assert_eq!(found, naming.map(|token| token.id).collect::<Vec<_>>());
    }
    for secret in 0..8 {
        let secret = Secret::from_random([secret; 16]);
        let token = tokens.iter().find(|token| token.hash == secret.hash());
        assert_eq!(directory.has_secret(&secret.hash()), token.is_some());
        // Account 0 may be gone in this test; then no token is accepted.
        let expected = token.filter(|_| directory.account(AccountId(0)).is_some());
        let found = directory.authenticate(secret.reveal().as_bytes());
        assert_eq!(found.ok().map(|actor| actor.token()), expected.map(|token| token.id));
    }
    for n in 0..4 {
        let wanted = format!("n{n}");
        let scan = plain.values().find_map(|known| match known {
            Entity::Account(account) if account.name == wanted => Some(account.id),
            _ => None,
        });
        assert_eq!(directory.account_named(&wanted).map(|account| account.id), scan);
    }
}

fn as_host(entity: &Entity) -> Option<&Host> {
    match entity {
        Entity::Host(host) => Some(host),
        _ => None,
    }
}

fn as_token(entity: &Entity) -> Option<&Token> {
    match entity {
        Entity::Token(token) => Some(token),
        _ => None,
    }
}

#[test]
fn a_name_lies_in_the_zone_with_the_longest_apex() {
    let mut directory = Directory::default();
    for apex in ["one.test", "sub.one.test"] {
        directory.put(zone(apex));
    }
    for (text, apex) in [
        ("one.test", Some("one.test")),
        ("a.one.test", Some("one.test")),
        ("A.B.Sub.One.Test", Some("sub.one.test")),
        ("sub.one.test", Some("sub.one.test")),
        ("xsub.one.test", Some("one.test")),
        ("test", None),
        ("xone.test", None),
    ] {
        let found = directory.zone_of(&name(text)).map(|zone| zone.apex.clone());
        assert_eq!(found, apex.map(name), "{text}");
    }
}

/// Whatever a client sends is hashed and looked up: nothing about its form is told apart first,
/// so an unknown secret and one that cannot be ours cost the same.
#[test]
fn authentication_takes_one_way_for_every_secret() {
    let mut directory = Directory::default();
    directory.put(Entity::Token(token(1, 1, &["a.one.test"])));
    let good = Secret::from_random([1; 16]).reveal().to_owned();
    let other = Secret::from_random([2; 16]).reveal().to_owned();
    let (cut, upper) = (good[..31].to_owned(), good.to_uppercase());
    let long = "x".repeat(100_000);
    for text in [other.as_str(), &cut, &upper, "", "byn_", "pässword", &long] {
        assert_eq!(directory.authenticate(text.as_bytes()), Err(AuthError::Unknown), "{text:.40}");
    }
    let actor = directory.authenticate(good.as_bytes()).unwrap();
    assert_eq!((actor.token(), actor.account()), (TokenId(1), AccountId(0)));
    assert!(actor.covers(&name("A.ONE.test")) && !actor.covers(&name("b.one.test")));
}

#[test]
fn authentication_table() {
    let revoked = |at| Token { revoked: at, ..token(1, 1, &["a.one.test"]) };
    for (why, token, frozen, void, expected) in [
        ("good", revoked(None), false, None, Ok(())),
        ("revoked", revoked(Some(Timestamp(20))), false, None, Err(AuthError::Revoked)),
        ("lockdown", revoked(None), true, Some(10), Err(AuthError::Revoked)),
        ("after a lockdown", revoked(None), false, Some(10), Err(AuthError::Revoked)),
        ("made after a lockdown", revoked(None), false, Some(9), Ok(())),
        ("frozen again", revoked(None), true, Some(9), Err(AuthError::Frozen)),
    ] {
        let mut directory = Directory::default();
        directory.put(Entity::Account(Account {
            frozen,
            tokens_void_until: void.map(Timestamp),
            ..account(0, "operator")
        }));
        directory.put(Entity::Token(token));
        let found = directory.authenticate(Secret::from_random([1; 16]).reveal().as_bytes());
        assert_eq!(found.map(drop), expected, "{why}");
    }
}

#[test]
fn a_token_does_not_take_the_secret_of_another_with_it() {
    let mut directory = Directory::default();
    directory.put(Entity::Token(token(1, 1, &["a.one.test"])));
    directory.put(Entity::Token(token(2, 1, &["b.one.test"])));
    directory.remove(&EntityKey::Token(TokenId(1)));
    let found = directory.authenticate(Secret::from_random([1; 16]).reveal().as_bytes());
    assert_eq!(found.map(|actor| actor.token()), Ok(TokenId(2)));
}

#[test]
fn no_secret_is_shown() {
    let mut directory = Directory::default();
    directory.put(Entity::Token(Token { hash: [0xab; 32], ..token(1, 1, &["a.one.test"]) }));
    directory.put(key("key1"));
    let shown = format!("{directory:?}");
    let tokens = format!("{:?}{:?}", directory.tokens(), directory.keys());
    // The index by hash is what the directory itself would show.
    assert!(!tokens.contains("171") && !tokens.contains("205"), "{tokens}");
    assert!(!shown.contains("205") && !shown.contains("171"), "{shown}");
}

#[test]
fn last_seen_only_goes_forward() {
    let mut directory = Directory::default();
    directory.put(Entity::Host(host("a.one.test", "one.test")));
    for at in [5, 9, 7] {
        directory.seen(&name("A.one.test"), Timestamp(at));
        directory.seen(&name("no.one.test"), Timestamp(at));
    }
    assert_eq!(directory.host(&name("a.one.test")).unwrap().last_seen, Some(Timestamp(9)));
    assert_eq!(directory.host_count(), 1);
}
