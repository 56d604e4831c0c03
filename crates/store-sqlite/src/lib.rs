//! The embedded store: one directory, SQLite, the log first and tables folded behind it.
//!
//! # What
//! [`SqliteStore`], the log in `log.db` with durable group commits, and the newest snapshot beside
//! it; [`StateDb`], the folded tables in `state.db`; [`HistoryIndex`], which says which events are
//! about whom, in `history.db`; [`mod@backup`]: backup, restore and check.
//!
//! # Not here
//! No meaning of events (that is `engine`), no encoding (that is `store::codec`), no threads:
//! `node` calls [`SqliteStore::maintain`] and [`StateDb::fold`] in the background.
//!
//! # Flow
//! `append → log.db (WAL, fsync) → Ok`; later `read → StateDb::fold → state.db`.
//! `state.db` may be deleted at any time: it is built anew from the snapshot and the log.
//!
//! # Start reading at
//! `log.rs`, then `state.rs`.

pub mod backup;
mod connection;
mod folder;
mod gather;
mod history;
mod hooks;
mod load;
mod log;
mod pack;
mod reading;
mod rows;
mod snapshot;
mod state;

pub use connection::{LockError, OpenError};
pub use history::{HistoryIndex, block, bounds};
pub use hooks::{HookDb, HookState, Met};
pub use load::Piece;
pub use log::SqliteStore;
pub use reading::StoredCommit;
pub use rusqlite::ErrorCode;
pub use state::{StateDb, StateError};
