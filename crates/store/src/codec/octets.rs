//! Integers, names and counted octets: what every version is made of.

use account::Timestamp;
use wire::Name;

use super::CodecError;

/// Octets still to be read. Every call takes from the front or fails; nothing is allocated by a
/// length that the octets merely claim.
#[derive(Clone)]
pub(crate) struct Octets<'a>(&'a [u8]);

impl<'a> Octets<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Octets<'a> {
        Octets(octets)
    }

    /// All that is left.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.0
    }

    /// What is left, while nothing is taken.
    pub(crate) fn as_slice(&self) -> &'a [u8] {
        self.0
    }

    /// Number of octets left.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// An error unless everything has been read.
    pub(crate) fn end(&self) -> Result<(), CodecError> {
        if self.0.is_empty() { Ok(()) } else { Err(CodecError::Malformed("octets left over")) }
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], CodecError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(CodecError::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(CodecError::Short)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn octet(&mut self) -> Result<u8, CodecError> {
        self.array::<1>().map(|[octet]| octet)
    }

    pub(crate) fn flag(&mut self) -> Result<bool, CodecError> {
        match self.octet()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(CodecError::Malformed("flag")),
        }
    }

    /// LEB128, at most ten octets, the shortest form only.
    pub(crate) fn varint(&mut self) -> Result<u64, CodecError> {
        // Nearly all are small.
        if let Some((&octet, rest)) = self.0.split_first()
            && octet < 0x80
        {
            self.0 = rest;
            return Ok(u64::from(octet));
        }
        self.long_varint()
    }

    fn long_varint(&mut self) -> Result<u64, CodecError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let octet = self.octet()?;
            let bits = u64::from(octet & 0x7f);
            if (shift == 63 && bits > 1) || (octet == 0 && shift > 0) {
                return Err(CodecError::Malformed("integer"));
            }
            value |= bits << shift;
            if octet & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(CodecError::Malformed("integer"))
    }

    pub(crate) fn signed(&mut self) -> Result<i64, CodecError> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, CodecError> {
        u32::try_from(self.varint()?).map_err(|_| CodecError::Malformed("integer"))
    }

    /// A count of things of which each takes at least one octet.
    pub(crate) fn count(&mut self) -> Result<usize, CodecError> {
        let count = self.varint()?;
        match usize::try_from(count) {
            Ok(count) if count <= self.len() => Ok(count),
            _ => Err(CodecError::Short),
        }
    }

    /// Octets after their count.
    pub(crate) fn counted(&mut self) -> Result<&'a [u8], CodecError> {
        let count = self.count()?;
        self.take(count)
    }

    pub(crate) fn text(&mut self) -> Result<String, CodecError> {
        let text = std::str::from_utf8(self.counted()?);
        text.map(str::to_owned).map_err(|_| CodecError::Malformed("text"))
    }

    pub(crate) fn name(&mut self) -> Result<Name, CodecError> {
        let parsed = Name::split_from(self.0).map_err(|_| CodecError::Malformed("name"));
        let (name, octets) = parsed?;
        self.take(octets)?;
        Ok(name)
    }

    /// A name, as octets.
    pub(crate) fn name_octets(&mut self) -> Result<&'a [u8], CodecError> {
        let length = Name::length_of(self.0).ok_or(CodecError::Malformed("name"))?;
        self.take(length)
    }

    /// A name that was written by [`put_name_under`].
    pub(crate) fn name_under(&mut self, zone: &Name) -> Result<Name, CodecError> {
        match self.octet()? {
            OUTSIDE => self.name(),
            length => {
                let relative = self.take(usize::from(length))?;
                Name::join(relative, zone).map_err(|_| CodecError::Malformed("name"))
            }
        }
    }
}

pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_varint(out, (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned());
}

pub(crate) fn put_counted(out: &mut Vec<u8>, octets: &[u8]) {
    put_varint(out, octets.len() as u64);
    out.extend_from_slice(octets);
}

pub(crate) fn put_name(out: &mut Vec<u8>, name: &Name) {
    out.extend_from_slice(name.as_wire());
}

/// A name without the labels of its zone; whole when it lies outside or its case would be lost.
pub(crate) fn put_name_under(out: &mut Vec<u8>, name: &Name, zone: &Name) {
    let relative = name.strip_suffix(zone).filter(|_| name.as_wire().ends_with(zone.as_wire()));
    match relative {
        Some(relative) => {
            // A relative name has at most 254 octets.
            out.push(relative.len() as u8);
            out.extend_from_slice(relative);
        }
        None => {
            out.push(OUTSIDE);
            put_name(out, name);
        }
    }
}

pub(crate) fn put_moment(out: &mut Vec<u8>, moment: Option<Timestamp>) {
    put_option(out, moment.as_ref(), |out, moment| put_signed(out, moment.0));
}

pub(crate) fn moment(octets: &mut Octets<'_>) -> Result<Option<Timestamp>, CodecError> {
    option(octets, |octets| Ok(Timestamp(octets.signed()?)))
}

pub(crate) fn put_option<T>(
    out: &mut Vec<u8>,
    value: Option<&T>,
    put: impl FnOnce(&mut Vec<u8>, &T),
) {
    match value {
        None => out.push(0),
        Some(value) => {
            out.push(1);
            put(out, value);
        }
    }
}

pub(crate) fn option<'a, T>(
    octets: &mut Octets<'a>,
    read: impl FnOnce(&mut Octets<'a>) -> Result<T, CodecError>,
) -> Result<Option<T>, CodecError> {
    if octets.flag()? { read(octets).map(Some) } else { Ok(None) }
}

pub(crate) fn list<'a, T>(
    octets: &mut Octets<'a>,
    mut read: impl FnMut(&mut Octets<'a>) -> Result<T, CodecError>,
) -> Result<Vec<T>, CodecError> {
    let count = octets.count()?;
    // A hostile count costs at most this much memory before it is found out.
    let mut list = Vec::with_capacity(count.min(1024));
    for _ in 0..count {
        list.push(read(octets)?);
    }
    Ok(list)
}

/// Whether a length stands for a whole name.
pub(crate) fn is_outside(length: u8) -> bool {
    length == OUTSIDE
}

/// Length that stands for a whole name.
const OUTSIDE: u8 = 0xff;
