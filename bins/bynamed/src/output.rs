//! Results on standard output, talk on standard error.

use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::fault::Fault;

/// Where results go, and in which form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    /// JSON for programs, or lines and tables for people.
    pub(crate) fn new(json: bool) -> Output {
        Output { json }
    }

    /// Whether programs read the results.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// One JSON value on a line of its own.
    pub(crate) fn value(self, value: &Value) -> Result<(), Fault> {
        self.text(&format!("{value}\n"))
    }

    /// Text as it is.
    pub(crate) fn text(self, text: &str) -> Result<(), Fault> {
        self.octets(text.as_bytes())
    }

    /// Octets as they are.
    pub(crate) fn octets(self, octets: &[u8]) -> Result<(), Fault> {
        let mut out = io::stdout().lock();
        match out.write_all(octets).and_then(|()| out.flush()) {
            // Whoever reads has seen enough, for example `head`.
            Err(why) if why.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            done => done.map_err(|why| Fault::failed(format!("standard output: {why}"))),
        }
    }

    /// A line for people, beside the result.
    pub(crate) fn talk(self, line: &str) {
        // Nothing can be said when standard error is gone.
        let _ = writeln!(io::stderr(), "{line}");
    }

    /// Tells why the program ends, and with which code. Programs find the reason on standard
    /// output as well.
    pub(crate) fn fault(self, fault: &Fault) -> ExitCode {
        if self.json {
            let Fault { exit, message, hint, taken: _ } = fault;
            let value = json!({ "error": message, "hint": hint, "exit": exit.code() });
            // The exit code says it too.
            let _ = self.value(&value);
        }
        self.talk(&format!("error: {}", fault.message));
        if let Some(hint) = &fault.hint {
            self.talk(&format!("hint: {hint}"));
        }
        ExitCode::from(fault.exit.code())
    }
}

/// A table for people: a heading, then a row for each value of a list.
pub(crate) fn table(rows: &[Value], columns: &[&str]) -> String {
    let mut cells = vec![columns.iter().map(|column| heading(column)).collect::<Vec<_>>()];
    cells.extend(rows.iter().map(|row| columns.iter().map(|c| cell(&row[*c])).collect()));
    let width = |column: usize| {
        let of = cells.iter().filter_map(|row| row.get(column));
        of.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut text = String::new();
    for row in &cells {
        let line: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// The fields of an object for people, one a line: those named first, then the others.
pub(crate) fn lines(value: &Value, first: &[&str]) -> String {
    let Some(fields) = value.as_object() else { return format!("{}\n", cell(value)) };
    let named = first.iter().filter_map(|key| fields.get_key_value(*key));
    let others = fields.iter().filter(|(key, _)| !first.contains(&key.as_str()));
    let all: Vec<(&String, &Value)> = named.chain(others).collect();
    let width = all.iter().map(|(key, _)| heading(key).len()).max().unwrap_or(0);
    let line = |(key, value): (&String, &Value)| {
        // Objects stand below each other, with what there is to say of each.
        let next = format!("\n{:width$}  ", "");
        let shown = match value.as_array() {
            Some(rows) if rows.iter().any(Value::is_object) => {
                rows.iter().map(said).collect::<Vec<_>>().join(&next)
            }
            Some(_) | None => cell(value),
        };
        format!("{:width$}  {shown}", heading(key)).trim_end().to_owned() + "\n"
    };
    all.into_iter().map(line).collect()
}

/// An object without what it says nothing of.
fn said(value: &Value) -> String {
    let mut value = value.clone();
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, field| cell(field) != "-");
    }
    cell(&value)
}

fn heading(key: &str) -> String {
    // Units stay with their names: `ttl_s` is in seconds.
    match key.strip_suffix("_s") {
        Some(stem) => format!("{} (s)", stem.replace('_', " ")),
        None => key.replace('_', " "),
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.is_empty() => "-".to_owned(),
        Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let each = fields.iter().map(|(key, value)| format!("{key} {}", cell(value)));
            each.collect::<Vec<_>>().join(" ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_as_wide_as_its_widest_cells() {
        let rows = [json!({ "zone": "dyn.example", "serial": 7 }), json!({ "zone": "b" })];
        let text = table(&rows, &["zone", "serial"]);
        assert_eq!(text, "zone         serial\ndyn.example  7\nb            -\n");
    }

    #[test]
    fn lines_begin_with_what_matters() {
        let value =
            json!({ "a": ["192.0.2.1", "192.0.2.2"], "host": "nas.dyn.example", "ttl_s": 60 });
        let text = lines(&value, &["host"]);
        assert_eq!(text, "host     nas.dyn.example\na        192.0.2.1, 192.0.2.2\nttl (s)  60\n");
    }

    #[test]
    fn objects_of_a_list_stand_below_each_other_without_empty_fields() {
        let tokens =
            json!([{ "id": 2, "label": "", "revoked": "today" }, { "id": 9, "label": "x" }]);
        let text = lines(&json!({ "host": "nas", "tokens": tokens }), &["host"]);
        assert_eq!(text, "host    nas\ntokens  id 2 revoked today\n        id 9 label x\n");
    }
}
