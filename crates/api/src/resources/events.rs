//! Changes as they become visible: server-sent events.

use std::sync::Arc;
use std::time::Duration;

use account::{AuthError, TokenId};
use axum::http::{Method, StatusCode};
use bytes::Bytes;
use gateway::Visit;
use node::history::feed::{SubscribeError, Subscription, Told, subscribe};
use serde_json::json;
use store::Pos;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at};

use super::history::{ACCOUNT, HOST, ZONE, of, problem, viewer};
use crate::answer::{Answer, Content};
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Parameter, Shape};
use crate::problem::{Kind, Problem};
use crate::refusal::unavailable;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new((Method::GET, "/v1/events"), "listen", Needs::Reader, listen)
            .says(
                "Listen to changes",
                "Server-sent events, one for each change of what the token sees, in order and without a \
                 gap: `id` is its position, `event` is `change`, `data` an entry of the history. Come \
                 again with `Last-Event-ID` (or `after`) to go on. `event: cut-off` says that the \
                 listener was too slow, `event: end` that the service stops or the token is not accepted \
                 any more.",
            )
            .query(&[&HOST, &ZONE, &ACCOUNT, &AFTER])
            .gives_other("Events without end.", EVENTS, (Shape::Text, Some(json!(EXAMPLE))))
            .fails(&[Kind::NotFound, Kind::Gone]),
    ]
}

async fn listen(call: Call) -> Result<Answer, Problem> {
    let caller = call.caller()?;
    let (of, viewer, token) = (of(&call)?, viewer(caller), caller.token.token());
    let last = call.last_event.as_deref().or(call.query.value(&AFTER));
    let after = last.map(|text| text.parse().map(Pos)).transpose().map_err(|_| {
        Problem::new(Kind::BadRequest, "`Last-Event-ID` and `after` are the `id` of an event")
    })?;
    let node = call.node()?;
    let subscribed = tokio::task::spawn_blocking(move || subscribe(&node, of, viewer, after)).await;
    let subscription = subscribed
        .map_err(|why| {
            tracing::error!(%why, "listening failed");
            Problem::new(Kind::Internal, "it could not be done")
        })?
        .map_err(|why| refused(&why))?;
    let (sender, chunks) = mpsc::channel(CHUNKS);
    // It ends with whoever listens, with the token, and with the door.
    tokio::spawn(tell(subscription, sender, (Arc::clone(&call.visit), token)));
    let mut answer = Answer::whole(StatusCode::OK, EVENTS, Bytes::new());
    answer.body = Content::Chunks(chunks);
    Ok(answer)
}

fn refused(why: &SubscribeError) -> Problem {
    match why {
        SubscribeError::TooOld { .. } => Problem::new(Kind::Gone, why.to_string())
            .hint("read what there is anew, then listen without `Last-Event-ID`"),
        SubscribeError::TooMany => unavailable(why.to_string()),
        SubscribeError::History(why) => problem(why),
        SubscribeError::Thread(why) => {
            tracing::error!(%why, "the thread that reads the log cannot be started");
            unavailable("nobody can listen now")
        }
    }
}

async fn tell(
    mut subscription: Subscription,
    sender: mpsc::Sender<Result<Bytes, std::io::Error>>,
    (visit, token): (Arc<Visit>, TokenId),
) {
    let mut stopping = visit.stopping();
    let mut beat = interval_at(Instant::now() + BEAT, BEAT);
    // The head goes out at once, so that whoever listens knows that it does.
    let mut text = ": listening\n\n".to_owned();
    loop {
        let is_last = text.starts_with("event: cut-off") || text.starts_with("event: end");
        if sender.send(Ok(Bytes::from(text))).await.is_err() || is_last {
            return;
        }
        let end = |at: Pos| format!("event: end\nid: {}\ndata: {{}}\n\n", at.0);
        text = tokio::select! {
            told = subscription.next() => match told {
                Told::Entry(entry) => {
                    format!("event: change\nid: {}\ndata: {}\n\n", entry.pos.0, entry.json())
                }
                Told::CutOff(at) => format!("event: cut-off\nid: {}\ndata: {{}}\n\n", at.0),
                Told::Ended(at) => end(at),
            },
            _ = beat.tick() => match usable(&visit, token) {
                Ok(()) => ": still here\n\n".to_owned(),
                Err(_) => end(subscription.position()),
            },
            _ = stopping.changed() => end(subscription.position()),
        };
    }
}

/// Whether the token is accepted still.
fn usable(visit: &Visit, token: TokenId) -> Result<(), AuthError> {
    let directory = visit.client().live().directory();
    let token = directory.token(token).ok_or(AuthError::Unknown)?;
    directory.usable(token, crate::call::now())
}

const AFTER: Parameter = Parameter {
    name: "after",
    about: "Go on behind the event with this `id`; `Last-Event-ID` says the same.",
    schema: || json!({ "type": "integer", "minimum": 0 }),
};
/// WHATWG HTML, section 9.2.
const EVENTS: &str = "text/event-stream";
const EXAMPLE: &str = "event: change\nid: 1234\ndata: {\"pos\": 1234}\n\n";
/// Events that wait to be sent.
const CHUNKS: usize = 16;
/// How often something is said when nothing happens: proxies cut off what is silent.
const BEAT: Duration = Duration::from_secs(15);
