//! Update languages of routers and agents, both ends, and the HTTP they are spoken over.
//!
//! # What
//! [`http`]: a reader of HTTP/1 requests that takes what real firmware sends and never lets two
//! parties disagree about where a request ends. [`dyndns2`]: the update language that nearly every
//! device speaks. A [`Hint`] names each oddity for the owner of the device.
//!
//! # Not here
//! No sockets, clocks or accounts. Who asks, whether they may and what is published is decided by
//! whoever calls; the source address of a connection never comes in here.
//!
//! # Flow
//! service: `octets → http::Reader → Request → dyndns2::parse → Update`, and back
//! `Code → dyndns2::render → Response → octets`; agent: `dyndns2::request`, then
//! `dyndns2::interpret`.
//!
//! # Start reading at
//! `http.rs`, then `dyndns2.rs`.

pub mod dyndns2;
mod hint;
pub mod http;

pub use hint::Hint;
