//! Writing version 3.

use std::net::IpAddr;

use account::{
    Account, Actions, Credential, Entity, Host, HostExpiry, KeyPolicy, Limits, NamePattern,
    Network, OnExpiry, Released, Role, Rule, Scope, Terms, Token, TsigAlgorithm, TsigKey, Webhook,
    ZoneEntry,
};
use wire::{Name, Rrset, Rtype};
use zone::Delta;

use super::{ACCOUNT, HOST, RELEASED, TOKEN, USED, WEBHOOK, ZONE};
use crate::codec::octets::{
    put_counted, put_moment, put_name, put_name_under, put_option, put_signed, put_varint,
};
use crate::event::{ActorRef, EventBody, Fact, ImportId, RecordLease};
use crate::item::Item;
use crate::part::Part;

pub(in crate::codec) fn put_body(out: &mut Vec<u8>, body: &EventBody) {
    put_signed(out, body.at.0);
    put_actor(out, &body.actor);
    put_option(out, body.origin_commitment.as_ref(), |out, hash| out.extend_from_slice(hash));
    put_varint(out, body.facts.len() as u64);
    for fact in &body.facts {
        put_fact(out, fact);
    }
}

pub(in crate::codec) fn put_item(out: &mut Vec<u8>, item: &Item) {
    match item {
        Item::At { pos, hash, at } => {
            out.push(1);
            put_varint(out, pos.0);
            out.extend_from_slice(&hash.0);
            put_signed(out, at.0);
        }
        Item::Entity(entity) => {
            out.push(2);
            put_entity(out, entity);
        }
        Item::Zone { apex, serial } => {
            out.push(3);
            put_name(out, apex);
            put_varint(out, u64::from(serial.0));
        }
        Item::Rrset { zone, owner, rtype, rrset } => {
            out.push(4);
            put_name(out, zone);
            put_keyed(out, zone, owner, *rtype, rrset);
        }
        Item::Staged { import, zone, part } => {
            out.push(5);
            put_staged(out, *import, zone, part);
        }
        Item::Lease { zone, lease } => {
            out.push(6);
            put_name(out, zone);
            put_lease(out, zone, lease);
        }
    }
}

fn put_actor(out: &mut Vec<u8>, actor: &ActorRef) {
    match actor {
        ActorRef::System => out.push(0),
        ActorRef::Operator => out.push(1),
        ActorRef::Token(id) => {
            out.push(2);
            put_varint(out, id.0);
        }
        ActorRef::Key(name) => {
            out.push(3);
            put_name(out, name);
        }
    }
}

fn put_fact(out: &mut Vec<u8>, fact: &Fact) {
    match fact {
        Fact::Changed { zone, serial, lease_s, deltas } => {
            out.push(1);
            put_name(out, zone);
            put_varint(out, u64::from(serial.0));
            put_option(out, lease_s.as_ref(), |out, lease| put_varint(out, u64::from(*lease)));
            put_varint(out, deltas.len() as u64);
            for delta in deltas {
                put_delta(out, zone, delta);
            }
        }
        Fact::Entity { before, after } => {
            out.push(2);
            put_option(out, before.as_ref(), put_entity);
            put_option(out, after.as_ref(), put_entity);
        }
        Fact::ZoneDropped { zone } => {
            out.push(3);
            put_name(out, zone);
        }
        Fact::Staged { import, zone, part } => {
            out.push(4);
            put_staged(out, *import, zone, part);
        }
        Fact::Imported { import, zone, serial } => {
            out.push(5);
            put_varint(out, import.0);
            put_name(out, zone);
            put_varint(out, u64::from(serial.0));
        }
        Fact::ImportDropped { import } => {
            out.push(6);
            put_varint(out, import.0);
        }
        Fact::Seen { hosts } => {
            out.push(7);
            put_varint(out, hosts.len() as u64);
            for (host, at) in hosts {
                put_name(out, host);
                put_signed(out, at.0);
            }
        }
        Fact::Used { tokens } => {
            out.push(USED);
            put_list(out, tokens, |out, (token, at)| {
                put_varint(out, token.0);
                put_signed(out, at.0);
            });
        }
        Fact::Leased { zone, leases } => {
            out.push(8);
            put_name(out, zone);
            put_varint(out, leases.len() as u64);
            for lease in leases {
                put_lease(out, zone, lease);
            }
        }
    }
}

fn put_delta(out: &mut Vec<u8>, zone: &Name, delta: &Delta) {
    put_name_under(out, &delta.owner, zone);
    put_varint(out, u64::from(delta.rtype.0));
    put_option(out, delta.before.as_ref(), put_rrset);
    put_option(out, delta.after.as_ref(), put_rrset);
}

pub(in crate::codec) fn put_rrset(out: &mut Vec<u8>, rrset: &Rrset) {
    put_varint(out, u64::from(rrset.ttl_s));
    put_varint(out, rrset.rdata.len() as u64);
    for rdata in &rrset.rdata {
        put_counted(out, rdata.as_wire());
    }
}

fn put_keyed(out: &mut Vec<u8>, zone: &Name, owner: &Name, rtype: Rtype, rrset: &Rrset) {
    put_name_under(out, owner, zone);
    put_varint(out, u64::from(rtype.0));
    put_rrset(out, rrset);
}

fn put_staged(out: &mut Vec<u8>, import: ImportId, zone: &Name, part: &Part) {
    put_varint(out, import.0);
    put_name(out, zone);
    part.put(out);
}

fn put_lease(out: &mut Vec<u8>, zone: &Name, lease: &RecordLease) {
    put_name_under(out, &lease.owner, zone);
    put_varint(out, u64::from(lease.rtype.0));
    put_counted(out, lease.rdata.as_wire());
    put_signed(out, lease.from.0);
    put_varint(out, u64::from(lease.lease_s));
    put_signed(out, lease.until.0);
}

fn put_entity(out: &mut Vec<u8>, entity: &Entity) {
    match entity {
        Entity::Account(account) => {
            out.push(ACCOUNT);
            put_account(out, account);
        }
        Entity::Zone(zone) => {
            out.push(ZONE);
            put_zone(out, zone);
        }
        Entity::Host(host) => {
            out.push(HOST);
            put_host(out, host);
        }
        Entity::Token(token) => {
            out.push(TOKEN);
            put_token(out, token);
        }
        Entity::Key(key) => {
            out.push(5);
            put_key(out, key);
        }
        Entity::Released(released) => {
            out.push(RELEASED);
            put_released(out, released);
        }
        Entity::Webhook(webhook) => {
            out.push(WEBHOOK);
            put_webhook(out, webhook);
        }
    }
}

fn put_account(out: &mut Vec<u8>, account: &Account) {
    put_varint(out, account.id.0);
    put_counted(out, account.name.as_bytes());
    put_signed(out, account.created.0);
    out.push(u8::from(account.frozen));
    put_moment(out, account.tokens_void_until);
    let Limits { hosts, tokens, webhooks, changes_per_hour } = account.limits;
    for limit in [hosts, tokens, webhooks, changes_per_hour] {
        put_number(out, limit);
    }
}

fn put_zone(out: &mut Vec<u8>, zone: &ZoneEntry) {
    put_name(out, &zone.apex);
    put_varint(out, zone.account.0);
    put_signed(out, zone.created.0);
    out.push(u8::from(zone.suffix));
    put_varint(out, u64::from(zone.host_ttl_s));
    put_option(out, zone.scavenge.as_ref(), |out, scavenge| {
        put_varint(out, u64::from(scavenge.no_refresh_s));
        put_varint(out, u64::from(scavenge.refresh_s));
    });
    put_list(out, &zone.reserved, |out, label| put_counted(out, label.as_bytes()));
    put_number(out, zone.quarantine_s);
    put_varint(out, u64::from(zone.ttl_min_s));
}

fn put_host(out: &mut Vec<u8>, host: &Host) {
    put_name(out, &host.name);
    put_name(out, &host.zone);
    put_varint(out, host.account.0);
    put_signed(out, host.created.0);
    put_option(out, host.ttl_s.as_ref(), |out, ttl| put_varint(out, u64::from(*ttl)));
    out.push(u8::from(host.private_ok));
    put_option(out, host.scope.as_ref(), |out, (scope, since)| {
        out.push(match scope {
            Scope::Public => 0,
            Scope::Private => 1,
        });
        put_signed(out, since.0);
    });
    put_moment(out, host.last_seen);
    put_option(out, host.expiry.as_deref(), put_expiry);
    put_moment(out, host.parked);
    put_number(out, host.dialect.map(u32::from));
    put_option(out, host.member.as_deref(), |out, member| {
        put_name(out, &member.household);
        out.extend_from_slice(&member.interface_id);
        out.push(u8::from(member.ptr));
    });
    put_option(out, host.prefix.as_deref(), |out, prefix| {
        out.extend_from_slice(&prefix.address.octets());
        out.push(prefix.length);
    });
}

fn put_expiry(out: &mut Vec<u8>, expiry: &HostExpiry) {
    put_varint(out, u64::from(expiry.after_s));
    match &expiry.then {
        OnExpiry::Withdraw => out.push(0),
        OnExpiry::Park(addresses) => {
            out.push(1);
            put_varint(out, addresses.len() as u64);
            for address in addresses {
                put_address(out, *address);
            }
        }
        OnExpiry::Cname(target) => {
            out.push(2);
            put_name(out, target);
        }
    }
}

fn put_address(out: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            out.push(4);
            out.extend_from_slice(&address.octets());
        }
        IpAddr::V6(address) => {
            out.push(6);
            out.extend_from_slice(&address.octets());
        }
    }
}

fn put_token(out: &mut Vec<u8>, token: &Token) {
    put_varint(out, token.id.0);
    put_varint(out, token.account.0);
    out.extend_from_slice(&token.hash);
    put_varint(out, token.hosts.len() as u64);
    for host in &token.hosts {
        put_name(out, host);
    }
    put_counted(out, token.label.as_bytes());
    put_signed(out, token.created.0);
    put_moment(out, token.revoked);
    put_moment(out, token.exposed);
    put_moment(out, token.last_used);
    put_option(out, token.verify_key.as_ref(), |out, key| out.extend_from_slice(key));
    put_option(out, token.terms.as_deref(), put_terms);
}

fn put_terms(out: &mut Vec<u8>, terms: &Terms) {
    put_list(out, &terms.rules, put_rule);
    put_list(out, &terms.networks, put_network);
    put_moment(out, terms.expires);
    put_number(out, terms.unused_s);
    out.push(match terms.role {
        None => 0,
        Some(Role::Reader) => 1,
        Some(Role::Owner) => 2,
    });
}

fn put_rule(out: &mut Vec<u8>, rule: &Rule) {
    put_list(out, &rule.names, put_pattern);
    put_list(out, &rule.types, |out, rtype| put_varint(out, u64::from(rtype.0)));
    put_actions(out, rule.actions);
    put_list(out, &rule.values, put_network);
}

fn put_network(out: &mut Vec<u8>, network: &Network) {
    put_address(out, network.base());
    out.push(network.prefix());
}

fn put_actions(out: &mut Vec<u8>, actions: Actions) {
    out.push(u8::from(actions.add));
    out.push(u8::from(actions.delete));
}

fn put_released(out: &mut Vec<u8>, released: &Released) {
    put_name(out, &released.name);
    put_name(out, &released.zone);
    put_varint(out, released.account.0);
    put_signed(out, released.until.0);
}

fn put_webhook(out: &mut Vec<u8>, webhook: &Webhook) {
    put_varint(out, webhook.id.0);
    put_varint(out, webhook.account.0);
    put_counted(out, webhook.url.as_bytes());
    put_counted(out, &webhook.secret);
    put_counted(out, &webhook.events);
    put_counted(out, webhook.label.as_bytes());
    put_signed(out, webhook.created.0);
    put_moment(out, webhook.paused);
    put_option(out, webhook.host.as_ref(), put_name);
    out.push(u8::from(webhook.private_ok));
}

fn put_key(out: &mut Vec<u8>, key: &TsigKey) {
    put_name(out, &key.name);
    match &key.credential {
        Credential::Sig0 => out.push(0),
        Credential::Shared { algorithm, secret } => {
            out.push(1);
            out.push(match algorithm {
                TsigAlgorithm::HmacMd5 => 1,
                TsigAlgorithm::HmacSha1 => 2,
                TsigAlgorithm::HmacSha224 => 3,
                TsigAlgorithm::HmacSha256 => 4,
                TsigAlgorithm::HmacSha384 => 5,
                TsigAlgorithm::HmacSha512 => 6,
            });
            put_counted(out, secret);
        }
    }
    put_varint(out, key.zones.len() as u64);
    for zone in &key.zones {
        put_name(out, zone);
    }
    out.push(u8::from(key.update));
    out.push(u8::from(key.transfer));
    put_policy(out, &key.policy);
    out.push(u8::from(key.truncated_ok));
    put_signed(out, key.created.0);
}

fn put_policy(out: &mut Vec<u8>, policy: &KeyPolicy) {
    put_list(out, &policy.names, put_pattern);
    put_list(out, &policy.types, |out, rtype| put_varint(out, u64::from(rtype.0)));
    put_actions(out, policy.actions);
}

fn put_pattern(out: &mut Vec<u8>, pattern: &NamePattern) {
    match pattern {
        NamePattern::Exact(name) => {
            out.push(1);
            put_name(out, name);
        }
        NamePattern::Below(name) => {
            out.push(2);
            put_name(out, name);
        }
        NamePattern::SelfName => out.push(3),
        NamePattern::SelfSubtree => out.push(4),
    }
}

fn put_list<T>(out: &mut Vec<u8>, all: &[T], put: impl Fn(&mut Vec<u8>, &T)) {
    put_varint(out, all.len() as u64);
    all.iter().for_each(|one| put(out, one));
}

fn put_number(out: &mut Vec<u8>, number: Option<u32>) {
    put_option(out, number.as_ref(), |out, number| put_varint(out, u64::from(*number)));
}
