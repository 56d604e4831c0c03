//! An update, from its request to the answer.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use account::{Actor, TokenActor};
use dialect::Hint;
use dialect::dyndns2::{self, Code, Profile};
use dialect::http::{Request, Response};
use engine::{Operation, Outcome};
use tokio::sync::oneshot;
use tokio::time::timeout_at;
use wire::Name;

use crate::client::SubmitError;
use crate::clock;
use crate::door::Door;
use crate::log::{self, Line};
use crate::outcome;
use crate::plan::{Asked, Plan};
use crate::source::Source;

/// Takes an update: who asks, may they, what do they want, what came of it.
///
/// Whoever has no valid token learns nothing else: not even whether the request makes sense.
pub(crate) async fn update(door: &Door, request: &Request, source: Source) -> Response {
    let told = Told { door, request, source };
    if !door.is_ready() {
        return told.whole(Code::Unavailable, "the zones are not loaded yet");
    }
    if is_of_another_site(request) {
        return told.stranger(Code::Badagent, "a page of another site asked for it");
    }
    let actor = match authenticate(door, request, source.nearest) {
        Ok(actor) => actor,
        Err((code, why)) => return told.stranger(code, &why),
    };
    if source.is_exposed() {
        expose(door, &actor);
    }
    let update = match dyndns2::parse(request) {
        Ok(update) => update,
        Err(refusal) => {
            log::hints(&refusal.hints, request, source);
            let why: Vec<String> = refusal.hints.iter().map(Hint::to_string).collect();
            return told.whole(refusal.code, &why.join("; "));
        }
    };
    log::hints(&update.hints, request, source);
    let now = clock::now();
    let Some(asked) = Asked::new(&actor, &update, source.address, now) else {
        return told.whole(Code::Unavailable, UNKNOWN_SOURCE);
    };
    let hosts = asked.hosts(&update);
    if hosts.is_empty() {
        return told.whole(Code::Notfqdn, "no host is named, and the token is not for one only");
    }
    let plans = asked.plans(door.client.live(), &hosts);
    let actor = Actor::Token(actor);
    let pending = plans.into_iter().map(|plan| submit(door, &actor, source, plan)).collect();
    let codes = outcomes(door, pending).await;
    for (host, (code, why)) in hosts.iter().zip(&codes) {
        told.line(host, code, why.as_deref());
    }
    let codes: Vec<Code> = codes.into_iter().map(|(code, _)| code).collect();
    told.render(&codes)
}

/// What the log says of one request.
struct Told<'a> {
    door: &'a Door,
    request: &'a Request,
    source: Source,
}

impl Told<'_> {
    fn line(&self, host: &str, code: &Code, why: Option<&str>) {
        self.door.tally.count(code);
        log::line(&Line { host, code, why, source: self.source, request: self.request });
    }

    /// The answer, in the form that this client understands.
    fn render(&self, codes: &[Code]) -> Response {
        dyndns2::render_as(Profile::of(self.request), codes)
    }

    /// One answer to somebody without a valid token.
    fn stranger(&self, code: Code, why: &str) -> Response {
        if self.door.may_log() {
            return self.whole(code, why);
        }
        self.door.tally.count(&code);
        self.render(&[code])
    }

    /// One answer for the whole request.
    fn whole(&self, code: Code, why: &str) -> Response {
        let host = self.request.parameter(&["hostname"]).unwrap_or("-");
        self.line(host, &code, Some(why));
        self.render(&[code])
    }
}

/// Whether a browser sent the request because a page of another site told it to: it adds the
/// credentials that its owner once gave to us (W3C Fetch Metadata §2.3). Devices send no such field.
fn is_of_another_site(request: &Request) -> bool {
    let site = request.header("Sec-Fetch-Site").unwrap_or_default();
    ["cross-site", "same-site"].iter().any(|other| site.eq_ignore_ascii_case(other))
}

/// Who asks. Costs the same whether there is such a token or not, and writes nothing.
///
/// A valid token is taken whatever others have tried: whoever shares its address, behind one NAT or
/// one proxy that nobody has listed, could shut its owner out otherwise.
fn authenticate(
    door: &Door,
    request: &Request,
    source: IpAddr,
) -> Result<TokenActor, (Code, String)> {
    let Some(credentials) = dyndns2::credentials(request) else {
        return Err((Code::Badauth, "no credentials".to_owned()));
    };
    let checked = door.client.live().directory().authenticate(credentials.password.as_bytes());
    let why = match checked {
        Ok(actor) => return Ok(actor),
        Err(why) => why,
    };
    let now = Instant::now();
    let mut attempts = door.attempts();
    if attempts.wait(source, now).is_some() {
        metrics::counter!("byname_auth_paused_total").increment(1);
        return Err((Code::Unavailable, "too many failures from this source".to_owned()));
    }
    attempts.failed(source, now);
    metrics::counter!("byname_auth_failures_total").increment(1);
    Err((Code::Badauth, why.to_string()))
}

/// Marks a token that somebody on the way may have read, once. The update goes on.
fn expose(door: &Door, actor: &TokenActor) {
    let token = actor.token();
    let marked = door.client.live().directory().token(token).is_none_or(|t| t.exposed.is_some());
    if marked {
        return;
    }
    tracing::warn!(
        token = token.0,
        hint = "use HTTPS, or list the network in `trusted_networks`; then rotate the token",
        "a token was sent in clear over a network that is not trusted"
    );
    // It is judged before the changes that follow it. If it fails, the next update tries again.
    if let Err(why) = door.client.send(Actor::System, None, Operation::ExposeToken(token)) {
        tracing::warn!(token = token.0, %why, "the token could not be marked as exposed");
    }
}

/// A plan under way.
enum Pending {
    /// The answer is known.
    Known(Code, Option<String>),
    /// The host was seen.
    Seen(Name, Code),
    /// The engine has it.
    Submitted(Name, Vec<IpAddr>, Result<oneshot::Receiver<Outcome>, SubmitError>),
    /// The same as an earlier one.
    Same(usize),
}

/// All hosts of a request are submitted before any is waited for: they share a batch.
fn submit(door: &Door, actor: &Actor, source: Source, plan: Plan) -> Pending {
    match plan {
        Plan::Answer { code, why } => Pending::Known(code, Some(why)),
        Plan::Seen { host, code } => Pending::Seen(host, code),
        Plan::Same(earlier) => Pending::Same(earlier),
        Plan::Submit { host, change, addresses } => {
            let operation = Operation::Change { change, lease: None };
            if door.client.stands(actor, &operation, clock::now()) {
                return Pending::Seen(host, Code::Nochg(addresses));
            }
            let submitted = door.client.send(actor.clone(), Some(source.nearest), operation);
            Pending::Submitted(host, addresses, submitted)
        }
    }
}

/// The code of each host, in order, and why when it is not a success.
async fn outcomes(door: &Door, pending: Vec<Pending>) -> Vec<(Code, Option<String>)> {
    let deadline = tokio::time::Instant::now() + CONFIRM;
    let live = door.client.live();
    let mut codes: Vec<(Code, Option<String>)> = Vec::with_capacity(pending.len());
    for pending in pending {
        let code = match pending {
            Pending::Known(code, why) => (code, why),
            Pending::Same(earlier) => codes.get(earlier).cloned().unwrap_or_else(unconfirmed),
            Pending::Seen(host, code) => {
                live.touch(&host, clock::now());
                (code, None)
            }
            Pending::Submitted(host, addresses, submitted) => {
                let outcome = match submitted {
                    Ok(receiver) => match timeout_at(deadline, receiver).await {
                        Ok(Ok(outcome)) => Ok(outcome),
                        // The writer ended, or it has not settled in time: nobody knows.
                        Ok(Err(_)) | Err(_) => Err(SubmitError::Unconfirmed),
                    },
                    Err(why) => Err(why),
                };
                if matches!(outcome, Ok(Outcome::Done { .. } | Outcome::Unchanged)) {
                    live.touch(&host, clock::now());
                }
                outcome::code(outcome, addresses)
            }
        };
        codes.push(code);
    }
    codes
}

fn unconfirmed() -> (Code, Option<String>) {
    outcome::code(Err(SubmitError::Unconfirmed), Vec::new())
}

/// How long a client waits for the confirmation of its change.
const CONFIRM: Duration = Duration::from_secs(30);
const UNKNOWN_SOURCE: &str = "the address of the client is not known: \
    list the proxy in `trusted_proxies` and let it send `X-Forwarded-For` or a PROXY header";
