//! The engine as the writer thread drives it, over a store in memory.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

#[path = "engine/batches.rs"]
mod batches;
#[path = "engine/gone.rs"]
mod gone;
#[path = "engine/granted.rs"]
mod granted;
#[path = "engine/hosts.rs"]
mod hosts;
#[path = "engine/kept.rs"]
mod kept;
#[path = "engine/keys.rs"]
mod keys;
#[path = "engine/leases.rs"]
mod leases;

#[path = "engine/model.rs"]
mod model;
#[path = "engine/owners.rs"]
mod owners;
#[path = "engine/plain.rs"]
mod plain;
#[path = "engine/reference.rs"]
mod reference;
#[path = "engine/rig.rs"]
mod rig;
#[path = "engine/scavenged.rs"]
mod scavenged;
#[path = "engine/serials.rs"]
mod serials;
#[path = "engine/standing.rs"]
mod standing;
#[path = "engine/tokens.rs"]
mod tokens;
#[path = "engine/zones.rs"]
mod zones;
