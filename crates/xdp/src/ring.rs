//! One ring of an AF_XDP socket: a queue between us and the kernel in shared memory.
//!
//! Each side writes one of the two counters and reads the other; they count entries since ever, so
//! that their difference is what lies in between, also when they wrap.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use rustix::net::xdp::XdpRingOffset;

use crate::kernel::Words;

/// A ring with its size, and where we stand in it.
#[derive(Debug)]
pub(crate) struct Ring {
    memory: Words,
    producer: usize,
    consumer: usize,
    flags: usize,
    entries: usize,
    /// A power of two.
    size: u32,
    /// Our counter: what we have put in or taken out, published or not.
    ours: u32,
    /// The kernel's counter, as we saw it last.
    theirs: u32,
}

/// One entry of a ring of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    /// Where it begins in the memory shared with the kernel.
    pub(crate) address: u64,
    /// Octets.
    pub(crate) length: u32,
}

impl Ring {
    /// A ring of packets.
    pub(crate) fn of_packets(
        socket: &OwnedFd,
        which: u64,
        offsets: &XdpRingOffset,
        size: u32,
    ) -> io::Result<Ring> {
        Ring::map(socket, which, offsets, (size, PACKET_OCTETS))
    }

    /// A ring of addresses.
    pub(crate) fn of_addresses(
        socket: &OwnedFd,
        which: u64,
        offsets: &XdpRingOffset,
        size: u32,
    ) -> io::Result<Ring> {
        Ring::map(socket, which, offsets, (size, ADDRESS_OCTETS))
    }

    fn map(
        socket: &OwnedFd,
        which: u64,
        offsets: &XdpRingOffset,
        (size, entry): (u32, usize),
    ) -> io::Result<Ring> {
        let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
        let entries = place(offsets.desc);
        let length = entries.saturating_add(size as usize * entry);
        let flags = offsets.flags.ok_or(io::ErrorKind::Unsupported)?;
        let ring = Ring {
            memory: Words::of_ring(socket, which, length)?,
            producer: place(offsets.producer),
            consumer: place(offsets.consumer),
            flags: place(flags),
            entries,
            size,
            ours: 0,
            theirs: 0,
        };
        let counters = [ring.producer, ring.consumer, ring.flags];
        let inside = counters.iter().all(|&counter| ring.memory.word(counter).is_some());
        if !inside || !size.is_power_of_two() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(ring)
    }

    /// How many entries can be taken out.
    pub(crate) fn waiting(&mut self) -> u32 {
        if self.theirs == self.ours {
            self.theirs = self.load(self.producer);
        }
        self.theirs.wrapping_sub(self.ours).min(self.size)
    }

    /// How many entries can be put in.
    pub(crate) fn room(&mut self) -> u32 {
        let used = |ring: &Ring| ring.ours.wrapping_sub(ring.theirs);
        if used(self) >= self.size {
            self.theirs = self.load(self.consumer);
        }
        self.size.saturating_sub(used(self))
    }

    /// Takes out an address, when one is waiting.
    pub(crate) fn take_address(&mut self) -> Option<u64> {
        if self.waiting() == 0 {
            return None;
        }
        let address = self.memory.double_word(self.entry(ADDRESS_OCTETS))?.load(Relaxed);
        self.ours = self.ours.wrapping_add(1);
        Some(address)
    }

    /// Takes out a packet, when one is waiting.
    pub(crate) fn take_packet(&mut self) -> Option<Packet> {
        if self.waiting() == 0 {
            return None;
        }
        let at = self.entry(PACKET_OCTETS);
        let address = self.memory.double_word(at)?.load(Relaxed);
        let length = self.memory.word(at + ADDRESS_OCTETS)?.load(Relaxed);
        self.ours = self.ours.wrapping_add(1);
        Some(Packet { address, length })
    }

    /// Puts in an address; whether there was room.
    pub(crate) fn put_address(&mut self, address: u64) -> bool {
        let at = self.entry(ADDRESS_OCTETS);
        if self.room() == 0 {
            return false;
        }
        let Some(to) = self.memory.double_word(at) else { return false };
        to.store(address, Relaxed);
        self.ours = self.ours.wrapping_add(1);
        true
    }

    /// Puts in a packet; whether there was room.
    pub(crate) fn put_packet(&mut self, packet: Packet) -> bool {
        let at = self.entry(PACKET_OCTETS);
        if self.room() == 0 {
            return false;
        }
        let Some(to) = self.memory.double_word(at) else { return false };
        to.store(packet.address, Relaxed);
        let Some(to) = self.memory.word(at + ADDRESS_OCTETS) else { return false };
        to.store(packet.length, Relaxed);
        let Some(options) = self.memory.word(at + ADDRESS_OCTETS + 4) else { return false };
        options.store(0, Relaxed);
        self.ours = self.ours.wrapping_add(1);
        true
    }

    /// Lets the kernel have what was put in.
    pub(crate) fn publish_put(&self) {
        self.store(self.producer);
    }

    /// Lets the kernel use again the entries that were taken out.
    pub(crate) fn publish_taken(&self) {
        self.store(self.consumer);
    }

    /// How much of what was put in the kernel has not yet taken.
    pub(crate) fn pending(&mut self) -> u32 {
        self.theirs = self.load(self.consumer);
        self.ours.wrapping_sub(self.theirs)
    }

    /// Whether the kernel has to be called to go on.
    pub(crate) fn needs_wakeup(&self) -> bool {
        self.load(self.flags) & NEED_WAKEUP != 0
    }

    fn entry(&self, octets: usize) -> usize {
        self.entries + (self.ours & (self.size - 1)) as usize * octets
    }

    // The counters lie inside: that was checked when the ring was made.

    fn load(&self, offset: usize) -> u32 {
        self.memory.word(offset).map_or(self.ours, |counter| counter.load(Acquire))
    }

    fn store(&self, offset: usize) {
        if let Some(counter) = self.memory.word(offset) {
            counter.store(self.ours, Release);
        }
    }
}

/// linux/if_xdp.h: `struct xdp_desc`.
const PACKET_OCTETS: usize = 16;
const ADDRESS_OCTETS: usize = 8;
/// `XDP_RING_NEED_WAKEUP`.
const NEED_WAKEUP: u32 = 1;
