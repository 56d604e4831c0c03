//! How far webhooks have been told: `hooks.db`. It is no cache: who was told what stands nowhere else.

use std::path::Path;

use account::{Timestamp, TokenId};
use rusqlite::{Connection, OptionalExtension, params};
use store::Pos;

use crate::connection::{self, OpenError, Sync};
use crate::rows::{pos, sql_pos};
use crate::state::StateError;

/// How far webhooks have been told, and from which networks tokens were used before.
#[derive(Debug)]
pub struct HookDb {
    connection: Connection,
}

/// How far one webhook has been told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HookState {
    /// Everything up to this position.
    pub after: Pos,
    /// Attempts since the last success.
    pub failures: u32,
    /// Since when nothing reaches it.
    pub failing_since: Option<Timestamp>,
}

/// Whether a token was used from a network before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// It was not used at all.
    Never,
    /// It was used, but not from there.
    Elsewhere,
    /// It was.
    There,
}

impl HookDb {
    /// Name of the file in a data directory.
    pub const NAME: &str = "hooks.db";

    /// Opens the positions of a data directory; empty when they are not there.
    pub fn open(directory: &Path) -> Result<HookDb, OpenError> {
        let path = directory.join(HookDb::NAME);
        let connection = connection::open(&path, Sync::Normal, MIGRATIONS)?;
        let sqlite = |why| OpenError::Sqlite { path: path.clone(), why };
        connection.pragma_update(None, "secure_delete", true).map_err(sqlite)?;
        connection.pragma_update(None, "wal_autocheckpoint", 100).map_err(sqlite)?;
        Ok(HookDb { connection })
    }

    /// How far a webhook has been told; `None` when nothing is known of it.
    pub fn state(&self, hook: u64) -> Result<Option<HookState>, StateError> {
        let sql = "SELECT after, failures, failing_since FROM hook WHERE id = ?1";
        let mut select = self.connection.prepare_cached(sql)?;
        let row = select.query_row([hook.cast_signed()], |row| {
            Ok(HookState {
                after: pos(row.get(0)?),
                failures: row.get(1)?,
                failing_since: row.get::<_, Option<i64>>(2)?.map(Timestamp),
            })
        });
        Ok(row.optional()?)
    }

    /// Writes down how far a webhook has been told.
    pub fn put(&self, hook: u64, state: &HookState) -> Result<(), StateError> {
        let sql = "INSERT OR REPLACE INTO hook (id, after, failures, failing_since)
            VALUES (?1, ?2, ?3, ?4)";
        let since = state.failing_since.map(|since| since.0);
        let values = params![hook.cast_signed(), sql_pos(state.after), state.failures, since];
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    /// Forgets webhooks that are not among these.
    pub fn keep(&self, hooks: &[u64]) -> Result<(), StateError> {
        let known: Vec<i64> = {
            let mut select = self.connection.prepare_cached("SELECT id FROM hook")?;
            let ids = select.query_map([], |row| row.get(0))?;
            ids.collect::<Result<_, _>>()?
        };
        for id in known.into_iter().filter(|id| !hooks.contains(&id.cast_unsigned())) {
            self.connection.execute("DELETE FROM hook WHERE id = ?1", [id])?;
            self.connection.execute("DELETE FROM met WHERE hook = ?1", [id])?;
        }
        Ok(())
    }

    /// Whether a token was used from a network before, as far as a webhook was told.
    pub fn met(&self, hook: u64, token: TokenId, network: &str) -> Result<Met, StateError> {
        let sql = "SELECT count(*), coalesce(sum(network = ?3), 0) FROM met
            WHERE hook = ?1 AND token = ?2";
        let mut select = self.connection.prepare_cached(sql)?;
        let values = params![hook.cast_signed(), token.0.cast_signed(), network];
        let (all, there): (i64, i64) = select.query_row(values, |r| Ok((r.get(0)?, r.get(1)?)))?;
        Ok(match (all, there) {
            (0, _) => Met::Never,
            (_, 0) => Met::Elsewhere,
            _ => Met::There,
        })
    }

    /// Notes that a token was used from a network. Of a token so many are kept, the newest.
    pub fn meet(
        &self,
        hook: u64,
        token: TokenId,
        (network, at): (&str, Timestamp),
    ) -> Result<(), StateError> {
        let (hook, token) = (hook.cast_signed(), token.0.cast_signed());
        let sql = "INSERT OR REPLACE INTO met (hook, token, network, at) VALUES (?1, ?2, ?3, ?4)";
        self.connection.prepare_cached(sql)?.execute(params![hook, token, network, at.0])?;
        let sql = "DELETE FROM met WHERE hook = ?1 AND token = ?2 AND network NOT IN
            (SELECT network FROM met WHERE hook = ?1 AND token = ?2 ORDER BY at DESC LIMIT ?3)";
        let limits = params![hook, token, NETWORKS_MAX];
        self.connection.prepare_cached(sql)?.execute(limits)?;
        Ok(())
    }

    /// Forgets the networks of a token: they are personal data.
    pub fn forget_networks(&self, token: TokenId) -> Result<(), StateError> {
        let sql = "DELETE FROM met WHERE token = ?1";
        self.connection.prepare_cached(sql)?.execute([token.0.cast_signed()])?;
        Ok(())
    }

    /// Forgets networks that were last used before a moment.
    pub fn forget_networks_before(&self, at: Timestamp) -> Result<(), StateError> {
        self.connection.execute("DELETE FROM met WHERE at < ?1", [at.0])?;
        Ok(())
    }
}

/// Steps of the schema of `hooks.db`.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE hook (
        id INTEGER PRIMARY KEY, after INTEGER NOT NULL, failures INTEGER NOT NULL,
        failing_since INTEGER);
    CREATE TABLE met (
        hook INTEGER NOT NULL, token INTEGER NOT NULL, network TEXT NOT NULL,
        at INTEGER NOT NULL, PRIMARY KEY (hook, token, network)) WITHOUT ROWID;
"];
/// Most networks of a token.
const NETWORKS_MAX: i64 = 64;
