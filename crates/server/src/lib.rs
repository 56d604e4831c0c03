//! The doors for queries: UDP and TCP.
//!
//! # What
//! [`Server`] answers from the zones that it is given: workers with a UDP socket each, and TCP
//! connections with pipelining and limits. [`respond`] is the pure step from one message to its
//! answer.
//!
//! # Not here
//! No accounts, tokens or store: this crate closes over `wire`, `zone`, `tsig` and `datagram`, so that a
//! fault in answering cannot reach them. Dynamic updates are handed over to an [`Intake`]. Transfers
//! are refused until their door exists.
//!
//! # Flow
//! `datagrams or stream → Asked::read → read_ahead → Asked::answer → Zone::answer → the same socket`.
//!
//! # Start reading at
//! `respond.rs`, then `udp.rs`.

mod counters;
mod listen;
mod respond;
mod served;
mod tcp;
mod udp;

pub use counters::{Counters, Tally};
pub use listen::{ListenError, Server, Settings};
pub use respond::{Asked, Context, Transport, read_ahead, respond};
pub use served::{Intake, Parcel, Replies, Served};
