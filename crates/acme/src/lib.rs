//! A certificate that the service obtains by itself (RFC 8555), proving its names by records in
//! zones that it serves (§8.4, dns-01).
//!
//! # What
//! [`keep`] sees to it that the certificate for the names of [`Settings`] is there and never
//! expires: it orders, renews and puts it where handshakes find it. [`Kept`] is what lies on the
//! disk meanwhile.
//!
//! # Not here
//! No listening (`gateway`), no choice between certificates (`tls`), no protocol of ACME itself:
//! that is the library's.
//!
//! # Flow
//! `schedule → order → proof (TXT through the engine) → certificate → kept → tls`.
//!
//! # Start reading at
//! `keeper.rs`, then `schedule.rs`.

mod http;
mod keeper;
mod kept;
mod order;
mod proof;
mod schedule;

pub use keeper::{Keeper, Settings, keep};
pub use kept::{Kept, KeptError};
