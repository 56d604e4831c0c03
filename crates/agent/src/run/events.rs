//! What the daemon waits for.

use std::io::Read;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tracing::warn;

use crate::interface::HeldFlags;
use crate::netlink::{self, Watch};

/// Sockets on which an octet arrives for each signal.
#[derive(Debug)]
pub struct Signals {
    /// To stop.
    pub stop: UnixStream,
    /// To read the configuration again.
    pub reload: UnixStream,
}

/// Why a wait has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// Its time was over.
    Time,
    /// The addresses of the machine are other ones.
    AddressChange,
    /// The configuration is to be read again.
    Reload,
    /// The program is to stop.
    Stop,
}

/// All that can end a wait.
#[derive(Debug)]
pub(super) struct Events {
    signals: Signals,
    watch: Option<Watch>,
    addresses: Vec<Seen>,
}

/// What of an address matters. Its lifetimes do not: every router advertisement renews them, and the
/// kernel reports that as a change.
type Seen = (IpAddr, u32, HeldFlags);

impl Events {
    pub(super) fn new(signals: Signals) -> Events {
        let watch = Watch::new();
        if let Err(error) = &watch {
            warn!(%error, "changes of addresses are not heard of; looking at intervals only");
        }
        Events { signals, watch: watch.ok(), addresses: seen().unwrap_or_default() }
    }

    /// Waits until something happens, at the latest until `until`.
    pub(super) fn wait(&mut self, until: Instant) -> Woken {
        let mut wake_at = until;
        let mut settled_by = None;
        loop {
            let ready = self.poll(wake_at);
            if ready.stop {
                return Woken::Stop;
            }
            if ready.reload {
                drain(&mut self.signals.reload);
                return Woken::Reload;
            }
            let now = Instant::now();
            if ready.kernel {
                if let Some(watch) = &self.watch {
                    watch.drain();
                }
                // Changes come in swarms: an old prefix goes, a new one comes, its duplicates are
                // looked for. Wait until it is quiet, but not for ever.
                let last = *settled_by.get_or_insert(now + SETTLE_MAX);
                wake_at = (now + QUIET).min(last).min(until);
            } else if now >= wake_at {
                if settled_by.take().is_some() && self.has_changed() {
                    return Woken::AddressChange;
                }
                if now >= until {
                    return Woken::Time;
                }
                wake_at = until;
            }
        }
    }

    /// Whether the program was told to stop meanwhile.
    pub(super) fn is_stopping(&self) -> bool {
        self.poll(Instant::now()).stop
    }

    fn has_changed(&mut self) -> bool {
        let Some(now) = seen() else { return true };
        let changed = now != self.addresses;
        self.addresses = now;
        changed
    }

    fn poll(&self, until: Instant) -> Ready {
        let stop = self.signals.stop.as_fd();
        let reload = self.signals.reload.as_fd();
        let mut fds = vec![PollFd::new(&stop, PollFlags::IN), PollFd::new(&reload, PollFlags::IN)];
        let kernel: Option<BorrowedFd<'_>> = self.watch.as_ref().map(AsFd::as_fd);
        if let Some(kernel) = &kernel {
            fds.push(PollFd::new(kernel, PollFlags::IN));
        }
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).ok();
        // An interrupted wait reports nothing; the caller looks at the clock and waits on.
        if poll(&mut fds, timeout.as_ref()).is_err() {
            return Ready::default();
        }
        let is_ready = |at: usize| fds.get(at).is_some_and(|fd| !fd.revents().is_empty());
        Ready { stop: is_ready(0), reload: is_ready(1), kernel: is_ready(2) }
    }
}

#[derive(Default)]
struct Ready {
    stop: bool,
    reload: bool,
    kernel: bool,
}

fn seen() -> Option<Vec<Seen>> {
    let held = netlink::addresses().ok()?;
    let mut seen: Vec<Seen> =
        held.iter().map(|held| (held.address, held.interface, held.flags)).collect();
    seen.sort_unstable_by_key(|(address, interface, _)| (*address, *interface));
    Some(seen)
}

fn drain(stream: &mut UnixStream) {
    let mut octets = [0; 64];
    // The other end writes without waiting, so there is never more than a few octets.
    let _ = stream.read(&mut octets);
}

const QUIET: Duration = Duration::from_millis(300);
const SETTLE_MAX: Duration = Duration::from_secs(3);
