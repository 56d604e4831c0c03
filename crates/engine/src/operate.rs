//! Judging everything but changes of DNS data: zones, imports, hosts, tokens, keys, accounts.
//!
//! Each operation gets a batch of its own and is judged with nothing else undecided, so it rests
//! on the visible state alone.

use std::ops::ControlFlow;

use account::policy::Denied;
use account::{
    Account, AccountId, Actor, Directory, Entity, Host, Timestamp, Token, TokenId, TsigKey,
    ZoneEntry,
};
use store::{Fact, ImportId, Pos};
use wire::{Name, Rrset, Rtype, Serial};
use zone::{Delta, View};

use crate::engine::Judged;
use crate::fold::Staging;
use crate::live::Live;
use crate::request::{HostPatch, NewKey, NewToken, NewZone, Operation, Refused};

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
        if !may(actor, operation) {
            return Err(Denied::OperatorOnly.into());
        }
        match operation {
            // Changes are judged by `judge::Judge`.
            Operation::Change { .. } => Err(Refused::Invalid("not an operation")),
            Operation::AddZone(zone) => self.add_zone(zone),
            Operation::RemoveZone(apex) => self.remove_zone(apex),
            Operation::Stage { import, zone, rrsets } => self.stage(*import, zone, rrsets),
            Operation::Import { import, zone } => self.import(*import, zone),
            Operation::DropImport(import) => self.drop_import(*import),
            Operation::AddHost { name, account, policy, token } => {
                self.add_host(name, *account, *policy, token)
            }
            Operation::SetHost { name, policy } => self.set_host(name, *policy),
            Operation::RotateHost { name, token } => self.rotate_host(name, token),
            Operation::RemoveHost(name) => self.remove_host(name),
            Operation::AddToken { hosts, token } => self.add_token(hosts, token),
            Operation::RevokeToken(id) => self.revoke_token(*id),
            Operation::ExposeToken(id) => self.expose_token(*id),
            Operation::AddAccount(name) => self.add_account(name),
            Operation::Lockdown(id) => self.set_frozen(*id, true),
            Operation::Unlock(id) => self.set_frozen(*id, false),
            Operation::AddKey(key) => self.add_key(key),
            Operation::RemoveKey(name) => self.remove_key(name),
            Operation::FlushSeen => Ok(self.flush_seen()),
            Operation::JumpSerials { by } => Ok(self.jump_serials(*by)),
        }
    }

    fn add_zone(&self, new: &NewZone) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        if directory.zone(&new.apex).is_some() {
            return Err(Refused::Exists("zone"));
        }
        let has = |rtype| new.rrsets.iter().any(|(o, t, _)| *o == new.apex && *t == rtype);
        if !has(Rtype::SOA) || !has(Rtype::NS) {
            return Err(Refused::Invalid("a zone needs a SOA and an NS record at its apex"));
        }
        let entity = self.zone_entity(&directory, new)?;
        // An import of one part: the zone becomes visible whole.
        let import = ImportId(self.next_pos.0);
        let zone = new.apex.clone();
        Ok(Judged {
            facts: vec![
                created(Entity::Zone(entity)),
                Fact::Staged { import, zone: zone.clone(), rrsets: new.rrsets.clone() },
                Fact::Imported { import, zone, serial: new.serial },
            ],
            serial: Some(new.serial),
            made: None,
        })
    }

    fn zone_entity(&self, directory: &Directory, new: &NewZone) -> Result<ZoneEntry, Refused> {
        directory.account(new.account).ok_or(Refused::Missing("account"))?;
        check_ttl(new.host_ttl_s)?;
        Ok(ZoneEntry {
            apex: new.apex.to_lowercase(),
            account: new.account,
            created: self.at,
            suffix: new.suffix,
            host_ttl_s: new.host_ttl_s,
        })
    }

    fn remove_zone(&self, apex: &Name) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let zone = directory.zone(apex).ok_or(Refused::Missing("zone"))?;
        Ok(Judged {
            facts: vec![
                Fact::ZoneDropped { zone: zone.apex.clone() },
                removed(Entity::Zone(zone.clone())),
            ],
            ..Judged::default()
        })
    }

    fn stage(
        &self,
        import: Option<ImportId>,
        zone: &Name,
        rrsets: &[(Name, Rtype, Rrset)],
    ) -> Result<Judged, Refused> {
        let import = match import {
            None if self.staging.len() >= IMPORTS_MAX => {
                return Err(Refused::Limit("imports at the same time"));
            }
            None => ImportId(self.next_pos.0),
            Some(import) => {
                let staged = self.staging.get(&import).ok_or(Refused::Missing("import"))?;
                if staged.apex() != zone {
                    return Err(Refused::Invalid("the import is of another zone"));
                }
                import
            }
        };
        if rrsets.is_empty() || rrsets.len() > STAGE_RRSETS_MAX {
            return Err(Refused::Limit("RRsets in one part of an import"));
        }
        if let ControlFlow::Break(why) = check_rrsets(zone, rrsets) {
            return Err(Refused::Invalid(why));
        }
        let zone = zone.to_lowercase();
        Ok(Judged {
            facts: vec![Fact::Staged { import, zone, rrsets: rrsets.to_vec() }],
            serial: None,
            made: Some(import.0),
        })
    }

    fn import(&self, import: ImportId, new: &NewZone) -> Result<Judged, Refused> {
        let staged = self.staging.get(&import).ok_or(Refused::Missing("import"))?;
        if *staged.apex() != new.apex {
            return Err(Refused::Invalid("the import is of another zone"));
        }
        if staged.rrset(&new.apex, Rtype::SOA).is_none()
            || staged.rrset(&new.apex, Rtype::NS).is_none()
        {
            return Err(Refused::Invalid("a zone needs a SOA and an NS record at its apex"));
        }
        let directory = self.live.directory();
        let mut facts = Vec::new();
        if directory.zone(&new.apex).is_none() {
            facts.push(created(Entity::Zone(self.zone_entity(&directory, new)?)));
        }
        // What was served before stays older (RFC 1982).
        let current = self.live.zones().get(&new.apex).map(|zone| zone.serial());
        let serial = match current {
            Some(current) if !new.serial.is_newer_than(current) => current.next(),
            Some(_) | None => new.serial,
        };
        facts.push(Fact::Imported { import, zone: new.apex.to_lowercase(), serial });
        Ok(Judged { facts, serial: Some(serial), made: None })
    }

    fn drop_import(&self, import: ImportId) -> Result<Judged, Refused> {
        self.staging.get(&import).ok_or(Refused::Missing("import"))?;
        Ok(Judged { facts: vec![Fact::ImportDropped { import }], ..Judged::default() })
    }

    fn add_host(
        &self,
        name: &Name,
        account: AccountId,
        policy: HostPatch,
        token: &NewToken,
    ) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        directory.account(account).ok_or(Refused::Missing("account"))?;
        let zone = directory.zone_of(name).ok_or(Refused::Missing("zone for this name"))?;
        if zone.account != account && !zone.suffix {
            return Err(Refused::Invalid("the zone belongs to another account"));
        }
        if directory.host(name).is_some() {
            return Err(Refused::Exists("host"));
        }
        let name = name.to_lowercase();
        let host = Host {
            name: name.clone(),
            zone: zone.apex.clone(),
            account,
            created: self.at,
            ttl_s: None,
            private_ok: false,
            scope: None,
            last_seen: None,
        };
        let host = patched(host, policy)?;
        let token = self.token(&directory, account, vec![name], token)?;
        let made = Some(token.id.0);
        let facts = vec![created(Entity::Host(host)), created(Entity::Token(token))];
        Ok(Judged { facts, serial: None, made })
    }

    fn set_host(&self, name: &Name, policy: HostPatch) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let host = directory.host(name).ok_or(Refused::Missing("host"))?;
        let after = patched(host.clone(), policy)?;
        Ok(Judged {
            facts: changed(Entity::Host(host.clone()), Entity::Host(after)),
            ..Judged::default()
        })
    }

    fn rotate_host(&self, name: &Name, new: &NewToken) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let host = directory.host(name).ok_or(Refused::Missing("host"))?;
        let mut facts = self.revoke_sole_tokens(&directory, host);
        let token = self.token(&directory, host.account, vec![host.name.clone()], new)?;
        let made = Some(token.id.0);
        facts.push(created(Entity::Token(token)));
        Ok(Judged { facts, serial: None, made })
    }

    fn remove_host(&self, name: &Name) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let host = directory.host(name).ok_or(Refused::Missing("host"))?;
        let mut facts = self.withdraw(host)?;
        facts.extend(self.revoke_sole_tokens(&directory, host));
        facts.push(removed(Entity::Host(host.clone())));
        Ok(Judged { facts, ..Judged::default() })
    }

    /// The addresses of a host go with it.
    fn withdraw(&self, host: &Host) -> Result<Vec<Fact>, Refused> {
        let zone = self.live.zones().get(&host.zone).ok_or(Refused::Missing("zone"))?;
        let gone = |rtype| {
            let before = zone.rrset(&host.name, rtype)?;
            Some(Delta { owner: host.name.clone(), rtype, before: Some(before), after: None })
        };
        let deltas: Vec<Delta> = [Rtype::A, Rtype::AAAA].into_iter().filter_map(gone).collect();
        if deltas.is_empty() {
            return Ok(Vec::new());
        }
        let serial = zone::next_serial(zone.serial(), &deltas);
        Ok(vec![Fact::Changed { zone: host.zone.clone(), serial, lease_s: None, deltas }])
    }

    fn revoke_sole_tokens(&self, directory: &Directory, host: &Host) -> Vec<Fact> {
        let tokens = directory.tokens_of(&host.name);
        let sole = tokens.filter(|token| token.hosts.len() == 1 && token.revoked.is_none());
        sole.flat_map(|token| {
            let after = Token { revoked: Some(self.at), ..token.clone() };
            changed(Entity::Token(token.clone()), Entity::Token(after))
        })
        .collect()
    }

    fn add_token(&self, hosts: &[Name], new: &NewToken) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        if hosts.is_empty() || hosts.len() > TOKEN_HOSTS_MAX {
            return Err(Refused::Limit("hosts of one token: 1 to 1000"));
        }
        let mut names = Vec::with_capacity(hosts.len());
        let mut account = None;
        for name in hosts {
            let host = directory.host(name).ok_or(Refused::Missing("host"))?;
            if account.replace(host.account).is_some_and(|before| before != host.account) {
                return Err(Refused::Invalid("the hosts belong to different accounts"));
            }
            names.push(host.name.clone());
        }
        let account = account.ok_or(Refused::Missing("host"))?;
        let token = self.token(&directory, account, names, new)?;
        let made = Some(token.id.0);
        Ok(Judged { facts: vec![created(Entity::Token(token))], serial: None, made })
    }

    fn token(
        &self,
        directory: &Directory,
        account: AccountId,
        mut hosts: Vec<Name>,
        new: &NewToken,
    ) -> Result<Token, Refused> {
        if new.label.chars().count() > LABEL_CHARS_MAX {
            return Err(Refused::Limit("characters of a label"));
        }
        if directory.account(account).is_none_or(|account| account.frozen) {
            return Err(Denied::Frozen.into());
        }
        hosts.sort();
        hosts.dedup();
        // The position is unique in the log, so it serves as the number.
        Ok(Token {
            id: TokenId(self.next_pos.0),
            account,
            hash: new.hash,
            hosts,
            label: new.label.clone(),
            created: self.at,
            revoked: None,
            exposed: None,
        })
    }

    fn revoke_token(&self, id: TokenId) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let token = directory.token(id).ok_or(Refused::Missing("token"))?;
        if token.revoked.is_some() {
            return Ok(Judged::default());
        }
        let after = Token { revoked: Some(self.at), ..token.clone() };
        Ok(Judged {
            facts: changed(Entity::Token(token.clone()), Entity::Token(after)),
            ..Judged::default()
        })
    }

    fn expose_token(&self, id: TokenId) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let token = directory.token(id).ok_or(Refused::Missing("token"))?;
        if token.exposed.is_some() {
            return Ok(Judged::default());
        }
        let after = Token { exposed: Some(self.at), ..token.clone() };
        Ok(Judged {
            facts: changed(Entity::Token(token.clone()), Entity::Token(after)),
            ..Judged::default()
        })
    }

    fn add_account(&self, name: &str) -> Result<Judged, Refused> {
        let chars = name.chars().count();
        if chars == 0 || chars > ACCOUNT_CHARS_MAX || name.chars().any(char::is_control) {
            return Err(Refused::Invalid("an account's name has 1 to 64 printable characters"));
        }
        if self.live.directory().account_named(name).is_some() {
            return Err(Refused::Exists("account"));
        }
        let account = Account {
            id: AccountId(self.next_pos.0),
            name: name.to_owned(),
            created: self.at,
            frozen: false,
            tokens_void_until: None,
        };
        let made = Some(account.id.0);
        Ok(Judged { facts: vec![created(Entity::Account(account))], serial: None, made })
    }

    fn set_frozen(&self, id: AccountId, frozen: bool) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let account = directory.account(id).ok_or(Refused::Missing("account"))?;
        if account.frozen == frozen {
            return Ok(Judged::default());
        }
        let void = if frozen { Some(self.at) } else { account.tokens_void_until };
        let after = Account { frozen, tokens_void_until: void, ..account.clone() };
        Ok(Judged {
            facts: changed(Entity::Account(account.clone()), Entity::Account(after)),
            ..Judged::default()
        })
    }

    fn add_key(&self, new: &NewKey) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        if directory.key(&new.name).is_some() {
            return Err(Refused::Exists("key"));
        }
        if new.secret.is_empty() || new.secret.len() > KEY_OCTETS_MAX {
            return Err(Refused::Invalid("a key's secret has 1 to 512 octets"));
        }
        if new.zones.is_empty() || new.zones.len() > KEY_ZONES_MAX {
            return Err(Refused::Limit("zones of one key: 1 to 1000"));
        }
        if new.zones.iter().any(|zone| directory.zone(zone).is_none()) {
            return Err(Refused::Missing("zone"));
        }
        let key = TsigKey {
            name: new.name.to_lowercase(),
            algorithm: new.algorithm,
            secret: new.secret.clone(),
            zones: new.zones.iter().map(Name::to_lowercase).collect(),
            update: new.update,
            transfer: new.transfer,
            created: self.at,
        };
        Ok(Judged { facts: vec![created(Entity::Key(key))], ..Judged::default() })
    }

    fn remove_key(&self, name: &Name) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let key = directory.key(name).ok_or(Refused::Missing("key"))?;
        Ok(Judged { facts: vec![removed(Entity::Key(key.clone()))], ..Judged::default() })
    }

    fn flush_seen(&self) -> Judged {
        let hosts = self.live.take_seen(SEEN_HOSTS_MAX);
        let facts = if hosts.is_empty() { Vec::new() } else { vec![Fact::Seen { hosts }] };
        Judged { facts, ..Judged::default() }
    }

    fn jump_serials(&self, by: u32) -> Judged {
        let jump = |zone: std::sync::Arc<zone::Zone>| Fact::Changed {
            zone: zone.apex().clone(),
            serial: Serial(zone.serial().0.wrapping_add(by)),
            lease_s: None,
            deltas: Vec::new(),
        };
        let facts = self.live.zones().all().into_iter().map(jump).collect();
        Judged { facts, ..Judged::default() }
    }
}

fn may(actor: &Actor, operation: &Operation) -> bool {
    match actor {
        Actor::Operator => true,
        Actor::System => matches!(
            operation,
            Operation::FlushSeen | Operation::JumpSerials { .. } | Operation::ExposeToken(_)
        ),
        Actor::Token(_) | Actor::Key(_) => false,
    }
}

fn patched(host: Host, policy: HostPatch) -> Result<Host, Refused> {
    let ttl_s = policy.ttl_s.unwrap_or(host.ttl_s);
    if let Some(ttl_s) = ttl_s {
        check_ttl(ttl_s)?;
    }
    let private_ok = policy.private_ok.unwrap_or(host.private_ok);
    Ok(Host { ttl_s, private_ok, ..host })
}

fn check_ttl(ttl_s: u32) -> Result<(), Refused> {
    // RFC 2181 §8: a TTL has 31 bits; a dynamic host's longer than a day helps nobody.
    if ttl_s > HOST_TTL_S_MAX {
        return Err(Refused::Invalid("the TTL of a host is at most 86400 seconds"));
    }
    Ok(())
}

fn check_rrsets(zone: &Name, rrsets: &[(Name, Rtype, Rrset)]) -> ControlFlow<&'static str> {
    for (owner, rtype, rrset) in rrsets {
        if !owner.is_subdomain_of(zone) {
            return ControlFlow::Break("a name lies outside the zone");
        }
        if rtype.is_meta() || rrset.rdata.is_empty() {
            return ControlFlow::Break("a record has a type that cannot be stored");
        }
    }
    ControlFlow::Continue(())
}

fn created(entity: Entity) -> Fact {
    Fact::Entity { before: None, after: Some(entity) }
}

fn removed(entity: Entity) -> Fact {
    Fact::Entity { before: Some(entity), after: None }
}

fn changed(before: Entity, after: Entity) -> Vec<Fact> {
    if before == after {
        return Vec::new();
    }
    vec![Fact::Entity { before: Some(before), after: Some(after) }]
}

/// Longest TTL of a host, in seconds.
const HOST_TTL_S_MAX: u32 = 86_400;
/// Most characters of a token's label.
const LABEL_CHARS_MAX: usize = 128;
/// Most characters of an account's name.
const ACCOUNT_CHARS_MAX: usize = 64;
/// Most hosts of one token.
const TOKEN_HOSTS_MAX: usize = 1000;
/// Most octets of a TSIG secret.
const KEY_OCTETS_MAX: usize = 512;
/// Most zones of one TSIG key.
const KEY_ZONES_MAX: usize = 1000;
/// Most imports that are not finished.
const IMPORTS_MAX: usize = 16;
/// Most RRsets in one part of an import.
pub(crate) const STAGE_RRSETS_MAX: usize = 20_000;
/// Most hosts in one bulk write of what was last seen.
const SEEN_HOSTS_MAX: usize = 20_000;
