use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::secret::Secret;
use crate::{Actions, Credential, KeyPolicy, NamePattern, Rule, Terms, TsigAlgorithm};
use wire::Rtype;

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn account(id: u64, name: &str) -> Account {
    Account::new(AccountId(id), name, Timestamp(0))
}

fn host(text: &str, zone: &str) -> Host {
    Host::new(name(text), name(zone), AccountId(0), Timestamp(0))
}

fn token(id: u64, secret: u8, hosts: &[&str]) -> Token {
    let hosts = hosts.iter().map(|host| name(host)).collect();
    let hash = Secret::from_random([secret; 16]).hash();
    Token { hosts, ..Token::new(TokenId(id), AccountId(0), hash, Timestamp(10)) }
}

fn zone(apex: &str) -> Entity {
    Entity::Zone(ZoneEntry::new(name(apex), AccountId(0), Timestamp(0)))
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

fn webhook(id: u64) -> Webhook {
    Webhook {
        id: WebhookId(id),
        host: None,
        private_ok: false,
        account: AccountId(0),
        url: "https://hook.test/secret-path".to_owned(),
        secret: vec![0xcd; 32],
        events: vec![1],
        label: String::new(),
        created: Timestamp(0),
        paused: None,
    }
}

/// Terms with rules for addresses of names.
fn naming(names: &[&str]) -> Terms {
    let rule = |text: &&str| Rule {
        names: vec![NamePattern::Exact(name(text))],
        types: vec![Rtype::A],
        actions: Actions::ALL,
        values: Vec::new(),
    };
    Terms { rules: names.iter().map(rule).collect(), ..Terms::default() }
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
    let ruled = prop::option::of(0..HOSTS.len());
    prop_oneof![
        (0..3_u64, 0..4_u8).prop_map(|(id, n)| Entity::Account(account(id, &format!("n{n}")))),
        (0..ZONES.len()).prop_map(|n| zone(ZONES[n])),
        (0..HOSTS.len(), any::<bool>(), 0..3_u8).prop_map(|(n, far, account)| {
            let zones = ZONES.iter().filter(|zone| name(HOSTS[n]).is_subdomain_of(&name(zone)));
            let mut zones = zones.map(|zone| host(HOSTS[n], zone));
            let near = zones.next().unwrap();
            let host = zones.next().filter(|_| far).unwrap_or(near);
            let account = AccountId(u64::from(account));
            Entity::Host(Host { account, ..host })
        }),
        (0..4_u64, hosts, 0..3_u64, ruled).prop_map(|(id, hosts, account, ruled)| {
            let hosts: Vec<&str> = hosts.into_iter().map(|n| HOSTS[n]).collect();
            // A secret belongs to one token, but a token may get another one.
            let secret = u8::try_from(id).unwrap() * 2 + u8::from(hosts.len() > 1);
            let account = AccountId(account);
            let terms = ruled.map(|n| Box::new(naming(&[HOSTS[n], "x.a.one.test"])));
            Entity::Token(Token { account, terms, ..token(id, secret, &hosts) })
        }),
        (0..2_u8).prop_map(|n| key(&format!("key{n}"))),
        (0..HOSTS.len(), 0..ZONES.len(), 0..4_i64).prop_map(|(n, zone, until)| {
            let (name, zone) = (name(HOSTS[n]), name(ZONES[zone]));
            let (account, until) = (AccountId(0), Timestamp(until));
            Entity::Released(Released { name, zone, account, until })
        }),
        (0..3_u64).prop_map(|id| Entity::Webhook(webhook(id))),
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
                    plain.retain(|_, known| match known {
                        Entity::Host(host) => host.zone != zone,
                        Entity::Released(released) => released.zone != zone,
                        _ => true,
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
        let belongs = |name: &Name| directory.host_over(name).is_some_and(|over| over.name == host);
        let names = |token: &Token| token.hosts.contains(&host) || token.ruled().any(belongs);
        let naming = tokens.iter().filter(|token| names(token));
        assert_eq!(found, naming.map(|token| token.id).collect::<Vec<_>>());
    }
    for secret in 0..8 {
        let secret = Secret::from_random([secret; 16]);
        let token = tokens.iter().find(|token| token.hash == secret.hash());
        assert_eq!(directory.has_secret(&secret.hash()), token.is_some());
        // Accounts come and go in this test; without its own no token is accepted.
        let expected = token.filter(|token| directory.account(token.account).is_some());
        let found = directory.authenticate(secret.reveal().as_bytes(), Timestamp(20), HERE);
        assert_eq!(found.ok().map(|actor| actor.token()), expected.map(|token| token.id));
    }
    check_owned(directory, &hosts, &tokens);
    check_released(directory, plain);
    for n in 0..4 {
        let wanted = format!("n{n}");
        let scan = plain.values().find_map(|known| match known {
            Entity::Account(account) if account.name == wanted => Some(account.id),
            _ => None,
        });
        assert_eq!(directory.account_named(&wanted).map(|account| account.id), scan);
    }
}

fn check_owned(directory: &Directory, hosts: &[&Host], tokens: &[&Token]) {
    for account in (0..3).map(AccountId) {
        let mut names: Vec<&Name> =
            hosts.iter().filter(|host| host.account == account).map(|host| &host.name).collect();
        names.sort();
        assert_eq!(directory.host_count_of(account), names.len());
        let found: Vec<&Name> = directory.hosts_of(account, None).map(|host| &host.name).collect();
        assert_eq!(found, names, "in canonical order");
        let after =
            names.first().map_or(0, |first| directory.hosts_of(account, Some(first)).count());
        assert_eq!(after, names.len().saturating_sub(1), "goes on after a name");
        let ids = tokens.iter().filter(|token| token.account == account).map(|token| token.id);
        let ids: Vec<TokenId> = ids.collect();
        assert_eq!(directory.token_count_of(account), ids.len());
        let found = directory.tokens_owned(account, None).map(|token| token.id);
        assert_eq!(found.collect::<Vec<_>>(), ids);
        let after = ids.first().map_or(0, |id| directory.tokens_owned(account, Some(*id)).count());
        assert_eq!(after, ids.len().saturating_sub(1));
    }
}

fn check_released(directory: &Directory, plain: &BTreeMap<String, Entity>) {
    let released: Vec<&Released> = plain
        .values()
        .filter_map(|entity| match entity {
            Entity::Released(released) => Some(released),
            _ => None,
        })
        .collect();
    for until in 0..4 {
        let free: Vec<_> = directory.freed(Timestamp(until)).collect();
        assert!(free.is_sorted_by_key(|released| released.until));
        assert_eq!(free.len(), released.iter().filter(|one| one.until.0 <= until).count());
    }
    assert_eq!(directory.all_released().len(), released.len());
    for one in released {
        assert_eq!(directory.released(&one.name), Some(one));
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
        assert_eq!(
            directory.authenticate(text.as_bytes(), Timestamp(20), HERE),
            Err(AuthError::Unknown),
            "{text:.40}"
        );
    }
    let actor = directory.authenticate(good.as_bytes(), Timestamp(20), HERE).unwrap();
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
        let first = Secret::from_random([1; 16]);
        let found = directory.authenticate(first.reveal().as_bytes(), Timestamp(20), HERE);
        assert_eq!(found.map(drop), expected, "{why}");
    }
}

#[test]
fn a_token_does_not_take_the_secret_of_another_with_it() {
    let mut directory = Directory::default();
    directory.put(Entity::Token(token(1, 1, &["a.one.test"])));
    directory.put(Entity::Token(token(2, 1, &["b.one.test"])));
    directory.remove(&EntityKey::Token(TokenId(1)));
    let first = Secret::from_random([1; 16]);
    let found = directory.authenticate(first.reveal().as_bytes(), Timestamp(20), HERE);
    assert_eq!(found.map(|actor| actor.token()), Ok(TokenId(2)));
}

#[test]
fn no_secret_is_shown() {
    let mut directory = Directory::default();
    directory.put(Entity::Token(Token { hash: [0xab; 32], ..token(1, 1, &["a.one.test"]) }));
    directory.put(key("key1"));
    directory.put(Entity::Webhook(webhook(1)));
    let shown = format!("{directory:?}");
    let tokens = format!("{:?}{:?}", directory.tokens(), directory.keys());
    let hooks: Vec<&Webhook> = directory.webhooks().collect();
    let tokens = format!("{tokens}{hooks:?}");
    assert!(!tokens.contains("secret-path"), "{tokens}");
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
