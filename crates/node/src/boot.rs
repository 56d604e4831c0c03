//! From the data directory to the state in memory: tables or snapshot first, then the log.

use engine::Engine;
use store::codec::StateReader;
use store::{FeedError, Pos, ShardId, Store};
use store_sqlite::{Piece, SqliteStore, StateDb};

use crate::node::{NodeError, open_tables};

/// Loads everything that is durable into a fresh engine; the folded tables come back for folding
/// on. Tables that do not fit the log are thrown away and built anew.
pub(crate) fn load(store: &SqliteStore, engine: &mut Engine) -> Result<StateDb, NodeError> {
    match load_all(store, engine) {
        Err(NodeError::State(why)) if why.is_damage() => {
            tracing::warn!(%why, "the folded tables cannot be read; building them anew");
            engine.forget();
            StateDb::discard(store.directory()).map_err(NodeError::Discard)?;
            load_all(store, engine)
        }
        other => other,
    }
}

fn load_all(store: &SqliteStore, engine: &mut Engine) -> Result<StateDb, NodeError> {
    let mut tables = fitting_tables(store)?;
    if tables.folded().0 > Pos(0) {
        tables.load_pieces(|piece| {
            match piece {
                Piece::Item(item) => engine.load(item),
                Piece::Parts { zone, parts } => engine.load_parts(&zone, parts)?,
                Piece::Deltas { zone, deltas } => engine.load_deltas(&zone, &deltas),
            }
            Ok(())
        })?;
    } else if let Some(snapshot) = store.snapshot(ShardId(0))? {
        for item in StateReader::new(snapshot.body)? {
            engine.load(item?);
        }
    }
    loop {
        let after = engine.stands_at().0;
        let commits = store.read(ShardId(0), after, READ_BYTES)?;
        if commits.is_empty() {
            let (at, _) = engine.stands_at();
            tracing::info!(position = at.0, tables = tables.folded().0.0, "state loaded");
            return Ok(tables);
        }
        for commit in &commits {
            engine.replay(&commit.events);
        }
    }
}

/// The tables when they stand on the chain of the log, else empty ones.
fn fitting_tables(store: &SqliteStore) -> Result<StateDb, NodeError> {
    let mut tables = open_tables(store.directory())?;
    if !fits(store, &tables)? {
        tracing::warn!(
            tables = tables.folded().0.0,
            "the folded tables do not fit the log; building them anew"
        );
        drop(tables);
        StateDb::discard(store.directory()).map_err(NodeError::Discard)?;
        tables = StateDb::open(store.directory())?;
    }
    Ok(tables)
}

fn fits(store: &SqliteStore, tables: &StateDb) -> Result<bool, NodeError> {
    let (at, hash) = tables.folded();
    if at == Pos(0) {
        return Ok(true);
    }
    // What is folded was durable before: then the log has lost it, the tables may be all that is
    // left, and going on would hand out positions again.
    let head = store.head(ShardId(0))?;
    if at > head {
        return Err(NodeError::Ahead { tables: at, log: head });
    }
    // The commit that ends where the tables stand, or the one after it when that is trimmed.
    match store.read(ShardId(0), Pos(at.0 - 1), 0) {
        Ok(commits) => {
            let events = commits.iter().flat_map(|commit| &commit.events);
            let mut there = events.filter(|event| event.pos == at);
            Ok(there.next().is_none_or(|event| event.hash == hash))
        }
        // It is trimmed: fine when the log goes on where the tables stand.
        Err(FeedError::Trimmed { oldest }) => Ok(oldest.0 <= at.0 + 1),
        Err(other) => Err(other.into()),
    }
}

/// How much of the log is read at once, in octets.
const READ_BYTES: usize = 8 * 1024 * 1024;
