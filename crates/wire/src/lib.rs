//! DNS bytes and text: names, types, records, messages.
//!
//! # What
//! Absolute [`Name`]s, [`Rtype`]s and their kin, opaque validated [`Rdata`], [`Record`] and
//! [`Rrset`], reading of whole messages ([`Message`]) and of queries on the hot path ([`Query`]),
//! composing of responses ([`Writer`]), and zone-file text ([`zonefile`]).
//!
//! # Not here
//! No zones, no answering, no sockets. Nothing here knows what is served.
//!
//! # Flow
//! `bytes → Query::parse → … → Writer → bytes`; `text → zonefile → Record`.
//!
//! # Start reading at
//! `name.rs`, then `query.rs` and `writer.rs`.

mod algorithm;
mod edns;
mod message;
mod name;
mod query;
mod rdata;
mod record;
mod serial;
mod tail;
mod text;
mod types;
mod writer;
pub mod zonefile;

pub use algorithm::TsigAlgorithm;
pub use edns::{Ede, Edns, EdnsOption, UpdateLease};
pub use message::{Header, Message, MessageError, Question, RecordRef, Section};
pub use name::{Labels, Name, NameError, fold_into};
pub use query::{Envelope, QName, Query, QueryError};
pub use rdata::{Rdata, RdataError, Soa, target_octets};
pub use record::{Record, Rrset};
pub use serial::Serial;
pub use tail::Tail;
pub use types::{Class, Opcode, Rcode, Rtype, TypeError};
pub use writer::{Full, Mark, Writer};
