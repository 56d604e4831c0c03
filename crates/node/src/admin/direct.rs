//! Orders on the data directory of a service that is stopped.

use std::io::{self, Read, Write};
use std::path::Path;

use serde_json::{Value, json};
use store_sqlite::{SqliteStore, backup};

use super::execute::{self, execute};
use super::{AdminError, Command, history};
use crate::node::{Node, NodeError, Options};

/// Why an order was not carried out on a data directory.
#[derive(Debug, thiserror::Error)]
pub enum DirectError {
    /// The data directory cannot be used.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The order failed.
    #[error(transparent)]
    Order(#[from] AdminError),
    /// What follows the answer cannot be written.
    #[error("the result cannot be written: {0}")]
    Output(#[from] io::Error),
}

/// Carries out one order on the data directory of a service that is stopped. What follows an order
/// is read from `body`; a zone file or the
/// rows of a list are written to `out`.
pub fn direct(
    options: &Options,
    command: &Command,
    body: &mut dyn Read,
    out: &mut dyn Write,
) -> Result<Value, DirectError> {
    // Neither of these needs the state, and a check changes nothing.
    match command {
        Command::Check { head } => {
            return Ok(history::check(&open_store(options)?, head.as_deref())?);
        }
        Command::Backup { file } => return Ok(execute::backup(&open_store(options)?, file)?),
        _ => {}
    }
    let node = Node::open_briefly(options)?;
    let answer = execute(&node, command, body)?;
    if let Some(follows) = answer.follows {
        follows.write(out)?;
    }
    node.stop();
    Ok(answer.value)
}

/// Makes an empty data directory from a backup.
pub fn restore(from: &Path, data: &Path) -> Result<Value, NodeError> {
    let made = backup::restore(from, data)?;
    Ok(json!({ "data": data, "events": made.events, "position": made.head.0 }))
}

fn open_store(options: &Options) -> Result<SqliteStore, NodeError> {
    Ok(SqliteStore::open(&options.data)?)
}
