//! Questions to the kernel about addresses and routes, and its word that something has changed
//! (rtnetlink(7)).

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use netlink_packet_route::route::{RouteAttribute, RouteMessage, RouteType};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily as Domain, SocketType, netdevice, socket};

use crate::address::{Allowed, Family};
use crate::interface::{self, Held, HeldFlags, Where};
use crate::observe::{Cause, Observed};

/// Asks the kernel for the address of one family to publish; of one interface, when it is named.
pub fn ask(name: Option<&str>, family: Family, allowed: Allowed) -> Observed {
    let kernel = |error: io::Error| Observed::Unknown(Cause::Kernel(error.to_string()));
    let held = match addresses() {
        Ok(held) => held,
        Err(error) => return kernel(error),
    };
    if let Some(name) = name {
        return match index(name) {
            Ok(index) => interface::choose(&held, Where::Only(index), family, allowed),
            Err(_) => Observed::Unknown(Cause::NoInterface(name.to_owned())),
        };
    }
    match default_routes(family) {
        Ok(routes) => interface::choose(&held, Where::DefaultRoute(&routes), family, allowed),
        Err(error) => kernel(error),
    }
}

/// All addresses of all interfaces.
///
/// # Errors
/// Whatever the kernel says.
pub fn addresses() -> io::Result<Vec<Held>> {
    let question = RouteNetlinkMessage::GetAddress(AddressMessage::default());
    let held = dump(question)?.into_iter().filter_map(|message| match message {
        RouteNetlinkMessage::NewAddress(message) => held(&message),
        _ => None,
    });
    Ok(held.collect())
}

/// Hears when an address of this machine comes, goes or changes.
#[derive(Debug)]
pub struct Watch {
    socket: Socket,
}

impl Watch {
    /// Begins to listen.
    ///
    /// # Errors
    /// Whatever the kernel says.
    pub fn new() -> io::Result<Watch> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind(&SocketAddr::new(0, GROUP_IPV4_ADDRESSES | GROUP_IPV6_ADDRESSES))?;
        socket.set_non_blocking(true)?;
        Ok(Watch { socket })
    }

    /// Takes all that was said. What exactly was said does not matter: whoever is woken asks anew,
    /// so that a message lost in a full buffer does no harm.
    pub fn drain(&self) {
        let mut buffer = Vec::with_capacity(DATAGRAM_OCTETS);
        for _ in 0..DRAIN_MAX {
            buffer.clear();
            match self.socket.recv(&mut buffer, 0) {
                Ok(_) => {}
                Err(error) if error.raw_os_error() == Some(ENOBUFS) => {}
                Err(_) => return,
            }
        }
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The interfaces of the default routes with the lowest metric.
fn default_routes(family: Family) -> io::Result<Vec<u32>> {
    let mut question = RouteMessage::default();
    question.header.address_family = match family {
        Family::V4 => AddressFamily::Inet,
        Family::V6 => AddressFamily::Inet6,
    };
    let mut best = u32::MAX;
    let mut interfaces = Vec::new();
    for message in dump(RouteNetlinkMessage::GetRoute(question))? {
        let RouteNetlinkMessage::NewRoute(route) = message else { continue };
        let header = &route.header;
        if header.destination_prefix_length != 0 || header.kind != RouteType::Unicast {
            continue;
        }
        let (metric, hops) = metric_and_hops(&route);
        if metric < best {
            best = metric;
            interfaces.clear();
        }
        if metric == best {
            interfaces.extend(hops);
        }
    }
    Ok(interfaces)
}

fn metric_and_hops(route: &RouteMessage) -> (u32, Vec<u32>) {
    let mut metric = 0;
    let mut hops = Vec::new();
    for attribute in &route.attributes {
        match attribute {
            RouteAttribute::Priority(value) => metric = *value,
            RouteAttribute::Oif(index) => hops.push(*index),
            RouteAttribute::MultiPath(paths) => {
                hops.extend(paths.iter().map(|path| path.interface_index));
            }
            _ => {}
        }
    }
    (metric, hops)
}

fn index(name: &str) -> io::Result<u32> {
    let any = socket(Domain::INET, SocketType::DGRAM, None)?;
    Ok(netdevice::name_to_index(&any, name)?)
}

fn held(message: &AddressMessage) -> Option<Held> {
    let mut address = None;
    let mut local = None;
    // The header has room for the first eight flags only.
    let mut flags = AddressFlags::from_bits_retain(message.header.flags.bits().into());
    let mut lifetimes = None;
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Address(own) => address = Some(*own),
            AddressAttribute::Local(own) => local = Some(*own),
            AddressAttribute::Flags(all) => flags = *all,
            AddressAttribute::CacheInfo(cache) => lifetimes = Some(*cache),
            _ => {}
        }
    }
    // On a point-to-point link `address` is the other end's.
    let address: IpAddr = local.or(address)?;
    Some(Held {
        address,
        interface: message.header.index,
        flags: held_flags(flags),
        preferred_s: lifetimes.map_or(u32::MAX, |cache| cache.ifa_preferred),
        added_cs: lifetimes.map_or(0, |cache| cache.cstamp),
    })
}

fn held_flags(flags: AddressFlags) -> HeldFlags {
    HeldFlags {
        secondary: flags.contains(AddressFlags::Secondary),
        deprecated: flags.contains(AddressFlags::Deprecated),
        tentative: flags.contains(AddressFlags::Tentative),
        optimistic: flags.contains(AddressFlags::Optimistic),
        dadfailed: flags.contains(AddressFlags::Dadfailed),
        permanent: flags.contains(AddressFlags::Permanent),
    }
}

/// Asks for a table; again, when it has changed while it was being told.
fn dump(question: RouteNetlinkMessage) -> io::Result<Vec<RouteNetlinkMessage>> {
    let mut last = io::Error::other("the table does not come to rest");
    for _ in 0..DUMP_TRIES {
        match dump_once(question.clone()) {
            Ok(messages) => return Ok(messages),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

fn dump_once(question: RouteNetlinkMessage) -> io::Result<Vec<RouteNetlinkMessage>> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_DUMP | NLM_F_REQUEST;
    header.sequence_number = 1;
    let mut packet = NetlinkMessage::new(header, NetlinkPayload::from(question));
    packet.finalize();
    let mut octets = vec![0; packet.buffer_len()];
    packet.serialize(&mut octets);
    socket.send(&octets, 0)?;

    let mut messages = Vec::new();
    let mut datagram = Vec::with_capacity(DATAGRAM_OCTETS);
    loop {
        wait_readable(socket.as_fd())?;
        datagram.clear();
        socket.recv(&mut datagram, 0)?;
        if read_datagram(&datagram, &mut messages)? {
            return Ok(messages);
        }
        if messages.len() > MESSAGES_MAX {
            return Err(io::Error::other("the kernel's table is too long"));
        }
    }
}

/// Reads the messages of one datagram; says whether the table is complete.
fn read_datagram(mut rest: &[u8], messages: &mut Vec<RouteNetlinkMessage>) -> io::Result<bool> {
    let bad = || io::Error::new(io::ErrorKind::InvalidData, "a malformed netlink message");
    while let Some(length) = rest.first_chunk::<4>() {
        let length = u32::from_ne_bytes(*length) as usize;
        let octets = rest.get(..length).filter(|octets| octets.len() >= HEADER_OCTETS);
        let octets = octets.ok_or_else(bad)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or(&[]);
        let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(octets);
        // An attribute that this build cannot read must not hide the rest of the table.
        let Ok(message) = message else { continue };
        if message.header.flags & NLM_F_DUMP_INTR != 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match message.payload {
            NetlinkPayload::Done(_) => return Ok(true),
            NetlinkPayload::Error(error) => return Err(error.to_io()),
            NetlinkPayload::InnerMessage(inner) => messages.push(inner),
            NetlinkPayload::Overrun(_) => return Err(bad()),
            _ => {}
        }
    }
    Ok(false)
}

fn wait_readable(fd: BorrowedFd<'_>) -> io::Result<()> {
    let timeout = Timespec::try_from(KERNEL_TIMEOUT).map_err(io::Error::other)?;
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    match poll(&mut fds, Some(&timeout))? {
        0 => Err(io::ErrorKind::TimedOut.into()),
        _ => Ok(()),
    }
}

/// RTMGRP_IPV4_IFADDR and RTMGRP_IPV6_IFADDR of <linux/rtnetlink.h>.
const GROUP_IPV4_ADDRESSES: u32 = 0x10;
const GROUP_IPV6_ADDRESSES: u32 = 0x100;
/// <asm-generic/errno.h>: messages were lost because nobody read them.
const ENOBUFS: i32 = 105;
const HEADER_OCTETS: usize = 16;
/// The kernel fills at most this much when the reader has room for it.
const DATAGRAM_OCTETS: usize = 64 * 1024;
const MESSAGES_MAX: usize = 1 << 20;
const DRAIN_MAX: usize = 10_000;
const DUMP_TRIES: usize = 5;
const KERNEL_TIMEOUT: Duration = Duration::from_secs(2);
