//! A worker that answers datagrams, one after the other.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use zone::Zones;

use crate::counters::Counters;
use crate::datagram::Datagrams;
use crate::respond::{Transport, UDP_OCTETS_MAX, respond};

/// What one worker needs.
pub(crate) struct Worker {
    pub(crate) socket: Datagrams,
    pub(crate) zones: Arc<Zones>,
    pub(crate) ready: Arc<AtomicBool>,
    pub(crate) stopping: Arc<AtomicBool>,
    pub(crate) counters: Arc<Counters>,
}

impl Worker {
    /// Answers until it is told to stop; a stop is seen at the socket's next timeout at the latest.
    pub(crate) fn run(mut self) {
        let mut message = vec![0; MESSAGE_OCTETS];
        let mut buffer = Vec::with_capacity(usize::from(UDP_OCTETS_MAX));
        while !self.stopping.load(Ordering::Relaxed) {
            match self.socket.receive(&mut message) {
                Ok((length, asker)) => {
                    // Nobody can be answered at port 0.
                    if asker.from.port() == 0 {
                        self.counters.silence();
                        continue;
                    }
                    let message = message.get(..length).unwrap_or_default();
                    let ready = self.ready.load(Ordering::Relaxed);
                    let into = (&mut buffer, &*self.counters);
                    if respond(&self.zones, ready, Transport::Udp, message, into).is_some()
                        && self.socket.send(&buffer, &asker).is_err()
                    {
                        self.counters.failed_sends.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Err(why) if is_routine(&why) => {}
                Err(why) => {
                    tracing::warn!(%why, "a UDP socket failed; going on");
                    std::thread::park_timeout(PAUSE);
                }
            }
        }
    }
}

/// Timeouts, signals, and errors that an earlier answer's receiver caused.
fn is_routine(why: &io::Error) -> bool {
    matches!(
        why.kind(),
        io::ErrorKind::WouldBlock
            | io::ErrorKind::TimedOut
            | io::ErrorKind::Interrupted
            | io::ErrorKind::ConnectionRefused
    )
}

/// Every datagram is read whole: one that is cut off would look malformed.
const MESSAGE_OCTETS: usize = 65_535;
/// Pause after a failure that is not routine, so that it does not fill the log at once.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(200);
