//! Datagrams, many with one system call, whose answers leave from the address that was asked.
//!
//! # What
//! [`Socket`] receives a batch of datagrams and sends a batch of answers (recvmmsg(2), sendmmsg(2)).
//! A socket bound to a wildcard address would answer from whatever address routing prefers, and the
//! asker would drop that; so such a socket learns by a control message which address a datagram was
//! sent to (IP_PKTINFO, RFC 3542 §6), and says it again when it answers.
//!
//! # Not here
//! Nothing of DNS; no threads. Whoever receives decides what to answer and when to stop.
//!
//! # Flow
//! `Socket::receive → Batch::messages → answers → Socket::send`.
//!
//! # Start reading at
//! `socket.rs`. The `unsafe` code, two system calls that no crate offers in this form, is in
//! `calls.rs`.

mod calls;
mod control;
mod name;
mod socket;

pub use calls::BATCH;
pub use socket::{Asker, Batch, Socket};
