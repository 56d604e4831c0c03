//! What the operator sees of the state. Secrets are not there to be seen: only hashes are kept.

use std::net::IpAddr;

use account::{
    Account, Actions, Directory, Host, HostExpiry, KeyPolicy, Network, OnExpiry, Role, Rule,
    Scavenge, Timestamp, Token, TokenId, TsigKey,
};
use dialect::Profile;
use engine::Live;
use jiff::Timestamp as Moment;
use serde_json::{Value, json};
use wire::{Name, Rtype};
use zone::{View, Zone};

use super::AdminError;
use super::execute::{missing, text, zone_text};
use super::keys::{algorithm_text, pattern_text};
use crate::node::Node;

pub(super) fn zone_row(live: &Live, zone: &Zone) -> Value {
    let scavenged = live.directory().zone(zone.apex()).and_then(|entry| entry.scavenge);
    json!({
        "zone": zone_text(zone.apex()),
        "serial": zone.serial().0,
        "rrsets": zone.rrset_count(),
        "scavenge": scavenge(scavenged),
    })
}

pub(super) fn zone(node: &Node, apex: &Name) -> Result<Value, AdminError> {
    let served = node.live().zones().get(apex).ok_or_else(|| missing("zone", apex))?;
    let directory = node.live().directory();
    let entry = directory.zone(apex).ok_or_else(|| missing("zone", apex))?;
    let records = |rtype| {
        let rrset = served.rrset(apex, rtype);
        let rdata = rrset.map(|rrset| rrset.rdata).unwrap_or_default();
        rdata.iter().map(|rdata| rdata.display(rtype).to_string()).collect::<Vec<_>>()
    };
    Ok(json!({
        "zone": zone_text(apex),
        "serial": served.serial().0,
        "rrsets": served.rrset_count(),
        "ns": records(Rtype::NS),
        "account": directory.account(entry.account).map(|account| account.name.clone()),
        "suffix": entry.suffix,
        "host_ttl_s": entry.host_ttl_s,
        "scavenge": scavenge(entry.scavenge),
        "reserved": entry.reserved,
        "quarantine_s": entry.quarantine_s(),
        "ttl_min_s": entry.ttl_min_s,
        "created": moment(entry.created),
    }))
}

fn scavenge(scavenge: Option<Scavenge>) -> Value {
    let shown = scavenge.map(|Scavenge { no_refresh_s, refresh_s }| {
        json!({ "no_refresh_s": no_refresh_s, "refresh_s": refresh_s })
    });
    shown.unwrap_or_default()
}

pub(super) fn host(node: &Node, name: &Name) -> Result<Value, AdminError> {
    let directory = node.live().directory();
    let host = directory.host(name).cloned().ok_or_else(|| missing("host", name))?;
    let tokens: Vec<Value> =
        directory.tokens_of(name).map(|each| token(&directory, each)).collect();
    let owner =
        directory.account(host.account).map(|account| (account.name.clone(), account.frozen));
    drop(directory);
    let mut value = host_row(node.live(), &host);
    value["account"] = json!(owner.as_ref().map(|(name, _)| name));
    value["frozen"] = json!(owner.is_some_and(|(_, frozen)| frozen));
    value["tokens"] = Value::Array(tokens);
    Ok(value)
}

pub(super) fn host_row(live: &Live, host: &Host) -> Value {
    let zone = live.zones().get(&host.zone);
    let addresses = |rtype| {
        let rrset = zone.as_ref().and_then(|zone| zone.rrset(&host.name, rtype));
        let rdata = rrset.map(|rrset| rrset.rdata).unwrap_or_default();
        rdata.iter().map(|rdata| rdata.display(rtype).to_string()).collect::<Vec<_>>()
    };
    json!({
        "host": text(&host.name),
        "zone": zone_text(&host.zone),
        "a": addresses(Rtype::A),
        "aaaa": addresses(Rtype::AAAA),
        "ttl_s": host.ttl_s,
        "private_ok": host.private_ok,
        "dialect": host.dialect.map(dialect),
        "created": moment(host.created),
        "last_seen": live.last_seen(&host.name).map(moment),
        "expiry": host.expiry.as_deref().map(expiry),
        "parked": host.parked.map(moment),
    })
}

/// The name of a dialect; one that a later release has given is told by its number.
fn dialect(number: u16) -> String {
    Profile::from_number(number).map_or_else(|| number.to_string(), |p| p.name().to_owned())
}

fn expiry(expiry: &HostExpiry) -> Value {
    let then = match &expiry.then {
        OnExpiry::Withdraw => "withdraw".to_owned(),
        OnExpiry::Park(addresses) => {
            let all: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
            format!("park={}", all.join(","))
        }
        OnExpiry::Cname(target) => format!("cname={}", text(target)),
    };
    json!({ "after_s": expiry.after_s, "then": then })
}

pub(super) fn one_token(node: &Node, id: u64) -> Result<Value, AdminError> {
    let directory = node.live().directory();
    let found = directory.token(TokenId(id)).map(|found| token(&directory, found));
    found.ok_or_else(|| AdminError::Invalid(format!("no such token: {id}")))
}

/// A token; one that a lockdown has made void counts as revoked then.
pub(super) fn token(directory: &Directory, token: &Token) -> Value {
    let void = directory.account(token.account).and_then(|account| account.tokens_void_until);
    let revoked = token.revoked.or(void.filter(|until| token.created <= *until));
    json!({
        "id": token.id.0,
        "hosts": token.hosts.iter().map(text).collect::<Vec<_>>(),
        "label": token.label,
        "created": moment(token.created),
        "revoked": revoked.map(moment),
        "exposed": token.exposed.map(moment),
        "account": directory.account(token.account).map(|account| account.name.clone()),
        "role": token.role().map(role),
        "rules": token.rules().iter().map(rule).collect::<Vec<_>>(),
        "from": token.networks().iter().map(Network::to_string).collect::<Vec<_>>(),
        "ends": token.ends().map(moment),
        "last_used": token.last_used.map(moment),
    })
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Reader => "reader",
        Role::Owner => "owner",
    }
}

fn rule(rule: &Rule) -> Value {
    json!({
        "names": rule.names.iter().map(pattern_text).collect::<Vec<_>>(),
        "types": rule.types.iter().map(Rtype::to_string).collect::<Vec<_>>(),
        "actions": actions_text(rule.actions),
        "values": rule.values.iter().map(Network::to_string).collect::<Vec<_>>(),
    })
}

fn actions_text(actions: Actions) -> Vec<&'static str> {
    let may = [("add", actions.add), ("delete", actions.delete)];
    may.into_iter().filter(|(_, may)| *may).map(|(text, _)| text).collect()
}

pub(super) fn account(account: &Account) -> Value {
    json!({
        "account": account.name,
        "id": account.id.0,
        "frozen": account.frozen,
        "tokens_void_until": account.tokens_void_until.map(moment),
        "limits": {
            "hosts": account.limits.hosts,
            "tokens": account.limits.tokens,
            "webhooks": account.limits.webhooks,
            "changes_per_hour": account.limits.changes_per_hour,
        },
        // The operator's own account was always there.
        "created": (account.created.0 != 0).then(|| moment(account.created)),
    })
}

/// A key without its secret.
pub(super) fn key(key: &TsigKey) -> Value {
    let KeyPolicy { names, types, actions } = &key.policy;
    json!({
        "key": text(&key.name),
        "algorithm": algorithm_text(&key.credential),
        "zones": key.zones.iter().map(zone_text).collect::<Vec<_>>(),
        "update": key.update,
        "transfer": key.transfer,
        "names": names.iter().map(pattern_text).collect::<Vec<_>>(),
        "types": types.iter().map(Rtype::to_string).collect::<Vec<_>>(),
        "actions": actions_text(*actions),
        "truncated_ok": key.truncated_ok,
        "created": moment(key.created),
    })
}

/// RFC 3339, in UTC.
fn moment(at: Timestamp) -> String {
    Moment::from_millisecond(at.0).map(|at| at.to_string()).unwrap_or_else(|_| at.0.to_string())
}
