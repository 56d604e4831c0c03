//! What safe crates have no call for: bpf(2), memory shared with the kernel, and the ioctls of an
//! interface. The only `unsafe` code of this crate; what it offers is safe to use in any way, save
//! that [`Frames`] relies on its owner not to look at frames that are with the kernel.
#![expect(unsafe_code, reason = "memory that the kernel shares, and calls that no crate wraps")]

use std::ffi::{CString, c_void};
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64};

use nix::libc;
use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};

/// A ring of an AF_XDP socket: numbers, which we and the kernel only ever read and write as a whole.
#[derive(Debug)]
pub(crate) struct Words(Mapping);

impl Words {
    /// A ring by its number in `XDP_*PGOFF*`.
    pub(crate) fn of_ring(socket: &OwnedFd, which: u64, length: usize) -> io::Result<Words> {
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
        // SAFETY: a fresh mapping at a place that the kernel chooses touches no other memory; the
        // kernel keeps the memory of the ring for as long as it is mapped.
        let start = unsafe {
            let flags = flags | MapFlags::POPULATE;
            mmap(std::ptr::null_mut(), length, access, flags, socket, which)
        }?;
        Mapping::new(start, length).map(Words)
    }

    /// The number of 32 bits at an offset, when it lies inside and is aligned.
    pub(crate) fn word(&self, offset: usize) -> Option<&AtomicU32> {
        let at = self.0.at(offset, size_of::<AtomicU32>(), align_of::<AtomicU32>())?;
        // SAFETY: inside the mapping, aligned and initialised. Nothing but atomics is given out of
        // this memory, so that in this process it is only used atomically, and by one thread at a
        // time: this type is not `Sync`, so halves of a number of 64 bits do not race with it. The
        // kernel, whose accesses the language knows nothing of, uses numbers of the same sizes at
        // the same places (linux/if_xdp.h).
        Some(unsafe { at.cast::<AtomicU32>().as_ref() })
    }

    /// The number of 64 bits at an offset, when it lies inside and is aligned.
    pub(crate) fn double_word(&self, offset: usize) -> Option<&AtomicU64> {
        let at = self.0.at(offset, size_of::<AtomicU64>(), align_of::<AtomicU64>())?;
        // SAFETY: as for `word`.
        Some(unsafe { at.cast::<AtomicU64>().as_ref() })
    }
}

/// The frames that packets stand in: octets of our own, which the kernel is told the address of.
///
/// The kernel writes into frames that it was given by the fill ring, and only there, until they come
/// back by the receive ring. Whoever owns this looks only at frames that are not with the kernel;
/// this type cannot see to that.
#[derive(Debug)]
pub(crate) struct Frames(Mapping);

impl Frames {
    /// Memory that is all zero.
    pub(crate) fn new(length: usize) -> io::Result<Frames> {
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
        // SAFETY: a fresh mapping at a place that the kernel chooses touches no other memory.
        let start = unsafe {
            mmap_anonymous(std::ptr::null_mut(), length, access, flags | MapFlags::POPULATE)
        }?;
        Mapping::new(start, length).map(Frames)
    }

    /// Its address, for the kernel.
    pub(crate) fn address(&self) -> u64 {
        self.0.start.addr().get() as u64
    }

    /// Octets that lie inside.
    pub(crate) fn octets(&self, offset: usize, length: usize) -> Option<&[u8]> {
        let at = self.0.at(offset, length, 1)?;
        // SAFETY: inside the mapping and initialised. In this process nothing is written there while
        // the octets are borrowed: only `octets_mut` lets write, and it borrows all frames. That the
        // kernel does not write there rests on its rules for rings and on `XdpSocket`, which asks
        // for octets of packets that it has taken out and not yet put back. Were one of the two
        // wrong, octets could change while they are read; every value of an octet is valid, and
        // what reads them trusts none.
        Some(unsafe { std::slice::from_raw_parts(at.cast::<u8>().as_ptr(), length) })
    }

    /// Octets that lie inside, to be written.
    pub(crate) fn octets_mut(&mut self, offset: usize, length: usize) -> Option<&mut [u8]> {
        let at = self.0.at(offset, length, 1)?;
        // SAFETY: as for `octets`; and all frames are borrowed from us, so that nobody else in this
        // process has a reference into them.
        Some(unsafe { std::slice::from_raw_parts_mut(at.cast::<u8>().as_ptr(), length) })
    }
}

/// A piece of memory that the kernel reads and writes too. All of it is zero or the kernel's when
/// it is made, and unmapped when it is dropped. It gives out no references: whether as numbers or as
/// octets, it is only used as one of the two types above.
#[derive(Debug)]
struct Mapping {
    start: NonNull<c_void>,
    length: usize,
}

// SAFETY: the memory belongs to the process, not to a thread.
unsafe impl Send for Mapping {}

impl Mapping {
    fn new(start: *mut c_void, length: usize) -> io::Result<Mapping> {
        let start = NonNull::new(start).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Mapping { start, length })
    }

    /// Where something begins that lies inside and is aligned.
    fn at(&self, offset: usize, length: usize, align: usize) -> Option<NonNull<c_void>> {
        let end = offset.checked_add(length)?;
        // A mapping begins at a page, so that the offset tells the alignment.
        if end > self.length || !offset.is_multiple_of(align) {
            return None;
        }
        // SAFETY: the offset is inside the mapping, or at its end.
        Some(unsafe { self.start.byte_add(offset) })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by us with this length; all references are borrowed from what holds it.
        let _ = unsafe { munmap(self.start.as_ptr(), self.length) };
    }
}

/// A map of BPF programs from keys of `K` octets to numbers.
#[derive(Debug)]
pub(crate) struct Map<const K: usize>(OwnedFd);

/// Kinds of maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MapKind {
    /// From any octets to any number.
    Hash,
    /// From the number of a queue to the descriptor of an AF_XDP socket.
    Sockets,
}

impl<const K: usize> Map<K> {
    /// Makes an empty map with room for so many entries.
    pub(crate) fn create(kind: MapKind, entries: u32) -> io::Result<Map<K>> {
        let kind = match kind {
            MapKind::Hash => 1,
            MapKind::Sockets => 17,
        };
        let (key, value) = (K as u32, size_of::<u32>() as u32);
        open(BPF_MAP_CREATE, &MapCreate { kind, key, value, entries, flags: 0 }).map(Map)
    }

    /// Sets an entry.
    pub(crate) fn set(&self, key: &[u8; K], value: u32) -> io::Result<()> {
        let (map, key, value) = (raw(&self.0), address_of(key), address_of(&value));
        call(BPF_MAP_UPDATE_ELEM, &MapEntry { map, key, value, flags: 0 }).map(drop)
    }

    /// Removes an entry.
    pub(crate) fn unset(&self, key: &[u8; K]) -> io::Result<()> {
        let entry = MapEntry { map: raw(&self.0), key: address_of(key), value: 0, flags: 0 };
        call(BPF_MAP_DELETE_ELEM, &entry).map(drop)
    }

    /// Its descriptor, as programs name it.
    pub(crate) fn raw(&self) -> u32 {
        raw(&self.0)
    }
}

/// Loads a program for frames as they arrive, given in the kernel's encoding.
pub(crate) fn load_program(instructions: &[u64]) -> io::Result<OwnedFd> {
    let count = u32::try_from(instructions.len()).unwrap_or(u32::MAX);
    open(
        BPF_PROG_LOAD,
        &ProgramLoad {
            kind: BPF_PROG_TYPE_XDP,
            count,
            instructions: instructions.as_ptr().addr() as u64,
            licence: c"MIT OR Apache-2.0".as_ptr().addr() as u64,
            log: [0; 4],
            version: 0,
            flags: 0,
            name: *b"byname_dns\0\0\0\0\0\0",
            interface: 0,
            expected: BPF_XDP,
        },
    )
}

/// Attaches a program to an interface for as long as the link is open: it ends with the process.
pub(crate) fn attach(program: &OwnedFd, interface: u32, flags: u32) -> io::Result<OwnedFd> {
    let link = LinkCreate { program: raw(program), interface, kind: BPF_XDP, flags };
    open(BPF_LINK_CREATE, &link)
}

/// Lets one call send more than 32 frames (since Linux 6.17).
pub(crate) fn set_send_budget(socket: &OwnedFd, frames: u32) -> io::Result<()> {
    let (value, length) = (address_of(&frames), size_of::<u32>() as libc::socklen_t);
    let fd = socket.as_raw_fd();
    // SAFETY: the kernel reads `length` octets at an address that is valid for them.
    let done = unsafe {
        libc::setsockopt(fd, libc::SOL_XDP, XDP_MAX_TX_BUDGET, value as *const c_void, length)
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// How many octets a packet may have on an interface, without the Ethernet header.
pub(crate) fn mtu(socket: &OwnedFd, interface: &str) -> io::Result<u32> {
    let mut request = named(interface)?;
    ask(socket, libc::SIOCGIFMTU, &mut request)?;
    // SAFETY: the kernel has set this field; any octets are a number.
    let mtu = unsafe { request.ifr_ifru.ifru_mtu };
    Ok(u32::try_from(mtu).unwrap_or(0))
}

/// How many queues an interface receives by. Drivers that do not say have one.
pub(crate) fn receive_queues(socket: &OwnedFd, interface: &str) -> io::Result<u32> {
    let mut channels = Channels { command: ETHTOOL_GCHANNELS, ..Channels::default() };
    let mut request = named(interface)?;
    request.ifr_ifru.ifru_data = (&raw mut channels).cast();
    match ask(socket, libc::SIOCETHTOOL, &mut request) {
        Ok(()) => Ok((channels.receive + channels.combined).max(1)),
        Err(why) if why.raw_os_error() == Some(libc::EOPNOTSUPP) => Ok(1),
        Err(why) => Err(why),
    }
}

fn named(interface: &str) -> io::Result<libc::ifreq> {
    let name = CString::new(interface)?;
    // SAFETY: all zero is a valid request: numbers and a null pointer.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if name.as_bytes_with_nul().len() > request.ifr_name.len() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.as_bytes_with_nul()) {
        *to = *from as libc::c_char;
    }
    Ok(request)
}

fn ask(socket: &OwnedFd, code: libc::c_ulong, request: &mut libc::ifreq) -> io::Result<()> {
    // SAFETY: both codes take an `ifreq`; where it holds a pointer, that is to a structure of the
    // kernel's shape that outlives the call.
    let done = unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), code as _, request) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A command that makes something.
fn open<A>(command: libc::c_int, attribute: &A) -> io::Result<OwnedFd> {
    let fd = call(command, attribute)?;
    // SAFETY: the kernel has just made this descriptor, for us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn call<A>(command: libc::c_int, attribute: &A) -> io::Result<libc::c_int> {
    let (at, length) = (std::ptr::from_ref(attribute), size_of::<A>());
    // SAFETY: the attribute has the shape of this command's part of `union bpf_attr`; the kernel
    // reads only as many octets as it is told, and the addresses in it are valid for the call.
    let done = unsafe { libc::syscall(libc::SYS_bpf, command, at, length) };
    if done < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(libc::c_int::try_from(done).unwrap_or(0))
}

fn address_of<T>(of: &T) -> u64 {
    std::ptr::from_ref(of).addr() as u64
}

/// The number of a descriptor, as maps and programs hold it.
pub(crate) fn raw(fd: &OwnedFd) -> u32 {
    fd.as_raw_fd().cast_unsigned()
}

// linux/bpf.h: the parts of `union bpf_attr`, as far as we use them.

#[repr(C)]
struct MapCreate {
    kind: u32,
    key: u32,
    value: u32,
    entries: u32,
    flags: u32,
}

#[repr(C, align(8))]
struct MapEntry {
    map: u32,
    key: u64,
    value: u64,
    flags: u64,
}

#[repr(C)]
struct ProgramLoad {
    kind: u32,
    count: u32,
    instructions: u64,
    licence: u64,
    log: [u32; 4],
    version: u32,
    flags: u32,
    name: [u8; 16],
    interface: u32,
    expected: u32,
}

#[repr(C)]
struct LinkCreate {
    program: u32,
    interface: u32,
    kind: u32,
    flags: u32,
}

/// linux/ethtool.h: `struct ethtool_channels`.
#[repr(C)]
#[derive(Default)]
struct Channels {
    command: u32,
    receive_max: u32,
    send_max: u32,
    other_max: u32,
    combined_max: u32,
    receive: u32,
    send: u32,
    other: u32,
    combined: u32,
}

const BPF_MAP_CREATE: libc::c_int = 0;
const BPF_MAP_UPDATE_ELEM: libc::c_int = 2;
const BPF_MAP_DELETE_ELEM: libc::c_int = 3;
const BPF_PROG_LOAD: libc::c_int = 5;
const BPF_LINK_CREATE: libc::c_int = 28;
const BPF_PROG_TYPE_XDP: u32 = 6;
const BPF_XDP: u32 = 37;
const XDP_MAX_TX_BUDGET: libc::c_int = 9;
const ETHTOOL_GCHANNELS: u32 = 0x3c;

#[cfg(test)]
mod tests {
    use super::Frames;

    #[test]
    fn octets_outside_of_the_frames_are_not_given_out() {
        let mut frames = Frames::new(8192).unwrap();
        assert_eq!(frames.octets(0, 8192), Some([0; 8192].as_slice()));
        frames.octets_mut(8190, 2).unwrap().copy_from_slice(&[1, 2]);
        assert_eq!(frames.octets(8189, 3), Some([0, 1, 2].as_slice()));
        assert_eq!(frames.octets(8192, 0), Some([].as_slice()));
        for (offset, length) in [(8191, 2), (0, 8193), (8193, 0), (usize::MAX, 1), (1, usize::MAX)]
        {
            assert_eq!(frames.octets(offset, length), None, "{offset} {length}");
            assert_eq!(frames.octets_mut(offset, length), None, "{offset} {length}");
        }
    }
}
