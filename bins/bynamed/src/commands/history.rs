//! `bynamed history` and `bynamed undo`: who changed what, and setting it back.

use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use node::admin::{Command, HistoryOf, HistoryQuery, LIST_END_LINE, UndoTarget};
use serde_json::{Value, json};

use crate::configuration::Configuration;
use crate::fault::Fault;
use crate::options::parse;
use crate::order;
use crate::output::Output;

/// Which part of which history.
#[derive(Debug, clap::Args)]
pub(crate) struct History {
    /// A host or any other name: its records, those of names like `_acme-challenge` below it, its
    /// settings and tokens [default: everybody's]
    name: Option<String>,
    /// Of a zone
    #[arg(long, value_name = "ZONE", conflicts_with = "name")]
    zone: Option<String>,
    /// Of an account, with its hosts, zones and tokens
    #[arg(long, value_name = "NAME", conflicts_with_all = ["name", "zone"])]
    account: Option<String>,
    /// Made then or later: `2h` or `7d` ago, a date, or a time like `2026-11-29T18:00:00Z`
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<i64>,
    /// Made then or earlier
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<i64>,
    /// By `operator`, `system`, `token`, `token:NUMBER`, `key` or `key:NAME`
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    /// Of this kind: records, host, token, zone, account, key
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Most entries [default: 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: Option<u16>,
    /// Go on behind this position
    #[arg(long, value_name = "POSITION")]
    from: Option<u64>,
    /// The oldest first
    #[arg(long)]
    forward: bool,
    /// Verify the whole log, and that it has this position with this hash, as noted before
    #[arg(long, value_name = "POSITION:HASH", conflicts_with_all = ["name", "zone", "account"])]
    verify: Option<String>,
}

/// What is undone.
#[derive(Debug, clap::Args)]
pub(crate) struct Undo {
    /// The position of a change, as `bynamed history` shows it; with `--to`, a name
    what: String,
    /// Set the name back to what it was right after this position
    #[arg(long, value_name = "POSITION")]
    to: Option<u64>,
    /// Overwrite what is there now, also when it is not what the change has left
    #[arg(long)]
    force: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

impl History {
    pub(crate) fn run(self, configuration: &Configuration, output: Output) -> Result<(), Fault> {
        if let Some(head) = self.verify {
            let command = Command::Check { head: Some(head) };
            return order::run(&configuration.settings, &command, order::CHECKED, output);
        }
        let (named, zone, account) =
            (self.name.as_ref(), self.zone.as_ref(), self.account.as_ref());
        let of = named.map(|name| HistoryOf::Host(name.clone()));
        let of = of.or(zone.map(|zone| HistoryOf::Zone(zone.clone())));
        let of = of.or(account.map(|name| HistoryOf::Account(name.clone())));
        let mut query = HistoryQuery {
            of: of.unwrap_or(HistoryOf::All),
            since_ms: self.since,
            until_ms: self.until,
            by: self.by,
            kinds: self.kinds,
            limit: None,
            from: self.from,
            forward: self.forward,
        };
        let mut left = usize::from(self.limit.unwrap_or(LIMIT));
        let mut entries = Vec::new();
        // One call looks at a bounded part of the log only.
        loop {
            query.limit = Some(left);
            let (page, more) = page(configuration, &query)?;
            left = left.saturating_sub(more.len());
            entries.extend(more);
            query.from = page["next"].as_u64();
            if left == 0 || query.from.is_none() {
                return show(&entries, &page, output);
            }
        }
    }
}

impl Undo {
    pub(crate) fn run(self, configuration: &Configuration, output: Output) -> Result<(), Fault> {
        let target = match self.to {
            Some(pos) => UndoTarget::NameTo(self.what, pos),
            None => match self.what.parse() {
                Ok(pos) => UndoTarget::Event(pos),
                Err(_) => {
                    let fault = Fault::failed(format!("`{}` is not a position", self.what));
                    return Err(fault.hint("for a name, say with `--to POSITION` how far back"));
                }
            },
        };
        let command = Command::Undo { target, force: self.force, dry_run: self.dry_run };
        let settings = &configuration.settings;
        let done = order::deliver(settings, &command, &mut io::empty(), &mut io::sink())?;
        if output.is_json() {
            return output.value(&done);
        }
        let changes = done["changes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut text: String = changes.iter().map(changed).collect();
        if changes.is_empty() {
            output.talk("nothing is to be set back: all is as it was");
        }
        for words in done["not_undone"].as_array().into_iter().flatten() {
            output.talk(&format!("not undone: {}", words.as_str().unwrap_or_default()));
        }
        if let Some(pos) = done["position"].as_u64() {
            text += &format!("position  {pos}\n");
            output.talk(&format!("`bynamed undo {pos}` takes this back"));
        }
        output.text(&text)
    }
}

fn page(configuration: &Configuration, query: &HistoryQuery) -> Result<(Value, Vec<Value>), Fault> {
    let mut rows = Vec::new();
    let command = Command::History(query.clone());
    let value = order::deliver(&configuration.settings, &command, &mut io::empty(), &mut rows)?;
    let rows = String::from_utf8_lossy(&rows);
    let lines = rows.lines().filter(|line| *line != LIST_END_LINE);
    let entries = lines.map(serde_json::from_str).collect::<Result<_, _>>();
    Ok((value, entries.map_err(Fault::failed)?))
}

fn show(entries: &[Value], page: &Value, output: Output) -> Result<(), Fault> {
    if output.is_json() {
        let (next, oldest, head) = (&page["next"], &page["oldest"], &page["head"]);
        let value = json!({ "entries": entries, "next": next, "oldest": oldest, "head": head });
        return output.value(&value);
    }
    if entries.is_empty() {
        output.talk("there are none");
    }
    output.text(&entries.iter().map(entry).collect::<String>())?;
    if let Some(next) = page["next"].as_u64() {
        output.talk(&format!("there may be more: go on with `--from {next}`"));
    }
    Ok(())
}

/// A line on who, when and from where, then a line for each thing before (`-`) and after (`+`).
fn entry(entry: &Value) -> String {
    let by = &entry["by"];
    let word = by["kind"].as_str().unwrap_or_default();
    let who = match (by["id"].as_u64(), by["name"].as_str()) {
        (Some(id), _) => format!("{word} {id}"),
        (None, Some(name)) => format!("{word} {name}"),
        (None, None) => word.to_owned(),
    };
    let label = by["label"].as_str().filter(|label| !label.is_empty());
    let label = label.map(|label| format!(" ({label})")).unwrap_or_default();
    let source = match entry["source"].as_str() {
        Some(address) => format!("  from {address}"),
        None if entry["source_erased"] == true => "  from (erased)".to_owned(),
        None => String::new(),
    };
    let at = entry["at"].as_str().unwrap_or_default();
    let mut text = format!("{}  {at}  {who}{label}{source}\n", entry["pos"]);
    let changes = entry["changes"].as_array().into_iter().flatten();
    text.extend(changes.map(changed));
    text
}

fn changed(change: &Value) -> String {
    let name = change["name"].as_str().unwrap_or_default();
    let kind = change["kind"].as_str().unwrap_or_default();
    if let Some(what) = change["what"].as_str() {
        return format!("  ! {kind} {name} {what}\n");
    }
    if kind == "records" {
        let rtype = change["type"].as_str().unwrap_or_default();
        let side = |sign: char, rrset: &Value| {
            let ttl = &rrset["ttl_s"];
            let data = rrset["data"].as_array().into_iter().flatten().filter_map(Value::as_str);
            data.map(|data| format!("  {sign} {name} {ttl} {rtype} {data}\n")).collect::<String>()
        };
        return side('-', &change["before"]) + &side('+', &change["after"]);
    }
    match (change["before"].as_object(), change["after"].as_object()) {
        (None, Some(_)) => format!("  + {kind} {name}\n"),
        (Some(_), None) => format!("  - {kind} {name}\n"),
        (Some(before), Some(after)) => {
            let differ = after.iter().filter(|(key, value)| before.get(*key) != Some(value));
            let none = Value::Null;
            let said = differ.map(|(key, value)| {
                format!("{key} {} → {value}", before.get(key).unwrap_or(&none))
            });
            format!("  ~ {kind} {name}: {}\n", said.collect::<Vec<_>>().join(", "))
        }
        (None, None) => String::new(),
    }
}

/// A moment, in milliseconds since 1970.
fn moment(text: &str) -> Result<i64, String> {
    if let Ok(ago_s) = parse::seconds(text) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        return Ok(now - i64::from(ago_s) * 1000);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at.as_millisecond());
    }
    let date = text.parse::<Date>().ok().and_then(|date| date.to_zoned(TimeZone::UTC).ok());
    let wrong =
        "it is none of a time ago like `2h`, a date, and a time like `2026-11-29T18:00:00Z`";
    date.map(|date| date.timestamp().as_millisecond()).ok_or_else(|| wrong.to_owned())
}

/// Entries when nothing else is said.
const LIMIT: u16 = 100;
