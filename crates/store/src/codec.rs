//! The versioned encoding of events and items.
//!
//! Every event starts with the version that it was written in, and is read by the code of that
//! version for ever. A version is frozen: also a new kind of fact, entity or actor is a new version,
//! so that an older release says "newer" and not "malformed". A new version is a new module beside
//! [`v1`], [`v2`] and [`v3`], an arm where a body and an item are read, and golden files of its own;
//! what frames an event (version, length, position, hash, origin, body) is the same in all, and so are
//! RRsets and parts, which stand in tables as well. Names and rdata are read by `wire`: what it once
//! accepted it must accept for ever.
//!
//! Integers are varints, names are relative to their zone where there is one. The hash of an event
//! covers the octets as they were written, so an event of an old version verifies without being
//! written anew.

pub(crate) mod octets;
mod stream;
mod v1;
mod v2;
mod v3;

use ring::digest::{Context, SHA256};

use crate::event::{Event, EventBody, Hash, Origin, Pos};
use crate::item::Item;
use octets::Octets;
use wire::{Rrset, Rtype};

pub use stream::{StateReader, StateWriter};

/// Why octets are not an event or an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// They end before the value does.
    #[error("the data ends early")]
    Short,
    /// They were written by a newer release.
    #[error("the data is of version {0}, which this release does not know")]
    Version(u8),
    /// They make no sense.
    #[error("the data is malformed: {0}")]
    Malformed(&'static str),
    /// The hash of the event is not that of its content and of the event before.
    #[error("the hash of event {} does not fit its content and the event before", .0.0)]
    Hash(Pos),
}

/// Appends the encoding of an event that this release has sealed. An event that was read may be of
/// an older version, whose octets the hash covers: it is copied or cut ([`without_origins`]) as
/// octets, never written anew.
pub fn encode_event(event: &Event, out: &mut Vec<u8>) {
    frame(out, VERSION, |out| {
        put_head(out, (event.pos, event.hash), event.origin.as_ref());
        v3::put_body(out, &event.body);
    });
}

fn put_event(
    out: &mut Vec<u8>,
    (version, pos, hash): (u8, Pos, Hash),
    origin: Option<&Origin>,
    body: &[u8],
) {
    frame(out, version, |out| {
        put_head(out, (pos, hash), origin);
        out.extend_from_slice(body);
    });
}

/// A version, and what `put` appends behind its length.
fn frame(out: &mut Vec<u8>, version: u8, put: impl FnOnce(&mut Vec<u8>)) {
    out.push(version);
    let at = out.len();
    // Nearly all lengths take two octets; for others what was put is moved.
    out.extend_from_slice(&[0; 2]);
    put(out);
    let length = out.len() - at - 2;
    let mut varint = Vec::new();
    match out.get_mut(at..at + 2) {
        Some([low, high]) if (1 << 7..1 << 14).contains(&length) => {
            (*low, *high) = ((length & 0x7f) as u8 | 0x80, (length >> 7) as u8);
        }
        _ => {
            octets::put_varint(&mut varint, length as u64);
            out.splice(at..at + 2, varint);
        }
    }
}

fn put_head(out: &mut Vec<u8>, (pos, hash): (Pos, Hash), origin: Option<&Origin>) {
    octets::put_varint(out, pos.0);
    out.extend_from_slice(&hash.0);
    put_origin(out, origin);
}

/// Reads one event; the octets after it are the second half of the result.
pub fn decode_event(octets: &[u8]) -> Result<(Event, &[u8]), CodecError> {
    let (raw, rest) = Raw::split(octets)?;
    Ok((raw.decode()?, rest))
}

/// Reads one event and checks its hash against its own octets and the hash of the event before.
pub fn verify_event(octets: &[u8], previous: Hash) -> Result<(Event, &[u8]), CodecError> {
    let (raw, rest) = Raw::split(octets)?;
    if raw.hash != chain(previous, raw.version, raw.pos, raw.body) {
        return Err(CodecError::Hash(raw.pos));
    }
    let event = raw.decode()?;
    let kept = event.origin.as_ref().map(Origin::commitment);
    if kept.is_some() && kept != event.body.origin_commitment {
        return Err(CodecError::Hash(event.pos));
    }
    Ok((event, rest))
}

/// Where each event begins among others, and its position: what they say is not read.
pub fn frames(octets: &[u8]) -> Result<Vec<(Pos, usize)>, CodecError> {
    let mut found = Vec::new();
    let mut rest = octets;
    while !rest.is_empty() {
        let at = octets.len() - rest.len();
        let (raw, after) = Raw::split(rest)?;
        found.push((raw.pos, at));
        rest = after;
    }
    Ok(found)
}

/// The events without the origins that can be erased, or `None` when there are none. Everything
/// else stays octet by octet as it was written, whatever its version, so the chain holds.
pub fn without_origins(octets: &[u8]) -> Result<Option<Vec<u8>>, CodecError> {
    without_origins_of(octets, &|_| true)
}

/// The same for those positions only of which `forget` says so.
pub fn without_origins_of(
    mut octets: &[u8],
    forget: &dyn Fn(Pos) -> bool,
) -> Result<Option<Vec<u8>>, CodecError> {
    let mut out = Vec::with_capacity(octets.len());
    let mut erased = false;
    while !octets.is_empty() {
        let (raw, rest) = Raw::split(octets)?;
        let kept = raw.origin.as_ref().filter(|_| !forget(raw.pos));
        erased |= raw.origin.is_some() && kept.is_none();
        put_event(&mut out, (raw.version, raw.pos, raw.hash), kept, raw.body);
        octets = rest;
    }
    Ok(erased.then_some(out))
}

/// Appends the encoding of an item; its version is that of the stream that it stands in.
pub fn encode_item(item: &Item, out: &mut Vec<u8>) {
    v3::put_item(out, item);
}

/// Reads exactly one item of a version.
pub fn decode_item(version: u8, octets: &[u8]) -> Result<Item, CodecError> {
    match version {
        v1::VERSION => v1::item(octets),
        v2::VERSION => v2::item(octets),
        v3::VERSION => v3::item(octets),
        unknown => Err(CodecError::Version(unknown)),
    }
}

/// Appends the encoding of an RRset alone, for tables.
pub fn encode_rrset(rrset: &Rrset, out: &mut Vec<u8>) {
    v3::put_rrset(out, rrset);
}

/// Reads exactly one RRset of a type: it has one form in all versions.
pub fn decode_rrset(rtype: Rtype, octets: &[u8]) -> Result<Rrset, CodecError> {
    v1::rrset_alone(octets, rtype)
}

/// The version that events and items are written in.
pub const VERSION: u8 = v3::VERSION;

impl Event {
    /// An event after another one, whose hash is `previous` (all zero before the first).
    pub fn seal(previous: Hash, pos: Pos, body: EventBody, origin: Option<Origin>) -> Event {
        let mut octets = Vec::with_capacity(128);
        v3::put_body(&mut octets, &body);
        let hash = chain(previous, VERSION, pos, &octets);
        Event { pos, body, origin, hash }
    }
}

impl Origin {
    /// SHA-256 of the salt and the address: what stays when the origin is erased.
    pub fn commitment(&self) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        context.update(&self.salt);
        match self.address {
            std::net::IpAddr::V4(address) => context.update(&address.octets()),
            std::net::IpAddr::V6(address) => context.update(&address.octets()),
        }
        finish(context)
    }
}

/// An event whose body is not read yet.
struct Raw<'a> {
    version: u8,
    pos: Pos,
    hash: Hash,
    origin: Option<Origin>,
    body: &'a [u8],
}

impl<'a> Raw<'a> {
    fn split(octets: &'a [u8]) -> Result<(Raw<'a>, &'a [u8]), CodecError> {
        let mut outer = Octets::new(octets);
        let version = outer.octet()?;
        if !(v1::VERSION..=VERSION).contains(&version) {
            return Err(CodecError::Version(version));
        }
        let mut inner = Octets::new(outer.counted()?);
        let pos = Pos(inner.varint()?);
        let hash = Hash(inner.array()?);
        let origin = origin(&mut inner)?;
        Ok((Raw { version, pos, hash, origin, body: inner.rest() }, outer.rest()))
    }

    fn decode(self) -> Result<Event, CodecError> {
        let body = match self.version {
            v1::VERSION => v1::body(self.body)?,
            v2::VERSION => v2::body(self.body)?,
            v3::VERSION => v3::body(self.body)?,
            unknown => return Err(CodecError::Version(unknown)),
        };
        Ok(Event { pos: self.pos, body, origin: self.origin, hash: self.hash })
    }
}

fn chain(previous: Hash, version: u8, pos: Pos, body: &[u8]) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(&previous.0);
    context.update(&[version]);
    context.update(&pos.0.to_be_bytes());
    context.update(body);
    Hash(finish(context))
}

fn finish(context: Context) -> [u8; 32] {
    let mut hash = [0; 32];
    for (to, from) in hash.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    hash
}

fn put_origin(out: &mut Vec<u8>, origin: Option<&Origin>) {
    let Some(origin) = origin else { return out.push(0) };
    match origin.address {
        std::net::IpAddr::V4(address) => {
            out.push(4);
            out.extend_from_slice(&origin.salt);
            out.extend_from_slice(&address.octets());
        }
        std::net::IpAddr::V6(address) => {
            out.push(6);
            out.extend_from_slice(&origin.salt);
            out.extend_from_slice(&address.octets());
        }
    }
}

fn origin(octets: &mut Octets<'_>) -> Result<Option<Origin>, CodecError> {
    match octets.octet()? {
        0 => Ok(None),
        4 => {
            let (salt, address) = (octets.array()?, octets.array::<4>()?);
            Ok(Some(Origin { salt, address: address.into() }))
        }
        6 => {
            let (salt, address) = (octets.array()?, octets.array::<16>()?);
            Ok(Some(Origin { salt, address: address.into() }))
        }
        _ => Err(CodecError::Malformed("kind of an origin")),
    }
}

#[cfg(test)]
mod tests;
