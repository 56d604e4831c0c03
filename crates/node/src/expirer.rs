//! Records go when their leases have ended (RFC 9664), and hosts when nothing is heard of them.

use std::collections::BTreeMap;
use std::time::Duration;

use account::{Actor, Timestamp};
use engine::{Live, Operation, Request};
use store::RecordLease;
use wire::Name;

/// Finds leases that have ended and hosts that are gone, for the writer: it asks before each round.
#[derive(Debug)]
pub(crate) struct Expirer {
    started: Timestamp,
    next: Timestamp,
}

impl Expirer {
    /// Nothing ends at once: who could not refresh a lease while the service was down gets some time.
    pub(crate) fn new(started: Timestamp) -> Expirer {
        Expirer { started, next: started }
    }

    /// What takes the records away whose leases have ended: one request for each zone, and one for
    /// the hosts that are gone. The engine judges again whether they have, so that one that was granted
    /// anew meanwhile stays, and so does a host that was seen.
    pub(crate) fn due(&mut self, live: &Live, now: Timestamp) -> Vec<Request> {
        if now < self.next {
            return Vec::new();
        }
        let due = live.leases().due(now, ROUND_MAX);
        // As long as rounds are full and all of it goes, there is no pause.
        let mut pause = if due.len() < ROUND_MAX { PAUSE } else { Duration::ZERO };
        let mut zones: BTreeMap<Name, Vec<RecordLease>> = BTreeMap::new();
        for (zone, lease) in due {
            let grace = Duration::from_secs(lease.lease_s.into()).min(GRACE);
            if after(self.started, grace) <= now {
                zones.entry(zone).or_default().push(lease);
            } else {
                pause = PAUSE;
            }
        }
        let hosts = live.gone(now, self.started, HOSTS_MAX);
        let are_more = hosts.is_empty() && live.next_gone().is_some_and(|next| next <= now);
        if are_more || hosts.len() == HOSTS_MAX {
            pause = Duration::ZERO;
        }
        self.next = after(now, pause);
        let request = |(zone, leases): (Name, Vec<RecordLease>)| {
            tracing::info!(%zone, records = leases.len(), "leases have ended: the records go");
            metrics::counter!("byname_leases_ended_total").increment(leases.len() as u64);
            let operation = Operation::EndLeases { zone, leases };
            Request { actor: Actor::System, origin: None, operation }
        };
        let mut requests: Vec<Request> = zones.into_iter().map(request).collect();
        if !hosts.is_empty() {
            let operation = Operation::ExpireHosts { hosts, started: self.started };
            requests.push(Request { actor: Actor::System, origin: None, operation });
        }
        requests
    }

    /// How long until there may be something due.
    pub(crate) fn wait(&self, live: &Live, now: Timestamp) -> Duration {
        let end = live.leases().next_end();
        let first = end.into_iter().chain(live.next_gone()).min();
        first.map_or(Duration::MAX, |end| Duration::from_millis(end.max(self.next).ms_since(now)))
    }
}

fn after(start: Timestamp, time: Duration) -> Timestamp {
    let ms = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    Timestamp(start.0.saturating_add(ms))
}

/// Most leases that are ended in one round.
const ROUND_MAX: usize = 512;
/// Most hosts that are taken for gone in one round.
const HOSTS_MAX: usize = 512;
/// Least time between two rounds.
const PAUSE: Duration = Duration::from_secs(1);
/// After a start no record goes for so long, or for a whole lease of its own if that is shorter.
const GRACE: Duration = Duration::from_secs(15 * 60);

#[cfg(test)]
mod tests;
