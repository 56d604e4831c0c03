//! Finds out which address the world sees, decides what should be published, and publishes it.
//!
//! # What
//! Sources ([`echo`], [`netlink`] with [`interface`]) say what is [`observe::Observed`] of each
//! family. From that follows what is [`desired`], from that and from what is remembered in the
//! [`state`] the [`plan`], and from the service's answer the [`outcome`]. [`cycle`] goes this way
//! once, [`run`] goes it whenever an address changes. [`config`] holds every option once.
//!
//! # Not here
//! The command line, the environment and the signals: they are the program's (`bins/byname`). The
//! update language: [`dialect`]. The service: this crate never links it.
//!
//! # Flow
//! `Observation → Desired → Plan → Outcome`. `Unknown` changes nothing on this way: a family of
//! which nothing is known is not mentioned in the update, and the service preserves it.
//!
//! # Start reading at
//! [`cycle::Cycle::go`], then [`plan::Record::plan`] and [`plan::Record::settle`]. Everything but
//! [`http`], [`netlink`], [`state::file`], [`cycle`] and [`run`] is pure: moments and random numbers
//! are arguments there.

pub mod address;
pub mod backoff;
pub mod config;
pub mod cycle;
pub mod desired;
pub mod echo;
pub mod http;
pub mod interface;
pub mod netlink;
pub mod observe;
pub mod outcome;
pub mod plan;
pub mod publish;
pub mod run;
pub mod secret;
pub mod server;
pub mod sources;
pub mod state;
