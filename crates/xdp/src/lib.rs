//! Queries over UDP that pass by the kernel's network stack (AF_XDP).
//!
//! # What
//! [`Door`] takes the DNS queries of one Ethernet interface out of the driver's hands and answers
//! them in the memory that they came in. [`frame`] is the pure part: from an Ethernet frame to
//! the query in it, and back.
//!
//! # Not here
//! No rule of answering: that is `server::respond`, the same as over sockets. No TCP, no fragments,
//! no VLANs, no address that the service does not listen at: all that stays with the kernel, and
//! the sockets are open as well, so that whatever is not taken here is answered there.
//!
//! # Flow
//! `driver → BPF program → RX ring → frame::Query → respond → frame::Query::reply → TX ring`.
//!
//! # Start reading at
//! `door.rs`, then `worker.rs`. The only `unsafe` code is in `kernel.rs`.

mod checksum;
mod door;
pub mod frame;
mod interface;
mod kernel;
mod places;
mod program;
mod ring;
mod socket;
mod worker;

pub use door::{Door, Mode, OpenError, Settings};
