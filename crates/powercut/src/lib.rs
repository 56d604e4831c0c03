//! A disk that loses power: what was never synced is gone.
//!
//! # What
//! [`Disk`] is a file system that lives in memory, in a process of its own, and keeps apart what programs have written
//! and what a disk would hold: octets and lengths of files since their last `fsync`, entries of the
//! directory since its last `fsync`. [`Disk::cut`] takes the power away, and [`Disk::remains`]
//! writes what is left into a real directory. It can also refuse to sync. For tests only.
//!
//! # Not here
//! No directories below the first one, no links, no permissions: what the stores do not use.
//!
//! # Flow
//! `Disk::mount → (a store works on it) → Disk::cut → Disk::remains → (the store opens that)`.
//!
//! # Start reading at
//! `platter.rs`, then `disk.rs`.

mod disk;
mod mount;
mod namespace;
mod platter;

pub use disk::Disk;
pub use namespace::enter;
pub use platter::Loss;
