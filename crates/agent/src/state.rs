//! What the agent remembers between two runs.

pub mod file;
mod v1;

use std::collections::BTreeMap;

use crate::plan::{Record, Target};

/// The records of all hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    entries: BTreeMap<String, Entry>,
}

/// One host at one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The host.
    pub host: String,
    /// The service's URL.
    pub server: String,
    /// What is known.
    pub record: Record,
}

/// Why a text is not a state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Not JSON, or not of this shape.
    #[error("not a state file: {0}")]
    Shape(#[from] serde_json::Error),
    /// Of another version of this program.
    #[error("of format {0}; this program reads format {VERSION}")]
    Version(u32),
    /// A word that no version of the format has.
    #[error("`{0}` is not a word of a state file")]
    Word(String),
}

impl State {
    /// Reads what [`State::to_text`] wrote.
    ///
    /// # Errors
    /// [`StateError`] for everything else.
    pub fn parse(text: &str) -> Result<State, StateError> {
        let entries = v1::parse(text)?;
        let keyed = entries.into_iter().map(|entry| (entry.record.target.0.clone(), entry));
        Ok(State { entries: keyed.collect() })
    }

    /// The state as JSON.
    pub fn to_text(&self) -> String {
        v1::to_text(self.entries.values())
    }

    /// All hosts, ordered by name and service.
    pub fn entries(&self) -> Vec<&Entry> {
        let mut all: Vec<&Entry> = self.entries.values().collect();
        all.sort_by_key(|entry| (&entry.host, &entry.server));
        all
    }

    /// The record of a target, a new one if there is none. What is known of the same host at the
    /// same service with another token is forgotten.
    pub fn record(&mut self, host: &str, server: &str, target: &Target) -> &mut Record {
        self.entries
            .retain(|key, entry| *key == target.0 || entry.host != host || entry.server != server);
        if !self.entries.contains_key(&target.0) {
            self.make_room();
        }
        let entry = self.entries.entry(target.0.clone()).or_insert_with(|| Entry {
            host: host.to_owned(),
            server: server.to_owned(),
            record: Record::new(target.clone()),
        });
        &mut entry.record
    }

    /// Forgets the host that has been silent for longest when there are too many.
    fn make_room(&mut self) {
        while self.entries.len() >= ENTRIES_MAX {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| last_seen_ms(&entry.record));
            let Some(key) = oldest.map(|(key, _)| key.clone()) else { return };
            self.entries.remove(&key);
        }
    }
}

fn last_seen_ms(record: &Record) -> u64 {
    let published = [&record.published.ipv4, &record.published.ipv6];
    published.into_iter().flatten().map(|published| published.at_ms).max().unwrap_or(0)
}

/// The format that is written.
pub const VERSION: u32 = 1;
/// The most hosts that are remembered.
pub const ENTRIES_MAX: usize = 1024;

#[cfg(test)]
mod tests;
