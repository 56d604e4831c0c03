//! Whole programs against each other: ours, as a user gets them, and Debian's.
//!
//! # What
//! A harness for `tests/*.rs`: a running [`Service`] with its own data directory and ports that
//! the system chose, foreign programs by name ([`program`]), questions through `dig` ([`dns`]),
//! updates over HTTP ([`http`]) and by `nsupdate` and `knsupdate` ([`update`]), certificates
//! ([`authority`]), a network of our own ([`namespace`]) with a [`neighbour`], an ACME service
//! ([`pebble`]), and waiting for a condition
//! until a deadline ([`eventually`]).
//!
//! # Not here
//! No knowledge of how the programs work inside: this crate links none of ours. It installs
//! nothing; `cargo xtask tools` unpacks the foreign programs.
//!
//! # Flow
//! `Service::start → admin commands → foreign program → dig → eventually`. A failure is a panic
//! with what the program printed.
//!
//! # Start reading at
//! `service.rs`, then `tests/demo_story.rs`.
#![expect(clippy::panic, clippy::expect_used, reason = "a harness fails a test by panicking")]

pub mod authority;
mod background;
pub mod dns;
mod finished;
pub mod http;
pub mod namespace;
pub mod neighbour;
pub mod pebble;
mod program;
mod service;
pub mod update;
mod wait;

pub use background::Background;
pub use finished::Finished;
pub use program::{ours, program, tools_path};
pub use service::{Demo, Service, admin, new_folder, write_secret_file};
pub use wait::{DEADLINE, eventually};
