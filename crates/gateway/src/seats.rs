//! Places for connections: so many in all, and so many for one source.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use account::source_block;

/// The places of a door, and who sits on them.
#[derive(Debug)]
pub(crate) struct Seats {
    total_max: usize,
    per_source_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    total: usize,
    by_source: HashMap<IpAddr, usize>,
}

/// The place of one connection. Dropping it frees the place.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Arc<Seats>,
    /// The source that it counts for; `None`: only in all.
    source: Option<IpAddr>,
}

impl Seats {
    /// So many places in all, and so many for one source: an IPv4 address, or an IPv6 /64.
    pub(crate) fn new(total_max: usize, per_source_max: usize) -> Arc<Seats> {
        Arc::new(Seats {
            total_max,
            per_source_max: per_source_max.max(1),
            taken: Mutex::default(),
        })
    }

    /// Takes a place that counts for no source yet, if there is one.
    pub(crate) fn take(self: &Arc<Seats>) -> Option<Seat> {
        let mut taken = self.taken();
        if taken.total >= self.total_max {
            return None;
        }
        taken.total += 1;
        Some(Seat { seats: Arc::clone(self), source: None })
    }

    /// Whether most places are taken, so that nobody should sit idle for long.
    pub(crate) fn is_crowded(&self) -> bool {
        self.taken().total > self.total_max / 4 * 3
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Makes the place count for a source. False, and nothing changes, when that source has all
    /// that one may have.
    pub(crate) fn belongs_to(&mut self, source: IpAddr) -> bool {
        let source = source_block(source);
        let mut taken = self.seats.taken();
        let of_source = taken.by_source.entry(source).or_default();
        if *of_source >= self.seats.per_source_max {
            return false;
        }
        *of_source += 1;
        drop(taken);
        self.leave_source();
        self.source = Some(source);
        true
    }

    fn leave_source(&mut self) {
        let Some(source) = self.source.take() else { return };
        let mut taken = self.seats.taken();
        let left = taken.by_source.get(&source).copied().unwrap_or(0).saturating_sub(1);
        if left == 0 {
            taken.by_source.remove(&source);
        } else {
            taken.by_source.insert(source, left);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.leave_source();
        let mut taken = self.seats.taken();
        taken.total = taken.total.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_limited_in_all_and_by_source() {
        let seats = Seats::new(3, 2);
        let source = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut first = seats.take().unwrap();
        let mut second = seats.take().unwrap();
        let mut third = seats.take().unwrap();
        assert!(seats.take().is_none());
        assert!(first.belongs_to(source("2001:db8::1")));
        assert!(second.belongs_to(source("2001:db8::2")));
        assert!(!third.belongs_to(source("2001:db8::3")));
        assert!(third.belongs_to(source("2001:db8:0:1::3")));
        drop(first);
        assert!(third.belongs_to(source("2001:db8::3")), "a place was freed");
        drop((second, third));
        assert!(seats.taken().by_source.is_empty());
        assert_eq!(seats.taken().total, 0);
    }

    #[test]
    fn seats_are_crowded_when_most_are_taken() {
        let seats = Seats::new(8, 8);
        let sat: Vec<Seat> = (0..6).filter_map(|_| seats.take()).collect();
        assert!(!seats.is_crowded());
        let one_more = seats.take();
        assert!(seats.is_crowded());
        drop((sat, one_more));
        assert!(!seats.is_crowded());
    }
}
