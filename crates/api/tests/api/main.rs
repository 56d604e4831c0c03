//! The API over real sockets, before a real node: door, writer, SQLite and all.
#![expect(clippy::expect_used, clippy::panic, reason = "a step that fails is a failed test")]

mod again;
mod caller;
mod document;
mod handover;
mod happened;
mod records;
mod roles;
mod rows;
mod service;
mod strangers;
mod things;
