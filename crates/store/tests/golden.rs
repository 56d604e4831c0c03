//! What an old release has written must be read for ever: files of every version of the encoding.
//!
//! A file is never changed. A line is one event, or the whole state, in hexadecimal.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a step that fails is a failed test")]

use account::{
    Account, AccountId, Actions, Credential, Entity, Host, HostExpiry, KeyPolicy, Limits, Member,
    NamePattern, Network, OnExpiry, Prefix, Released, Role, Rule, Scavenge, Scope, Terms,
    Timestamp, Token, TokenId, TsigAlgorithm, TsigKey, Webhook, WebhookId, ZoneEntry,
};
use store::codec::{self, StateReader, StateWriter};
use store::{
    ActorRef, Event, EventBody, Fact, Hash, ImportId, Item, Origin, Part, Pos, RecordLease,
};
use wire::{Name, Rdata, Rrset, Rtype, Serial};
use zone::Delta;

const EVENTS_1: &str = include_str!("golden/events-1.hex");
const STATE_1: &str = include_str!("golden/state-1.hex");
const EVENTS_2: &str = include_str!("golden/events-2.hex");
const STATE_2: &str = include_str!("golden/state-2.hex");
const EVENTS_3: &str = include_str!("golden/events-3.hex");
const STATE_3: &str = include_str!("golden/state-3.hex");

#[test]
fn every_version_reads_the_same_for_ever() {
    for (file, steps) in [(EVENTS_1, steps_1()), (EVENTS_2, steps_2()), (EVENTS_3, steps_3())] {
        let mut previous = Hash::default();
        let mut read = Vec::new();
        for line in file.lines().map(octets) {
            let (event, rest) = codec::verify_event(&line, previous).unwrap();
            assert!(rest.is_empty());
            previous = event.hash;
            read.push((event.pos, event.body, event.origin));
        }
        let written = events(steps).into_iter().map(|event| (event.pos, event.body, event.origin));
        assert_eq!(read, written.collect::<Vec<_>>());
    }
}

#[test]
fn version_3_is_what_this_release_writes() {
    let written: Vec<String> = events(steps_3()).iter().map(encoded).collect();
    assert_eq!(written, EVENTS_3.lines().collect::<Vec<_>>());
    let mut writer = StateWriter::new(Vec::new()).unwrap();
    items_3().iter().for_each(|item| writer.push(item).unwrap());
    assert_eq!(hexadecimal(&writer.finish().unwrap()), STATE_3.trim_end());
}

#[test]
fn a_state_of_every_version_reads_the_same_for_ever() {
    for (file, items) in [(STATE_1, items_1()), (STATE_2, items_2()), (STATE_3, items_3())] {
        let octets = octets(file.trim_end());
        let read: Result<Vec<Item>, _> = StateReader::new(octets.as_slice()).unwrap().collect();
        assert_eq!(read.unwrap(), items);
    }
}

#[test]
fn every_octet_of_every_version_is_sealed() {
    for file in [EVENTS_1, EVENTS_2, EVENTS_3] {
        let mut previous = Hash::default();
        for line in file.lines().map(octets) {
            for at in 0..line.len() {
                for with in [0x01, 0x03, 0x80, 0xff] {
                    let mut forged = line.clone();
                    forged[at] ^= with;
                    let read = codec::verify_event(&forged, previous);
                    assert!(read.is_err(), "octet {at} of {line:?}");
                }
            }
            previous = codec::decode_event(&line).unwrap().0.hash;
        }
    }
}

type Step = (ActorRef, Option<Origin>, Vec<Fact>);

/// What only an origin that was erased says.
fn erased() -> Origin {
    Origin { salt: [9; 16], address: [192, 0, 2, 9].into() }
}

fn steps_1() -> Vec<Step> {
    let v4 = Origin { salt: [4; 16], address: [192, 0, 2, 7].into() };
    let v6 = Origin { salt: [6; 16], address: [0x2001, 0xdb8, 0, 0, 0, 0, 0, 7].into() };
    let key = ActorRef::Key(name("Key.example"));
    vec![
        (ActorRef::Operator, None, entities().into_iter().map(|e| made(None, Some(e))).collect()),
        (ActorRef::Token(TokenId(300)), Some(v4), vec![changed(None, true)]),
        (key, Some(v6), vec![changed(Some(7200), false)]),
        (ActorRef::Token(TokenId(300)), Some(erased()), vec![changed(None, false)]),
        (ActorRef::Operator, None, vec![staged()]),
        (ActorRef::Operator, None, vec![imported()]),
        (ActorRef::System, None, vec![Fact::ImportDropped { import: ImportId(9) }]),
        (ActorRef::System, None, vec![seen()]),
        (
            ActorRef::Operator,
            None,
            vec![made(entities().pop(), None), Fact::ZoneDropped { zone: name("Example.") }],
        ),
    ]
}

/// The same, and what came with version 2.
fn steps_2() -> Vec<Step> {
    let mut steps = steps_1();
    let facts = entities_2().into_iter().map(|e| made(None, Some(e))).collect();
    steps.push((ActorRef::Operator, None, facts));
    let leases = leases();
    let zone = name("example.");
    steps.push((ActorRef::System, None, vec![Fact::Leased { zone, leases }]));
    steps
}

/// The same, and what came with version 3.
fn steps_3() -> Vec<Step> {
    let mut steps = steps_2();
    let facts = entities_3().into_iter().map(|e| made(None, Some(e))).collect();
    steps.push((ActorRef::Operator, None, facts));
    let tokens = vec![(TokenId(300), Timestamp(1_764_000_000_000)), (TokenId(1), Timestamp(-1))];
    steps.push((ActorRef::System, None, vec![seen(), Fact::Used { tokens }]));
    steps
}

fn events(steps: Vec<Step>) -> Vec<Event> {
    let mut previous = Hash::default();
    let mut events = Vec::new();
    for (pos, (actor, origin, facts)) in (1..).map(Pos).zip(steps) {
        let origin_commitment = origin.as_ref().map(Origin::commitment);
        let at = Timestamp(1_764_000_000_000 + pos.0.cast_signed());
        let body = EventBody { at, actor, facts, origin_commitment };
        let mut event = Event::seal(previous, pos, body, origin);
        event.origin = event.origin.filter(|origin| *origin != erased());
        previous = event.hash;
        events.push(event);
    }
    events
}

fn items_1() -> Vec<Item> {
    let mut items = vec![Item::At { pos: Pos(300), hash: Hash([0xab; 32]), at: Timestamp(-5) }];
    items.extend(entities().into_iter().map(Item::Entity));
    items.push(Item::Zone { apex: name("example."), serial: Serial(u32::MAX) });
    let rrset = addresses(&[[192, 0, 2, 1], [192, 0, 2, 2]]);
    let (zone, owner) = (name("example."), name("a.example."));
    items.push(Item::Rrset { zone, owner, rtype: Rtype::A, rrset });
    let part = Part::pack(&name("example."), &rrsets());
    items.push(Item::Staged { import: ImportId(1), zone: name("example."), part });
    items
}

fn items_2() -> Vec<Item> {
    let mut items = items_1();
    items.extend(entities_2().into_iter().map(Item::Entity));
    let leases = leases().into_iter().take(2);
    items.extend(leases.map(|lease| Item::Lease { zone: name("example."), lease }));
    items
}

fn items_3() -> Vec<Item> {
    let mut items = items_2();
    items.extend(entities_3().into_iter().map(Item::Entity));
    items
}

fn leases() -> Vec<RecordLease> {
    let lease = RecordLease {
        owner: name("a.example."),
        rtype: Rtype::A,
        rdata: Rdata::a([192, 0, 2, 1].into()),
        from: Timestamp(1_764_000_000_000),
        lease_s: 7200,
        until: Timestamp(1_764_007_200_500),
    };
    let text = Rdata::txt(&[b"one"]).unwrap();
    let apex = name("example.");
    vec![
        lease.clone(),
        RecordLease { owner: apex, rtype: Rtype::TXT, rdata: text, ..lease.clone() },
        RecordLease { lease_s: 0, until: Timestamp(-1), ..lease },
    ]
}

/// Entities that no older version can say.
fn entities_2() -> Vec<Entity> {
    let mut all = Vec::new();
    for entity in entities() {
        match entity {
            Entity::Zone(zone) => {
                let scavenge = Some(Scavenge { no_refresh_s: 86_400, refresh_s: 604_800 });
                all.push(Entity::Zone(ZoneEntry { scavenge, ..zone }));
            }
            Entity::Host(host) => {
                let parking =
                    vec![[192, 0, 2, 99].into(), [0x2001, 0xdb8, 0, 0, 0, 0, 0, 99].into()];
                let thens =
                    [OnExpiry::Withdraw, OnExpiry::Park(parking), OnExpiry::Cname(name("gone."))];
                all.extend(thens.into_iter().map(|then| {
                    let expiry = Some(Box::new(HostExpiry { after_s: 3600, then }));
                    let parked = host.last_seen;
                    Entity::Host(Host { expiry, parked, ..host.clone() })
                }));
            }
            _ => {}
        }
    }
    let patterns = vec![
        NamePattern::Exact(name("a.example.")),
        NamePattern::Below(name("sub.example.")),
        NamePattern::SelfName,
        NamePattern::SelfSubtree,
    ];
    let key = TsigKey {
        name: name("device.example."),
        credential: Credential::Sig0,
        zones: vec![name("example.")],
        update: true,
        transfer: false,
        policy: KeyPolicy {
            names: patterns,
            types: vec![Rtype::A, Rtype::AAAA, Rtype(65_280)],
            actions: Actions::ADD,
        },
        truncated_ok: false,
        created: Timestamp(1_764_000_000_000),
    };
    let shared =
        Credential::Shared { algorithm: TsigAlgorithm::HmacSha256, secret: b"shared".to_vec() };
    let policy = KeyPolicy { actions: Actions::DELETE, ..KeyPolicy::everything() };
    all.push(Entity::Key(TsigKey {
        credential: shared,
        policy,
        truncated_ok: true,
        ..key.clone()
    }));
    all.push(Entity::Key(key));
    all
}

/// Entities that no older version can say.
fn entities_3() -> Vec<Entity> {
    let at = Timestamp(1_764_000_000_000);
    let account = AccountId(129);
    let limits = Limits {
        hosts: Some(5),
        tokens: Some(0),
        webhooks: None,
        changes_per_hour: Some(u32::MAX),
    };
    let zone = ZoneEntry {
        reserved: vec!["mail".to_owned(), "ns*".to_owned()],
        quarantine_s: Some(0),
        ttl_min_s: 300,
        ..ZoneEntry::new(name("three.example."), account, at)
    };
    let member = Member {
        household: name("home.three.example."),
        interface_id: [0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0xff, 0xfe, 0, 0, 1],
        ptr: true,
    };
    let host = |text: &str| Host::new(name(text), name("three.example."), account, at);
    let prefix = Prefix { address: [0x2a01, 0xdb8, 0, 0, 0, 0, 0, 0].into(), length: 56 };
    let released = Released {
        name: name("gone.three.example."),
        zone: name("three.example."),
        account,
        until: Timestamp(1_764_002_592_000),
    };
    let webhook = Webhook {
        id: WebhookId(301),
        account,
        url: "https://hooks.example/in".to_owned(),
        secret: b"signs each call".to_vec(),
        events: vec![1, 4],
        label: "the chat".to_owned(),
        created: at,
        paused: Some(at),
        host: Some(name("nas.three.example.")),
        private_ok: true,
    };
    let all = Webhook {
        events: Vec::new(),
        paused: None,
        id: WebhookId(302),
        host: None,
        private_ok: false,
        ..webhook.clone()
    };
    let mut entities = vec![
        Entity::Account(Account { limits, ..Account::new(account, "three", at) }),
        Entity::Zone(zone),
        Entity::Host(Host { prefix: Some(Box::new(prefix)), ..host("home.three.example.") }),
        Entity::Host(Host {
            dialect: Some(300),
            member: Some(Box::new(member)),
            ..host("nas.three.example.")
        }),
        Entity::Released(released),
        Entity::Webhook(webhook),
        Entity::Webhook(all),
    ];
    entities.extend(tokens_3(account, at).into_iter().map(Entity::Token));
    entities
}

fn tokens_3(account: AccountId, at: Timestamp) -> Vec<Token> {
    let token = |id| Token::new(TokenId(id), account, [3; 32], at);
    let network = |text: &str| text.parse::<Network>().unwrap();
    let challenge = Rule {
        names: vec![NamePattern::Exact(name("_acme-challenge.nas.three.example."))],
        types: vec![Rtype::TXT],
        actions: Actions::ALL,
        values: Vec::new(),
    };
    let addresses = Rule {
        names: vec![NamePattern::Below(name("three.example."))],
        types: vec![Rtype::A, Rtype::AAAA],
        actions: Actions::ADD,
        values: vec![network("198.51.100.0/24"), network("2001:db8::/32")],
    };
    let narrow = Terms {
        rules: vec![challenge, addresses],
        networks: vec![network("192.0.2.0/24"), network("2001:db8:1::/48")],
        expires: Some(Timestamp(1_795_000_000_000)),
        unused_s: Some(86_400),
        role: None,
    };
    let role = |role| Terms { role: Some(role), ..Terms::default() };
    let used = Token {
        hosts: vec![name("nas.three.example.")],
        last_used: Some(at),
        verify_key: Some([8; 32]),
        ..token(310)
    };
    vec![
        used,
        Token { terms: Some(Box::new(narrow)), ..token(311) },
        Token { terms: Some(Box::new(role(Role::Reader))), ..token(312) },
        Token { terms: Some(Box::new(role(Role::Owner))), ..token(313) },
    ]
}

fn entities() -> Vec<Entity> {
    let at = Timestamp(1_764_000_000_000);
    let account = AccountId(128);
    let zone = ZoneEntry { suffix: true, ..ZoneEntry::new(name("example."), account, at) };
    let host = |text: &str| Host::new(name(text), name("example."), account, at);
    let public = Host {
        ttl_s: Some(30),
        private_ok: true,
        scope: Some((Scope::Public, at)),
        ..host("a.example.")
    };
    let private =
        Host { scope: Some((Scope::Private, at)), last_seen: Some(at), ..host("b.example.") };
    let token = Token {
        hosts: vec![name("a.example."), name("b.example.")],
        label: "the router".to_owned(),
        exposed: Some(at),
        ..Token::new(TokenId(300), account, [7; 32], at)
    };
    let frozen = Account {
        frozen: true,
        tokens_void_until: Some(at),
        ..Account::new(account, "Größe", Timestamp(0))
    };
    let mut all = vec![
        Entity::Account(frozen),
        Entity::Zone(zone),
        Entity::Host(public),
        Entity::Host(private),
        Entity::Token(token),
    ];
    all.extend(keys(at));
    all
}

fn keys(created: Timestamp) -> impl Iterator<Item = Entity> {
    TsigAlgorithm::ALL.into_iter().zip(0u8..).map(move |(algorithm, number)| {
        Entity::Key(TsigKey {
            name: name(&format!("key-{number}.")),
            credential: Credential::Shared { algorithm, secret: vec![number; 32] },
            zones: vec![name("example.")],
            update: number % 2 == 0,
            transfer: number % 2 == 1,
            policy: KeyPolicy::everything(),
            truncated_ok: false,
            created,
        })
    })
}

fn changed(lease_s: Option<u32>, new: bool) -> Fact {
    let before = (!new).then(|| addresses(&[[192, 0, 2, 1]]));
    let owner = name("a.example.");
    let outside = Delta {
        owner: name("a.elsewhere."),
        rtype: Rtype(65_280),
        before: Some(Rrset { ttl_s: 0, rdata: vec![Rdata::new(Rtype(65_280), &[]).unwrap()] }),
        after: None,
    };
    let after = Some(addresses(&[[192, 0, 2, 2], [192, 0, 2, 3]]));
    let address = Delta { owner, rtype: Rtype::A, before, after };
    let deltas = vec![address, outside];
    Fact::Changed { zone: name("example."), serial: Serial(2_025_112_401), lease_s, deltas }
}

fn staged() -> Fact {
    let zone = name("new.example.");
    Fact::Staged { import: ImportId(5), part: Part::pack(&zone, &rrsets()), zone }
}

fn rrsets() -> Vec<(Name, Rtype, Rrset)> {
    let text = Rdata::txt(&[b"one", b"", &[0xff; 255]]).unwrap();
    vec![
        (name("new.example."), Rtype::TXT, Rrset { ttl_s: 3600, rdata: vec![text] }),
        (name("*.UPPER.new.example."), Rtype::A, addresses(&[[192, 0, 2, 5]])),
    ]
}

fn imported() -> Fact {
    Fact::Imported { import: ImportId(5), zone: name("new.example."), serial: Serial(1) }
}

fn seen() -> Fact {
    let hosts = [("a.example.", 1_764_000_000_000), ("b.example.", -1)];
    Fact::Seen { hosts: hosts.map(|(host, at)| (name(host), Timestamp(at))).into() }
}

fn made(before: Option<Entity>, after: Option<Entity>) -> Fact {
    Fact::Entity { before, after }
}

fn addresses(addresses: &[[u8; 4]]) -> Rrset {
    let rdata = addresses.iter().map(|&octets| Rdata::a(octets.into())).collect();
    Rrset { ttl_s: 60, rdata }
}

fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

fn encoded(event: &Event) -> String {
    let mut octets = Vec::new();
    codec::encode_event(event, &mut octets);
    hexadecimal(&octets)
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn octets(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks_exact(2);
    let octet = |pair| {
        let pair = std::str::from_utf8(pair).expect("hexadecimal digits");
        u8::from_str_radix(pair, 16).expect("an octet")
    };
    digits.map(octet).collect()
}
