//! The HTTP door over real sockets, before a real node: writer, SQLite and all.
#![expect(clippy::expect_used, clippy::panic, reason = "a step that fails is a failed test")]

mod caller;
mod devices;
mod durable;
mod encrypted;
mod family;
mod gone;
mod limits;
mod providers;
mod records;
mod service;
mod small;
mod sources;
mod strangers;
mod texts;
mod tokens;
mod updates;
