//! Carrying out orders.

use std::io::{self, Read};
use std::path::Path;

use account::secret::Secret;
use account::{AccountId, Actor, HostExpiry, OnExpiry, Scavenge};
use dialect::Profile;
use engine::{HostPatch, NewToken, NewZone, Operation, Outcome, Refused, ZonePatch};
use gateway::Random;
use serde_json::{Value, json};
use store_sqlite::{SqliteStore, backup};
use wire::Name;
use zone::Snapshot;

use super::command::{
    Command, Expiry, HostSettings, Quarantine, Scavenging, Then, ZoneChange, ZoneSettings,
};
use super::listing::Listing;
use super::{AdminError, history, show, subject};
use crate::fresh::fresh_zone;
use crate::import;
use crate::node::Node;

/// What came of an order. `Debug` hides the value: a new token may be in it.
pub struct Answer {
    /// For the one who gave the order; null for a list.
    pub value: Value,
    /// What is to be written after it.
    pub follows: Option<Follows>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("follows", &self.follows).finish_non_exhaustive()
    }
}

/// What can follow an answer.
#[derive(Debug)]
pub enum Follows {
    /// A zone file.
    Export(Export),
    /// A list.
    Rows(Listing),
}

impl Follows {
    /// Writes it.
    pub fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        match self {
            Follows::Export(export) => export.write(out),
            Follows::Rows(rows) => rows.write(out),
        }
    }
}

/// A zone at one serial, to be written as a zone file.
pub struct Export {
    apex: Name,
    zone: Snapshot,
}

impl Export {
    /// Writes the zone file.
    pub fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        import::export(&self.apex, &self.zone, out)
    }
}

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Export").field("apex", &self.apex).finish_non_exhaustive()
    }
}

/// Carries out one order; `body` holds what follows it, for an import.
pub fn execute(node: &Node, command: &Command, body: &mut dyn Read) -> Result<Answer, AdminError> {
    let orders = Orders { node };
    let live = node.live();
    let value = match command {
        Command::ZoneAdd { zone, ns, settings } => orders.zone_add(zone, ns, settings)?,
        Command::ZoneList => return Ok(listed(Listing::zones(live))),
        Command::ZoneShow { zone } => show::zone(node, &name(zone)?)?,
        Command::ZoneSet { zone, settings } => orders.zone_set(zone, settings)?,
        Command::ZoneImport { zone, settings } => orders.zone_import(zone, settings, body)?,
        Command::ZoneExport { zone } => return orders.zone_export(zone),
        Command::ZoneRemove { zone } => {
            orders.done(zone, ("zone", "removed"), Operation::RemoveZone)?
        }
        Command::HostAdd { host, account, settings } => {
            orders.host_add(host, account.as_deref(), settings)?
        }
        Command::HostList { zone } => {
            let zone = zone.as_deref().map(name).transpose()?;
            return Ok(listed(Listing::hosts(live, zone)?));
        }
        Command::HostShow { host } => show::host(node, &name(host)?)?,
        Command::HostSet { host, settings } => {
            let host = name(host)?;
            let policy = patch(settings)?;
            orders.operate(Operation::SetHost { name: host.clone(), policy })?;
            show::host(node, &host)?
        }
        Command::HostRotate { host, overlap_s } => orders.host_rotate(host, *overlap_s)?,
        Command::HostRemove { host } => {
            orders.done(host, ("host", "removed"), Operation::RemoveHost)?
        }
        Command::HostFree { host } => orders.done(host, ("host", "free"), Operation::FreeName)?,
        Command::TokenAdd { hosts, label, settings } => orders.token_add(hosts, label, settings)?,
        Command::TokenShow { id } => show::one_token(node, *id)?,
        Command::TokenRotate { id, overlap_s } => orders.token_rotate(*id, *overlap_s)?,
        Command::TokenList => return Ok(listed(Listing::tokens(live))),
        Command::TokenRevoke { id } => {
            orders.operate(Operation::RevokeToken(account::TokenId(*id)))?;
            json!({ "id": id, "revoked": true })
        }
        Command::AccountAdd { account } => {
            let made = orders.operate(Operation::AddAccount(account.clone()))?;
            json!({ "account": account, "id": made })
        }
        Command::AccountSet { account, limits } => orders.account_set(account, limits)?,
        Command::AccountList => return Ok(listed(Listing::accounts(live))),
        Command::AccountFreeze { account } => orders.freeze(account, true)?,
        Command::AccountUnfreeze { account } => orders.freeze(account, false)?,
        Command::KeyAdd { .. } => orders.key_add(command)?,
        Command::KeyList => return Ok(listed(Listing::keys(live))),
        Command::KeyRemove { key } => orders.done(key, ("key", "removed"), Operation::RemoveKey)?,
        Command::WebhookAdd(settings) => orders.webhook_add(settings)?,
        Command::WebhookList => return Ok(listed(Listing::webhooks(live))),
        Command::WebhookRemove { id } => orders.webhook_remove(*id)?,
        Command::WebhookPause { id, paused } => orders.webhook_pause(*id, *paused)?,
        Command::WebhookTest { id } => orders.webhook_test(*id)?,
        Command::Backup { file } => self::backup(node.store(), file)?,
        Command::Check { head } => history::check(node.store(), head.as_deref())?,
        Command::History(query) => return orders.history(query),
        Command::Undo { target, force, dry_run } => orders.undo(target, *force, *dry_run)?,
        Command::EraseSources { of } => orders.erase_sources(of)?,
    };
    Ok(Answer { value, follows: None })
}

fn listed(rows: Listing) -> Answer {
    Answer { value: Value::Null, follows: Some(Follows::Rows(rows)) }
}

pub(super) struct Orders<'a> {
    pub(super) node: &'a Node,
}

impl Orders<'_> {
    /// Carries out an operation on what has a name; the answer says of which kind it is and what has
    /// become of it.
    fn done(
        &self,
        of: &str,
        (kind, mark): (&str, &str),
        operation: fn(Name) -> Operation,
    ) -> Result<Value, AdminError> {
        let of = name(of)?;
        self.operate(operation(of.clone()))?;
        Ok(json!({ kind: text(&of), mark: true }))
    }

    pub(super) fn operate(&self, operation: Operation) -> Result<Option<u64>, AdminError> {
        let outcome = self.node.client().operate(operation.clone());
        match outcome.map_err(|why| AdminError::Unavailable(why.to_string()))? {
            Outcome::Done { made, .. } => Ok(made),
            Outcome::Unchanged => Ok(None),
            Outcome::Refused(why @ Refused::Denied(_)) => Err(AdminError::Refused(why.to_string())),
            Outcome::Refused(why) => {
                let name = subject::of(&self.node.live().directory(), &operation, &why);
                let name = name.map_or_else(String::new, |name| format!(": {name}"));
                Err(AdminError::Invalid(format!("{why}{name}")))
            }
            Outcome::Unavailable => Err(AdminError::Unavailable(
                "the store cannot write now (see the service's log); nothing was changed"
                    .to_owned(),
            )),
        }
    }

    fn zone_add(
        &self,
        zone: &str,
        ns: &[String],
        settings: &ZoneSettings,
    ) -> Result<Value, AdminError> {
        let apex = name(zone)?;
        let servers = ns.iter().map(|ns| name(ns)).collect::<Result<Vec<_>, _>>()?;
        let new = self.new_zone(&apex, &servers, settings)?;
        self.operate(Operation::AddZone(new))?;
        show::zone(self.node, &apex)
    }

    fn new_zone(
        &self,
        apex: &Name,
        servers: &[Name],
        settings: &ZoneSettings,
    ) -> Result<NewZone, AdminError> {
        let account = self.account(settings.account.as_deref())?;
        let fresh = fresh_zone(apex, servers);
        let host_ttl_s = settings.host_ttl_s.unwrap_or(fresh.host_ttl_s);
        Ok(NewZone { account, suffix: settings.suffix, host_ttl_s, ..fresh })
    }

    fn zone_set(&self, zone: &str, settings: &ZoneChange) -> Result<Value, AdminError> {
        let apex = name(zone)?;
        let scavenge = settings.scavenge.map(|scavenge| match scavenge {
            Scavenging::Off => None,
            Scavenging::After { no_refresh_s, refresh_s } => {
                Some(Scavenge { no_refresh_s, refresh_s })
            }
        });
        let quarantine_s = settings.quarantine.map(|quarantine| match quarantine {
            Quarantine::Usual => None,
            Quarantine::Seconds(seconds) => Some(seconds),
        });
        let (reserved, ttl_min_s) = (settings.reserve.clone(), settings.ttl_min_s);
        let policy = ZonePatch { scavenge, reserved, quarantine_s, ttl_min_s };
        self.operate(Operation::SetZone { apex: apex.clone(), policy })?;
        show::zone(self.node, &apex)
    }

    fn zone_import(
        &self,
        zone: &str,
        settings: &ZoneSettings,
        body: &mut dyn Read,
    ) -> Result<Value, AdminError> {
        let apex = name(zone)?;
        let _alone = self.node.begin_import().ok_or_else(|| {
            AdminError::Unavailable("another import is under way; try again later".to_owned())
        })?;
        let mut text = Vec::new();
        let read = body.take(ZONEFILE_OCTETS_MAX + 1).read_to_end(&mut text);
        read.map_err(|why| AdminError::Invalid(format!("the zone file did not arrive: {why}")))?;
        if text.len() as u64 > ZONEFILE_OCTETS_MAX {
            return Err(AdminError::Invalid("the zone file is larger than 1 GiB".to_owned()));
        }
        let new = self.new_zone(&apex, &[], settings)?;
        let done = import::import(self.node.client(), &Actor::Operator, (&text, new));
        let done = done.map_err(|why| AdminError::Invalid(why.to_string()))?;
        Ok(json!({
            "zone": zone_text(&apex),
            "rrsets": done.rrsets,
            "serial": done.serial.0,
        }))
    }

    fn zone_export(&self, zone: &str) -> Result<Answer, AdminError> {
        let apex = name(zone)?;
        let served = self.node.live().zones().get(&apex);
        let zone = served.ok_or_else(|| missing("zone", &apex))?.snapshot();
        let value = json!({
            "zone": zone_text(&apex),
            "serial": zone.serial().0,
            "rrsets": zone.rrset_count(),
        });
        Ok(Answer { value, follows: Some(Follows::Export(Export { apex, zone })) })
    }

    fn host_add(
        &self,
        host: &str,
        account: Option<&str>,
        settings: &HostSettings,
    ) -> Result<Value, AdminError> {
        let host = name(host)?;
        let account = self.account(account)?;
        let secret = self.secret()?;
        let token = new_token(&secret, "");
        let policy = patch(settings)?;
        let id = self.operate(Operation::AddHost { name: host.clone(), account, policy, token })?;
        Ok(json!({ "host": text(&host), "token": secret.reveal(), "id": id }))
    }

    fn host_rotate(&self, host: &str, overlap_s: u32) -> Result<Value, AdminError> {
        let host = name(host)?;
        let secret = self.secret()?;
        let token = new_token(&secret, "");
        let id = self.operate(Operation::RotateHost { name: host.clone(), token, overlap_s })?;
        Ok(json!({ "host": text(&host), "token": secret.reveal(), "id": id }))
    }

    fn freeze(&self, account: &str, frozen: bool) -> Result<Value, AdminError> {
        let id = self.account(Some(account))?;
        let operation = if frozen { Operation::Lockdown(id) } else { Operation::Unlock(id) };
        self.operate(operation)?;
        Ok(json!({ "account": account, "frozen": frozen }))
    }

    pub(super) fn account(&self, account: Option<&str>) -> Result<AccountId, AdminError> {
        let Some(account) = account else { return Ok(AccountId(0)) };
        let directory = self.node.live().directory();
        let found = directory.account_named(account).map(|account| account.id);
        found.ok_or_else(|| AdminError::Invalid(format!("no such account: {account}")))
    }

    pub(super) fn secret(&self) -> Result<Secret, AdminError> {
        self.random().map(Secret::from_random)
    }

    pub(super) fn random(&self) -> Result<[u8; 16], AdminError> {
        Random::new().octets().map_err(|why| AdminError::Unavailable(why.to_string()))
    }
}

/// Writes a backup of a store.
pub(super) fn backup(store: &SqliteStore, file: &Path) -> Result<Value, AdminError> {
    let made = backup::backup(store, file).map_err(failed)?;
    Ok(json!({ "file": file, "events": made.events, "position": made.head.0 }))
}

/// A name in presentation form, with or without the final dot.
pub(crate) fn name(text: &str) -> Result<Name, AdminError> {
    let parsed = Name::parse(text);
    parsed.map_err(|why| AdminError::Invalid(format!("`{text}` is not a domain name: {why}")))
}

/// A host's name for people: no final dot, as clients send it.
pub(crate) fn text(name: &Name) -> String {
    let text = name.to_string();
    match text.strip_suffix('.') {
        Some(short) if !short.is_empty() => short.to_owned(),
        Some(_) | None => text,
    }
}

/// The same for a zone.
pub(crate) fn zone_text(apex: &Name) -> String {
    text(apex)
}

pub(crate) fn missing(what: &str, name: &Name) -> AdminError {
    AdminError::Invalid(format!("no such {what}: {}", text(name)))
}

pub(super) fn new_token(secret: &Secret, label: &str) -> NewToken {
    NewToken::of(secret, label)
}

fn patch(settings: &HostSettings) -> Result<HostPatch, AdminError> {
    let HostSettings { ttl_s, private_ok, expiry, dialect } = settings;
    let expiry = expiry.as_ref().map(expiry_of).transpose()?;
    let dialect = dialect.as_deref().map(dialect_of).transpose()?;
    let (ttl_s, private_ok) = (ttl_s.map(Some), *private_ok);
    Ok(HostPatch { ttl_s, private_ok, expiry, dialect, ..HostPatch::default() })
}

/// The number of the dialect with this name; `None` for what the request itself tells.
fn dialect_of(name: &str) -> Result<Option<u16>, AdminError> {
    if name.eq_ignore_ascii_case("auto") {
        return Ok(None);
    }
    let choice = Profile::from_name(name).filter(|profile| profile.is_choice());
    choice.map(|profile| Some(profile.number())).ok_or_else(|| {
        let known = Profile::ALL.iter().filter(|profile| profile.is_choice());
        let known: Vec<&str> = known.map(|profile| profile.name()).collect();
        let known = known.join("`, `");
        AdminError::Invalid(format!("no such dialect: {name}; it is one of `auto`, `{known}`"))
    })
}

fn expiry_of(expiry: &Expiry) -> Result<Option<HostExpiry>, AdminError> {
    let Expiry::After { after_s, then } = expiry else { return Ok(None) };
    let then = match then {
        Then::Withdraw => OnExpiry::Withdraw,
        Then::Park(addresses) => OnExpiry::Park(addresses.clone()),
        Then::Cname(target) => OnExpiry::Cname(name(target)?),
    };
    Ok(Some(HostExpiry { after_s: *after_s, then }))
}

fn failed(why: impl std::fmt::Display) -> AdminError {
    AdminError::Unavailable(why.to_string())
}

/// Longest zone file that is read, in octets.
const ZONEFILE_OCTETS_MAX: u64 = 1024 * 1024 * 1024;
