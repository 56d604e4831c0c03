//! Dynamic updates: messages of RFC 2136 to changes and back.
//!
//! # What
//! [`parse`] reads a message into an [`Update`], whose [`zone::Change`] is judged elsewhere;
//! [`Update::answer`] composes the response; [`refusal`] is the table from a refusal to its response
//! code and a text for people. [`compose`] is the client's end.
//!
//! # Not here
//! No judging (that is `zone::judge`), no signatures, no sockets.
//!
//! # Flow
//! `message → parse → Update → (engine) → answer → bytes`; `Change → compose → bytes`.
//!
//! # Start reading at
//! `parse.rs`.

mod answer;
mod compose;
mod parse;

pub use answer::{About, Verdict, answer, refusal};
pub use compose::compose;
pub use parse::{Unread, Update, parse};
