//! Orders about the history.

use account::{Actor, Timestamp};
use data_encoding::HEXLOWER_PERMISSIVE;
use serde_json::{Value, json};
use store::{Hash, Pos};
use store_sqlite::SqliteStore;
use store_sqlite::backup::{self, Held};

use super::AdminError;
use super::command::{HistoryOf, HistoryQuery, UndoTarget};
use super::execute::{Answer, Follows, Orders, name, text};
use super::listing::Listing;
use crate::history::{
    self, ByFilter, Difference, Filter, HistoryError, Kind, Of, Order, Query, Target, Undo,
    UndoError, Viewer, Whose,
};

impl Orders<'_> {
    pub(super) fn history(&self, query: &HistoryQuery) -> Result<Answer, AdminError> {
        let by = query.by.as_deref().map(by).transpose()?;
        let kinds = query.kinds.iter().map(|word| kind(word)).collect::<Result<_, _>>()?;
        let query = Query {
            of: self.history_of(&query.of)?,
            viewer: Viewer::Operator,
            order: if query.forward { Order::OldestFirst } else { Order::NewestFirst },
            from: query.from.map(Pos),
            filter: Filter {
                since: query.since_ms.map(Timestamp),
                until: query.until_ms.map(Timestamp),
                by,
                kinds,
            },
            limit: query.limit.unwrap_or(history::LIMIT),
        };
        let page = history::read(self.node, &query)?;
        let value = json!({
            "next": page.next.map(|pos| pos.0),
            "oldest": page.oldest.0,
            "head": page.head.0,
        });
        let rows = page.entries.iter().map(history::Entry::json).collect();
        let follows = Some(Follows::Rows(Listing::values(self.node.live(), rows)));
        Ok(Answer { value, follows })
    }

    pub(super) fn undo(
        &self,
        target: &UndoTarget,
        force: bool,
        dry_run: bool,
    ) -> Result<Value, AdminError> {
        let target = match target {
            UndoTarget::Event(pos) => Target::Event(Pos(*pos)),
            UndoTarget::NameTo(host, pos) => Target::NameTo(name(host)?, Pos(*pos)),
        };
        let order = Undo { target, force, dry_run, actor: Actor::Operator, origin: None };
        let undone = history::undo(self.node, &order)?;
        Ok(json!({
            "position": undone.pos.map(|pos| pos.0),
            "changes": undone.set_back.iter().map(set_back).collect::<Vec<_>>(),
            "not_undone": undone.left_out,
        }))
    }

    pub(super) fn erase_sources(&self, of: &HistoryOf) -> Result<Value, AdminError> {
        let whose = match self.history_of(of)? {
            Of::Host(name) => Whose::Host(name),
            Of::Account(id) => Whose::Account(id),
            Of::All | Of::Zone(_) => {
                return Err(AdminError::Invalid("of a host or an account".to_owned()));
            }
        };
        let erased = history::erase_sources(self.node, &whose)?;
        Ok(json!({ "erased": erased }))
    }

    fn history_of(&self, of: &HistoryOf) -> Result<Of, AdminError> {
        Ok(match of {
            HistoryOf::All => Of::All,
            HistoryOf::Host(host) => Of::Host(name(host)?),
            HistoryOf::Zone(zone) => Of::Zone(name(zone)?),
            HistoryOf::Account(account) => Of::Account(self.account(Some(account))?),
        })
    }
}

/// Verifies a store; that it still has an event that was noted, as well.
pub(super) fn check(store: &SqliteStore, noted: Option<&str>) -> Result<Value, AdminError> {
    let noted = noted.map(head).transpose()?;
    let unavailable = |why: String| AdminError::Unavailable(why);
    let report = backup::check(store).map_err(|why| unavailable(why.to_string()))?;
    if !report.problems.is_empty() {
        return Err(AdminError::Invalid(report.problems.join("; ")));
    }
    if let Some((pos, hash)) = noted {
        let held = backup::holds(store, pos, hash).map_err(|why| unavailable(why.to_string()))?;
        let why = match held {
            Held::Yes => None,
            Held::No => Some("another event stands there: the log was changed or is another one"),
            Held::Trimmed => Some("the log does not reach back to it any more"),
            Held::Ahead => Some("the log ends before it: its end is lost, or it is an older copy"),
        };
        if let Some(why) = why {
            return Err(AdminError::Invalid(format!("position {}: {why}", pos.0)));
        }
    }
    Ok(json!({
        "events": report.log.events,
        "position": report.log.head.0,
        "head": format!("{}:{}", report.log.head.0, HEXLOWER_PERMISSIVE.encode(&report.hash.0)),
        "noted_head_is_there": noted.map(|_| true),
        "snapshot": report.log.snapshot.0,
        "tables": report.tables.map(|at| at.0),
        "problems": [],
    }))
}

/// A position and a hash as they are shown.
fn head(text: &str) -> Result<(Pos, Hash), AdminError> {
    let parse = || {
        let (pos, hash) = text.split_once(':')?;
        let hash = HEXLOWER_PERMISSIVE.decode(hash.as_bytes()).ok()?;
        Some((Pos(pos.parse().ok()?), Hash(hash.try_into().ok()?)))
    };
    parse().ok_or_else(|| {
        AdminError::Invalid(format!("`{text}` is not a position and a hash, as in `17:9f86…`"))
    })
}

fn kind(word: &str) -> Result<Kind, AdminError> {
    Kind::parse(word).ok_or_else(|| {
        let words: Vec<&str> = Kind::ALL.iter().map(|(_, word)| *word).collect();
        AdminError::Invalid(format!("`{word}` is none of {}", words.join(", ")))
    })
}

fn by(text: &str) -> Result<ByFilter, AdminError> {
    let (word, rest) = match text.split_once(':') {
        Some((word, rest)) => (word, Some(rest)),
        None => (text, None),
    };
    let wrong = || {
        let words = "`operator`, `system`, `token`, `token:NUMBER`, `key` and `key:NAME`";
        AdminError::Invalid(format!("`{text}` is none of {words}"))
    };
    match (word, rest) {
        ("operator", None) => Ok(ByFilter::Operator),
        ("system", None) => Ok(ByFilter::System),
        ("token", rest) => {
            let id = rest.map(|rest| rest.parse().map_err(|_| wrong())).transpose()?;
            Ok(ByFilter::Token(id))
        }
        ("key", rest) => Ok(ByFilter::Key(rest.map(name).transpose()?)),
        _ => Err(wrong()),
    }
}

fn set_back(difference: &Difference) -> Value {
    let shown = |rrset: &Option<wire::Rrset>| {
        rrset.as_ref().map(|rrset| history::rrset_json(rrset, difference.rtype))
    };
    json!({
        "kind": "records",
        "zone": text(&difference.zone),
        "name": text(&difference.owner),
        "type": difference.rtype.to_string(),
        "before": shown(&difference.now),
        "after": shown(&difference.to),
    })
}

/// What is there in place of what a change has left, one RRset a line.
fn differs(differences: &[Difference]) -> String {
    let mut lines = String::new();
    for difference in differences.iter().take(SHOWN_MAX) {
        let said = |rrset: &Option<wire::Rrset>| match rrset {
            None => "nothing".to_owned(),
            Some(rrset) => {
                let data = rrset.rdata.iter();
                let data = data.map(|rdata| rdata.display(difference.rtype).to_string());
                format!("{} {}", rrset.ttl_s, data.collect::<Vec<_>>().join(", "))
            }
        };
        let (owner, rtype) = (text(&difference.owner), difference.rtype);
        let (left, now) = (said(&difference.left), said(&difference.now));
        lines += &format!("; {owner} {rtype}: the change left {left}, there is {now}");
    }
    if differences.len() > SHOWN_MAX {
        lines += &format!("; and {} more", differences.len() - SHOWN_MAX);
    }
    lines
}

impl From<HistoryError> for AdminError {
    fn from(why: HistoryError) -> AdminError {
        match why {
            HistoryError::Missing(_) => AdminError::Invalid(why.to_string()),
            HistoryError::OperatorOnly => AdminError::Refused(why.to_string()),
            HistoryError::Store(_) | HistoryError::Index(_) | HistoryError::Hooks(_) => {
                AdminError::Unavailable(why.to_string())
            }
        }
    }
}

impl From<UndoError> for AdminError {
    fn from(why: UndoError) -> AdminError {
        match why {
            UndoError::History(why) => why.into(),
            UndoError::Moved(differences) => AdminError::Refused(format!(
                "what is there now is not what the change has left, so nothing was undone \
                 (`--force` overwrites it){}",
                differs(&differences)
            )),
            UndoError::NoSuchEvent | UndoError::Cannot(_) => AdminError::Invalid(why.to_string()),
            UndoError::Refused(_) => AdminError::Refused(why.to_string()),
            UndoError::Submit(_) | UndoError::Unavailable => {
                AdminError::Unavailable(why.to_string())
            }
        }
    }
}

/// Most differences that are told.
const SHOWN_MAX: usize = 20;
