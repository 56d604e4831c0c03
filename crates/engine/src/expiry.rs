//! Hosts that count as gone when nothing is heard of them: which, and when the next one does.

use std::collections::{BTreeSet, HashMap};

use account::{Directory, Host, Timestamp};
use wire::Name;

/// Hosts with an expiry that are not parked, by a moment before which none of them is gone.
///
/// The moment is looked after when it has come, and not each time that the host is seen: an update
/// costs nothing here.
#[derive(Debug, Default)]
pub(crate) struct Expiries {
    queue: BTreeSet<(Timestamp, Name)>,
    at: HashMap<Name, Timestamp>,
}

impl Expiries {
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Takes over a host as it is written down.
    pub(crate) fn put(&mut self, host: &Host) {
        match gone_at(host, host.last_seen, Timestamp(i64::MIN)) {
            Some(at) => self.place(&host.name, at),
            None => self.remove(&host.name),
        }
    }

    pub(crate) fn remove(&mut self, host: &Name) {
        if let Some(at) = self.at.remove(host) {
            self.queue.remove(&(at, host.clone()));
        }
    }

    pub(crate) fn retain(&mut self, directory: &Directory) {
        self.at.retain(|host, _| directory.host(host).is_some());
        let Expiries { queue, at } = self;
        queue.retain(|(_, host)| at.contains_key(host));
    }

    pub(crate) fn place(&mut self, host: &Name, at: Timestamp) {
        self.remove(host);
        self.at.insert(host.clone(), at);
        self.queue.insert((at, host.clone()));
    }

    pub(crate) fn first(&self) -> Option<Timestamp> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Those whose moment has come, at most so many.
    pub(crate) fn due(&self, now: Timestamp, max: usize) -> Vec<Name> {
        let due = self.queue.iter().take_while(|(at, _)| *at <= now).take(max);
        due.map(|(_, host)| host.clone()).collect()
    }
}

/// When a host is gone that was last seen then; no silence from before the start of the service
/// counts. `None`: never, or what its expiry says stands there already.
pub(crate) fn gone_at(
    host: &Host,
    last_seen: Option<Timestamp>,
    started: Timestamp,
) -> Option<Timestamp> {
    let expiry = host.expiry.as_ref().filter(|_| host.parked.is_none())?;
    let heard = last_seen.unwrap_or(host.created).max(started);
    Some(Timestamp(heard.0.saturating_add(i64::from(expiry.after_s) * 1000)))
}

/// Whether the account of a host is locked down: its names stay as they are, and nobody can update
/// them.
pub(crate) fn is_frozen(directory: &Directory, host: &Host) -> bool {
    directory.account(host.account).is_some_and(|account| account.frozen)
}
