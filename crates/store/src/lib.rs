//! The store: a durable, ordered log of events, and what can be folded from it.
//!
//! # What
//! The durable [`Event`] with its versioned encoding and hash chain, the [`Item`]s that a state is
//! made of (the content of snapshots and tables), and the trait [`Store`] that every engine below
//! us fulfils, with one suite of contract tests for all of them ([`contract`]).
//!
//! # Not here
//! No database and no file: those are `store-sqlite` and its siblings. No judgement: the engine
//! decides what becomes an event.
//!
//! # Flow
//! `Event::seal → Store::append → Commit → Store::read | Store::follow → fold → Item`.
//!
//! # Start reading at
//! `event.rs`, then `api.rs`.

mod api;
mod bell;
pub mod codec;
#[cfg(feature = "contract")]
pub mod contract;
mod event;
mod item;
mod memory;
mod part;
mod subject;

pub use api::{
    AppendError, BatchId, Caps, Commit, Durability, Feed, FeedError, FeedKind, NodeId, ShardId,
    ShardInfo, Snapshot, Store, StoreError, Writer, positions,
};
pub use bell::{Bell, BellFeed};
pub use event::{ActorRef, Event, EventBody, Fact, Hash, ImportId, Origin, Pos, RecordLease};
pub use item::Item;
pub use memory::MemoryStore;
pub use part::{Part, PartOwner, PartSet, PartWriter};
pub use subject::{Subject, belongs, subjects};
