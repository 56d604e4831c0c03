//! Signed messages: TSIG (RFC 8945), both ends, and the checking of SIG(0) (RFC 2931).
//!
//! # What
//! [`Keys`] are prepared once; [`Signed`] finds the signature of a message, [`Signed::verify`] checks
//! it and gives a [`Verified`], the only thing that can sign a reply, or a [`Fault`], which can say
//! why. [`Client`] is the other end. [`sig0`] checks signatures by public keys.
//!
//! # Not here
//! No clock (moments are arguments), no sockets, and no word on what a key may do.
//!
//! # Flow
//! `message → Signed::find → verify(keys, now) → Verified → … → Verified::sign(reply)`.
//!
//! # Start reading at
//! `verify.rs`, then `key.rs`.

mod client;
mod key;
mod record;
pub mod sig0;
mod verify;

pub use client::{Client, ClientError};
pub use key::{Key, Keys, Mac};
pub use record::{Malformed, Signed};
pub use verify::{Fault, Problem, Rejected, Stream, Verified};
