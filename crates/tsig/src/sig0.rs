//! SIG(0): requests signed with a private key, checked by the public one (RFC 2931).

use ring::digest;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};
use wire::{Name, Rdata, Rtype, Tail};

use crate::key::Mac;
use crate::record::Malformed;

/// A message that carries SIG(0); nothing of it is checked yet.
#[derive(Clone, Debug)]
pub struct Sig0<'a> {
    message: &'a [u8],
    /// The data without signature.
    fields: &'a [u8],
    algorithm: u8,
    expires_s: u32,
    begins_s: u32,
    key_tag: u16,
    signer: Name,
    signature: &'a [u8],
}

/// Why a signature is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Sig0Fault {
    /// The signer has no KEY record that fits: algorithm, tag, and use for authentication.
    #[error("the signer has no KEY record of this algorithm and tag")]
    NoKey,
    /// The signature is not that of this message and key.
    #[error("the signature does not fit the message")]
    BadSig,
    /// It is not valid now, or valid for so long that it could be replayed.
    #[error("the signature is not valid now, or for too long")]
    BadTime,
}

impl<'a> Sig0<'a> {
    /// Looks for SIG(0) at the end of a message; `None` when it ends otherwise.
    pub fn find(message: &'a [u8]) -> Result<Option<Sig0<'a>>, Malformed> {
        match Tail::find(message)? {
            Some(tail) if tail.rtype == Rtype::SIG => Sig0::read(tail),
            Some(_) | None => Ok(None),
        }
    }

    /// Reads the record at the end of a message; `None` when it is a SIG that covers a type.
    pub fn read(tail: Tail<'a>) -> Result<Option<Sig0<'a>>, Malformed> {
        let data = tail.data;
        let (fixed, rest) = data.split_first_chunk::<FIXED>().ok_or(Malformed)?;
        let &[c0, c1, algorithm, _, _, _, _, _, e0, e1, e2, e3, b0, b1, b2, b3, k0, k1] = fixed;
        if u16::from_be_bytes([c0, c1]) != 0 {
            return Ok(None);
        }
        // RFC 2931 §3: owner, class and TTL are meaningless; they are not signed.
        if tail.rtype != Rtype::SIG {
            return Err(Malformed);
        }
        let (signer, len) = Name::split_from(rest).map_err(|_| Malformed)?;
        let (fields, signature) = data.split_at_checked(FIXED + len).ok_or(Malformed)?;
        Ok(Some(Sig0 {
            message: tail.before,
            fields,
            algorithm,
            expires_s: u32::from_be_bytes([e0, e1, e2, e3]),
            begins_s: u32::from_be_bytes([b0, b1, b2, b3]),
            key_tag: u16::from_be_bytes([k0, k1]),
            signer,
            signature,
        }))
    }

    /// The name whose KEY records it is to be checked with.
    pub fn signer(&self) -> &Name {
        &self.signer
    }

    /// What tells a repetition from a new request, together with the signer: a hash of what was
    /// signed. The signature itself would not do, as anybody can make another good one of an ECDSA
    /// signature (s and n − s are alike).
    pub fn identity(&self) -> Mac {
        Mac::of(digest::digest(&digest::SHA256, &self.signed()).as_ref())
    }

    /// Checks the time and the signature with the KEY records of the signer (RFC 2931 §3.1).
    /// `now_s`: seconds since 1970-01-01 00:00 UTC.
    pub fn verify<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k Rdata>,
        now_s: u64,
    ) -> Result<(), Sig0Fault> {
        let mut fitting = keys.into_iter().filter_map(|key| self.fitting(key)).peekable();
        fitting.peek().ok_or(Sig0Fault::NoKey)?;
        self.check_time(now_s)?;
        let signed = self.signed();
        let mut fitting = fitting.take(KEYS_MAX);
        if fitting.any(|key| verify(self.algorithm, key, &signed, self.signature)) {
            Ok(())
        } else {
            Err(Sig0Fault::BadSig)
        }
    }

    /// The public key of a KEY record that may have made this signature.
    fn fitting<'k>(&self, key: &'k Rdata) -> Option<&'k [u8]> {
        let (&[f0, f1, protocol, algorithm], public) = key.as_wire().split_first_chunk::<4>()?;
        let flags = u16::from_be_bytes([f0, f1]);
        // RFC 2535 §3.1.2: not to be used for authentication. RFC 3445 §4 would have that ignored, but
        // who says so of a key means it. RFC 2931 §2.3: protocol DNSSEC, or any.
        let usable = flags & NO_AUTHENTICATION == 0 && matches!(protocol, 3 | 255);
        let fits = usable && algorithm == self.algorithm && tag(key.as_wire()) == self.key_tag;
        fits.then_some(public)
    }

    /// RFC 2931 §3.1: times are serial numbers (RFC 1982), as they wrap in 2106.
    fn check_time(&self, now_s: u64) -> Result<(), Sig0Fault> {
        let now = now_s as u32;
        let since = now.wrapping_sub(self.begins_s) as i32;
        let left = self.expires_s.wrapping_sub(now) as i32;
        let span = self.expires_s.wrapping_sub(self.begins_s);
        if since < -SKEW_S || left < 0 || span > SPAN_S_MAX {
            Err(Sig0Fault::BadTime)
        } else {
            Ok(())
        }
    }

    /// What was signed: the fields, and the message as it was before (RFC 2931 §3.1).
    fn signed(&self) -> Vec<u8> {
        let mut signed = [self.fields, self.message].concat();
        let count = signed.get_mut(self.fields.len() + ARCOUNT..);
        if let Some(count) = count.and_then(<[u8]>::first_chunk_mut) {
            *count = u16::from_be_bytes(*count).saturating_sub(1).to_be_bytes();
        }
        signed
    }
}

/// The tag of a key (RFC 4034 appendix B).
fn tag(data: &[u8]) -> u16 {
    let high = |at: usize| if at.is_multiple_of(2) { 8 } else { 0 };
    let sum: u32 = data.iter().enumerate().map(|(at, &octet)| u32::from(octet) << high(at)).sum();
    (sum.wrapping_add(sum >> 16) & 0xffff) as u16
}

/// Whether a signature is that of some octets. SHA-1 is not accepted: collisions are cheap, and what
/// is signed comes from outside (RFC 9905 §3). BIND still makes such keys for who asks for one; their
/// owner is told that the signature does not fit. RSA keys have 2048 bits or more.
fn verify(algorithm: u8, key: &[u8], signed: &[u8], signature: &[u8]) -> bool {
    let plain = |with: &'static dyn VerificationAlgorithm, key: &[u8]| {
        UnparsedPublicKey::new(with, key).verify(signed, signature).is_ok()
    };
    // RFC 6605 §4: both coordinates, without the octet that says so.
    let point = |key: &[u8]| [&[4], key].concat();
    match algorithm {
        8 => rsa(key).is_some_and(|key| {
            key.verify(&signature::RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok()
        }),
        10 => rsa(key).is_some_and(|key| {
            key.verify(&signature::RSA_PKCS1_2048_8192_SHA512, signed, signature).is_ok()
        }),
        13 => plain(&signature::ECDSA_P256_SHA256_FIXED, &point(key)),
        14 => plain(&signature::ECDSA_P384_SHA384_FIXED, &point(key)),
        15 => plain(&signature::ED25519, key),
        _ => false,
    }
}

/// Exponent and modulus of an RSA key (RFC 3110 §2).
fn rsa(key: &[u8]) -> Option<RsaPublicKeyComponents<&[u8]>> {
    let (&first, rest) = key.split_first()?;
    let (len, rest) = match first {
        0 => {
            let (len, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*len)), rest)
        }
        len => (usize::from(len), rest),
    };
    let (e, n) = rest.split_at_checked(len)?;
    Some(RsaPublicKeyComponents { n, e })
}

/// Octets of the data of SIG before the signer's name (RFC 2535 §4.1).
const FIXED: usize = 18;
/// Where the number of additional records stands in a message.
const ARCOUNT: usize = 10;
/// RFC 2535 §3.1.2: the key must not be used to authenticate.
const NO_AUTHENTICATION: u16 = 0x8000;
/// How far, in seconds, the clock of a client may be ahead of ours: clients let validity begin when they
/// sign.
const SKEW_S: i32 = 300;
/// Signatures that are valid for longer could be replayed for too long; clients use ten minutes.
const SPAN_S_MAX: u32 = 3600;
/// Keys with the same tag that are tried: each costs a signature check.
const KEYS_MAX: usize = 4;

#[cfg(test)]
mod tests;
