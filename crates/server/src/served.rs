//! What doors answer from, and where they hand over what they do not answer themselves.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use datagram::{Asker, BATCH, Socket};
use tokio::sync::mpsc;
use tsig::Keys;
use zone::Zones;

use crate::respond::Transport;

/// What all doors answer from.
#[derive(Clone, Debug)]
pub struct Served {
    /// The zones.
    pub zones: Arc<Zones>,
    /// Watched: as long as it is false every query gets SERVFAIL.
    pub ready: Arc<AtomicBool>,
    /// The keys that queries may be signed with.
    pub keys: Arc<ArcSwap<Keys>>,
    /// Who takes UPDATE messages; `None`: they get NOTIMP.
    pub updates: Option<Arc<dyn Intake>>,
}

/// Who takes messages with opcode UPDATE off the doors' hands. What it is given it answers, by way of
/// [`Replies`], or drops.
pub trait Intake: std::fmt::Debug + Send + Sync {
    /// Takes messages that came together. Must not wait for anything: other messages do.
    fn take(&self, parcels: Vec<Parcel>);
}

/// A message that somebody else answers, and the way back.
#[derive(Debug)]
pub struct Parcel {
    message: Vec<u8>,
    from: SocketAddr,
    listener: SocketAddr,
    back: Back,
}

#[derive(Debug)]
enum Back {
    Udp(Arc<Socket>, Asker),
    Tcp(mpsc::Sender<Bundle>),
}

/// Answers to messages of one connection.
#[derive(Debug, Default)]
pub(crate) struct Bundle {
    /// As the stream carries them: each after two octets of length.
    pub(crate) octets: Vec<u8>,
    /// How many messages they answer; to some nothing is said.
    pub(crate) count: usize,
}

/// Answers that leave together: those over UDP with few calls, those of a connection as one.
#[derive(Debug, Default)]
pub struct Replies {
    bundles: Vec<(mpsc::Sender<Bundle>, Bundle)>,
    /// Where each answer over UDP goes, and where it ends in the octets of all.
    datagrams: Vec<(Arc<Socket>, Asker, usize)>,
    octets: Vec<u8>,
    len: usize,
}

impl Served {
    /// Zones that are loaded, no keys, and nobody who takes updates.
    pub fn new(zones: Arc<Zones>) -> Served {
        Served {
            zones,
            ready: Arc::new(AtomicBool::new(true)),
            keys: Arc::default(),
            updates: None,
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }
}

impl Parcel {
    pub(crate) fn udp(
        message: &[u8],
        (socket, asker): (&Arc<Socket>, Asker),
        at: SocketAddr,
    ) -> Parcel {
        let back = Back::Udp(Arc::clone(socket), asker);
        Parcel { message: message.to_vec(), from: asker.from(), listener: at, back }
    }

    pub(crate) fn tcp(
        message: &[u8],
        (from, listener): (SocketAddr, SocketAddr),
        back: mpsc::Sender<Bundle>,
    ) -> Parcel {
        Parcel { message: message.to_vec(), from, listener, back: Back::Tcp(back) }
    }

    /// The message.
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// Where it came from.
    pub fn from(&self) -> SocketAddr {
        self.from
    }

    /// The address that is listened at.
    pub fn listener(&self) -> SocketAddr {
        self.listener
    }

    /// How it came.
    pub fn transport(&self) -> Transport {
        match self.back {
            Back::Udp(..) => Transport::Udp,
            Back::Tcp(_) => Transport::Tcp,
        }
    }
}

impl Replies {
    /// Nothing to send.
    pub fn new() -> Replies {
        Replies::default()
    }

    /// How many messages are answered by the next [`Replies::send`].
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds the answer to a message; `None`: nothing is said.
    pub fn push(&mut self, parcel: Parcel, answer: Option<&[u8]>) {
        self.len += 1;
        match parcel.back {
            Back::Udp(socket, asker) => {
                let Some(answer) = answer else { return };
                self.octets.extend_from_slice(answer);
                self.datagrams.push((socket, asker, self.octets.len()));
            }
            // What is not said ends the wait for an answer all the same.
            Back::Tcp(back) => {
                let bundle = self.bundle(back);
                bundle.count += 1;
                let length = answer.and_then(|answer| u16::try_from(answer.len()).ok());
                if let (Some(answer), Some(length)) = (answer, length) {
                    bundle.octets.extend_from_slice(&length.to_be_bytes());
                    bundle.octets.extend_from_slice(answer);
                }
            }
        }
    }

    /// The bundle of a connection: the last ones are looked through, as messages of a connection come
    /// together.
    fn bundle(&mut self, back: mpsc::Sender<Bundle>) -> &mut Bundle {
        let last = self.bundles.len();
        let from = last.saturating_sub(BUNDLES_SEARCHED);
        let recent = self.bundles.get(from..).unwrap_or_default();
        let found = recent.iter().rposition(|(known, _)| known.same_channel(&back));
        let at = match found {
            Some(found) => from + found,
            None => {
                self.bundles.push((back, Bundle::default()));
                last
            }
        };
        &mut self.bundles[at].1
    }

    /// Sends what was added, each where its message came from.
    pub fn send(&mut self) {
        // A connection may have ended, and never has more messages under way than its queue has places.
        for (back, bundle) in self.bundles.drain(..) {
            let _ = back.try_send(bundle);
        }
        let mut start = 0;
        let mut answers = Vec::with_capacity(self.datagrams.len().min(BATCH));
        for together in self.datagrams.chunk_by(|a, b| Arc::ptr_eq(&a.0, &b.0)) {
            for batch in together.chunks(BATCH) {
                answers.clear();
                for (_, asker, end) in batch {
                    answers.push((self.octets.get(start..*end).unwrap_or_default(), *asker));
                    start = *end;
                }
                if let Some((socket, ..)) = batch.first() {
                    // What cannot be sent is asked for again, as over any datagram socket.
                    let _ = socket.send(answers.iter().copied());
                }
            }
        }
        self.datagrams.clear();
        self.octets.clear();
        self.octets.shrink_to(KEPT_OCTETS);
        self.len = 0;
    }
}

/// Bundles that are looked through for one of the same connection.
const BUNDLES_SEARCHED: usize = 16;
/// Room for answers over UDP that is kept.
const KEPT_OCTETS: usize = 256 * 1024;

/// Seconds since 1970-01-01 00:00 UTC, by the system's clock: for signatures.
pub(crate) fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
