//! Who signed a message.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use account::Credential;
use engine::Live;
use tsig::sig0::{Sig0, Sig0Fault};
use tsig::{Fault, Rejected, Signed, Verified};
use wire::{Name, QName, Rtype, Tail};
use zone::View;

use super::replies::{Replies, Signature};
use crate::attempts::Attempts;

/// A message whose signature is good.
pub(super) struct Signer {
    /// What tells the message from all others.
    pub(super) signature: Signature,
    /// Who signs the answer; `None`: nobody, as we have no private key (SIG(0)).
    pub(super) reply: Option<Verified>,
}

impl Signer {
    /// The name of the key.
    pub(super) fn key(&self) -> &Name {
        &self.signature.0
    }
}

/// Why nobody is believed to have signed a message.
pub(super) enum Unsigned {
    /// It is no message, or its signature is malformed: FORMERR.
    Malformed,
    /// There is no signature.
    Nobody,
    /// TSIG is not accepted.
    Tsig(Box<Fault>),
    /// SIG(0) is not accepted.
    Sig0(Sig0Fault),
    /// TSIG is good, but so old that its answer may have been forgotten.
    Late(Box<Fault>),
    /// Too many signatures of this source did not fit: public keys are dear to check.
    Paused,
}

/// Checks the signature of a message.
pub(super) fn check(
    live: &Live,
    message: &[u8],
    (from, attempts): (Source, &mut Attempts),
    (now_s, replies): (u64, &Replies),
) -> Result<Signer, Unsigned> {
    let tail = Tail::find(message).map_err(|_| Unsigned::Malformed)?;
    let Some(tail) = tail else { return Err(Unsigned::Nobody) };
    match tail.rtype {
        Rtype::TSIG => {
            let signed = Signed::read(tail).map_err(|_| Unsigned::Malformed)?;
            match signed.verify(&live.keys().load(), now_s) {
                Ok(verified) => {
                    let signature = (Arc::clone(verified.key().shared_name()), *verified.mac());
                    if replies.is_forgotten(&signature, verified.time_s(), now_s) {
                        return Err(Unsigned::Late(Box::new(signed.too_late(&verified))));
                    }
                    Ok(Signer { signature, reply: Some(verified) })
                }
                Err(Rejected::Malformed) => Err(Unsigned::Malformed),
                Err(Rejected::Fault(fault)) => Err(Unsigned::Tsig(fault)),
            }
        }
        Rtype::SIG => {
            let sig = Sig0::read(tail).map_err(|_| Unsigned::Malformed)?;
            let sig = sig.ok_or(Unsigned::Nobody)?;
            check_public(live, &sig, (from, attempts), now_s)
        }
        _ => Err(Unsigned::Nobody),
    }
}

/// RFC 2931 §3.1: the keys are those of the signer's KEY RRset, here one that we serve ourselves.
fn check_public(
    live: &Live,
    sig: &Sig0<'_>,
    (from, attempts): (Source, &mut Attempts),
    now_s: u64,
) -> Result<Signer, Unsigned> {
    // Whoever can write any source address shall not shut others out by theirs.
    let from = from.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    if attempts.wait(from, Instant::now()).is_some() {
        return Err(Unsigned::Paused);
    }
    let key = sig.signer().to_lowercase();
    let known = live.directory().key(&key).is_some_and(|key| key.credential == Credential::Sig0);
    let serving = live.zones().serving();
    let zone = serving.find(&QName::of(&key), Rtype::KEY).filter(|_| known);
    let keys = zone.and_then(|zone| zone.rrset(&key, Rtype::KEY));
    let keys = keys.map(|rrset| rrset.rdata).unwrap_or_default();
    sig.verify(&keys, now_s).map_err(|why| {
        attempts.failed(from, Instant::now());
        Unsigned::Sig0(why)
    })?;
    Ok(Signer { signature: (Arc::new(key), sig.identity()), reply: None })
}

/// Where a message came from, when that is certain: over TCP.
pub(super) type Source = Option<IpAddr>;
