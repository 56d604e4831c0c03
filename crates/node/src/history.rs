//! History: every change with who, from where, by which token, and what was before and after.
//!
//! The log is the history. [`read`] pages through it, of a host, a zone, an account or all, backwards
//! or forwards; an index says where to look. [`undo`] makes the inverse change. [`erase_sources`]
//! takes personal data out of it and leaves the chain whole.

mod entity;
mod entry;
mod erase;
pub mod feed;
mod scope;
mod undo;
mod walk;

use account::{AccountId, Timestamp};
use store::{Pos, StoreError};
use store_sqlite::StateError;
use wire::Name;

pub(crate) use crate::admin::text;
pub use entry::{By, Changed, Entry, Kind, Source};
pub(crate) use entry::{moment, rrset_json};
pub use erase::{Whose, erase_sources};
pub use undo::{Difference, Target, Undo, UndoError, Undone, undo};
pub use walk::read;

/// Whose history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// Everybody's.
    All,
    /// Of a host, or any other name: its records, those of names that hang below it by labels like
    /// `_acme-challenge`, its settings and its tokens.
    Host(Name),
    /// Of a zone: its settings, all records in it, and its hosts and keys.
    Zone(Name),
    /// Of an account: its settings, and those of its zones, hosts and tokens, and the records of its
    /// hosts and zones.
    Account(AccountId),
}

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// The operator, who sees all.
    Operator,
    /// Somebody who acts for an account: sees it, and its zones and hosts. Of a host that had another
    /// owner before, what was then is not shown; of others' hosts in a zone no source address is.
    Account(AccountId),
}

/// In which direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Backwards.
    #[default]
    NewestFirst,
    /// Forwards.
    OldestFirst,
}

/// Which of the events; what is not given does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Made then or later.
    pub since: Option<Timestamp>,
    /// Made then or earlier.
    pub until: Option<Timestamp>,
    /// By this one.
    pub by: Option<ByFilter>,
    /// What changed is one of these; none: anything.
    pub kinds: Vec<Kind>,
}

/// Who made a change, to be looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ByFilter {
    /// The service itself.
    System,
    /// The operator.
    Operator,
    /// Any token, or the one with this number.
    Token(Option<u64>),
    /// Any key, or the one with this name.
    Key(Option<Name>),
}

/// What is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Whose history.
    pub of: Of,
    /// For whom.
    pub viewer: Viewer,
    /// In which direction.
    pub order: Order,
    /// Go on behind this position in that direction; `None`: from the end that comes first.
    pub from: Option<Pos>,
    /// Which events.
    pub filter: Filter,
    /// Most entries; 1 to [`LIMIT_MAX`].
    pub limit: usize,
}

impl Query {
    /// The newest entries of somebody, for the operator.
    pub fn new(of: Of) -> Query {
        Query {
            of,
            viewer: Viewer::Operator,
            order: Order::default(),
            from: None,
            filter: Filter::default(),
            limit: LIMIT,
        }
    }
}

/// Some entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// In the order that was asked for. There may be none and still more to come: a call looks at a
    /// bounded number of events.
    pub entries: Vec<Entry>,
    /// [`Query::from`] of the page after this one; `None`: there is nothing more.
    pub next: Option<Pos>,
    /// Position of the oldest event that the log still has.
    pub oldest: Pos,
    /// Position of the newest event.
    pub head: Pos,
}

/// Why history cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// There is nobody of this name, or not for this viewer.
    #[error("no such {0}")]
    Missing(&'static str),
    /// The viewer may not see this.
    #[error("only the operator may see this")]
    OperatorOnly,
    /// The log cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The index cannot be read; it is made anew.
    #[error("the index of the history: {0}")]
    Index(#[from] StateError),
    /// The file of the webhooks cannot be opened.
    #[error("{0}")]
    Hooks(String),
}

/// Entries of a page when nothing else is said.
pub const LIMIT: usize = 100;
/// Most entries of a page.
pub const LIMIT_MAX: usize = 1000;
