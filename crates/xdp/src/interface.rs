//! What has to be known of an interface, and which addresses the machine has.

use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;

use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::InterfaceFlags;
use rustix::io::Errno;
use rustix::net::netdevice::{index_to_name, name_to_index};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use crate::door::OpenError;
use crate::kernel;

/// An Ethernet interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) index: u32,
    pub(crate) mac: [u8; 6],
    /// How many queues it receives by.
    pub(crate) queues: u32,
}

impl Interface {
    /// Finds an interface that can be used.
    pub(crate) fn find(name: &str) -> Result<Interface, OpenError> {
        let refuse = OpenError::at("looking at the interface");
        let socket = any_socket().map_err(&refuse)?;
        let index =
            name_to_index(&socket, name).map_err(|_| OpenError::NoInterface(name.to_owned()))?;
        let mac = link_layer(name).map_err(&refuse)?;
        let mac = mac.ok_or_else(|| OpenError::NotEthernet(name.to_owned()))?;
        let mtu = kernel::mtu(&socket, name).map_err(&refuse)?;
        if mtu < MTU_MIN {
            return Err(OpenError::Narrow(name.to_owned(), mtu));
        }
        let queues = kernel::receive_queues(&socket, name).map_err(&refuse)?;
        Ok(Interface { name: name.to_owned(), index, mac, queues })
    }
}

/// The name that an interface has now; `None` when it went away.
pub(crate) fn name(index: u32) -> io::Result<Option<String>> {
    match index_to_name(any_socket()?, index) {
        Ok(name) => Ok(Some(name)),
        Err(Errno::NXIO | Errno::NODEV) => Ok(None),
        Err(why) => Err(why.into()),
    }
}

/// The addresses that queries by an interface can be sent to: its own, and those that belong to the
/// machine instead of a link, as for anycast (on the loopback device, or on one without neighbours).
///
/// Addresses of other links are left out, above all those of a VLAN on this one: hardware may have
/// taken the tag off a frame before we see it, and an answer without it would go astray.
pub(crate) fn addresses(interface: &str) -> io::Result<Vec<IpAddr>> {
    let without_link = InterfaceFlags::IFF_LOOPBACK | InterfaceFlags::IFF_NOARP;
    let is_reached = |each: &InterfaceAddress, address: &IpAddr| {
        let own = each.interface_name == interface;
        (own || each.flags.intersects(without_link)) && is_asked(address, own)
    };
    let all = getifaddrs()?.filter_map(|each| Some((ip(&each)?, each)));
    Ok(all
        .filter(|(address, each)| is_reached(each, address))
        .map(|(address, _)| address)
        .collect())
}

/// Whether anybody else can send a query to an address. Link-local ones mean another machine on
/// every link.
fn is_asked(address: &IpAddr, own: bool) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_unspecified(),
        IpAddr::V6(v6) if v6.is_unicast_link_local() => own,
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unspecified(),
    }
}

fn ip(of: &InterfaceAddress) -> Option<IpAddr> {
    let address = of.address.as_ref()?;
    let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
}

/// The link-layer address of an Ethernet interface; `None` for other kinds.
fn link_layer(name: &str) -> io::Result<Option<[u8; 6]>> {
    let mut all = getifaddrs()?.filter(|each| each.interface_name == name);
    Ok(all.find_map(|each| {
        let link = *each.address.as_ref()?.as_link_addr()?;
        if link.hatype() == ETHERNET { link.addr() } else { None }
    }))
}

fn any_socket() -> io::Result<OwnedFd> {
    Ok(socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?)
}

/// An answer of `UDP_OCTETS_MAX` octets with its headers passes: the MTU that IPv6 asks for.
const MTU_MIN: u32 = 1280;
/// linux/if_arp.h: `ARPHRD_ETHER`.
const ETHERNET: u16 = 1;
