//! The REST API: the service over HTTP for programs and people, under `/v1`.
//!
//! # What
//! [`Api`], which takes connections over from the door for updates and answers what is asked under
//! `/v1`: zones, RRsets, hosts, tokens, accounts, keys. Its document ([`document`], OpenAPI 3.1) is made
//! from the same table that requests are led by, so neither knows an operation that the other does not.
//!
//! # Not here
//! No judgement: whatever writes is an operation of `engine`, by the actor of the token that came with
//! the request. No listening, TLS, limits of connections or counting of failures: those are the door's
//! (`gateway`).
//!
//! # Flow
//! `gateway → Api::converse → hyper → Endpoint → (who, may they, what exactly) → Call → resource →
//! Operation → engine → Answer or Problem`.
//!
//! # Start reading at
//! `endpoint.rs`, then `reception.rs` and `resources/zones.rs`.

mod answer;
mod api;
mod body;
mod call;
mod caller;
mod endpoint;
mod idempotency;
mod line;
mod openapi;
mod page;
mod problem;
mod query;
mod reception;
mod refusal;
mod resources;
mod suggestion;
mod tag;
mod text;

pub use api::Api;
pub use openapi::document;
