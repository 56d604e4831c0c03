//! The doors for queries: UDP and TCP.
//!
//! # What
//! [`Server`] answers from the zones that it is given: workers with a UDP socket each, and TCP
//! connections with pipelining and limits. [`respond`] is the pure step from one message to its
//! answer.
//!
//! # Not here
//! No accounts, tokens or store: this crate closes over `wire`, `zone` and `datagram`, so that a fault in
//! answering cannot reach a secret. Dynamic updates and transfers are refused until their doors
//! exist.
//!
//! # Flow
//! `datagrams or stream → Asked::read → read_ahead → Asked::answer → Zone::answer → the same socket`.
//!
//! # Start reading at
//! `respond.rs`, then `udp.rs`.

mod bad_key;
mod counters;
mod listen;
mod respond;
mod tcp;
mod udp;

pub use counters::{Counters, Tally};
pub use listen::{ListenError, Server, Settings};
pub use respond::{Asked, Transport, read_ahead, respond};
