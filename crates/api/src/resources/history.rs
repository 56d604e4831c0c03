//! What happened: history, undoing, and what happens from now on.

use account::AccountId;
use axum::http::Method;
use jiff::Timestamp as Moment;
use node::history::{
    self, Difference, Filter, HistoryError, Kind as Sort, Of, Order, Query, Target, Undo,
    UndoError, Viewer,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Pos;
use utoipa::ToSchema;

use super::rrsets::Rrset;
use crate::answer::Answer;
use crate::call::Call;
use crate::caller::{Caller, Right};
use crate::endpoint::{Endpoint, Needs, Parameter};
use crate::page::{CURSOR, LIMIT, Page, Wanted, malformed, write};
use crate::problem::{Kind, Problem};
use crate::refusal::{self, unavailable};
use crate::text;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let undone = json!({
        "position": 1234, "not_undone": [],
        "changes": [{ "zone": "example.org", "now": null, "to": Rrset::example() }],
    });
    vec![
        Endpoint::new((Method::GET, "/v1/history"), "listHistory", Needs::Reader, list)
            .says(
                "List what happened",
                "Every change with who, where from and what was before and after, newest first; of all \
                 that the token sees, or of a host, a zone or an account. A page may be short, or empty, \
                 and still not be the last: `next` says.",
            )
            .query(&[&HOST, &ZONE, &ACCOUNT, &SINCE, &UNTIL, &KIND, &ORDER, &CURSOR, &LIMIT])
            .gives_page::<Entry>("One page of changes.", Entry::example())
            .fails(&[Kind::NotFound]),
        Endpoint::new((Method::POST, "/v1/undo"), "undo", Needs::Owner, undo)
            .says(
                "Undo a change",
                "Makes the inverse change of what an event changed in records, or of all that changed a \
                 name since a position, if what is there now is still what was left; `force` overwrites \
                 what is there. It can be undone in turn.",
            )
            .takes::<UndoBody>(vec![
                ("event", json!({ "event": 1200 })),
                ("name", json!({ "name": "www.example.org", "to": 1200, "dry_run": true })),
            ])
            .gives::<Undone>(200, "It is undone, or would be.", undone)
            .fails(&[Kind::NotFound, Kind::PreconditionFailed, Kind::Refused]),
    ]
}

/// One event of the history.
#[derive(Serialize, ToSchema)]
pub(super) struct Entry {
    /// Its position.
    pos: u64,
    /// When it was made.
    #[schema(format = "date-time")]
    at: String,
    /// Who made it: `kind` is `system`, `operator`, `token` or `key`.
    #[schema(value_type = Object)]
    by: Value,
    /// Where from; null when it is not known.
    source: Option<String>,
    /// Where from is not known because it was erased, or is not for who asks.
    source_erased: bool,
    /// Serial of the zone from then on, when records changed.
    serial: Option<u32>,
    /// What changed: `kind`, what it is about, `before` and `after`.
    #[schema(value_type = Vec<Object>)]
    changes: Vec<Value>,
    /// SHA-256 that chains it to the event before.
    hash: String,
}

/// What is to be undone: an event, or all that changed a name since a position.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Undo)]
struct UndoBody {
    /// Position of the event.
    event: Option<u64>,
    /// The name.
    name: Option<String>,
    /// The position that the name is to be set back to.
    to: Option<u64>,
    /// Overwrite what is there now.
    #[serde(default)]
    force: bool,
    /// Only say what would be done.
    #[serde(default)]
    dry_run: bool,
}

/// What was undone.
#[derive(Serialize, ToSchema)]
struct Undone {
    /// Position of the change that was made; null: there was nothing to do.
    position: Option<u64>,
    /// What was set back.
    changes: Vec<SetBack>,
    /// What the event did as well and is not undone.
    not_undone: Vec<String>,
}

/// An RRset that was set back.
#[derive(Serialize, ToSchema)]
struct SetBack {
    /// Its zone.
    zone: String,
    /// As it was before the undoing; null: it was not there.
    now: Option<Rrset>,
    /// As it is since; null: it is gone.
    to: Option<Rrset>,
}

impl Entry {
    pub(super) fn example() -> Value {
        json!({
            "pos": 1234, "at": "2026-02-03T04:05:06Z",
            "by": { "kind": "token", "id": 42, "label": "router", "account": 7 },
            "source": "198.51.100.7", "source_erased": false, "serial": 1_767_323_046,
            "changes": [{
                "kind": "records", "zone": "dyn.example.org", "name": "camera.dyn.example.org",
                "type": "A", "before": null, "after": { "ttl_s": 60, "data": ["198.51.100.7"] },
            }],
            "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        })
    }
}

impl SetBack {
    fn of(difference: &Difference) -> SetBack {
        let shown = |rrset: &Option<wire::Rrset>| {
            let shown = |rrset| Rrset::of(&difference.owner, difference.rtype, rrset);
            rrset.as_ref().map(shown)
        };
        let (now, to) = (shown(&difference.now), shown(&difference.to));
        SetBack { zone: text::name(&difference.zone), now, to }
    }
}

/// For whom history is read.
pub(super) fn viewer(caller: &Caller) -> Viewer {
    match caller.right {
        Right::Service(_) => Viewer::Operator,
        Right::Account(_) | Right::Names => Viewer::Account(caller.account()),
    }
}

/// Whose history is asked for: what a parameter names, or all that who asks sees.
pub(super) fn of(call: &Call) -> Result<Of, Problem> {
    let caller = call.caller()?;
    let named = |parameter| call.query.value(parameter).map(text::name_in_path).transpose();
    let account = call.query.value(&ACCOUNT).map(|text| {
        let number = text.parse().map(AccountId);
        number.map_err(|_| bad("`account` is the number of an account"))
    });
    match (named(&HOST)?, named(&ZONE)?, account.transpose()?) {
        (Some(host), None, None) => Ok(Of::Host(host)),
        (None, Some(zone), None) => Ok(Of::Zone(zone)),
        (None, None, Some(account)) if caller.sees(account) => Ok(Of::Account(account)),
        (None, None, Some(account)) => Err(Problem::missing("account", account.0)),
        (None, None, None) => Ok(caller.sight().map_or(Of::All, Of::Account)),
        _ => Err(bad("only one of `host`, `zone` and `account`")),
    }
}

async fn list(call: Call) -> Result<Answer, Problem> {
    let wanted = Wanted::of(&call)?;
    let from = wanted.after.as_deref().map(|text| text.parse().map(Pos));
    let query = Query {
        of: of(&call)?,
        viewer: viewer(call.caller()?),
        order: match call.query.value(&ORDER) {
            None | Some("newest-first") => Order::NewestFirst,
            Some("oldest-first") => Order::OldestFirst,
            Some(_) => return Err(bad("`order` is `newest-first` or `oldest-first`")),
        },
        from: from.transpose().map_err(|_| malformed())?,
        filter: filter(&call)?,
        limit: wanted.limit,
    };
    let node = call.node()?;
    let read = tokio::task::spawn_blocking(move || history::read(&node, &query)).await;
    let page = read.map_err(|why| failed(&why))?.map_err(|why| problem(&why))?;
    let items: Vec<Value> = page.entries.iter().map(history::Entry::json).collect();
    let next = page.next.map(|next| write(&next.0.to_string()));
    Answer::ok(&Page { items, next })
}

fn filter(call: &Call) -> Result<Filter, Problem> {
    let moment = |parameter: &Parameter| {
        let read = |text: &str| {
            let moment: Result<Moment, _> = text.parse();
            let detail = format!("`{}` is no moment like `2027-01-02T03:04:05Z`", parameter.name);
            moment.map(|at| account::Timestamp(at.as_millisecond())).map_err(|_| bad(detail))
        };
        call.query.value(parameter).map(read).transpose()
    };
    let kind = call.query.value(&KIND).map(|word| {
        Sort::parse(word).ok_or_else(|| {
            let words: Vec<&str> = Sort::ALL.iter().map(|(_, word)| *word).collect();
            bad(format!("`kind` is one of {}", words.join(", ")))
        })
    });
    let kinds = kind.transpose()?.into_iter().collect();
    Ok(Filter { since: moment(&SINCE)?, until: moment(&UNTIL)?, by: None, kinds })
}

async fn undo(call: Call) -> Result<Answer, Problem> {
    let body: UndoBody = call.read()?;
    let caller = call.caller()?;
    let target = match (body.event, &body.name, body.to) {
        (Some(event), None, None) => Target::Event(Pos(event)),
        (None, Some(name), Some(to)) => Target::NameTo(text::name_in_body(name, "/name")?, Pos(to)),
        _ => return Err(Problem::invalid("either `event`, or `name` and `to`")),
    };
    let order = Undo {
        target,
        force: body.force,
        dry_run: body.dry_run,
        actor: caller.actor(),
        origin: call.client().origin(call.source.nearest),
    };
    let (node, viewer, own) = (call.node()?, viewer(caller), caller.sight());
    let work = move || {
        // What who asks does not see is not there: an undoing tells what was and what is.
        if let Some(own) = own {
            visible(&node, &order.target, (viewer, own))?;
        }
        history::undo(&node, &order)
    };
    let undone = tokio::task::spawn_blocking(work).await.map_err(|why| failed(&why))?;
    let undone = undone.map_err(undo_problem)?;
    Answer::ok(&Undone {
        position: undone.pos.map(|pos| pos.0),
        changes: undone.set_back.iter().map(SetBack::of).collect(),
        not_undone: undone.left_out.iter().map(|&text| text.to_owned()).collect(),
    })
}

fn visible(
    node: &node::Node,
    target: &Target,
    (viewer, own): (Viewer, AccountId),
) -> Result<(), UndoError> {
    let (of, from) = match target {
        Target::Event(pos) => (Of::Account(own), Some(Pos(pos.0.saturating_sub(1)))),
        Target::NameTo(name, _) => (Of::Host(name.clone()), None),
    };
    let order = Order::OldestFirst;
    let query = Query { of, viewer, order, from, filter: Filter::default(), limit: 1 };
    let page = history::read(node, &query)?;
    let is_seen = match target {
        Target::Event(pos) => page.entries.first().is_some_and(|entry| entry.pos == *pos),
        Target::NameTo(..) => true,
    };
    if is_seen { Ok(()) } else { Err(UndoError::NoSuchEvent) }
}

fn undo_problem(why: UndoError) -> Problem {
    match why {
        UndoError::History(why) => problem(&why),
        UndoError::NoSuchEvent => Problem::new(Kind::NotFound, "no such event, or it is not yours"),
        UndoError::Cannot(_) => Problem::invalid(why.to_string()),
        UndoError::Moved(_) => Problem::new(Kind::PreconditionFailed, why.to_string())
            .hint("`\"dry_run\": true` with `\"force\": true` says what would be overwritten"),
        UndoError::Refused(refused) => refusal::refusal(&refused),
        UndoError::Submit(why) => match refusal::of(Err(why)) {
            Ok(_) => Problem::new(Kind::Internal, "nothing is known of it"),
            Err(problem) => problem,
        },
        UndoError::Unavailable => unavailable(why.to_string()),
    }
}

/// The problem that a history cannot be read.
pub(super) fn problem(why: &HistoryError) -> Problem {
    match why {
        HistoryError::Missing(_) | HistoryError::OperatorOnly => {
            Problem::new(Kind::NotFound, "there is no such thing, or it is not yours")
        }
        HistoryError::Store(_) | HistoryError::Index(_) | HistoryError::Hooks(_) => {
            tracing::error!(%why, "history cannot be read");
            unavailable("the history cannot be read now")
        }
    }
}

fn failed(why: &tokio::task::JoinError) -> Problem {
    tracing::error!(%why, "reading history failed");
    Problem::new(Kind::Internal, "it could not be done")
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(Kind::BadRequest, detail)
}

pub(super) const HOST: Parameter = Parameter {
    name: "host",
    about: "Only of this host or other name, and of names below it like `_acme-challenge`.",
    schema: || json!({ "type": "string", "maxLength": 1024 }),
};
pub(super) const ZONE: Parameter = Parameter {
    name: "zone",
    about: "Only of this zone and all in it.",
    schema: || json!({ "type": "string", "maxLength": 1024 }),
};
pub(super) const ACCOUNT: Parameter = Parameter {
    name: "account",
    about: "Only of the account with this number.",
    schema: || json!({ "type": "integer", "minimum": 0 }),
};
const SINCE: Parameter = Parameter {
    name: "since",
    about: "Only what was made then or later.",
    schema: || json!({ "type": "string", "format": "date-time" }),
};
const UNTIL: Parameter = Parameter {
    name: "until",
    about: "Only what was made then or earlier.",
    schema: || json!({ "type": "string", "format": "date-time" }),
};
const KIND: Parameter = Parameter {
    name: "kind",
    about: "Only changes of this kind of thing.",
    schema: || {
        let words: Vec<&str> = Sort::ALL.iter().map(|(_, word)| *word).collect();
        json!({ "type": "string", "enum": words })
    },
};
const ORDER: Parameter = Parameter {
    name: "order",
    about: "In which direction.",
    schema: || {
        let words = ["newest-first", "oldest-first"];
        json!({ "type": "string", "enum": words, "default": "newest-first" })
    },
};
