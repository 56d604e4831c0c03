//! Measurements of the data plane, and of updates over HTTP.
//!
//! # What
//! [`hosts`] makes zones of any number of hosts and questions about them; [`asker`] asks a server over
//! its socket and checks each answer; [`curve`] draws how cost grows with the number of hosts.
//! [`updates`] makes hosts that have tokens, and requests that update them; [`caller`] sends these and
//! checks each answer; [`echo`] is what the least answer costs.
//!
//! # Not here
//! Nothing that is shipped, and no test: a figure that is too bad fails nothing.
//!
//! # Flow
//! `hosts::fill → server::Server → asker::ask → figures`, and
//! `updates::prepare → bynamed serve → caller::call → figures`.
//!
//! # Start reading at
//! `README.md`, then `bin/hosts.rs` and `bin/updates.rs`.

pub mod asker;
pub mod caller;
pub mod curve;
pub mod echo;
pub mod hosts;
pub mod process;
pub mod updates;
