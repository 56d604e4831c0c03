//! Judging everything but changes of DNS data: zones, imports, hosts, tokens, keys, accounts.
//!
//! Each operation gets a batch of its own and is judged with nothing else undecided, so it rests
//! on the visible state alone.

mod accounts;
mod claim;
mod expiry;
mod hosts;
mod keys;
mod may;
mod tokens;
mod webhooks;
mod zones;

pub(crate) use expiry::unpark;

use account::policy::Standing;
use account::{Actor, Entity, Timestamp};
use store::{Fact, Pos};
use wire::Serial;

use crate::engine::Judged;
use crate::live::Live;
use crate::request::{Operation, Refused};
use crate::staging::Staging;

/// A judge of one operation.
pub(crate) struct Operate<'a> {
    pub(crate) live: &'a Live,
    pub(crate) staging: &'a Staging,
    /// Position that its event will get.
    pub(crate) next_pos: Pos,
    pub(crate) at: Timestamp,
}

impl Operate<'_> {
    /// Judges an operation.
    pub(crate) fn judge(&self, actor: &Actor, operation: &Operation) -> Result<Judged, Refused> {
        let standing = self.may(actor, operation)?;
        match operation {
            // Changes are judged by `judge::Judge`.
            Operation::Change { .. } | Operation::EndLeases { .. } => {
                Err(Refused::Invalid("not an operation"))
            }
            Operation::ExpireHosts { hosts, started } => self.expire_hosts(hosts, *started),
            Operation::AddZone(zone) => self.add_zone(zone),
            Operation::SetZone { apex, policy } => self.set_zone(apex, policy),
            Operation::RemoveZone(apex) => self.remove_zone(apex),
            Operation::Stage { import, zone, part } => self.stage(*import, zone, part),
            Operation::Import { import, zone } => self.import(*import, zone),
            Operation::DropImport(import) => self.drop_import(*import),
            Operation::AddHost { name, account, policy, token } => {
                self.add_host(standing, (name, *account), policy, token)
            }
            Operation::SetHost { name, policy } => self.set_host(name, policy),
            Operation::RotateHost { name, token, overlap_s } => {
                self.rotate_host(name, token, *overlap_s)
            }
            Operation::RemoveHost(name) => self.remove_host(name),
            Operation::FreeName(name) => self.free_name(name),
            Operation::AddToken { hosts, account, token } => {
                self.add_token(standing, (hosts, *account), token)
            }
            Operation::RotateToken { id, token, overlap_s } => {
                self.rotate_token(*id, token, *overlap_s)
            }
            Operation::RevokeToken(id) => self.revoke_token(*id),
            Operation::ExposeToken(id) => self.expose_token(*id),
            Operation::AddAccount(name) => self.add_account(name),
            Operation::SetAccount { id, policy } => self.set_account(*id, *policy),
            Operation::Lockdown(id) => self.set_frozen(*id, true),
            Operation::Unlock(id) => self.set_frozen(*id, false),
            Operation::AddKey(key) => self.add_key(key),
            Operation::RemoveKey(name) => self.remove_key(name),
            Operation::AddWebhook(new) => self.add_webhook(new),
            Operation::PauseWebhook { id, paused } => self.pause_webhook(*id, *paused),
            Operation::RemoveWebhook(id) => self.remove_webhook(*id),
            Operation::FlushSeen => Ok(self.flush_seen()),
            Operation::JumpSerials { by } => self.jump_serials(*by),
        }
    }

    fn flush_seen(&self) -> Judged {
        let hosts = self.live.unwritten();
        let mut facts = if hosts.is_empty() { Vec::new() } else { vec![Fact::Seen { hosts }] };
        let tokens = self.live.unwritten_uses();
        if !tokens.is_empty() {
            facts.push(Fact::Used { tokens });
        }
        Judged { facts, ..Judged::default() }
    }

    fn jump_serials(&self, by: u32) -> Result<Judged, Refused> {
        if by == 0 || by > SERIAL_JUMP_MAX {
            // RFC 1982 §3.1: nothing further away can be added to a serial.
            return Err(Refused::Invalid("serials move by 1 to 2^31 - 2"));
        }
        let jump = |zone: std::sync::Arc<zone::Zone>| Fact::Changed {
            zone: zone.apex().clone(),
            serial: Serial(zone.serial().0.wrapping_add(by - 1)).next(),
            lease_s: None,
            deltas: Vec::new(),
        };
        let facts = self.live.zones().all().into_iter().map(jump).collect();
        Ok(Judged { facts, ..Judged::default() })
    }
}

fn check_ttl(ttl_s: u32) -> Result<(), Refused> {
    // RFC 2181 §8: a TTL has 31 bits; a dynamic host's longer than a day helps nobody.
    if ttl_s > HOST_TTL_S_MAX {
        return Err(Refused::Invalid("the TTL of a host is at most 86400 seconds"));
    }
    Ok(())
}

/// How many of something an account may have: what was said of it holds for everybody, what is usual
/// for its owner.
fn most(said: Option<u32>, usual: usize, standing: Standing) -> Option<usize> {
    match (said, standing) {
        (Some(said), _) => Some(usize::try_from(said).unwrap_or(usize::MAX)),
        (None, Standing::Owner(_)) => Some(usual),
        (None, _) => None,
    }
}

/// The words that the owner of something has for it.
fn check_label(label: &str) -> Result<(), Refused> {
    if label.chars().count() > LABEL_CHARS_MAX || label.chars().any(char::is_control) {
        return Err(Refused::Invalid("a label has at most 128 printable characters"));
    }
    Ok(())
}

fn created(entity: Entity) -> Fact {
    Fact::Entity { before: None, after: Some(entity) }
}

fn removed(entity: Entity) -> Fact {
    Fact::Entity { before: Some(entity), after: None }
}

fn replaced(before: Entity, after: Entity) -> Fact {
    Fact::Entity { before: Some(before), after: Some(after) }
}

fn changed(before: Entity, after: Entity) -> Vec<Fact> {
    if before == after { Vec::new() } else { vec![replaced(before, after)] }
}

/// Longest TTL of a host, in seconds.
const HOST_TTL_S_MAX: u32 = 86_400;
/// Most characters of a label.
const LABEL_CHARS_MAX: usize = 128;
/// Farthest that serials move at once, 0 passed over: the new one is newer (RFC 1982 §3.2).
const SERIAL_JUMP_MAX: u32 = (1 << 31) - 2;
