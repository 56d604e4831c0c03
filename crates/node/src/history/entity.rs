//! What was set of an account, zone, host, token or key, without secrets.

use std::net::{IpAddr, Ipv6Addr};

use account::{Credential, Entity, HostExpiry, Network, OnExpiry, Role, Rule, Terms};
use serde_json::{Value, json};
use wire::Rtype;

use super::entry::{Changed, Kind, moment};
use crate::admin::{algorithm_text, pattern_text, text};

/// A change of an entity; `None` when nothing changed that anybody has set: when a host was last
/// seen, or which scope its addresses have.
pub(super) fn changed(before: Option<&Entity>, after: Option<&Entity>) -> Option<Changed> {
    let (kind, name) = key(before.or(after)?);
    let (before, after) = (before.map(shown), after.map(shown));
    if before == after {
        return None;
    }
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    Some(Changed::Settings { kind, name, before, after })
}

fn key(entity: &Entity) -> (Kind, String) {
    match entity {
        Entity::Account(account) => (Kind::Account, account.name.clone()),
        Entity::Zone(zone) => (Kind::Zone, text(&zone.apex)),
        Entity::Host(host) => (Kind::Host, text(&host.name)),
        Entity::Token(token) => (Kind::Token, token.id.0.to_string()),
        Entity::Key(key) => (Kind::Key, text(&key.name)),
        Entity::Released(released) => (Kind::Released, text(&released.name)),
        Entity::Webhook(webhook) => (Kind::Webhook, webhook.id.0.to_string()),
    }
}

fn shown(entity: &Entity) -> Value {
    match entity {
        Entity::Account(account) => json!({
            "frozen": account.frozen,
            "tokens_void_until": account.tokens_void_until.map(moment),
            "limits": {
                "hosts": account.limits.hosts,
                "tokens": account.limits.tokens,
                "webhooks": account.limits.webhooks,
                "changes_per_hour": account.limits.changes_per_hour,
            },
        }),
        Entity::Zone(zone) => json!({
            "account": zone.account.0,
            "suffix": zone.suffix,
            "host_ttl_s": zone.host_ttl_s,
            "ttl_min_s": zone.ttl_min_s,
            "reserved": zone.reserved,
            "quarantine_s": zone.quarantine_s,
            "scavenge": zone.scavenge.map(|scavenge| {
                json!({ "no_refresh_s": scavenge.no_refresh_s, "refresh_s": scavenge.refresh_s })
            }),
        }),
        Entity::Host(host) => json!({
            "account": host.account.0,
            "ttl_s": host.ttl_s,
            "private_ok": host.private_ok,
            "expiry": host.expiry.as_deref().map(expiry),
            "parked": host.parked.map(moment),
            "dialect": host.dialect,
            "household": host.member.as_ref().map(|member| json!({
                "host": text(&member.household),
                "interface_id": Ipv6Addr::from(member.interface_id),
                "ptr": member.ptr,
            })),
            "prefix": host.prefix.as_ref().map(|prefix| {
                format!("{}/{}", prefix.address, prefix.length)
            }),
        }),
        Entity::Token(token) => json!({
            "account": token.account.0,
            "hosts": token.hosts.iter().map(text).collect::<Vec<_>>(),
            "label": token.label,
            "revoked": token.revoked.map(moment),
            "exposed": token.exposed.map(moment),
            "terms": token.terms.as_deref().map(terms),
        }),
        Entity::Released(released) => json!({
            "account": released.account.0,
            "until": moment(released.until),
        }),
        // Neither secret nor address, in which there may be another secret.
        Entity::Webhook(webhook) => json!({
            "account": webhook.account.0,
            "events": webhook.events,
            "label": webhook.label,
            "paused": webhook.paused.map(moment),
        }),
        Entity::Key(key) => json!({
            "algorithm": algorithm_text(&key.credential),
            "secret": !matches!(key.credential, Credential::Sig0),
            "zones": key.zones.iter().map(text).collect::<Vec<_>>(),
            "update": key.update,
            "transfer": key.transfer,
            "names": key.policy.names.iter().map(pattern_text).collect::<Vec<_>>(),
            "types": key.policy.types.iter().map(Rtype::to_string).collect::<Vec<_>>(),
            "add": key.policy.actions.add,
            "delete": key.policy.actions.delete,
            "truncated_ok": key.truncated_ok,
        }),
    }
}

fn terms(terms: &Terms) -> Value {
    let networks =
        |networks: &[Network]| networks.iter().map(Network::to_string).collect::<Vec<_>>();
    let rule = |rule: &Rule| {
        json!({
            "names": rule.names.iter().map(pattern_text).collect::<Vec<_>>(),
            "types": rule.types.iter().map(Rtype::to_string).collect::<Vec<_>>(),
            "add": rule.actions.add,
            "delete": rule.actions.delete,
            "values": networks(&rule.values),
        })
    };
    let role = terms.role.map(|role| match role {
        Role::Reader => "reader",
        Role::Owner => "owner",
    });
    json!({
        "rules": terms.rules.iter().map(rule).collect::<Vec<_>>(),
        "networks": networks(&terms.networks),
        "expires": terms.expires.map(moment),
        "unused_s": terms.unused_s,
        "role": role,
    })
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
