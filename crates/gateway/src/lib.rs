//! The doors that take changes: HTTP here, UPDATE messages later.
//!
//! # What
//! [`Client`], a door's access to the one writer.
//!
//! # Not here
//! No judgement (that is `engine`), no formats (those are `dialect`), no writer thread (`node`).
//!
//! # Flow
//! `door → dialect → account → Client::submit → writer thread → Outcome → dialect → door`.
//!
//! # Start reading at
//! `client.rs`.

mod client;
mod random;

pub use client::{Client, Letter, SubmitError};
pub use random::Random;
