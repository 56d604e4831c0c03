//! The engine: the only way to write.
//!
//! # What
//! [`Engine`] is a step function: it judges waiting requests in order against the state that all
//! earlier ones have decided, makes a [`Batch`] of events of the accepted ones, and once the batch
//! is durable makes it visible and hands out the replies. [`Live`] is the visible state that doors
//! read.
//!
//! # Not here
//! No thread, clock, randomness or I/O: moments, salts and the result of the append are arguments.
//! The writer thread that drives the step function lives in `node`.
//!
//! # Flow
//! `Submission → Engine::push → Engine::step → Batch → (append) → Engine::settle → Reply`.
//! Batches may be judged while earlier ones are being written; every reply, also a refusal or "no
//! change", waits for the batches that were judged before it; when one is lost, what was judged
//! after it is judged again. Changes of DNS data share a batch and see what is decided but not yet
//! visible; every other operation is judged alone, against the visible state. A door may ask
//! [`Live::stands`] first whether there is anything to do at all.
//!
//! # Start reading at
//! `engine.rs`, then `judge.rs`.

mod engine;
mod expiry;
mod fold;
mod hashed;
mod judge;
mod leases;
mod live;
mod operate;
mod overlay;
mod request;
mod staging;
mod standing;
mod weigh;

pub use engine::{Batch, BatchNo, Engine, Settled, Step};
pub use leases::Leases;
pub use live::Live;
pub use request::{
    AccountPatch, HostPatch, Lease, NewKey, NewToken, NewWebhook, NewZone, Operation, Outcome,
    Refused, Reply, Request, Submission, Ticket, ZonePatch,
};
