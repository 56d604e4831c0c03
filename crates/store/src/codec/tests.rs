use account::{
    Account, AccountId, Actions, Credential, Entity, Host, HostExpiry, KeyPolicy, Limits, Member,
    NamePattern, Network, OnExpiry, Prefix, Released, Role, Rule, Scavenge, Scope, Terms,
    Timestamp, Token, TokenId, TsigAlgorithm, TsigKey, Webhook, WebhookId, ZoneEntry,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use wire::{Name, Rdata, Rrset, Rtype, Serial};
use zone::Delta;

use super::*;
use crate::event::{ActorRef, Fact, ImportId, RecordLease};
use crate::part::Part;

fn name() -> impl Strategy<Value = Name> {
    vec(vec(any::<u8>(), 1..20), 0..5).prop_map(|labels| {
        labels.iter().fold(Name::root(), |name, label| name.child(label).unwrap())
    })
}

/// A zone and a name in it, beside it, or in it but for the case.
fn owned() -> impl Strategy<Value = (Name, Name)> {
    (name(), name(), 0..3u8).prop_map(|(zone, other, how)| {
        let inside = other.rebase(&Name::root(), &zone).unwrap();
        match how {
            0 => (zone, other),
            1 => (zone, inside),
            _ => (zone.to_lowercase(), inside),
        }
    })
}

fn rrset() -> impl Strategy<Value = (Rtype, Rrset)> {
    let rdata = prop_oneof![
        vec(any::<[u8; 4]>().prop_map(|octets| Rdata::a(octets.into())), 1..4)
            .prop_map(|rdata| (Rtype::A, rdata)),
        vec(any::<[u8; 16]>().prop_map(|octets| Rdata::aaaa(octets.into())), 1..3)
            .prop_map(|rdata| (Rtype::AAAA, rdata)),
        name().prop_map(|target| (Rtype::CNAME, vec![Rdata::name(&target)])),
        vec(vec(any::<u8>(), 0..300), 1..3).prop_map(|all| {
            let unknown = Rtype(65_300);
            (unknown, all.iter().map(|octets| Rdata::new(unknown, octets).unwrap()).collect())
        }),
    ];
    (any::<u32>(), rdata).prop_map(|(ttl_s, (rtype, rdata))| (rtype, Rrset { ttl_s, rdata }))
}

fn moment() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp)
}

fn delta(zone: Name) -> impl Strategy<Value = Delta> {
    (name(), rrset(), any::<u32>(), 0..3u8).prop_map(move |(under, (rtype, rrset), ttl_s, how)| {
        let other = Rrset { ttl_s, rdata: rrset.rdata.clone() };
        let (before, after) = match how {
            0 => (None, Some(rrset)),
            1 => (Some(rrset), None),
            _ => (Some(rrset), Some(other)),
        };
        Delta { owner: under.rebase(&Name::root(), &zone).unwrap(), rtype, before, after }
    })
}

fn entity() -> impl Strategy<Value = Entity> {
    // Boxed, as together they would not fit on the stack of a test.
    prop_oneof![
        account().boxed(),
        zone_entry().boxed(),
        host().boxed(),
        token().boxed(),
        key().boxed(),
        released().boxed(),
        webhook().boxed(),
    ]
    .boxed()
}

fn account() -> impl Strategy<Value = Entity> {
    let number = || option::of(any::<u32>());
    let limits = (number(), number(), number(), number()).prop_map(
        |(hosts, tokens, webhooks, changes_per_hour)| Limits {
            hosts,
            tokens,
            webhooks,
            changes_per_hour,
        },
    );
    let known = (any::<u64>(), ".{0,64}", moment(), any::<bool>(), option::of(moment()), limits);
    known.prop_map(|(id, name, created, frozen, tokens_void_until, limits)| {
        let account = Account::new(AccountId(id), &name, created);
        Entity::Account(Account { frozen, tokens_void_until, limits, ..account })
    })
}

fn zone_entry() -> impl Strategy<Value = Entity> {
    let scavenge = option::of((any::<u32>(), any::<u32>()))
        .prop_map(|s| s.map(|(no_refresh_s, refresh_s)| Scavenge { no_refresh_s, refresh_s }));
    let kept = (vec(".{0,9}", 0..3), option::of(any::<u32>()), any::<u32>());
    (name(), any::<u64>(), moment(), (any::<bool>(), any::<u32>(), scavenge), kept).prop_map(
        |(apex, account, created, (suffix, host_ttl_s, scavenge), kept)| {
            let (reserved, quarantine_s, ttl_min_s) = kept;
            let zone = ZoneEntry::new(apex, AccountId(account), created);
            Entity::Zone(ZoneEntry {
                suffix,
                host_ttl_s,
                scavenge,
                reserved,
                quarantine_s,
                ttl_min_s,
                ..zone
            })
        },
    )
}

fn host() -> impl Strategy<Value = Entity> {
    let scope = prop_oneof![Just(Scope::Public), Just(Scope::Private)];
    let policy = (option::of(any::<u32>()), any::<bool>(), option::of((scope, moment())));
    let moments = (option::of(moment()), option::of(moment()));
    let member = (name(), any::<[u8; 16]>(), any::<bool>())
        .prop_map(|(household, interface_id, ptr)| Member { household, interface_id, ptr });
    let prefix = (any::<[u8; 16]>(), any::<u8>())
        .prop_map(|(address, length)| Prefix { address: address.into(), length });
    let home = (option::of(any::<u16>()), option::of(member), option::of(prefix));
    let known = (owned(), any::<u64>(), moment(), policy, moments, option::of(expiry()), home);
    known.prop_map(|((zone, name), account, created, policy, moments, expiry, home)| {
        let (ttl_s, private_ok, scope) = policy;
        let (last_seen, parked) = moments;
        let (dialect, member, prefix) = home;
        let expiry = expiry.map(Box::new);
        let host = Host {
            ttl_s,
            private_ok,
            scope,
            last_seen,
            parked,
            expiry,
            ..Host::new(name, zone, AccountId(account), created)
        };
        let (member, prefix) = (member.map(Box::new), prefix.map(Box::new));
        Entity::Host(Host { dialect, member, prefix, ..host })
    })
}

fn released() -> impl Strategy<Value = Entity> {
    (owned(), any::<u64>(), moment()).prop_map(|((zone, name), account, until)| {
        Entity::Released(Released { name, zone, account: AccountId(account), until })
    })
}

fn webhook() -> impl Strategy<Value = Entity> {
    let octets = || vec(any::<u8>(), 0..40);
    let known =
        (any::<u64>(), any::<u64>(), ".{0,64}", octets(), octets(), ".{0,64}", moment(), moment());
    let narrowed = (proptest::option::of(owned()), any::<bool>());
    (known, narrowed).prop_map(|(known, (host, private_ok))| {
        let (id, account, url, secret, events, label, created, paused) = known;
        let host = host.map(|(_, name)| name);
        let (id, account) = (WebhookId(id), AccountId(account));
        let paused = (paused.0 > 0).then_some(paused);
        Entity::Webhook(Webhook {
            id,
            account,
            url,
            secret,
            events,
            label,
            created,
            paused,
            host,
            private_ok,
        })
    })
}

fn expiry() -> impl Strategy<Value = HostExpiry> {
    let then = prop_oneof![
        Just(OnExpiry::Withdraw),
        vec(any::<std::net::IpAddr>(), 0..3).prop_map(OnExpiry::Park),
        name().prop_map(OnExpiry::Cname),
    ];
    (any::<u32>(), then).prop_map(|(after_s, then)| HostExpiry { after_s, then })
}

fn token() -> impl Strategy<Value = Entity> {
    let ids = (any::<u64>(), any::<u64>(), any::<[u8; 32]>());
    let moments = (moment(), option::of(moment()), option::of(moment()), option::of(moment()));
    let more = (option::of(any::<[u8; 32]>()), option::of(terms()));
    (ids, vec(name(), 0..4), ".{0,128}", moments, more).prop_map(
        |((id, account, hash), hosts, label, moments, (verify_key, terms))| {
            let (created, revoked, exposed, last_used) = moments;
            let terms = terms.map(Box::new);
            let token = Token::new(TokenId(id), AccountId(account), hash, created);
            let token = Token { hosts, label, revoked, exposed, last_used, ..token };
            Entity::Token(Token { verify_key, terms, ..token })
        },
    )
}

fn terms() -> impl Strategy<Value = Terms> {
    let role = prop_oneof![Just(None), Just(Some(Role::Reader)), Just(Some(Role::Owner))];
    let ends = (option::of(moment()), option::of(any::<u32>()));
    (vec(rule(), 0..3), vec(network(), 0..3), ends, role).prop_map(
        |(rules, networks, (expires, unused_s), role)| Terms {
            rules,
            networks,
            expires,
            unused_s,
            role,
        },
    )
}

fn rule() -> impl Strategy<Value = Rule> {
    (policy(), vec(network(), 0..3)).prop_map(|(policy, values)| Rule {
        names: policy.names,
        types: policy.types,
        actions: policy.actions,
        values,
    })
}

fn network() -> impl Strategy<Value = Network> {
    let v4 = (any::<u32>(), 0..=32_u8).prop_map(|(bits, prefix)| {
        let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
        Network::new(std::net::Ipv4Addr::from_bits(bits & mask).into(), prefix).unwrap()
    });
    let v6 = (any::<u128>(), 1..=128_u8).prop_map(|(bits, prefix)| {
        let mask = u128::MAX << (128 - u32::from(prefix));
        // No address that is mapped from IPv4.
        let bits = (bits | 1 << 127) & mask;
        Network::new(std::net::Ipv6Addr::from_bits(bits).into(), prefix).unwrap()
    });
    prop_oneof![v4, v6]
}

fn key() -> impl Strategy<Value = Entity> {
    let algorithm = prop_oneof![
        Just(TsigAlgorithm::HmacMd5),
        Just(TsigAlgorithm::HmacSha1),
        Just(TsigAlgorithm::HmacSha224),
        Just(TsigAlgorithm::HmacSha256),
        Just(TsigAlgorithm::HmacSha384),
        Just(TsigAlgorithm::HmacSha512),
    ];
    let shared = (algorithm, vec(any::<u8>(), 0..64))
        .prop_map(|(algorithm, secret)| Credential::Shared { algorithm, secret });
    let credential = prop_oneof![Just(Credential::Sig0), shared];
    let may = (any::<bool>(), any::<bool>(), policy(), any::<bool>());
    (name(), credential, vec(name(), 0..3), may, moment()).prop_map(
        |(name, credential, zones, (update, transfer, policy, truncated_ok), created)| {
            Entity::Key(TsigKey {
                name,
                credential,
                zones,
                update,
                transfer,
                policy,
                truncated_ok,
                created,
            })
        },
    )
}

fn policy() -> impl Strategy<Value = KeyPolicy> {
    let pattern = prop_oneof![
        name().prop_map(NamePattern::Exact),
        name().prop_map(NamePattern::Below),
        Just(NamePattern::SelfName),
        Just(NamePattern::SelfSubtree),
    ];
    let types = vec(any::<u16>().prop_map(Rtype), 0..3);
    (vec(pattern, 0..3), types, any::<bool>(), any::<bool>()).prop_map(
        |(names, types, add, delete)| KeyPolicy { names, types, actions: Actions { add, delete } },
    )
}

/// A lease of one record of some RRset.
fn lease(zone: Name) -> impl Strategy<Value = RecordLease> {
    let owner = owner_in(zone);
    (owner, rrset(), moment(), any::<u32>(), moment()).prop_map(
        |(owner, (rtype, rrset), from, lease_s, until)| {
            let rdata = rrset.rdata[0].clone();
            RecordLease { owner, rtype, rdata, from, lease_s, until }
        },
    )
}

fn owner_in(zone: Name) -> impl Strategy<Value = Name> {
    name().prop_map(move |under| under.rebase(&Name::root(), &zone).unwrap())
}

fn staged() -> impl Strategy<Value = (Name, Vec<(Name, Rtype, Rrset)>)> {
    (name(), vec((name(), rrset()), 0..4)).prop_map(|(zone, rrsets)| {
        let keyed = rrsets.into_iter().map(|(owner, (rtype, rrset))| (owner, rtype, rrset));
        (zone, keyed.collect())
    })
}

fn fact() -> impl Strategy<Value = Fact> {
    let serial = || any::<u32>().prop_map(Serial);
    let import = || any::<u64>().prop_map(ImportId);
    let changed =
        (name(), serial(), option::of(any::<u32>())).prop_flat_map(|(zone, serial, lease_s)| {
            vec(delta(zone.clone()), 0..4).prop_map(move |deltas| Fact::Changed {
                zone: zone.clone(),
                serial,
                lease_s,
                deltas,
            })
        });
    prop_oneof![
        changed,
        (option::of(entity()), option::of(entity()))
            .prop_map(|(before, after)| Fact::Entity { before, after }),
        name().prop_map(|zone| Fact::ZoneDropped { zone }),
        (import(), staged()).prop_map(|(import, (zone, rrsets))| Fact::Staged {
            import,
            part: Part::pack(&zone, &rrsets),
            zone
        }),
        (import(), name(), serial()).prop_map(|(import, zone, serial)| Fact::Imported {
            import,
            zone,
            serial
        }),
        import().prop_map(|import| Fact::ImportDropped { import }),
        vec((name(), moment()), 0..5).prop_map(|hosts| Fact::Seen { hosts }),
        vec((any::<u64>().prop_map(TokenId), moment()), 0..5)
            .prop_map(|tokens| Fact::Used { tokens }),
        name().prop_flat_map(|zone| {
            vec(lease(zone.clone()), 0..4)
                .prop_map(move |leases| Fact::Leased { zone: zone.clone(), leases })
        }),
    ]
}

fn event() -> impl Strategy<Value = (Hash, Event)> {
    let actor = prop_oneof![
        Just(ActorRef::System),
        Just(ActorRef::Operator),
        any::<u64>().prop_map(|id| ActorRef::Token(TokenId(id))),
        name().prop_map(ActorRef::Key),
    ];
    let origin = (any::<[u8; 16]>(), any::<std::net::IpAddr>())
        .prop_map(|(salt, address)| Origin { salt, address });
    let chain = (any::<[u8; 32]>(), any::<u64>());
    (chain, moment(), actor, vec(fact(), 1..4), option::of(origin)).prop_map(
        |((previous, pos), at, actor, facts, origin)| {
            let origin_commitment = origin.as_ref().map(Origin::commitment);
            let body = EventBody { at, actor, facts, origin_commitment };
            let previous = Hash(previous);
            (previous, Event::seal(previous, Pos(pos), body, origin))
        },
    )
}

fn item() -> impl Strategy<Value = Item> {
    prop_oneof![
        (any::<u64>(), any::<[u8; 32]>(), moment()).prop_map(|(pos, hash, at)| Item::At {
            pos: Pos(pos),
            hash: Hash(hash),
            at
        }),
        entity().prop_map(Item::Entity),
        (name(), any::<u32>())
            .prop_map(|(apex, serial)| Item::Zone { apex, serial: Serial(serial) }),
        (owned(), rrset()).prop_map(|((zone, owner), (rtype, rrset))| Item::Rrset {
            zone,
            owner,
            rtype,
            rrset
        }),
        (any::<u64>(), staged()).prop_map(|(import, (zone, rrsets))| Item::Staged {
            import: ImportId(import),
            part: Part::pack(&zone, &rrsets),
            zone
        }),
        name().prop_flat_map(|zone| {
            lease(zone.clone()).prop_map(move |lease| Item::Lease { zone: zone.clone(), lease })
        }),
    ]
}

fn encoded(event: &Event) -> Vec<u8> {
    let mut octets = Vec::new();
    encode_event(event, &mut octets);
    octets
}

proptest! {
    #[test]
    fn an_event_reads_as_it_was_written((previous, event) in event(), rest in vec(any::<u8>(), 0..9)) {
        let mut octets = encoded(&event);
        let length = octets.len();
        octets.extend_from_slice(&rest);
        let (read, left) = decode_event(&octets).unwrap();
        prop_assert_eq!(&read, &event);
        prop_assert_eq!(left, rest.as_slice());
        prop_assert_eq!(encoded(&read), &octets[..length], "names keep their case");
        let (verified, _) = verify_event(&octets, previous).unwrap();
        prop_assert_eq!(verified, event);
    }

    #[test]
    fn an_item_reads_as_it_was_written(item in item()) {
        let mut octets = Vec::new();
        encode_item(&item, &mut octets);
        let read = decode_item(VERSION, &octets).unwrap();
        prop_assert_eq!(&read, &item);
        let mut again = Vec::new();
        encode_item(&read, &mut again);
        prop_assert_eq!(again, octets);
    }

    #[test]
    fn an_rrset_reads_as_it_was_written((rtype, rrset) in rrset()) {
        let mut octets = Vec::new();
        encode_rrset(&rrset, &mut octets);
        prop_assert_eq!(decode_rrset(rtype, &octets), Ok(rrset));
        octets.push(0);
        prop_assert!(decode_rrset(rtype, &octets).is_err(), "an octet too many");
    }

    #[test]
    fn a_state_reads_as_it_was_written(items in vec(item(), 0..6)) {
        let octets = stream(&items);
        let read: Result<Vec<Item>, _> = StateReader::new(octets.as_slice()).unwrap().collect();
        prop_assert_eq!(read.unwrap(), items);
    }

    #[test]
    fn arbitrary_octets_never_panic(octets in vec(any::<u8>(), 0..400)) {
        let _ = (decode_event(&octets), verify_event(&octets, Hash::default()));
        let _ = (decode_item(VERSION, &octets), decode_rrset(Rtype::A, &octets));
        let _ = (decode_item(1, &octets), decode_item(2, &octets));
        let _ = without_origins(&octets);
        if let Ok(items) = StateReader::new(octets.as_slice()) {
            items.for_each(drop);
        }
    }

    #[test]
    fn octets_that_almost_make_sense_never_panic(
        (previous, event) in event(),
        item in item(),
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut octets = encoded(&event);
        let mut other = Vec::new();
        encode_item(&item, &mut other);
        for octets in [&mut octets, &mut other] {
            for (at, with) in &flips {
                let at = at.index(octets.len());
                octets[at] ^= with;
            }
        }
        let _ = (decode_event(&octets), verify_event(&octets, previous), without_origins(&octets));
        let _ = (decode_item(VERSION, &other), decode_item(VERSION, &other[..cut.index(other.len())]));
        prop_assert!(decode_event(&encoded(&event)[..cut.index(octets.len())]).is_err());
    }

    #[test]
    fn tampering_with_any_octet_of_an_event_is_found(
        (previous, event) in event(),
        at in any::<prop::sample::Index>(),
        with in 1..=255u8,
    ) {
        let mut octets = encoded(&event);
        let at = at.index(octets.len());
        octets[at] ^= with;
        prop_assert!(verify_event(&octets, previous).is_err(), "octet {at}");
        let mut other = previous;
        other.0[at % 32] ^= with;
        let octets = encoded(&event);
        prop_assert_eq!(
            verify_event(&octets, other),
            Err(CodecError::Hash(event.pos)),
            "the event before is another one"
        );
    }

    #[test]
    fn tampering_with_any_octet_of_a_state_is_found(
        items in vec(item(), 0..4),
        at in any::<prop::sample::Index>(),
        with in 1..=255u8,
    ) {
        let mut octets = stream(&items);
        let at = at.index(octets.len());
        octets[at] ^= with;
        let read = StateReader::new(octets.as_slice());
        let read = read.and_then(|items| items.collect::<Result<Vec<Item>, _>>());
        prop_assert!(read.is_err(), "octet {at}");
        let octets = stream(&items);
        let cut = StateReader::new(&octets[..at]);
        prop_assert!(cut.and_then(|items| items.collect::<Result<Vec<Item>, _>>()).is_err());
    }

    #[test]
    fn an_erased_origin_leaves_the_chain_whole(events in vec(event(), 0..4)) {
        let mut octets = Vec::new();
        events.iter().for_each(|(_, event)| encode_event(event, &mut octets));
        let any = events.iter().any(|(_, event)| event.origin.is_some());
        let erased = without_origins(&octets).unwrap();
        prop_assert_eq!(erased.is_some(), any);
        let erased = erased.unwrap_or(octets);
        prop_assert_eq!(without_origins(&erased), Ok(None));
        let mut rest = erased.as_slice();
        for (previous, event) in &events {
            let (read, left) = verify_event(rest, *previous).unwrap();
            prop_assert_eq!(read, Event { origin: None, ..event.clone() });
            rest = left;
        }
        prop_assert!(rest.is_empty());
    }
}

fn stream(items: &[Item]) -> Vec<u8> {
    let mut writer = StateWriter::new(Vec::new()).unwrap();
    items.iter().for_each(|item| writer.push(item).unwrap());
    writer.finish().unwrap()
}

fn plain() -> Event {
    let facts = vec![Fact::ImportDropped { import: ImportId(1) }];
    let body =
        EventBody { at: Timestamp(1), actor: ActorRef::System, facts, origin_commitment: None };
    Event::seal(Hash::default(), Pos(1), body, None)
}

#[test]
fn a_newer_version_is_named_as_such() {
    let mut octets = encoded(&plain());
    octets[0] = VERSION + 1;
    assert_eq!(decode_event(&octets), Err(CodecError::Version(VERSION + 1)));
    assert_eq!(verify_event(&octets, Hash::default()), Err(CodecError::Version(VERSION + 1)));
    assert_eq!(without_origins(&octets), Err(CodecError::Version(VERSION + 1)));
    assert_eq!(decode_item(VERSION + 1, &[1]), Err(CodecError::Version(VERSION + 1)));
    assert!(CodecError::Version(VERSION + 1).to_string().contains("version 4"));
    let mut state = stream(&[]);
    state[b"byname state\n".len()] = VERSION + 1;
    let refused = StateReader::new(state.as_slice()).map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("version 4"), "{refused}");
}

#[test]
fn an_origin_that_was_put_in_later_is_found() {
    let forged =
        Event { origin: Some(Origin { salt: [1; 16], address: [192, 0, 2, 1].into() }), ..plain() };
    assert_eq!(verify_event(&encoded(&forged), Hash::default()), Err(CodecError::Hash(Pos(1))));
}

#[test]
fn a_list_that_claims_to_be_long_takes_no_memory() {
    // An item `Staged` in the root zone, of import 1, that claims 2^62 RRsets.
    let claim = [5, 1, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40];
    assert_eq!(decode_item(VERSION, &claim), Err(CodecError::Short));
}

#[test]
fn integers_have_one_form() {
    for (octets, read) in [
        (&[0x00][..], Ok(0)),
        (&[0x7f], Ok(127)),
        (&[0x80, 0x01], Ok(128)),
        (&[0x80, 0x00], Err(CodecError::Malformed("integer"))),
        (&[0xff; 11], Err(CodecError::Malformed("integer"))),
        (&[0x80], Err(CodecError::Short)),
    ] {
        assert_eq!(Octets::new(octets).varint(), read, "{octets:?}");
    }
    for value in [0, 1, -1, i64::MAX, i64::MIN] {
        let mut octets = Vec::new();
        octets::put_signed(&mut octets, value);
        assert_eq!(Octets::new(&octets).signed(), Ok(value));
    }
    let mut octets = Vec::new();
    octets::put_varint(&mut octets, u64::MAX);
    assert_eq!(Octets::new(&octets).varint(), Ok(u64::MAX));
}
