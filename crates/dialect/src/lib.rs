//! Update languages of routers and agents, both ends, and the HTTP they are spoken over.
//!
//! # What
//! [`http`]: a reader of HTTP/1 requests that takes what real firmware sends and never lets two
//! parties disagree about where a request ends. [`Profile`]: the language of a request, as one
//! provider speaks it; each reads it into an [`Ask`] and puts an [`Outcome`] into its own words.
//! [`dyndns2`]: the one that nearly every device speaks, and our agent. A [`Hint`] names each oddity
//! for the owner of the device.
//!
//! # Not here
//! No sockets, clocks or accounts. Who asks, whether they may and what is published is decided by
//! whoever calls; the source address of a connection never comes in here.
//!
//! # Flow
//! service: `octets → http::Reader → Request → Profile::detect → parse → Ask`, and back
//! `Outcome → Profile::render → Response → octets`; agent: `dyndns2::request`, then
//! `dyndns2::interpret`.
//!
//! # Start reading at
//! `http.rs`, then `ask.rs`, `profile.rs` and `dyndns2.rs`.

mod address;
mod ask;
mod asker;
pub mod dyndns2;
mod hint;
mod hosts;
pub mod http;
mod outcome;
mod profile;

pub use ask::{
    Ask, HOSTS_MAX, Hosts, Own, Prefix, Refusal, TXT_MAX, TXT_OCTETS_MAX, TxtAction, TxtEdit, Verb,
    Wanted,
};
pub use hint::Hint;
pub use hosts::is_fqdn;
pub use outcome::{Code, Deleted, Outcome};
pub use profile::{Profile, acme_dns};
