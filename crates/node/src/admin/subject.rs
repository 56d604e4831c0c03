//! What a refused order was about, by name: who gave several sees which one it was.

use account::Directory;
use engine::{Operation, Refused};

use super::execute::{text, zone_text};

/// The name of what is missing or exists already; `None` when the refusal says it all.
pub(super) fn of(directory: &Directory, operation: &Operation, why: &Refused) -> Option<String> {
    let (Refused::Missing(what) | Refused::Exists(what)) = why else { return None };
    match (*what, operation) {
        ("zone", Operation::AddZone(new)) => Some(zone_text(&new.apex)),
        ("zone", Operation::RemoveZone(apex) | Operation::SetZone { apex, .. }) => {
            Some(zone_text(apex))
        }
        ("zone", Operation::AddKey(new)) => {
            new.zones.iter().find(|apex| directory.zone(apex).is_none()).map(zone_text)
        }
        (
            "host" | "zone for this name" | "a record at this name",
            Operation::AddHost { name, .. },
        ) => Some(text(name)),
        (
            "host",
            Operation::SetHost { name, .. }
            | Operation::RotateHost { name, .. }
            | Operation::RemoveHost(name),
        ) => Some(text(name)),
        ("name that was given up", Operation::FreeName(name)) => Some(text(name)),
        ("host", Operation::AddToken { hosts, .. }) => {
            hosts.iter().find(|host| directory.host(host).is_none()).map(text)
        }
        ("token", Operation::RevokeToken(id) | Operation::RotateToken { id, .. }) => {
            Some(id.0.to_string())
        }
        ("account", Operation::AddAccount(name)) => Some(name.clone()),
        ("key", Operation::AddKey(new)) => Some(text(&new.name)),
        ("key", Operation::RemoveKey(name)) => Some(text(name)),
        _ => None,
    }
}
