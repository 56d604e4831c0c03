//! From numbers to wishes, and between the engine's types and the plain ones of the reference.

use std::collections::BTreeSet;

use account::{AccountId, Actions, Credential, KeyPolicy, NamePattern, TokenId, TsigAlgorithm};
use engine::{NewKey, NewZone, Operation, Refused};
use store::{ImportId, Item, Part};
use wire::{Name, Rdata, Rrset, Rtype, Serial};
use zone::{Change, Edit, Prerequisite, Refusal, Snapshot};

use crate::reference::{A, AAAA, CNAME, Condition, NS, Policy, Records, SOA, Set, Step, Wish};
use crate::rig::{name, new_host, new_token, new_zone, soa};

pub(crate) const ZONES: [&str; 3] = ["one.test", "two.test", "sub.one.test"];
pub(crate) const HOSTS: [&str; 5] =
    ["h1.one.test", "h2.one.test", "h3.sub.one.test", "h4.two.test", "h5.two.test"];

pub(crate) fn pick<'a>(from: &[&'a str], n: u8) -> &'a str {
    from[usize::from(n) % from.len()]
}

/// An owner in or near the zone.
fn owner(zone: &str, n: u8) -> String {
    match n % 9 {
        0 => zone.to_owned(),
        1 => format!("a.{zone}"),
        2 => format!("b.a.{zone}"),
        3 => "x.elsewhere.test".to_owned(),
        4 => "h4.two.test".to_owned(),
        5 => format!("alias.{zone}"),
        n => pick(&HOSTS, n).to_owned(),
    }
}

fn inside(zone: &str, n: u8) -> String {
    let owner = owner(zone, n);
    if owner.ends_with(zone) { owner } else { format!("a.{zone}") }
}

fn data(rtype: u16, n: u8) -> Vec<u8> {
    match rtype {
        A => vec![9, 9, 9, n % 4],
        AAAA => [&[0x2a, 0x01], &[n % 4; 14][..]].concat(),
        _ => name(&format!("t{}.test", n % 3)).as_wire().to_vec(),
    }
}

pub(crate) fn step(zone: &str, serial: u32, [what, who, of, value]: [u8; 4]) -> Step {
    let owner = if what >= 250 { owner(zone, who) } else { inside(zone, who) };
    let rtype = match of % 6 {
        0 | 1 => A,
        2 => AAAA,
        3 if owner == zone => NS,
        _ if owner.starts_with("alias") || of % 6 == 5 => CNAME,
        _ => A,
    };
    match what % 8 {
        0..3 => Step::Replace(owner, rtype, (60, BTreeSet::from([data(rtype, value)]))),
        3 | 4 => Step::Add(owner, rtype, 60 + u32::from(value % 2), data(rtype, value)),
        5 => Step::DeleteSet(owner, rtype),
        6 if value % 2 == 0 => Step::DeleteOne(owner, rtype, data(rtype, value)),
        6 => Step::DeleteName(owner),
        _ => {
            let far = if value >= 250 { 1 << 30 } else { u32::from(value % 5) };
            Step::NewSoa(serial.wrapping_add(far), soa_octets(u32::from(value)))
        }
    }
}

pub(crate) fn condition(zone: &str, [what, who, of, value]: [u8; 4]) -> Condition {
    let (owner, rtype) = (inside(zone, who), [A, AAAA, CNAME][usize::from(of) % 3]);
    match what % 5 {
        0 => Condition::InUse(owner),
        1 => Condition::NotInUse(owner),
        2 => Condition::Exists(owner, rtype),
        3 => Condition::Missing(owner, rtype),
        _ => Condition::Equals(owner, rtype, BTreeSet::from([data(rtype, value)])),
    }
}

/// A wish as an operation; `secret` makes the token that comes of it.
pub(crate) fn operation(wish: &Wish, secret: u8) -> Operation {
    match wish {
        Wish::Change(_, zone, conditions, steps) => {
            change(zone, conditions.iter().map(prerequisite), steps)
        }
        Wish::IfSerial(zone, serial, soa, steps) => {
            let rdata = with_serial(soa, *serial);
            let equals = Prerequisite::RrsetEquals(name(zone), Rtype::SOA, vec![rdata]);
            change(zone, [equals].into_iter(), steps)
        }
        Wish::AddZone(zone, _) => Operation::AddZone(new_zone(zone, true)),
        Wish::RemoveZone(zone) => Operation::RemoveZone(name(zone)),
        Wish::Stage(import, zone, records) => Operation::Stage {
            import: import.map(ImportId),
            zone: name(zone),
            part: {
                let sets = records.iter().map(|((o, t), set)| (name(o), Rtype(*t), rrset(*t, set)));
                Part::pack(&name(zone), &sets.collect::<Vec<_>>())
            },
        },
        Wish::Import(import, zone, serial) => Operation::Import {
            import: ImportId(*import),
            zone: NewZone { serial: Serial(*serial), rrsets: Vec::new(), ..new_zone(zone, true) },
        },
        Wish::DropImport(import) => Operation::DropImport(ImportId(*import)),
        Wish::AddHost(host, account) => new_host(host, *account, secret),
        Wish::Rotate(host) => {
            Operation::RotateHost { name: name(host), token: new_token(secret), overlap_s: 0 }
        }
        Wish::RemoveHost(host) => Operation::RemoveHost(name(host)),
        Wish::AddToken(hosts) => Operation::AddToken {
            hosts: hosts.iter().map(|host| name(host)).collect(),
            account: None,
            token: new_token(secret),
        },
        Wish::Revoke(token) => Operation::RevokeToken(TokenId(*token)),
        Wish::Lock(account, true) => Operation::Lockdown(AccountId(*account)),
        Wish::Lock(account, false) => Operation::Unlock(AccountId(*account)),
        Wish::AddKey(zone, policy) => Operation::AddKey(key(zone, *policy)),
        Wish::RemoveKey => Operation::RemoveKey(name("ddns-key")),
        Wish::Seen => Operation::FlushSeen,
        Wish::Jump(by) => Operation::JumpSerials { by: *by },
    }
}

fn prerequisite(condition: &Condition) -> Prerequisite {
    match condition {
        Condition::InUse(owner) => Prerequisite::NameInUse(name(owner)),
        Condition::NotInUse(owner) => Prerequisite::NameNotInUse(name(owner)),
        Condition::Exists(owner, rtype) => Prerequisite::RrsetExists(name(owner), Rtype(*rtype)),
        Condition::Missing(owner, rtype) => {
            Prerequisite::RrsetDoesNotExist(name(owner), Rtype(*rtype))
        }
        Condition::Equals(owner, rtype, set) => {
            let rdata = set.iter().map(|octets| rdata(*rtype, octets)).collect();
            Prerequisite::RrsetEquals(name(owner), Rtype(*rtype), rdata)
        }
    }
}

fn change(
    zone: &str,
    prerequisites: impl Iterator<Item = Prerequisite>,
    steps: &[Step],
) -> Operation {
    let edits = steps.iter().map(|step| edit(zone, step)).collect();
    let prerequisites = prerequisites.collect();
    let change = Change { prerequisites, ..Change::new(name(zone), edits) };
    Operation::Change { change, lease: None }
}

fn edit(zone: &str, step: &Step) -> Edit {
    let key = |owner: &String, rtype: &u16| (name(owner), Rtype(*rtype));
    match step {
        Step::Add(owner, of, ttl, octets) => {
            let ((owner, rtype), rdata) = (key(owner, of), rdata(*of, octets));
            Edit::Add { owner, rtype, ttl_s: *ttl, rdata }
        }
        Step::DeleteSet(owner, of) => {
            let (owner, rtype) = key(owner, of);
            Edit::DeleteRrset { owner, rtype }
        }
        Step::DeleteName(owner) => Edit::DeleteName { owner: name(owner) },
        Step::DeleteOne(owner, of, octets) => {
            let ((owner, rtype), rdata) = (key(owner, of), rdata(*of, octets));
            Edit::DeleteRecord { owner, rtype, rdata }
        }
        Step::Replace(owner, of, set) => {
            let ((owner, rtype), rrset) = (key(owner, of), rrset(*of, set));
            Edit::Replace { owner, rtype, rrset }
        }
        Step::NewSoa(serial, octets) => {
            let rdata = vec![with_serial(octets, *serial)];
            let rrset = Rrset { ttl_s: 60, rdata };
            Edit::Replace { owner: name(zone), rtype: Rtype::SOA, rrset }
        }
    }
}

/// What a key may do: everything more often than not.
pub(crate) fn policy(n: u8) -> Policy {
    match n % 6 {
        0 => Policy::AddressesBelow,
        1 => Policy::Add,
        2 => Policy::DeleteAt("a"),
        _ => Policy::Everything,
    }
}

fn key_policy(zone: &str, policy: Policy) -> KeyPolicy {
    let all = KeyPolicy::everything();
    match policy {
        Policy::Everything => all,
        Policy::AddressesBelow => KeyPolicy {
            names: vec![NamePattern::Below(name(zone))],
            types: vec![Rtype::A, Rtype::AAAA],
            ..all
        },
        Policy::Add => KeyPolicy { actions: Actions::ADD, ..all },
        Policy::DeleteAt(label) => {
            let names = [name(zone), name(&format!("{label}.{zone}"))];
            let names = names.into_iter().map(NamePattern::Exact).collect();
            KeyPolicy { names, actions: Actions::DELETE, ..all }
        }
    }
}

fn key(zone: &str, policy: Policy) -> NewKey {
    NewKey {
        name: name("ddns-key"),
        credential: Credential::Shared {
            algorithm: TsigAlgorithm::HmacSha256,
            secret: vec![7; 32],
        },
        zones: vec![name(zone)],
        update: true,
        transfer: true,
        policy: key_policy(zone, policy),
        truncated_ok: false,
    }
}

pub(crate) fn kind(why: &Refused) -> &'static str {
    match why {
        Refused::Denied(_) => "denied",
        Refused::Change(Refusal::NameExists) => "NameExists",
        Refused::Change(Refusal::RrsetExists) => "RrsetExists",
        Refused::Change(Refusal::RrsetMissing) => "RrsetMissing",
        Refused::Change(Refusal::NameMissing) => "NameMissing",
        Refused::Change(Refusal::OutsideZone) => "OutsideZone",
        Refused::Change(Refusal::NoSuchZone) => "NoSuchZone",
        Refused::Change(Refusal::Malformed(_)) => "malformed",
        Refused::Exists(_) => "exists",
        Refused::Missing(_) => "missing",
        Refused::Invalid(_) => "invalid",
        Refused::Limit(_) => "limit",
    }
}

/// A name as the reference writes it.
pub(crate) fn text(name: &Name) -> String {
    name.to_string().trim_end_matches('.').to_owned()
}

pub(crate) fn soa_octets(minimum_s: u32) -> Vec<u8> {
    without_serial(&soa(0, minimum_s).rdata[0])
}

fn without_serial(rdata: &Rdata) -> Vec<u8> {
    let mut octets = rdata.as_wire().to_vec();
    octets.drain(octets.len() - 20..octets.len() - 16);
    octets
}

fn with_serial(octets: &[u8], serial: u32) -> Rdata {
    let (names, numbers) = octets.split_at(octets.len() - 16);
    rdata(SOA, &[names, &serial.to_be_bytes(), numbers].concat())
}

fn rdata(rtype: u16, octets: &[u8]) -> Rdata {
    Rdata::new(Rtype(rtype), octets).expect("data of the type")
}

fn rrset(rtype: u16, (ttl_s, set): &Set) -> Rrset {
    let one = |octets: &Vec<u8>| match rtype {
        SOA => with_serial(octets, 7),
        _ => rdata(rtype, octets),
    };
    Rrset { ttl_s: *ttl_s, rdata: set.iter().map(one).collect() }
}

pub(crate) fn first_records(zone: &str) -> Records {
    let ns = name("ns.test").as_wire().to_vec();
    Records::from([
        ((zone.to_owned(), SOA), (60, BTreeSet::from([soa_octets(60)]))),
        ((zone.to_owned(), NS), (60, BTreeSet::from([ns]))),
    ])
}

/// One part of an import: sometimes with the apex, sometimes without.
pub(crate) fn part(zone: &str, n: u8) -> Records {
    let mut records = if n.is_multiple_of(3) { Records::new() } else { first_records(zone) };
    records.insert((format!("a.{zone}"), A), (60, BTreeSet::from([data(A, n)])));
    records
}

/// What a zone holds, and its serial, which the SOA carries.
pub(crate) fn records(zone: &Snapshot) -> (Records, u32) {
    let mut serial = zone.serial().0;
    let sets = zone.rrsets().map(|(owner, rtype, rrset)| {
        let octets = |rdata: &Rdata| match rtype {
            Rtype::SOA => without_serial(rdata),
            _ => rdata.as_wire().to_vec(),
        };
        if rtype == Rtype::SOA {
            serial = rrset.rdata[0].soa_fields().expect("a SOA").serial;
        }
        let set = rrset.rdata.iter().map(octets).collect();
        ((text(&owner), rtype.0), (rrset.ttl_s, set))
    });
    let sets = sets.collect();
    (sets, serial)
}

/// Items in an order that does not depend on hashing; a staged import as one item.
pub(crate) fn sorted(items: Vec<Item>) -> Vec<Item> {
    let mut items: Vec<Item> = items
        .into_iter()
        .map(|item| match item {
            Item::Staged { import, zone, part } => {
                let mut rrsets: Vec<_> = part.rrsets(&zone).collect();
                rrsets.sort_by(|(a, at, _), (b, bt, _)| a.cmp(b).then(at.cmp(bt)));
                Item::Staged { import, part: Part::pack(&zone, &rrsets), zone }
            }
            other => other,
        })
        .collect();
    let rank = |item: &Item| match item {
        Item::At { .. } => (0, String::new()),
        Item::Entity(entity) => (1, format!("{:?}", entity.key())),
        Item::Zone { apex, .. } => (2, apex.to_string()),
        Item::Rrset { zone, owner, rtype, .. } => (3, format!("{zone} {owner} {rtype}")),
        Item::Staged { import, .. } => (4, format!("{:020}", import.0)),
        Item::Lease { zone, lease } => (5, format!("{zone} {lease:?}")),
    };
    items.sort_by_cached_key(rank);
    items
}
