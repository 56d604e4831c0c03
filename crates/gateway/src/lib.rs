//! The doors that take changes: HTTP, and DNS UPDATE messages.
//!
//! # What
//! [`Http`], the door for updates in the languages of routers and agents, with the address echo,
//! health and metrics. [`Updates`], what becomes of UPDATE messages that `server` hands over.
//! [`Client`], a door's access to the one writer.
//!
//! # Not here
//! No judgement (that is `engine`), no formats (those are `dialect`), no writer thread (`node`).
//!
//! # Flow
//! `door → dialect → account → Client::submit → writer thread → Outcome → dialect → door`.
//!
//! # Start reading at
//! `update.rs`, then `connection.rs` and `source.rs`; `updates.rs` for UPDATE messages.

mod attempts;
mod caller;
mod client;
mod clock;
mod connection;
mod door;
mod handover;
mod handshake;
mod http;
mod letters;
mod line;
mod log;
mod meaning;
mod notices;
mod outcome;
mod plan;
mod proxy;
mod quota;
mod random;
mod rates;
mod route;
mod seats;
mod source;
mod stream;
mod tally;
mod update;
mod updates;

pub use account::{Network, NetworkError};
pub use client::{Client, Letter, ReplyTo, SubmitError, tell};
pub use handover::{Conversation, Handed, Handover, Turned, Visit};
pub use http::{Http, HttpListenError, HttpSettings, MetricsText};
pub use letters::{Letterbox, Letters, letters};
pub use notices::{Notice, Notices};
pub use random::Random;
pub use rates::{RateSettings, Rates, TooOften};
pub use source::{Forwarded, Source};
pub use stream::Stream;
pub use updates::{Inbox, UpdateSettings, Updates};
