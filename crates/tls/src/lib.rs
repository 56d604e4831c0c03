//! Certificates of the doors: which ones there are, and which one a client is shown.
//!
//! # What
//! [`Pair`], a certificate chain with its private key, checked. [`Files`], a pair on the disk, and
//! [`watch`], which takes over what changes there. [`Certificates`], all pairs, of which the one is
//! chosen that fits the name that a client asks for. [`settings`], how TLS is spoken.
//! [`Failure`], why a handshake failed, in words for the operator.
//!
//! # Not here
//! No sockets (`gateway`), no obtaining of certificates (`acme`).
//!
//! # Flow
//! `files → Pair → Certificates → handshake`.
//!
//! # Start reading at
//! `pair.rs`, then `certificates.rs`.

mod certificates;
mod failure;
mod files;
mod pair;
mod watch;

pub use certificates::{Certificates, settings};
pub use failure::Failure;
pub use files::{FileError, Files};
pub use pair::{Pair, PairError};
pub use watch::{Watcher, watch};
