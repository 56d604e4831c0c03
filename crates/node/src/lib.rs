//! One node: it drives the engine and serves its doors.
//!
//! # What
//! [`Node`] opens a data directory, loads the state, and runs the one thread that writes
//! ([`Node::submit`]); the [`admin`] commands that the operator gives over a local socket or to a
//! stopped service; the import and export of zone files; the background folding of the log.
//!
//! # Not here
//! No judgement (that is `engine`), no bytes of DNS or HTTP (those are `server` and `gateway`), no
//! configuration files (those are read by `bynamed`).
//!
//! # Flow
//! `Node::claim → (doors open) → Claimed::load → writer thread ⇄ Engine ⇄ Store`; doors get
//! [`Client`]s.
//!
//! # Start reading at
//! `node.rs`, then `writer.rs`.

pub mod admin;
mod appender;
mod boot;
mod expirer;
mod folder;
mod fresh;
pub mod history;
mod import;
mod node;
mod tide;
pub mod webhook;
mod writer;

pub use fresh::fresh_zone;
pub use gateway::{Client, Random, SubmitError};
pub use import::{Fault, ImportError, Imported, export, import};
pub use node::{Claimed, Node, NodeError, Options};
