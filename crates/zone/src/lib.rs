//! Zones: what is served, how a change is judged and applied, how a query is answered.
//!
//! # What
//! [`Change`] is the only currency of writing DNS data; [`judge`] turns it into [`Delta`]s against
//! a [`View`]; [`Zone::apply`] makes them visible at once under a new serial; [`Zone::answer`]
//! composes the response to a query. [`Zones`] is the set of zones that one node serves.
//!
//! # Not here
//! No accounts, tokens or storage, no sockets, no clock. Whether an actor may make a change is
//! decided above.
//!
//! # Flow
//! `Change → judge(view) → deltas → (durable) → Zone::apply(serial, deltas)`; and
//! `Query → Zones::find → Zone::answer → bytes`.
//!
//! # Start reading at
//! `change.rs` for writing, `answer.rs` for reading.

mod answer;
mod change;
mod draft;
mod index;
mod judge;
mod records;
mod sync;
mod zone;
mod zones;

pub use change::{Change, Delta, Edit, Flaw, Prerequisite, Refusal};
pub use index::set::SetRef;
pub use judge::{View, judge, next_serial};
pub use zone::{Loader, Snapshot, Zone};
pub use zones::{Serving, Zones};
