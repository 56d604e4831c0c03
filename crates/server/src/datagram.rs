//! Datagrams whose answers leave from the address that was asked.
//!
//! A socket bound to a wildcard address would answer from whatever address routing prefers, and
//! the asker would drop that. So such sockets learn by a control message which address a datagram
//! was sent to (IP_PKTINFO, RFC 3542 §6), and say it again when they answer.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use nix::libc;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt,
    sockopt,
};

/// A socket of one worker.
#[derive(Debug)]
pub(crate) struct Datagrams {
    socket: UdpSocket,
    /// Room for control messages, on sockets bound to a wildcard address.
    control: Option<Vec<u8>>,
}

/// Whom to answer, and from where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    pub(crate) from: SocketAddr,
    asked: Asked,
}

#[derive(Clone, Copy, Debug)]
enum Asked {
    Bound,
    V4(libc::in_pktinfo),
    V6(libc::in6_pktinfo),
}

impl Datagrams {
    /// Takes over a bound socket.
    pub(crate) fn new(socket: UdpSocket) -> io::Result<Datagrams> {
        let control = match socket.local_addr()? {
            address if !address.ip().is_unspecified() => None,
            SocketAddr::V4(_) => {
                setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
                Some(nix::cmsg_space!(libc::in_pktinfo))
            }
            SocketAddr::V6(_) => {
                setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
                Some(nix::cmsg_space!(libc::in6_pktinfo))
            }
        };
        Ok(Datagrams { socket, control })
    }

    /// Waits for a datagram. What does not fit into the buffer is cut off.
    pub(crate) fn receive(&mut self, buffer: &mut [u8]) -> io::Result<(usize, Asker)> {
        let Some(control) = &mut self.control else {
            let (length, from) = self.socket.recv_from(buffer)?;
            return Ok((length, Asker { from, asked: Asked::Bound }));
        };
        let mut parts = [IoSliceMut::new(buffer)];
        let fd = self.socket.as_raw_fd();
        let got = recvmsg::<SockaddrStorage>(fd, &mut parts, Some(control), MsgFlags::empty())?;
        let from = got.address.as_ref().and_then(socket_address);
        let from = from.ok_or_else(|| io::Error::other("a datagram from no address"))?;
        let mut asked = Asked::Bound;
        // Control messages that were cut off say nothing; the answer then leaves as routing likes.
        for message in got.cmsgs().into_iter().flatten() {
            match message {
                ControlMessageOwned::Ipv4PacketInfo(info) => asked = Asked::V4(info),
                ControlMessageOwned::Ipv6PacketInfo(info) => asked = Asked::V6(info),
                _ => {}
            }
        }
        Ok((got.bytes, Asker { from, asked }))
    }

    /// Answers.
    pub(crate) fn send(&self, message: &[u8], to: &Asker) -> io::Result<()> {
        let fd = self.socket.as_raw_fd();
        let parts = [IoSlice::new(message)];
        let address = SockaddrStorage::from(to.from);
        match to.asked {
            Asked::Bound => self.socket.send_to(message, to.from).map(|_| ()),
            Asked::V4(mut info) => {
                // The address that was asked becomes the source; routing picks the interface.
                info.ipi_spec_dst = info.ipi_addr;
                info.ipi_ifindex = 0;
                let control = [ControlMessage::Ipv4PacketInfo(&info)];
                sendmsg(fd, &parts, &control, MsgFlags::empty(), Some(&address))?;
                Ok(())
            }
            Asked::V6(mut info) => {
                if !is_link_local(&info, to.from) {
                    info.ipi6_ifindex = 0;
                }
                let control = [ControlMessage::Ipv6PacketInfo(&info)];
                sendmsg(fd, &parts, &control, MsgFlags::empty(), Some(&address))?;
                Ok(())
            }
        }
    }
}

/// Whether an exchange happens on one link, so that its answer must leave through the interface that
/// the question came by. All others are routed.
fn is_link_local(asked: &libc::in6_pktinfo, from: SocketAddr) -> bool {
    let asked = Ipv6Addr::from(asked.ipi6_addr.s6_addr);
    let from = match from {
        SocketAddr::V4(_) => false,
        SocketAddr::V6(from) => from.ip().is_unicast_link_local(),
    };
    from || asked.is_unicast_link_local()
}

fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::V4((*v4).into()));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_link_local_exchanges_are_bound_to_their_interface() {
        let table = [
            ("2001:db8::53", "[2001:db8::1]:1024", false),
            ("::1", "[::1]:1024", false),
            ("fe80::53", "[fe80::1%2]:1024", true),
            ("2001:db8::53", "[fe80::1%2]:1024", true),
            ("fe80::53", "[2001:db8::1]:1024", true),
        ];
        for (asked, from, link_local) in table {
            let ipi6_addr = libc::in6_addr { s6_addr: asked.parse::<Ipv6Addr>().unwrap().octets() };
            let info = libc::in6_pktinfo { ipi6_addr, ipi6_ifindex: 2 };
            assert_eq!(is_link_local(&info, from.parse().unwrap()), link_local, "{asked} {from}");
        }
    }
}
