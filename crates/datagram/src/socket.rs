//! A socket that receives and answers in batches.

use std::io::{self, IoSlice};
use std::net::{Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::socket::{setsockopt, sockopt};

use crate::calls::{self, BATCH, Outgoing, Slot};
use crate::control::{Asked, Control};
use crate::name::Name;

/// A UDP socket of one worker.
#[derive(Debug)]
pub struct Socket {
    socket: UdpSocket,
    /// Whether several datagrams to one asker may leave as one; false when the system cannot.
    joins: AtomicBool,
}

/// Datagrams that came together, and room for them.
#[derive(Debug)]
pub struct Batch {
    slots: Vec<Slot>,
    room: Vec<u8>,
    count: usize,
    dropped: u32,
}

/// Whom to answer, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker {
    from: SocketAddr,
    asked: Asked,
}

impl Socket {
    /// Takes over a bound socket.
    pub fn new(socket: UdpSocket) -> io::Result<Socket> {
        match socket.local_addr()? {
            address if !address.ip().is_unspecified() => {}
            SocketAddr::V4(_) => setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?,
            SocketAddr::V6(_) => setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?,
        }
        // Tells with each datagram how many were lost before it.
        setsockopt(&socket, sockopt::RxqOvfl, &1)?;
        // Datagrams of one asker that came together are handed over together, once for all of them;
        // a load balancer asks from few ports. Where that is not to be had, each comes alone.
        let joins = setsockopt(&socket, sockopt::UdpGroSegment, &true).is_ok();
        Ok(Socket { socket, joins: AtomicBool::new(joins) })
    }

    /// Waits for a datagram, and takes those along that are there.
    pub fn receive(&self, batch: &mut Batch) -> io::Result<()> {
        batch.count = 0;
        batch.count = calls::receive(self.socket.as_fd(), &mut batch.slots, &mut batch.room)?;
        // Each datagram says how many were dropped before it, once any was.
        let last = batch.count.checked_sub(1).and_then(|last| batch.slots.get(last));
        if let Some(dropped) = last.and_then(|slot| slot.control.read().dropped) {
            batch.dropped = dropped;
        }
        Ok(())
    }

    /// Sends answers, at most [`BATCH`]; how many could not be sent. The others leave all the same.
    pub fn send<'a>(&self, answers: impl Iterator<Item = (&'a [u8], Asker)>) -> usize {
        let mut parts = [IoSlice::new(&[]); BATCH];
        let mut askers = [None; BATCH];
        let mut count = 0;
        for ((part, place), (answer, asker)) in parts.iter_mut().zip(&mut askers).zip(answers) {
            *part = IoSlice::new(answer);
            *place = Some(asker);
            count += 1;
        }
        let parts = parts.get(..count).unwrap_or_default();
        let askers = askers.get(..count).unwrap_or_default();
        let (mut failed, mut at) = (0, 0);
        while at < count {
            let (parts, askers) = (parts.get(at..), askers.get(at..));
            let (parts, askers) = (parts.unwrap_or_default(), askers.unwrap_or_default());
            let joins = self.joins.load(Ordering::Relaxed);
            at += match self.send_some(parts, askers, joins) {
                Ok(sent) => sent,
                Err(1) => {
                    failed += 1;
                    1
                }
                Err(run) => {
                    let alone = (0..run).filter(|&n| {
                        let one = parts.get(n..=n).zip(askers.get(n..=n));
                        one.is_some_and(|(part, asker)| self.send_some(part, asker, false).is_ok())
                    });
                    let left = alone.count();
                    failed += run - left;
                    // Not every way out can take several datagrams in one.
                    if left == run {
                        self.joins.store(false, Ordering::Relaxed);
                    }
                    run
                }
            };
        }
        failed
    }

    /// Sends answers; how many left, or how many of them, at least one, cannot be sent like this.
    fn send_some(
        &self,
        parts: &[IoSlice<'_>],
        askers: &[Option<Asker>],
        joins: bool,
    ) -> Result<usize, usize> {
        let mut at = 0;
        let outgoing: [Option<Outgoing<'_>>; BATCH] = std::array::from_fn(|_| {
            let (parts, askers) = (parts.get(at..)?, askers.get(at..)?);
            let run = if joins { run(parts, askers) } else { 1 };
            at += run;
            Some(askers.first()?.as_ref()?.outgoing(parts.get(..run)?))
        });
        let outgoing = || outgoing.iter().flatten();
        loop {
            match calls::send(self.socket.as_fd(), outgoing()) {
                Ok(sent) => return Ok(outgoing().take(sent).map(|out| out.parts.len()).sum()),
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(outgoing().next().map_or(1, |out| out.parts.len())),
            }
        }
    }
}

/// How many of these answers can leave as one: to one asker, of one length, the last perhaps shorter.
fn run(parts: &[IoSlice<'_>], askers: &[Option<Asker>]) -> usize {
    let Some(octets) = parts.first().map(|part| part.len()) else { return 0 };
    let mut count = 1;
    let same = |asker: &Option<Asker>| Some(asker) == askers.first();
    let rest = parts.iter().zip(askers).skip(1).take_while(|(_, asker)| same(asker));
    for (part, _) in rest {
        if part.len() > octets || (count + 1) * octets > JOINED_OCTETS_MAX {
            break;
        }
        count += 1;
        if part.len() < octets {
            break;
        }
    }
    count
}

impl Batch {
    /// Room for [`BATCH`] datagrams of any size.
    pub fn new() -> Batch {
        let slot = || Slot { name: Name::default(), control: Control::new(), length: 0 };
        Batch {
            slots: std::iter::repeat_with(slot).take(BATCH).collect(),
            room: vec![0; BATCH * PART_OCTETS],
            count: 0,
            dropped: 0,
        }
    }

    /// What came, and who asked. Datagrams of an unknown family are left out.
    pub fn messages(&self) -> impl Iterator<Item = (&[u8], Asker)> {
        let parts = self.room.chunks(PART_OCTETS).zip(&self.slots).take(self.count);
        parts.flat_map(|(part, slot)| {
            let told = slot.control.read();
            let octets = part.get(..slot.length).unwrap_or_default();
            let segment = told.segment.filter(|octets| *octets > 0).unwrap_or(octets.len());
            let asker = slot.name.address().map(|from| Asker { from, asked: told.asked });
            // An empty datagram is one all the same.
            let none = octets.is_empty().then_some(octets);
            let messages = octets.chunks(segment.max(1)).chain(none);
            asker
                .into_iter()
                .flat_map(move |asker| messages.clone().map(move |message| (message, asker)))
        })
    }

    /// How many datagrams the socket has had to drop so far, because nobody took them in time. The
    /// count wraps.
    pub fn dropped(&self) -> u32 {
        self.dropped
    }
}

impl Default for Batch {
    fn default() -> Batch {
        Batch::new()
    }
}

impl Asker {
    /// Somebody at an address, who did not ask.
    pub fn at(address: SocketAddr) -> Asker {
        Asker { from: address, asked: Asked::Bound }
    }

    /// Where the datagram came from.
    pub fn from(&self) -> SocketAddr {
        self.from
    }

    fn outgoing<'a>(&self, parts: &'a [IoSlice<'a>]) -> Outgoing<'a> {
        let mut control = Control::new();
        control.answer_from(match self.asked {
            Asked::V6(ip, _) if !is_link_local(ip, self.from) => Asked::V6(ip, 0),
            asked => asked,
        });
        if let [first, _, ..] = parts {
            // Several are short enough to be one packet.
            control.segment(first.len() as u16);
        }
        Outgoing { parts, name: Name::new(self.from), control }
    }
}

/// Whether an exchange happens on one link, so that its answer must leave through the interface that
/// the question came by. All others are routed.
fn is_link_local(asked: Ipv6Addr, from: SocketAddr) -> bool {
    let from = match from {
        SocketAddr::V4(_) => false,
        SocketAddr::V6(from) => from.ip().is_unicast_link_local(),
    };
    from || asked.is_unicast_link_local()
}

/// Every datagram is read whole; and the parts do not all begin at the same place of the processor's
/// caches.
const PART_OCTETS: usize = 65_536 + 320;
/// Octets of answers that leave as one: with headers they are one packet.
const JOINED_OCTETS_MAX: usize = 65_000;

#[cfg(test)]
mod tests;
