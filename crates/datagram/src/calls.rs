//! The two system calls. `nix` has them, but can neither use its headers again nor give each
//! message another source address; one call for each datagram costs a fifth of the throughput.
#![expect(unsafe_code, reason = "recvmmsg(2) and sendmmsg(2) take pointers to pointers")]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::null_mut;

use nix::libc;

use crate::control::Control;
use crate::name::Name;

/// Where one datagram is received.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) name: Name,
    pub(crate) control: Control,
    /// Octets that came.
    pub(crate) length: usize,
}

/// One datagram to be sent, or several in one.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) parts: &'a [io::IoSlice<'a>],
    pub(crate) name: Name,
    pub(crate) control: Control,
}

/// Receives datagrams into the slots and, one after the other, into as many equal parts of `room`;
/// how many came. Waits for the first only, and only as long as the socket's timeout says.
pub(crate) fn receive(
    socket: BorrowedFd<'_>,
    slots: &mut [Slot],
    room: &mut [u8],
) -> io::Result<usize> {
    let part = room.len() / slots.len().max(1);
    let mut vectors = [EMPTY_VECTOR; BATCH];
    let mut headers = [EMPTY_HEADER; BATCH];
    let mut count = 0;
    let places = room.chunks_mut(part.max(1)).zip(slots.iter_mut());
    for ((place, slot), (vector, header)) in places.zip(vectors.iter_mut().zip(&mut headers)) {
        *vector = libc::iovec { iov_base: place.as_mut_ptr().cast(), iov_len: place.len() };
        let (name, control) = (slot.name.room(), slot.control.room());
        header.msg_hdr.msg_name = name.as_mut_ptr().cast();
        header.msg_hdr.msg_namelen = name.len() as _;
        header.msg_hdr.msg_iov = vector;
        header.msg_hdr.msg_iovlen = 1;
        header.msg_hdr.msg_control = control.as_mut_ptr().cast();
        header.msg_hdr.msg_controllen = control.len() as _;
        count += 1;
    }
    // SAFETY: each of the first `count` headers points to a vector of this function, and to a name,
    // a control buffer and a part of `room` that are borrowed for longer than the call, with their
    // lengths; no two of them overlap. The kernel writes octets, which all of these may hold.
    let received = unsafe {
        libc::recvmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr(),
            count,
            libc::MSG_WAITFORONE as _,
            null_mut(),
        )
    };
    let received = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
    for (slot, header) in slots.iter_mut().zip(&headers).take(received) {
        slot.length = header.msg_len as usize;
        slot.control.used = header.msg_hdr.msg_controllen as _;
    }
    Ok(received)
}

/// Sends datagrams; how many of them left. An error is about the first.
pub(crate) fn send<'a>(
    socket: BorrowedFd<'_>,
    outgoing: impl Iterator<Item = &'a Outgoing<'a>>,
) -> io::Result<usize> {
    let mut headers = [EMPTY_HEADER; BATCH];
    let mut count = 0;
    for (out, header) in outgoing.zip(&mut headers) {
        let (name, control) = (out.name.octets(), out.control.octets());
        header.msg_hdr.msg_name = name.as_ptr().cast_mut().cast();
        header.msg_hdr.msg_namelen = name.len() as _;
        // `IoSlice` has the layout of `iovec`; so says its documentation.
        header.msg_hdr.msg_iov = out.parts.as_ptr().cast_mut().cast();
        header.msg_hdr.msg_iovlen = out.parts.len() as _;
        if !control.is_empty() {
            header.msg_hdr.msg_control = control.as_ptr().cast_mut().cast();
            header.msg_hdr.msg_controllen = control.len() as _;
        }
        count += 1;
    }
    // SAFETY: each of the first `count` headers points to a name, vectors and a control buffer that are
    // borrowed for longer than the call, with their lengths. The kernel only reads them, but for
    // `msg_len` of the headers, which are ours.
    let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count, 0) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Most datagrams of one call.
pub const BATCH: usize = 32;

const EMPTY_VECTOR: libc::iovec = libc::iovec { iov_base: null_mut(), iov_len: 0 };
// SAFETY: null pointers, zero lengths and no flags are a header; some systems have padding in it that
// cannot be named.
const EMPTY_HEADER: libc::mmsghdr = unsafe { std::mem::zeroed() };
