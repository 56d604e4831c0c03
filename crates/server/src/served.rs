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

/// Who takes messages with opcode UPDATE off the doors' hands. What it is given it answers, with
/// [`answer_all`], or drops.
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
    Tcp(mpsc::Sender<Vec<u8>>),
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
        back: mpsc::Sender<Vec<u8>>,
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

/// Sends answers, each where its message came from; `None`: nothing is said. Those over UDP leave
/// together.
pub fn answer_all(answers: impl IntoIterator<Item = (Parcel, Option<Vec<u8>>)>) {
    let mut datagrams: Vec<(Arc<Socket>, Asker, Vec<u8>)> = Vec::new();
    for (parcel, answer) in answers {
        match (parcel.back, answer) {
            (Back::Udp(socket, asker), Some(answer)) => datagrams.push((socket, asker, answer)),
            (Back::Udp(..), None) => {}
            // An empty answer ends the wait for one. The connection may have ended, and never has
            // more messages under way than its queue has places.
            (Back::Tcp(back), answer) => {
                let _ = back.try_send(answer.unwrap_or_default());
            }
        }
    }
    let same = |a: &(Arc<Socket>, Asker, Vec<u8>), b: &(Arc<Socket>, Asker, Vec<u8>)| {
        Arc::ptr_eq(&a.0, &b.0)
    };
    for together in datagrams.chunk_by(same).flat_map(|chunk| chunk.chunks(BATCH)) {
        if let Some((socket, ..)) = together.first() {
            // What cannot be sent is asked for again, as over any datagram socket.
            let _ = socket.send(together.iter().map(|(_, asker, answer)| (&answer[..], *asker)));
        }
    }
}

/// Seconds since 1970-01-01 00:00 UTC, by the system's clock: for signatures.
pub(crate) fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
