//! The octets of a record's data, taken one field after the other.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::name::Name;

/// What is still to be shown of the data of one record. Each field is `None` when less is left.
pub(super) struct Octets<'a> {
    rest: &'a [u8],
}

impl<'a> Octets<'a> {
    pub(super) fn new(octets: &'a [u8]) -> Octets<'a> {
        Octets { rest: octets }
    }

    pub(super) fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[octet]| octet)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn ipv4(&mut self) -> Option<Ipv4Addr> {
        self.array::<4>().map(Ipv4Addr::from)
    }

    pub(super) fn ipv6(&mut self) -> Option<Ipv6Addr> {
        self.array::<16>().map(Ipv6Addr::from)
    }

    pub(super) fn name(&mut self) -> Option<Name> {
        let (name, len) = Name::split_from(self.rest).ok()?;
        self.take(len)?;
        Some(name)
    }

    /// A character string, in quotes.
    pub(super) fn char_string(&mut self) -> Option<String> {
        let len = self.u8()?;
        let mut text = String::new();
        super::fmt_quoted(self.take(len.into())?, "", &mut text).ok()?;
        Some(text)
    }

    /// All that is left.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }
}
