//! What should be published, given what was observed: the second step of the flow.

use crate::address::{Addresses, Family, PerFamily};
use crate::observe::{Observation, Observed};

/// What should become of the records of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// Whatever is published stays.
    Keep,
    /// Exactly these addresses.
    Hold(Addresses),
    /// None.
    Remove,
}

/// What should become of the records of both families.
pub type Desired = PerFamily<Want>;

/// What to do when there surely is no address of a family any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenGone {
    /// The last address stays published: an outage is likelier than a farewell.
    #[default]
    Preserve,
    /// The records of the family are removed.
    Remove,
}

/// Derives what should be published.
pub fn desired(observation: &Observation, when_gone: WhenGone) -> Desired {
    PerFamily::each(|family: Family| match (observation.of(family), when_gone) {
        (Observed::Known(addresses), _) => Want::Hold(addresses.clone()),
        (Observed::None, WhenGone::Remove) => Want::Remove,
        (Observed::None, WhenGone::Preserve) | (Observed::Unknown(_), _) => Want::Keep,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Cause;

    #[test]
    fn only_knowledge_changes_anything_and_absence_only_when_told_so() {
        let addresses = Addresses::one("9.0.0.1".parse().unwrap());
        let unknown = Observed::Unknown(Cause::Status(500));
        for (observed, when_gone, expected) in [
            (Observed::Known(addresses.clone()), WhenGone::Preserve, Want::Hold(addresses.clone())),
            (Observed::Known(addresses.clone()), WhenGone::Remove, Want::Hold(addresses)),
            (Observed::None, WhenGone::Preserve, Want::Keep),
            (Observed::None, WhenGone::Remove, Want::Remove),
            (unknown.clone(), WhenGone::Preserve, Want::Keep),
            (unknown.clone(), WhenGone::Remove, Want::Keep),
        ] {
            let observation = Observation { ipv4: observed.clone(), ipv6: unknown.clone() };
            let wanted = desired(&observation, when_gone);
            assert_eq!(wanted, Desired { ipv4: expected, ipv6: Want::Keep }, "{observed:?}");
        }
    }
}
