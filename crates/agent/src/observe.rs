//! What was found out about the own address: the first step of the flow.

use std::net::IpAddr;

use crate::address::{Addresses, Family, PerFamily};

/// What is known about the addresses of one family.
///
/// `Unknown` and `None` are not the same: nobody may conclude from a question without an answer
/// that there is no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// These, all of them.
    Known(Addresses),
    /// Surely none of this family.
    None,
    /// Could not be found out. Never changes anything.
    Unknown(Cause),
}

/// What is known about both families.
pub type Observation = PerFamily<Observed>;

/// Why nothing is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// The configuration names no source for this family.
    #[error("no source is configured")]
    NoSource,
    /// Nobody answers there.
    #[error("could not be reached: {0}")]
    Unreachable(String),
    /// It answered too late, by halves, or not in HTTP.
    #[error("no complete answer: {0}")]
    NoAnswer(String),
    /// An answer that sends somewhere else, as a captive portal does.
    #[error("answered with a redirect to `{0}`: a captive portal?")]
    Redirected(String),
    /// An answer that is not a success.
    #[error("answered with HTTP status {0}")]
    Status(u16),
    /// A page for people.
    #[error("answered with a web page: a captive portal?")]
    WebPage,
    /// Some other text.
    #[error("the answer is not an address")]
    NotAnAddress,
    /// An address, but of the family that was not asked for.
    #[error("`{0}` is of the other family")]
    OtherFamily(IpAddr),
    /// An address that cannot be what the world sees.
    #[error("`{0}` is not a public address ({1})")]
    NotPublic(IpAddr, &'static str),
    /// The configured interface is not there.
    #[error("there is no interface `{0}`")]
    NoInterface(String),
    /// Nothing says by which interface the Internet is reached.
    #[error("there is no default route")]
    NoDefaultRoute,
    /// All addresses of the interface are private.
    #[error("only private addresses: behind NAT?")]
    OnlyPrivate,
    /// Addresses are still being checked for duplicates (RFC 4862 §5.4).
    #[error("the address is still tentative")]
    Tentative,
    /// All public addresses are temporary, deprecated or duplicates.
    #[error("no address is both stable and preferred")]
    NoneFit,
    /// The kernel did not say.
    #[error("the kernel could not be asked: {0}")]
    Kernel(String),
}

/// What several sources together say, in order of preference: the first that knows decides.
///
/// `None` takes every source saying so: one that has no answer might have had an address.
pub fn verdict<'a>(said: impl IntoIterator<Item = &'a Observed>) -> Observed {
    let mut unknown = None;
    let mut asked = false;
    for observed in said {
        asked = true;
        match observed {
            Observed::Known(_) => return observed.clone(),
            Observed::None => {}
            Observed::Unknown(_) => unknown = unknown.or(Some(observed)),
        }
    }
    match (unknown, asked) {
        (Some(unknown), _) => unknown.clone(),
        (None, true) => Observed::None,
        (None, false) => Observed::Unknown(Cause::NoSource),
    }
}

/// Whether two or more sources know different addresses of a family.
pub fn disagree(said: &[(Family, Observed)], family: Family) -> bool {
    let mut known = said.iter().filter_map(|(of, observed)| match observed {
        Observed::Known(addresses) if *of == family => Some(addresses),
        Observed::Known(_) | Observed::None | Observed::Unknown(_) => None,
    });
    let first = known.next();
    known.any(|other| Some(other) != first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(text: &str) -> Observed {
        Observed::Known(Addresses::one(text.parse().unwrap()))
    }

    #[test]
    fn the_first_source_that_knows_decides() {
        let unknown = Observed::Unknown(Cause::NotAnAddress);
        for (said, expected) in [
            (vec![known("9.0.0.1"), known("9.0.0.2")], known("9.0.0.1")),
            (vec![unknown.clone(), known("9.0.0.2")], known("9.0.0.2")),
            (vec![Observed::None, known("9.0.0.2")], known("9.0.0.2")),
            (vec![Observed::None, Observed::None], Observed::None),
            (vec![], Observed::Unknown(Cause::NoSource)),
        ] {
            assert_eq!(verdict(&said), expected, "{said:?}");
        }
    }

    #[test]
    fn one_source_without_an_answer_keeps_none_from_being_concluded() {
        let unknown = Observed::Unknown(Cause::NotAnAddress);
        assert_eq!(verdict(&[Observed::None, unknown.clone()]), unknown);
        assert_eq!(verdict(&[unknown.clone(), Observed::None]), unknown);
    }

    #[test]
    fn only_known_addresses_of_the_same_family_can_disagree() {
        let said = [
            (Family::V4, known("9.0.0.1")),
            (Family::V4, Observed::None),
            (Family::V6, known("2a00::1")),
            (Family::V6, known("2a00::2")),
        ];
        assert!(!disagree(&said, Family::V4));
        assert!(disagree(&said, Family::V6));
    }
}
