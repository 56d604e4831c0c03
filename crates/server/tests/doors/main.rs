//! The doors, asked as the world asks: message by message, and through real sockets.

#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

mod edns;
mod open;
mod raw;
mod rfc8906;
mod signed;
mod size;
mod tcp;
mod udp;
mod world;
