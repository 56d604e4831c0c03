//! The response to an update.

use wire::{Ede, Envelope, Rcode, UpdateLease, Writer};
use zone::Refusal;

use crate::parse::NOT_AUTHORITATIVE;

/// What the response to an update repeats of it.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Id and whether EDNS is spoken.
    pub envelope: Envelope,
    /// The zone section as it came; empty: it could not be read.
    pub zone: &'a [u8],
    /// What the sender takes over UDP, in octets.
    pub udp_octets: u16,
}

/// What came of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The response code.
    pub rcode: Rcode,
    /// Why, for people.
    pub why: Option<Ede>,
    /// How long the records live that were added.
    pub lease: Option<UpdateLease>,
}

impl Verdict {
    /// A response code with a reason.
    pub fn refused(rcode: Rcode, code: u16, text: &'static str) -> Verdict {
        Verdict { rcode, why: Some(Ede { code, text }), lease: None }
    }
}

/// Composes a response behind what the buffer holds: its length. `zone` is the zone section as it came. `limit` is how long it may be;
/// `udp_size` is what OPT announces, where the request has OPT (RFC 2136 §3.8, RFC 6891 §6.1.1).
pub fn answer(
    buffer: &mut Vec<u8>,
    about: &Envelope,
    zone: &[u8],
    verdict: &Verdict,
    (limit, udp_size): (usize, u16),
) -> usize {
    let Verdict { rcode, why, lease } = *verdict;
    let mut writer = Writer::header_only(buffer, about, rcode, udp_size);
    writer.set_limit(limit);
    if let Some(lease) = lease {
        writer.set_lease(lease);
    }
    if let Some(why) = why {
        writer.set_ede(why);
    }
    writer.repeat_question(zone);
    writer.finish()
}

/// The response code of each refusal (RFC 2136 §2.2), and why for people.
pub fn refusal(refusal: Refusal) -> Verdict {
    let (rcode, code, text) = match refusal {
        Refusal::NameExists => (Rcode::YXDOMAIN, 0, "prerequisite: the name is in use"),
        Refusal::RrsetExists => (Rcode::YXRRSET, 0, "prerequisite: the RRset exists"),
        Refusal::RrsetMissing => {
            (Rcode::NXRRSET, 0, "prerequisite: the RRset does not exist as stated")
        }
        Refusal::NameMissing => (Rcode::NXDOMAIN, 0, "prerequisite: the name is not in use"),
        Refusal::OutsideZone => (Rcode::NOTZONE, 0, "a name lies outside the zone"),
        Refusal::NoSuchZone => (Rcode::NOTAUTH, NOT_AUTHORITATIVE, "the zone is not served here"),
        Refusal::Malformed(text) => (Rcode::FORMERR, 0, text),
    };
    Verdict::refused(rcode, code, text)
}
