//! One request, from its head to its answer: who asks, may they, is it in form; then its operation.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, VIA};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Response, StatusCode};
use bytes::Bytes;
use data_encoding::BASE64;
use gateway::{Forwarded, Source, Turned, Visit};
use node::Node;
use ring::digest::{Context, SHA256};
use tokio::time::timeout;

use crate::answer::Answer;
use crate::call::Call;
use crate::caller::Caller;
use crate::endpoint::{Conditions, Endpoint, Needs, Taken};
use crate::idempotency::{self, Answers, Begun};
use crate::problem::{Kind, Problem};
use crate::query::Query;
use crate::refusal::unavailable;
use crate::tag::Preconditions;

/// What all requests share.
#[derive(Debug, Default)]
pub(crate) struct Reception {
    answers: Arc<Answers>,
    node: OnceLock<Arc<Node>>,
}

impl Reception {
    /// Gives it the node, for what is not visible state: history. Only the first one counts.
    pub(crate) fn attach(&self, node: Arc<Node>) {
        let _ = self.node.set(node);
    }

    /// Answers a request that was led to an operation.
    pub(crate) async fn receive(&self, endpoint: &Endpoint, request: Request) -> Response<Body> {
        let began = Instant::now();
        let Some(visit) = request.extensions().get::<Arc<Visit>>().cloned() else {
            // Only a request that came past the door has none.
            return Answer::bare(StatusCode::INTERNAL_SERVER_ERROR).into_response();
        };
        let (parts, body) = request.into_parts();
        let source = visit.source(&forwarded(&parts.headers));
        let answered = self.answer(endpoint, Incoming { parts, body, visit, source }).await;
        let answer = answered.unwrap_or_else(|problem| Answer::problem(&problem));
        count(endpoint.id, answer.status, began.elapsed());
        answer.into_response()
    }

    async fn answer(&self, endpoint: &Endpoint, incoming: Incoming) -> Result<Answer, Problem> {
        let caller = incoming.caller(endpoint)?;
        let Incoming { mut parts, body, visit, source } = incoming;
        let query = Query::read(parts.uri.query().unwrap_or_default(), endpoint.query)?;
        let path = variables(&mut parts).await?;
        let preconditions = Preconditions::read(&parts.headers, endpoint.conditions)?;
        let body = read(endpoint, &parts.headers, body, &visit).await?;
        let key = idempotency::key(&parts.headers)?.filter(|_| !endpoint.is_safe());
        let token = caller.as_ref().map(|caller| caller.token.token());
        let print = fingerprint(&parts, &body);
        let node = self.node.get().cloned();
        let last_event = parts.headers.get("last-event-id").and_then(|id| id.to_str().ok());
        let last_event = last_event.map(str::to_owned);
        let call =
            Call { visit, node, caller, source, path, query, preconditions, body, last_event };
        let differs = call.preconditions.differs.clone();
        let place = match key.zip(token) {
            None => None,
            Some((key, token)) => match self.answers.begin((token, key), print, Instant::now())? {
                Begun::Again(answer) => return Ok(answer),
                Begun::New(place) => Some(place),
            },
        };
        log(endpoint, &call);
        let answered = (endpoint.run)(call).await;
        if let Some(place) = place {
            let told = answered.as_ref().map_err(Answer::problem);
            match &told {
                Ok(answer) => place.answered(answer),
                Err(problem) => place.answered(problem),
            }
        }
        let answer = answered?;
        let is_same = differs.is_some_and(|tags| tags.hold(answer.tag.as_deref()));
        if endpoint.conditions == Conditions::Read && is_same {
            // RFC 9110 §15.4.5.
            return Ok(Answer { tag: answer.tag, ..Answer::bare(StatusCode::NOT_MODIFIED) });
        }
        Ok(answer)
    }
}

/// A request and where it came from.
struct Incoming {
    parts: Parts,
    body: Body,
    visit: Arc<Visit>,
    source: Source,
}

impl Incoming {
    /// Who asks, when they may.
    fn caller(&self, endpoint: &Endpoint) -> Result<Option<Caller>, Problem> {
        if endpoint.needs == Needs::Nothing {
            return Ok(None);
        }
        if !self.visit.is_ready() {
            return Err(unavailable("the zones are not loaded yet"));
        }
        if is_of_another_site(&self.parts.headers) {
            let detail = "a page of another site asked for it";
            return Err(Problem::new(Kind::Forbidden, detail));
        }
        let secret = secret(&self.parts.headers)?;
        let source: IpAddr = self.source.nearest;
        let token = self.visit.authenticate(&secret, source).map_err(|turned| match turned {
            Turned::Away => Problem::new(Kind::Unauthenticated, "the token is not accepted"),
            Turned::Off(wait) => {
                let seconds = wait.as_secs().saturating_add(1);
                let detail = "too many tokens of this source were not accepted";
                Problem::new(Kind::TooMany, detail).retry_after(seconds)
            }
        })?;
        self.visit.expose(&token, self.source);
        let caller = Caller::new(token);
        if caller.meets(endpoint.needs) {
            return Ok(Some(caller));
        }
        let detail = format!("`{}` needs the role `{}`", endpoint.id, endpoint.needs.word());
        Err(Problem::new(Kind::Forbidden, detail)
            .hint("`GET /v1/whoami` tells what the token may do"))
    }
}

/// The secret of a request: as a bearer token, or as the password of Basic with any user name.
fn secret(fields: &HeaderMap) -> Result<Vec<u8>, Problem> {
    let none = |detail: &str| {
        Problem::new(Kind::Unauthenticated, detail)
            .hint("send `Authorization: Bearer byn_…` with a token of yours")
    };
    let mut values = fields.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or_else(|| none("no token came with the request"))?;
    if values.next().is_some() {
        return Err(none("`Authorization` is there more than once"));
    }
    let value = value.to_str().map_err(|_| none("`Authorization` is not understood"))?;
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(rest.as_bytes().to_vec());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let pair = BASE64.decode(rest.as_bytes()).ok();
        let at = |pair: &Vec<u8>| pair.iter().position(|&octet| octet == b':');
        let password = pair.and_then(|mut pair| at(&pair).map(|at| pair.split_off(at + 1)));
        return password.ok_or_else(|| none("`Authorization: Basic` holds no password"));
    }
    Err(none("this scheme of `Authorization` is not understood"))
}

/// Whether a browser sent the request because a page of another site told it to (W3C Fetch Metadata
/// §2.3).
fn is_of_another_site(fields: &HeaderMap) -> bool {
    let site = fields.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    site.is_some_and(|site| {
        site.eq_ignore_ascii_case("cross-site") || site.eq_ignore_ascii_case("same-site")
    })
}

/// What the head says about proxies on the way.
fn forwarded(fields: &HeaderMap) -> Forwarded {
    let values = |name: &str| -> Vec<&str> {
        fields.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect()
    };
    let hops = values("x-forwarded-for");
    let scheme = values("x-forwarded-proto").pop().unwrap_or_default();
    let last = scheme.rsplit(',').next().unwrap_or_default().trim();
    let others = ["forwarded", VIA.as_str(), "x-real-ip"];
    Forwarded {
        hops: fields.contains_key("x-forwarded-for").then(|| hops.join(",")),
        https: last.eq_ignore_ascii_case("https"),
        other: others.iter().any(|name| fields.contains_key(*name)),
    }
}

/// The variable parts of the path.
async fn variables(parts: &mut Parts) -> Result<Vec<(String, String)>, Problem> {
    let params = RawPathParams::from_request_parts(parts, &())
        .await
        .map_err(|_| Problem::new(Kind::BadRequest, "the path is not percent-encoded UTF-8"))?;
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Ok(params.iter().map(owned).collect())
}

/// Reads the body, as long as it may be, when there may be one.
async fn read(
    endpoint: &Endpoint,
    fields: &HeaderMap,
    body: Body,
    visit: &Visit,
) -> Result<Bytes, Problem> {
    let octets_max = endpoint.takes.as_ref().map_or(0, |taken| taken.octets_max);
    let told = fields.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if told.is_some_and(|length: u64| length > octets_max as u64) {
        return Err(too_large(octets_max));
    }
    if fields.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        let detail = "no `Content-Encoding` is understood";
        return Err(Problem::new(Kind::MediaType, detail).hint("send the body as it is"));
    }
    let time =
        if octets_max > LARGE_OCTETS { LARGE_TIME.max(visit.request()) } else { visit.request() };
    let octets = match timeout(time, to_bytes(body, octets_max)).await {
        Ok(Ok(octets)) => octets,
        Ok(Err(why)) => {
            let mut causes =
                std::iter::successors(std::error::Error::source(&why), |why| why.source());
            let is_limit = causes.any(|why| why.to_string().contains("length limit"));
            return Err(if is_limit { too_large(octets_max) } else { broken() });
        }
        Err(_) => return Err(Problem::new(Kind::Late, "the body did not arrive in time")),
    };
    if let Some(taken) = &endpoint.takes {
        check_media_type(taken, fields)?;
    }
    Ok(octets)
}

fn check_media_type(taken: &Taken, fields: &HeaderMap) -> Result<(), Problem> {
    let value = fields.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(taken.media_type) {
        return Ok(());
    }
    let detail = format!("the body is to be `{}`", taken.media_type);
    let hint = format!("send `Content-Type: {}`", taken.media_type);
    Err(Problem::new(Kind::MediaType, detail).hint(hint))
}

fn too_large(octets_max: usize) -> Problem {
    let detail = match octets_max {
        0 => "this operation takes no body".to_owned(),
        max => format!("the body is longer than {max} octets"),
    };
    Problem::new(Kind::TooLarge, detail)
}

fn broken() -> Problem {
    Problem::new(Kind::BadRequest, "the body did not arrive as a whole")
}

fn fingerprint(parts: &Parts, body: &[u8]) -> [u8; 32] {
    let mut hash = Context::new(&SHA256);
    for piece in [parts.method.as_str(), &parts.uri.to_string()] {
        hash.update(piece.as_bytes());
        hash.update(b"\n");
    }
    hash.update(body);
    let mut print = [0; 32];
    print.copy_from_slice(hash.finish().as_ref());
    print
}

/// What was asked for that may change something: never a body, which may hold a secret.
fn log(endpoint: &Endpoint, call: &Call) {
    let Some(caller) = call.caller.as_ref().filter(|_| !endpoint.is_safe()) else { return };
    tracing::info!(
        operation = endpoint.id,
        token = caller.token.token().0,
        source = %call.source.nearest,
        "api"
    );
}

/// Counts an answer.
pub(crate) fn count(operation: &'static str, status: StatusCode, took: Duration) {
    let labels = [("operation", operation.to_owned()), ("status", status.as_str().to_owned())];
    metrics::counter!("byname_api_requests_total", &labels).increment(1);
    metrics::histogram!("byname_api_request_seconds", "operation" => operation)
        .record(took.as_secs_f64());
}

/// Bodies that may be longer have more time.
const LARGE_OCTETS: usize = 1024 * 1024;
/// So much.
const LARGE_TIME: Duration = Duration::from_secs(120);
