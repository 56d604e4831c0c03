//! An AF_XDP socket with its memory and its four rings.

use std::io;
use std::os::fd::OwnedFd;

use nix::libc;
use rustix::io::Errno;
use rustix::net::sockopt;
use rustix::net::xdp::{
    SocketAddrXdp, SocketAddrXdpFlags, XdpOptionsFlags, XdpUmemReg, XdpUmemRegFlags,
};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, bind, send, socket_with};

use crate::kernel::{Frames, set_send_budget};
use crate::ring::{Packet, Ring};

/// The socket of one queue of an interface.
///
/// Its memory is cut into frames. Every frame is at one place at a time: free, in the fill ring (the
/// kernel may write a packet into it), in our hands as a [`Packet`], or in the TX ring until it
/// comes back by the completion ring.
#[derive(Debug)]
pub(crate) struct XdpSocket {
    fd: OwnedFd,
    memory: Frames,
    fill: Ring,
    completion: Ring,
    rx: Ring,
    tx: Ring,
    free: Vec<u64>,
}

impl XdpSocket {
    /// Opens a socket for a queue. `copy` forbids what the driver may not do when the program runs
    /// above it; otherwise the kernel lets the driver write into our memory when it can.
    pub(crate) fn open(interface: u32, queue: u32, copy: bool) -> io::Result<XdpSocket> {
        let family = AddressFamily::from_raw(libc::AF_XDP as _);
        let fd = socket_with(family, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
        let memory = Frames::new(FRAMES as usize * FRAME_OCTETS)?;
        sockopt::set_xdp_umem_reg(
            &fd,
            XdpUmemReg {
                addr: memory.address(),
                len: u64::from(FRAMES) * FRAME_OCTETS as u64,
                chunk_size: FRAME_OCTETS as u32,
                headroom: 0,
                flags: XdpUmemRegFlags::empty(),
                tx_metadata_len: 0,
            },
        )?;
        sockopt::set_xdp_umem_fill_ring_size(&fd, FILLED)?;
        sockopt::set_xdp_umem_completion_ring_size(&fd, FRAMES)?;
        sockopt::set_xdp_rx_ring_size(&fd, FILLED)?;
        sockopt::set_xdp_tx_ring_size(&fd, FRAMES)?;
        let at = sockopt::xdp_mmap_offsets(&fd)?;
        let mut socket = XdpSocket {
            fill: Ring::of_addresses(&fd, libc::XDP_UMEM_PGOFF_FILL_RING, &at.fr, FILLED)?,
            completion: Ring::of_addresses(
                &fd,
                libc::XDP_UMEM_PGOFF_COMPLETION_RING,
                &at.cr,
                FRAMES,
            )?,
            rx: Ring::of_packets(&fd, libc::XDP_PGOFF_RX_RING as u64, &at.rx, FILLED)?,
            tx: Ring::of_packets(&fd, libc::XDP_PGOFF_TX_RING as u64, &at.tx, FRAMES)?,
            free: (0..u64::from(FRAMES)).rev().map(|frame| frame * FRAME_OCTETS as u64).collect(),
            memory,
            fd,
        };
        socket.refill();
        let flags = if copy { SocketAddrXdpFlags::XDP_COPY } else { SocketAddrXdpFlags::empty() };
        let flags = flags | SocketAddrXdpFlags::XDP_USE_NEED_WAKEUP;
        bind(&socket.fd, &SocketAddrXdp::new(flags, interface, queue))?;
        // Older kernels send 32 frames a call; then there are more calls.
        let _ = set_send_budget(&socket.fd, FRAMES);
        Ok(socket)
    }

    /// Its descriptor, to be waited at and to be put into a map.
    pub(crate) fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// Whether the driver writes into our memory itself.
    pub(crate) fn is_zero_copy(&self) -> bool {
        sockopt::xdp_options(&self.fd)
            .is_ok_and(|options| options.contains(XdpOptionsFlags::XDP_OPTIONS_ZEROCOPY))
    }

    /// Packets that were lost so far: for want of frames, or of room in the RX ring.
    pub(crate) fn lost(&self) -> u64 {
        sockopt::xdp_statistics(&self.fd).map_or(0, |counts| {
            counts.rx_dropped
                + counts.rx_ring_full.unwrap_or(0)
                + counts.rx_fill_ring_empty_descs.unwrap_or(0)
        })
    }

    /// The next packet that came; it has to be given to [`XdpSocket::send`] or
    /// [`XdpSocket::release`].
    pub(crate) fn receive(&mut self) -> Option<Packet> {
        self.rx.take_packet()
    }

    /// The octets of a packet.
    pub(crate) fn octets(&self, packet: Packet) -> Option<&[u8]> {
        let start = usize::try_from(packet.address).ok()?;
        self.memory.octets(start, usize::try_from(packet.length).ok()?)
    }

    /// The octets of a packet, with all the room behind it that its frame has.
    pub(crate) fn room(&mut self, packet: Packet) -> Option<&mut [u8]> {
        let start = usize::try_from(packet.address).ok()?;
        self.memory.octets_mut(start, FRAME_OCTETS - start % FRAME_OCTETS)
    }

    /// Sends a packet from where it stands, at the next [`XdpSocket::flush`].
    pub(crate) fn send(&mut self, packet: Packet) -> bool {
        let sent = self.tx.put_packet(packet);
        if !sent {
            self.release(packet);
        }
        sent
    }

    /// Gives back the frame of a packet that is not needed any more.
    pub(crate) fn release(&mut self, packet: Packet) {
        self.free.push(frame_of(packet.address));
    }

    /// Tells the kernel what was taken and put, lets it send, and gives it frames to receive into.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.rx.publish_taken();
        self.tx.publish_put();
        let result = self.wake();
        self.reclaim();
        self.refill();
        result
    }

    /// Calls the kernel until it has sent what it can.
    fn wake(&mut self) -> io::Result<()> {
        let mut pending = self.tx.pending();
        while pending > 0 && self.tx.needs_wakeup() {
            match send(&self.fd, &[], SendFlags::DONTWAIT) {
                Ok(_) => break,
                // Without the budget above a call ends after 32 frames, and says so by EAGAIN.
                Err(Errno::AGAIN | Errno::INTR) => self.reclaim(),
                // Its queue is full, or another CPU sends just now: a later call gets on.
                Err(Errno::BUSY | Errno::NOBUFS) => break,
                Err(why) => return Err(why.into()),
            }
            let before = std::mem::replace(&mut pending, self.tx.pending());
            if pending == before {
                break;
            }
        }
        Ok(())
    }

    /// Whether frames that we want sent are still with the kernel.
    pub(crate) fn is_sending(&mut self) -> bool {
        self.tx.pending() > 0
    }

    fn reclaim(&mut self) {
        while let Some(address) = self.completion.take_address() {
            self.free.push(frame_of(address));
        }
        self.completion.publish_taken();
    }

    fn refill(&mut self) {
        // The frames that came back last are still in the cache.
        while let Some(&frame) = self.free.last()
            && self.fill.put_address(frame)
        {
            self.free.pop();
        }
        self.fill.publish_put();
    }
}

/// The frame that an address lies in.
fn frame_of(address: u64) -> u64 {
    address & !(FRAME_OCTETS as u64 - 1)
}

/// Octets of a frame: the kernel's headroom of 256, a whole Ethernet frame, and to spare.
const FRAME_OCTETS: usize = 2048;
/// Frames of a socket: 4 MiB. A power of two, as is the number below.
const FRAMES: u32 = 2048;
/// Frames that are ready to be received into; as many can wait for us.
const FILLED: u32 = 1024;
