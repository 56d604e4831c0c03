//! Whether a change asks for what is visible already: told without the writer.

use std::collections::HashMap;

use account::{Actor, Timestamp};
use wire::Name;
use zone::{Edit, View, Zone};

use crate::engine::BatchNo;
use crate::judge::Judge;
use crate::live::Live;
use crate::overlay::Overlay;
use crate::request::Operation;

impl Live {
    /// Whether the engine would answer this change with [`crate::Outcome::Unchanged`] if it were
    /// judged by what is visible now. What is visible is durable, so nothing has to be waited for:
    /// the answer is that of a request that came before all that is under way.
    ///
    /// False says nothing: it is then for the engine to judge. So it is whenever a host in it counts
    /// the time since it was last heard of, as that is decided in one line with everything else.
    pub fn stands(&self, actor: &Actor, operation: &Operation, now: Timestamp) -> bool {
        let Operation::Change { change, lease: None } = operation else { return false };
        let Some(zone) = self.zones().get(&change.zone) else { return false };
        let is_plain = change.prerequisites.is_empty() && change.flaw.is_none();
        // Most changes end here, and are judged once.
        if !is_plain
            || !change.edits.iter().all(|edit| is_so(&zone, edit) && !self.expires(edit.owner()))
        {
            return false;
        }
        let judge = Judge {
            live: self,
            overlay: &mut Overlay::default(),
            exposed_changes: &HashMap::new(),
            batch: BatchNo::default(),
            at: now,
        };
        judge.leaves_all(actor, change) == Ok(true)
    }

    fn expires(&self, name: &Name) -> bool {
        let directory = self.directory();
        directory.host(name).is_some_and(|host| host.expiry.is_some() || host.parked.is_some())
    }
}

/// Whether an edit would plainly leave everything as it is.
fn is_so(zone: &Zone, edit: &Edit) -> bool {
    match edit {
        Edit::Replace { owner, rtype, rrset } => {
            zone.rrset(owner, *rtype).as_ref().is_some_and(|visible| {
                visible.ttl_s == rrset.ttl_s
                    && visible.rdata.iter().all(|rdata| rrset.rdata.contains(rdata))
                    && rrset.rdata.iter().all(|rdata| visible.rdata.contains(rdata))
            })
        }
        Edit::DeleteRrset { owner, rtype } => zone.rrset(owner, *rtype).is_none(),
        Edit::Add { .. } | Edit::DeleteName { .. } | Edit::DeleteRecord { .. } => false,
    }
}
