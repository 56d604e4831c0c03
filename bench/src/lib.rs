//! Measurements of the data plane.
//!
//! # What
//! [`hosts`] makes zones of any number of hosts and questions about them; [`asker`] asks a server over
//! its socket and checks each answer; [`curve`] draws how cost grows with the number of hosts.
//!
//! # Not here
//! Nothing that is shipped, and no test: a figure that is too bad fails nothing.
//!
//! # Flow
//! `hosts::fill → server::Server → asker::ask → figures`.
//!
//! # Start reading at
//! `README.md`, then `bin/hosts.rs`.

pub mod asker;
pub mod curve;
pub mod hosts;
pub mod process;
