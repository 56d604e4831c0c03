//! Lists, shown as they come.

use std::io::{self, Write};

use node::admin::LIST_END_LINE;
use serde_json::Value;

use crate::fault::Fault;
use crate::output::{self, Output};

/// Takes the rows of a list, one JSON value a line, and shows them: as one JSON array, or as a
/// table whose columns are as wide as the rows of one part need.
pub(crate) struct List {
    columns: &'static [&'static str],
    output: Output,
    line: Vec<u8>,
    rows: Vec<Value>,
    shown: usize,
}

impl List {
    pub(crate) fn new(columns: &'static [&'static str], output: Output) -> List {
        List { columns, output, line: Vec::new(), rows: Vec::new(), shown: 0 }
    }

    /// Shows what is left.
    pub(crate) fn end(mut self) -> Result<(), Fault> {
        if self.output.is_json() && self.shown + self.rows.len() == 0 {
            return self.output.text("[]\n");
        }
        self.show().map_err(|why| Fault::failed(format!("standard output: {why}")))?;
        match (self.output.is_json(), self.shown) {
            (true, _) => self.output.text("]\n"),
            (false, 0) => {
                self.output.talk("there are none");
                Ok(())
            }
            (false, _) => Ok(()),
        }
    }

    fn take(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        if line == LIST_END_LINE.as_bytes() {
            return Ok(());
        }
        self.rows.push(serde_json::from_slice(&line)?);
        if self.rows.len() >= PART_ROWS { self.show() } else { Ok(()) }
    }

    fn show(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() {
            return Ok(());
        }
        let text = if self.output.is_json() {
            let begin = if self.shown == 0 { "[" } else { "," };
            let rows: Vec<String> = rows.iter().map(Value::to_string).collect();
            format!("{begin}{}", rows.join(","))
        } else {
            output::table(&rows, self.columns)
        };
        self.shown += rows.len();
        self.output.text(&text).map_err(|fault| io::Error::other(fault.message))
    }
}

impl Write for List {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        for octet in octets {
            match octet {
                b'\n' => self.take()?,
                octet => self.line.push(*octet),
            }
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Rows that are kept until they are shown.
const PART_ROWS: usize = 1000;
