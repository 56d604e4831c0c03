//! The doors for queries: UDP and TCP.
//!
//! # What
//! [`Server`] answers from the zones that it is given: workers with a UDP socket each, and TCP
//! connections with pipelining and limits. [`respond`] is the pure step from one message to its
//! answer.
//!
//! # Not here
//! No accounts, tokens or store: this crate closes over `wire` and `zone`, so that a fault in
//! answering cannot reach a secret. Dynamic updates and transfers are refused until their doors
//! exist.
//!
//! # Flow
//! `datagram or stream → respond → Zones::find → Zone::answer → the same socket`.
//!
//! # Start reading at
//! `respond.rs`, then `udp.rs`.

mod bad_key;
mod counters;
mod datagram;
mod listen;
mod respond;
mod tcp;
mod udp;

pub use counters::Counters;
pub use listen::{ListenError, Server, Settings};
pub use respond::{Transport, respond};
