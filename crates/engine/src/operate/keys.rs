//! Keys that sign messages.

use account::{Credential, Directory, Entity, KeyPolicy, TsigKey};
use wire::{Name, Rtype};

use super::{Operate, created, removed};
use crate::engine::Judged;
use crate::request::{NewKey, Refused};

impl Operate<'_> {
    pub(super) fn add_key(&self, new: &NewKey) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        if directory.key(&new.name).is_some() {
            return Err(Refused::Exists("key"));
        }
        check_credential(&directory, new)?;
        if new.zones.is_empty() || new.zones.len() > KEY_ZONES_MAX {
            return Err(Refused::Limit("zones of one key: 1 to 1000"));
        }
        if new.zones.iter().any(|zone| directory.zone(zone).is_none()) {
            return Err(Refused::Missing("zone"));
        }
        let key = TsigKey {
            name: new.name.to_lowercase(),
            credential: new.credential.clone(),
            zones: new.zones.iter().map(Name::to_lowercase).collect(),
            update: new.update,
            transfer: new.transfer,
            policy: policy(new)?,
            truncated_ok: new.truncated_ok,
            created: self.at,
        };
        Ok(Judged { facts: vec![created(Entity::Key(key))], ..Judged::default() })
    }

    pub(super) fn remove_key(&self, name: &Name) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let key = directory.key(name).ok_or(Refused::Missing("key"))?;
        Ok(Judged { facts: vec![removed(Entity::Key(key.clone()))], ..Judged::default() })
    }
}

fn check_credential(directory: &Directory, new: &NewKey) -> Result<(), Refused> {
    match &new.credential {
        Credential::Shared { secret, .. } if secret.is_empty() || secret.len() > SECRET_MAX => {
            Err(Refused::Invalid("a key's secret has 1 to 512 octets"))
        }
        Credential::Shared { .. } => Ok(()),
        Credential::Sig0 if new.truncated_ok => {
            Err(Refused::Invalid("a SIG(0) key has no MAC that could be truncated"))
        }
        Credential::Sig0 if directory.zone_of(&new.name).is_none() => Err(Refused::Invalid(
            "the name of a SIG(0) key lies in a zone that is served: its KEY records stand there",
        )),
        Credential::Sig0 => Ok(()),
    }
}

/// The policy as it is kept: types once and in order. What can never match anything is a mistake.
fn policy(new: &NewKey) -> Result<KeyPolicy, Refused> {
    let KeyPolicy { names, types, actions } = &new.policy;
    if names.len() > PATTERNS_MAX || types.len() > TYPES_MAX {
        return Err(Refused::Limit("names and types of one key: 100 each"));
    }
    let in_zones = |name: &Name| new.zones.iter().any(|zone| name.is_subdomain_of(zone));
    if names.iter().any(|pattern| !in_zones(pattern.name().unwrap_or(&new.name))) {
        return Err(Refused::Invalid("a name that the key may change lies in none of its zones"));
    }
    if types.iter().any(|rtype| rtype.is_meta()) {
        return Err(Refused::Invalid("a type that no zone can hold"));
    }
    if new.update && !actions.add && !actions.delete {
        return Err(Refused::Invalid("a key that may update may add or delete"));
    }
    let mut types: Vec<Rtype> = types.clone();
    types.sort();
    types.dedup();
    Ok(KeyPolicy { names: names.clone(), types, actions: *actions })
}

/// Most octets of a secret.
const SECRET_MAX: usize = 512;
/// Most zones of one key.
const KEY_ZONES_MAX: usize = 1000;
/// Most name patterns of one key: all may be looked at for each edit, of which there are thousands.
const PATTERNS_MAX: usize = 100;
/// Most types of one key.
const TYPES_MAX: usize = 100;
