//! An update, from its request to the answer.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use account::{AccountId, Actor, Timestamp, TokenActor, TokenId};
use dialect::http::{Request, Response};
use dialect::{Code, Hint, Outcome, Profile};
use engine::Operation;
use tokio::sync::oneshot;
use tokio::time::timeout_at;
use wire::Name;

use crate::client::SubmitError;
use crate::clock;
use crate::door::Door;
use crate::log::{self, Line};
use crate::meaning;
use crate::notices::Notice;
use crate::outcome;
use crate::plan::{Asked, Plan, published};
use crate::source::Source;

/// Takes an update: who asks, may they, what do they want, what came of it.
///
/// Whoever has no valid token learns nothing else: not even whether the request makes sense.
pub(crate) async fn update(
    door: &Door,
    request: &Request,
    (source, profile): (Source, Profile),
) -> Response {
    let told = Told { door, request, source, profile };
    if !door.is_ready() {
        return told.whole(Code::Unavailable, "the zones are not loaded yet");
    }
    if is_of_another_site(request) {
        return told.stranger(Code::Badagent, "a page of another site asked for it");
    }
    let actor = match authenticate(door, request, (source.nearest, profile)) {
        Ok(actor) => actor,
        Err((code, why)) => return told.stranger(code, &why),
    };
    if source.is_exposed() {
        expose(door, &actor);
    }
    carry_out(told, actor).await
}

/// What whoever has a valid token gets.
async fn carry_out(told: Told<'_>, actor: TokenActor) -> Response {
    let Told { door, request, source, .. } = told;
    let live = door.client.live();
    let (profile, parsed) = meaning::read(&live.directory(), &actor, request, told.profile);
    let told = Told { profile, ..told };
    let ask = match parsed {
        Ok(ask) => ask,
        Err(refusal) => {
            log::hints(&refusal.hints, request, source);
            let why: Vec<String> = refusal.hints.iter().map(Hint::to_string).collect();
            return told.whole(refusal.code, &why.join("; "));
        }
    };
    log::hints(&ask.hints, request, source);
    let now = clock::now();
    let Some(asked) = Asked::new(&actor, &ask, source.address, now) else {
        return told.whole(Code::Unavailable, UNKNOWN_SOURCE);
    };
    let hosts = asked.hosts(&door.client.live().directory());
    if hosts.is_empty() {
        return told.whole(Code::Notfqdn, "no host is named, and the token is not for one only");
    }
    let plans = asked.plans(live, &hosts);
    let refused = Refusals::new(door, &actor, now);
    let actor = Actor::Token(actor);
    let pending = plans.into_iter().map(|plan| submit(door, &actor, source, plan)).collect();
    let results = outcomes(door, pending).await;
    let wait = results.iter().filter_map(|result| result.wait).max();
    let named = hosts.into_iter().zip(results).map(|(host, result)| {
        let outcome = Outcome { host: host.text, ..result.outcome };
        refused.note(&outcome, result.why.as_deref());
        told.line(&outcome, result.why.as_deref());
        outcome
    });
    let mut response = told.render(&named.collect::<Vec<Outcome>>());
    if let Some(wait) = wait {
        // RFC 9110 §10.2.3; in whole seconds, and none too early.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        response.headers.retain(|(name, _)| *name != "Retry-After");
        response.headers.push(("Retry-After", seconds.to_string()));
    }
    response
}

/// Tells those who want to know which hosts were refused.
struct Refusals<'a> {
    door: &'a Door,
    account: AccountId,
    token: TokenId,
    now: Timestamp,
}

impl<'a> Refusals<'a> {
    fn new(door: &'a Door, actor: &TokenActor, now: Timestamp) -> Refusals<'a> {
        Refusals { door, account: actor.account(), token: actor.token(), now }
    }

    fn note(&self, outcome: &Outcome, why: Option<&str>) {
        let notices = self.door.client.notices();
        // Of what will pass by itself nobody has to be told.
        let passes = matches!(outcome.code, Code::Good | Code::Nochg | Code::Unavailable);
        if passes || !notices.is_heard() {
            return;
        }
        let Ok(host) = Name::parse(&outcome.host) else { return };
        let Some(random) = self.door.client.random() else { return };
        notices.note(Notice {
            id: format!("ref_{:032x}", u128::from_be_bytes(random)),
            at: self.now,
            account: self.account,
            token: self.token,
            host: host.to_lowercase(),
            why: why.unwrap_or("refused").to_owned(),
        });
    }
}

/// What the log says of one request.
struct Told<'a> {
    door: &'a Door,
    request: &'a Request,
    source: Source,
    profile: Profile,
}

impl Told<'_> {
    fn line(&self, outcome: &Outcome, why: Option<&str>) {
        let host = match outcome.host.as_str() {
            "" => self.request.parameter(&["hostname"]).unwrap_or("-"),
            named => named,
        };
        let (source, request, profile) = (self.source, self.request, self.profile);
        self.door.tally.count(outcome.code);
        if self.door.may_log_update() {
            log::line(&Line { host, profile, outcome, why, source, request });
        }
    }

    /// The answer, in the form that this client understands.
    fn render(&self, outcomes: &[Outcome]) -> Response {
        self.profile.render(self.request, outcomes)
    }

    /// One answer to somebody without a valid token.
    fn stranger(&self, code: Code, why: &str) -> Response {
        if self.door.may_log() {
            return self.whole(code, why);
        }
        self.door.tally.count(code);
        self.render(&[Outcome::whole(code)])
    }

    /// One answer for the whole request.
    fn whole(&self, code: Code, why: &str) -> Response {
        let outcome = Outcome::whole(code);
        self.line(&outcome, Some(why));
        self.render(&[outcome])
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
    (source, profile): (IpAddr, Profile),
) -> Result<TokenActor, (Code, String)> {
    let Some(credentials) = profile.credentials(request) else {
        return Err((Code::Badauth, "no credentials".to_owned()));
    };
    let live = door.client.live();
    let (secret, at) = (credentials.password.as_bytes(), clock::now());
    let checked = live.directory().authenticate(secret, at, source);
    let why = match checked {
        Ok(actor) => {
            live.note_use(&actor, at);
            return Ok(actor);
        }
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
pub(crate) fn expose(door: &Door, actor: &TokenActor) {
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
    Known(Answered),
    /// The answer is known, and the hosts were seen.
    Seen(Vec<Name>, Answered),
    /// The engine has it; the answer if it is done.
    Submitted(Vec<Name>, Outcome, Result<oneshot::Receiver<engine::Outcome>, SubmitError>),
    /// The same as an earlier one.
    Same(usize),
}

/// What came of a plan, and why when it is not a success.
#[derive(Clone)]
struct Answered {
    outcome: Outcome,
    why: Option<String>,
    /// When to ask again, when it is known.
    wait: Option<Duration>,
}

impl Answered {
    fn new(code: Code, addresses: Vec<IpAddr>) -> Answered {
        let outcome = Outcome { addresses, ..Outcome::whole(code) };
        Answered { outcome, why: None, wait: None }
    }
}

/// All hosts of a request are submitted before any is waited for: they share a batch.
fn submit(door: &Door, actor: &Actor, source: Source, plan: Plan) -> Pending {
    match plan {
        Plan::Answer { code, why } => {
            let outcome = Outcome::whole(code);
            Pending::Known(Answered { outcome, why: Some(why), wait: None })
        }
        Plan::Stands { seen: Some(host), code, addresses } => {
            Pending::Seen(vec![host], Answered::new(code, addresses))
        }
        Plan::Stands { seen: None, code, addresses } => {
            Pending::Known(Answered::new(code, addresses))
        }
        Plan::Same(earlier) => Pending::Same(earlier),
        Plan::Submit { hosts, change, addresses, deleted } => {
            let zone = change.zone.clone();
            let operation = Operation::Change { change, lease: None };
            let done = Outcome { addresses, deleted, ..Outcome::whole(Code::Good) };
            if door.client.stands(actor, &operation, clock::now()) {
                let outcome = of(Code::Nochg, done);
                return Pending::Seen(hosts, Answered { outcome, why: None, wait: None });
            }
            if let Some(put_off) =
                hosts.iter().find_map(|host| put_off(door, actor, (host, source)))
            {
                return Pending::Known(put_off);
            }
            let live = door.client.live();
            let before = hosts.iter().flat_map(|host| published(live, &zone, host)).collect();
            let submitted = door.client.send(actor.clone(), Some(source.nearest), operation);
            Pending::Submitted(hosts, Outcome { before, ..done }, submitted)
        }
    }
}

/// The answer to who asks too often: a code after which clients ask again later by themselves.
fn put_off(door: &Door, actor: &Actor, (host, source): (&Name, Source)) -> Option<Answered> {
    let Actor::Token(actor) = actor else { return None };
    let directory = door.client.live().directory();
    let too_often = door.rates.change(&directory, actor, (host, source.nearest)).err()?;
    let outcome = Outcome::whole(Code::Unavailable);
    Some(Answered { outcome, why: Some(too_often.to_string()), wait: Some(too_often.wait) })
}

/// What came of each plan, in order.
async fn outcomes(door: &Door, pending: Vec<Pending>) -> Vec<Answered> {
    let deadline = tokio::time::Instant::now() + CONFIRM;
    let live = door.client.live();
    let mut all: Vec<Answered> = Vec::with_capacity(pending.len());
    for pending in pending {
        let answered = match pending {
            Pending::Known(answered) => answered,
            Pending::Same(earlier) => all.get(earlier).cloned().unwrap_or_else(unconfirmed),
            Pending::Seen(hosts, answered) => {
                hosts.iter().for_each(|host| live.touch(host, clock::now()));
                answered
            }
            Pending::Submitted(hosts, done, submitted) => {
                let outcome = match submitted {
                    Ok(receiver) => match timeout_at(deadline, receiver).await {
                        Ok(Ok(outcome)) => Ok(outcome),
                        // The writer ended, or it has not settled in time: nobody knows.
                        Ok(Err(_)) | Err(_) => Err(SubmitError::Unconfirmed),
                    },
                    Err(why) => Err(why),
                };
                let (code, why) = outcome::code(outcome);
                if code.is_success() {
                    hosts.iter().for_each(|host| live.touch(host, clock::now()));
                }
                Answered { outcome: of(code, done), why, wait: None }
            }
        };
        all.push(answered);
    }
    all
}

/// The outcome with this code, when `done` is that of a change which was made.
fn of(code: Code, done: Outcome) -> Outcome {
    match code {
        Code::Good => done,
        Code::Nochg => Outcome { code, before: Vec::new(), ..done },
        _ => Outcome::whole(code),
    }
}

fn unconfirmed() -> Answered {
    let (code, why) = outcome::code(Err(SubmitError::Unconfirmed));
    Answered { outcome: Outcome::whole(code), why, wait: None }
}

/// How long a client waits for the confirmation of its change.
const CONFIRM: Duration = Duration::from_secs(30);
const UNKNOWN_SOURCE: &str = "the address of the client is not known: \
    list the proxy in `trusted_proxies` and let it send `X-Forwarded-For` or a PROXY header";
