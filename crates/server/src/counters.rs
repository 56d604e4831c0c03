//! What was asked and answered, counted without contention.

use std::sync::atomic::{AtomicU64, Ordering};

use wire::{Rcode, Rtype};

use crate::respond::Transport;

/// Counters of one worker or of one kind of connections; anybody may read.
#[derive(Debug)]
#[repr(align(128))]
pub struct Counters {
    counts: [AtomicU64; COUNTS],
    failed_sends: AtomicU64,
    dropped: AtomicU64,
    pub(crate) connections: AtomicU64,
    pub(crate) refused_connections: AtomicU64,
}

/// What was counted since it was last added to [`Counters`]: by one thread, without atomics.
#[derive(Debug)]
pub struct Tally([u32; COUNTS]);

impl Default for Tally {
    fn default() -> Tally {
        Tally([0; COUNTS])
    }
}

impl Tally {
    pub(crate) fn answered(&mut self, transport: Transport, rcode: Rcode) {
        let first = match transport {
            Transport::Udp => UDP,
            Transport::Tcp => TCP,
        };
        self.count(first + usize::from(rcode.0).min(RCODES - 1));
    }

    pub(crate) fn asked(&mut self, qtype: Rtype) {
        let slot = match qtype {
            Rtype::A => 0,
            Rtype::AAAA => 1,
            Rtype::SOA => 2,
            Rtype::NS => 3,
            _ => 4,
        };
        self.count(ASKED + slot);
    }

    pub(crate) fn silence(&mut self) {
        self.count(SILENCE);
    }

    fn count(&mut self, which: usize) {
        if let Some(count) = self.0.get_mut(which) {
            *count = count.saturating_add(1);
        }
    }
}

impl Default for Counters {
    fn default() -> Counters {
        Counters::new()
    }
}

impl Counters {
    /// Nothing counted yet.
    pub fn new() -> Counters {
        Counters {
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
            failed_sends: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            refused_connections: AtomicU64::new(0),
        }
    }

    /// Adds what was counted, which begins anew.
    pub fn add(&self, tally: &mut Tally) {
        for (counter, count) in self.counts.iter().zip(&mut tally.0) {
            if *count > 0 {
                counter.fetch_add(u64::from(std::mem::take(count)), Ordering::Relaxed);
            }
        }
    }

    pub(crate) fn failed_sends(&self, count: usize) {
        if count > 0 {
            self.failed_sends.fetch_add(count as u64, Ordering::Relaxed);
        }
    }

    /// How many datagrams the socket has dropped so far, modulo 2^32; only its worker tells.
    pub(crate) fn set_dropped(&self, now: u32) {
        let before = self.dropped.load(Ordering::Relaxed);
        // The low half is the kernel's count.
        let new = now.wrapping_sub(before as u32);
        if new > 0 {
            self.dropped.store(before + u64::from(new), Ordering::Relaxed);
        }
    }

    /// How many answers left over UDP.
    #[cfg(test)]
    pub(crate) fn udp_answers(&self) -> u64 {
        let udp = self.counts.get(UDP..UDP + RCODES).unwrap_or_default();
        udp.iter().map(|counter| counter.load(Ordering::Relaxed)).sum()
    }

    /// Publishes the sums of all workers as metrics.
    pub(crate) fn publish<'c>(all: impl Iterator<Item = &'c Counters> + Clone) {
        let sum = |pick: &dyn Fn(&Counters) -> Option<&AtomicU64>| {
            let counts = all.clone().filter_map(pick);
            counts.map(|counter| counter.load(Ordering::Relaxed)).sum::<u64>()
        };
        let counted = |which: usize| sum(&|counters| counters.counts.get(which));
        for (name, first) in [("udp", UDP), ("tcp", TCP)] {
            for rcode in 0..RCODES {
                let count = counted(first + rcode);
                if count > 0 {
                    let rcode = Rcode(u16::try_from(rcode).unwrap_or(u16::MAX)).to_string();
                    metrics::counter!("byname_dns_answers_total",
                        "transport" => name, "rcode" => rcode)
                    .absolute(count);
                }
            }
        }
        for (slot, name) in TYPES.into_iter().enumerate() {
            let count = counted(ASKED + slot);
            metrics::counter!("byname_dns_queries_total", "type" => name).absolute(count);
        }
        metrics::counter!("byname_dns_silenced_total").absolute(counted(SILENCE));
        let failed = sum(&|counters| Some(&counters.failed_sends));
        metrics::counter!("byname_dns_failed_sends_total").absolute(failed);
        let dropped = sum(&|counters| Some(&counters.dropped));
        metrics::counter!("byname_dns_udp_dropped_total").absolute(dropped);
        let accepted = sum(&|counters| Some(&counters.connections));
        metrics::counter!("byname_dns_connections_total").absolute(accepted);
        let refused = sum(&|counters| Some(&counters.refused_connections));
        metrics::counter!("byname_dns_refused_connections_total").absolute(refused);
    }
}

const TYPES: [&str; 5] = ["A", "AAAA", "SOA", "NS", "other"];
/// Codes counted one by one: all that we send (BADVERS is 16).
const RCODES: usize = 17;
/// Where each kind of count begins: answers over UDP and TCP by code, queries by type, silence.
const UDP: usize = 0;
const TCP: usize = UDP + RCODES;
const ASKED: usize = TCP + RCODES;
const SILENCE: usize = ASKED + TYPES.len();
const COUNTS: usize = SILENCE + 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_are_counted_beyond_the_32_bits_of_the_kernel() {
        let counters = Counters::new();
        for (told, total) in [(0, 0), (7, 7), (7, 7), (u32::MAX, 0xffff_ffff), (2, 0x1_0000_0002)] {
            counters.set_dropped(told);
            assert_eq!(counters.dropped.load(Ordering::Relaxed), total);
        }
    }
}
