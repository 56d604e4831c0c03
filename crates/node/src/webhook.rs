//! Webhooks: what happens to an account is told to an address of its owner.
//!
//! Each call is signed and has a number by which a repetition is known. What is told comes from the
//! log, and how far it was told is written down: after a stop, a crash or days in which the address
//! did not answer it goes on where it was, at least once for each event. What is refused is told as
//! well, but stands in no log: it is told if the service runs on.
//!
//! docs/webhooks.md says what a receiver gets.

mod board;
mod courier;
mod message;
mod target;
mod work;

pub use courier::Courier;
pub use message::{EventKind, Message};
pub use target::{Failed, Target, check_url, sign};
