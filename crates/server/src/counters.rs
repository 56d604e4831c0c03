//! What was asked and answered, counted without contention.

use std::sync::atomic::{AtomicU64, Ordering};

use wire::{Rcode, Rtype};

use crate::respond::Transport;

/// Counters of one worker. Only that worker adds; anybody may read.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Counters {
    udp: [AtomicU64; RCODES],
    tcp: [AtomicU64; RCODES],
    types: [AtomicU64; TYPES.len()],
    silence: AtomicU64,
    pub(crate) failed_sends: AtomicU64,
    pub(crate) connections: AtomicU64,
    pub(crate) refused_connections: AtomicU64,
}

impl Counters {
    /// Nothing counted yet.
    pub fn new() -> Counters {
        Counters::default()
    }

    pub(crate) fn answered(&self, transport: Transport, rcode: Rcode) {
        let counters = match transport {
            Transport::Udp => &self.udp,
            Transport::Tcp => &self.tcp,
        };
        let slot = usize::from(rcode.0).min(RCODES - 1);
        if let Some(counter) = counters.get(slot) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn asked(&self, qtype: Rtype) {
        let slot = match qtype {
            Rtype::A => 0,
            Rtype::AAAA => 1,
            Rtype::SOA => 2,
            Rtype::NS => 3,
            _ => 4,
        };
        if let Some(counter) = self.types.get(slot) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn silence(&self) {
        self.silence.fetch_add(1, Ordering::Relaxed);
    }

    /// How many answers left over UDP.
    #[cfg(test)]
    pub(crate) fn udp_answers(&self) -> u64 {
        self.udp.iter().map(|counter| counter.load(Ordering::Relaxed)).sum()
    }

    /// Publishes the sums of all workers as metrics.
    pub(crate) fn publish<'c>(all: impl Iterator<Item = &'c Counters> + Clone) {
        let sum = |pick: &dyn Fn(&Counters) -> &AtomicU64| {
            all.clone().map(|counters| pick(counters).load(Ordering::Relaxed)).sum::<u64>()
        };
        for (name, of) in [("udp", true), ("tcp", false)] {
            for rcode in 0..RCODES {
                let count = sum(&|counters| {
                    let of = if of { &counters.udp } else { &counters.tcp };
                    of.get(rcode).unwrap_or(&counters.silence)
                });
                if count > 0 {
                    let rcode = Rcode(u16::try_from(rcode).unwrap_or(u16::MAX)).to_string();
                    metrics::counter!("byname_dns_answers_total",
                        "transport" => name, "rcode" => rcode)
                    .absolute(count);
                }
            }
        }
        for (slot, name) in TYPES.into_iter().enumerate() {
            let count = sum(&|counters| counters.types.get(slot).unwrap_or(&counters.silence));
            metrics::counter!("byname_dns_queries_total", "type" => name).absolute(count);
        }
        let silenced = sum(&|counters| &counters.silence);
        metrics::counter!("byname_dns_silenced_total").absolute(silenced);
        let failed = sum(&|counters| &counters.failed_sends);
        metrics::counter!("byname_dns_failed_sends_total").absolute(failed);
        let accepted = sum(&|counters| &counters.connections);
        metrics::counter!("byname_dns_connections_total").absolute(accepted);
        let refused = sum(&|counters| &counters.refused_connections);
        metrics::counter!("byname_dns_refused_connections_total").absolute(refused);
    }
}

const TYPES: [&str; 5] = ["A", "AAAA", "SOA", "NS", "other"];
/// Codes counted one by one: all that we send (BADVERS is 16).
const RCODES: usize = 17;
