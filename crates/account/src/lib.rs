//! Accounts, hosts, tokens and keys, and the rules about who may change what.
//!
//! # What
//! The durable nouns beside the DNS data ([`Entity`]), the [`Directory`] that holds them in memory,
//! the text of a token ([`secret`]), how a secret becomes an [`Actor`], what an actor may do
//! ([`policy`]) and which addresses may be published ([`address`]).
//!
//! # Not here
//! No storage, no clock, no randomness: moments and random bytes are arguments. Nothing here
//! changes a zone; that is the engine's business.
//!
//! # Flow
//! A door hands a secret to [`Directory::authenticate`] and gets an [`Actor`]; the engine asks
//! [`policy::authorize`] whether that actor may make a change, at the moment it judges the change.
//!
//! # Start reading at
//! `entity.rs` and `key.rs` for the nouns, then `policy.rs`.

mod actor;
pub mod address;
mod directory;
mod entity;
mod key;
mod network;
pub mod policy;
mod reserved;
pub mod secret;
mod token;

pub use actor::{Actor, TokenActor};
pub use directory::{AuthError, Directory};
pub use entity::{
    Account, AccountId, Entity, EntityKey, Host, HostExpiry, Limits, Member, OnExpiry, Prefix,
    Released, Scavenge, Scope, Timestamp, TokenId, Webhook, WebhookId, ZoneEntry,
};
pub use key::{Actions, Credential, KeyPolicy, NamePattern, TsigKey};
pub use network::{Network, NetworkError, source_block};
pub use reserved::is_reserved;
pub use token::{Role, Rule, Terms, Token, USED_GRAIN_MS};
pub use wire::TsigAlgorithm;
