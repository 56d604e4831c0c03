//! Edits of the TXT values of one host: sets with a limit.

use dialect::{TxtAction, TxtEdit};
use wire::{Name, Rdata, Rrset, Rtype};
use zone::{Edit, View};

/// The owner that an edit is of.
pub(super) fn owner(host: &Name, edit: &TxtEdit) -> Option<Name> {
    let labels = edit.below.split('.').filter(|label| !label.is_empty()).rev();
    labels.into_iter().try_fold(host.clone(), |name, label| name.child(label.as_bytes()).ok())
}

/// What an edit comes to with what stands there. Whoever adds or removes a value at the same time
/// keeps theirs: only what this edit names is touched. `None` for a value that no record holds.
pub(super) fn edits(
    zone: &impl View,
    owner: &Name,
    ttl_s: u32,
    action: &TxtAction,
) -> Option<Vec<Edit>> {
    let (owner, rtype) = (owner.clone(), Rtype::TXT);
    Some(match action {
        TxtAction::Clear => vec![Edit::DeleteRrset { owner, rtype }],
        TxtAction::Remove(value) => {
            vec![Edit::DeleteRecord { owner, rtype, rdata: rdata(value)? }]
        }
        TxtAction::Replace(value) => {
            let rrset = Rrset { ttl_s, rdata: vec![rdata(value)?] };
            vec![Edit::Replace { owner, rtype, rrset }]
        }
        TxtAction::Add { value, keep } => {
            let added = rdata(value)?;
            let mut standing = zone.rrset(&owner, rtype).map_or(Vec::new(), |rrset| rrset.rdata);
            standing.retain(|rdata| *rdata != added);
            let surplus = (standing.len() + 1).saturating_sub((*keep).max(1));
            let oldest = standing.into_iter().take(surplus);
            let mut edits: Vec<Edit> = oldest
                .map(|rdata| Edit::DeleteRecord { owner: owner.clone(), rtype, rdata })
                .collect();
            edits.push(Edit::Add { owner, rtype, ttl_s, rdata: added });
            edits
        }
    })
}

/// A value as one record, in as few strings as it takes.
fn rdata(value: &str) -> Option<Rdata> {
    let strings: Vec<&[u8]> = value.as_bytes().chunks(STRING_OCTETS_MAX).collect();
    Rdata::txt(&strings).ok()
}

/// Octets of one string of a TXT record (RFC 1035 §3.3).
const STRING_OCTETS_MAX: usize = 255;

#[cfg(test)]
mod tests;
