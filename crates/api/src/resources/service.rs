//! The service itself: who asks, how it is, what it can do.

use axum::http::{Method, StatusCode};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::answer::Answer;
use crate::call::Call;
use crate::caller::{Access, Right};
use crate::endpoint::{Endpoint, JSON, Named, Needs, Shape};
use crate::problem::{Kind, Problem};
use crate::{openapi, text};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let about =
        json!({ "type": "/v1/problems/not-found", "title": Kind::NotFound.title(), "status": 404 });
    vec![
        Endpoint::new((Method::GET, "/v1/openapi.json"), "showDocument", Needs::Nothing, document)
            .says("This document", "OpenAPI 3.1 of the release that answers.")
            .gives_other("The document.", JSON, (Shape::Object, None)),
        Endpoint::new((Method::GET, "/v1/health"), "showHealth", Needs::Nothing, health)
            .says("Health", "Whether the service is there and can do what it is for.")
            .gives::<Health>(200, "It is there.", json!({ "ready": true, "writable": true })),
        Endpoint::new((Method::GET, "/v1/problems/{kind}"), "showProblem", Needs::Nothing, problem)
            .says("A kind of problem", "What the `type` of a problem stands for.")
            .gives_other("The kind.", JSON, (Shape::Of(Named::of::<ProblemKind>()), Some(about)))
            .fails(&[Kind::NotFound]),
        Endpoint::new((Method::GET, "/v1/whoami"), "showSelf", Needs::Token, whoami)
            .says("Who asks", "What the token is, and what it may do.")
            .gives::<Whoami>(200, "The token.", Whoami::example()),
        Endpoint::new((Method::GET, "/v1/metrics"), "showMetrics", Needs::ServiceReader, metrics)
            .says("Metrics", "In the text form of Prometheus.")
            .gives_other("The metrics.", METRICS, (Shape::Text, None)),
    ]
}

/// How the service is.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// The zones are loaded.
    ready: bool,
    /// The last write succeeded, so that the next one is likely to.
    writable: bool,
}

/// A kind of problem.
#[derive(Debug, Serialize, ToSchema)]
struct ProblemKind {
    /// Its `type`.
    #[serde(rename = "type")]
    kind: String,
    /// What it is.
    title: String,
    /// The status that comes with it.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
}

/// A token, as it asks.
#[derive(Debug, Serialize, ToSchema)]
struct Whoami {
    /// Number of the token.
    token: u64,
    /// What it is for.
    label: String,
    /// Number of its account.
    account: u64,
    /// What it may do beside changing records of its hosts.
    role: RoleBody,
    /// The hosts whose addresses it may change.
    #[schema(max_items = 1000)]
    hosts: Vec<String>,
    /// It was sent in clear over a network that is not trusted, and should be rotated.
    exposed: bool,
    /// The address that the request came from; null when only a proxy's is known.
    address: Option<String>,
}

/// What a token may do beside changing records.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Role)]
enum RoleBody {
    /// Nothing.
    None,
    /// See all of its account.
    Reader,
    /// Everything in its account.
    Owner,
    /// See the whole service.
    ServiceReader,
    /// Everything.
    Operator,
}

impl Whoami {
    fn example() -> serde_json::Value {
        json!({
            "token": 42, "label": "router", "account": 7, "role": "none",
            "hosts": ["camera.dyn.example.org"], "exposed": false, "address": "198.51.100.7",
        })
    }
}

async fn document(_call: Call) -> Result<Answer, Problem> {
    Ok(Answer::whole(StatusCode::OK, JSON, openapi::document()))
}

async fn health(call: Call) -> Result<Answer, Problem> {
    let (ready, writable) = (call.visit.is_ready(), call.client().is_writable());
    Answer::ok(&Health { ready, writable })
}

async fn problem(call: Call) -> Result<Answer, Problem> {
    let slug = call.part("kind");
    let kind = Kind::of(slug);
    let kind = kind.ok_or_else(|| Problem::missing("kind of problem", text::shown(slug)))?;
    Answer::ok(&ProblemKind {
        kind: kind.uri(),
        title: kind.title().to_owned(),
        status: kind.status().as_u16(),
    })
}

async fn whoami(call: Call) -> Result<Answer, Problem> {
    let caller = call.caller()?;
    let token = call.directory().token(caller.token.token()).cloned();
    let role = match caller.right {
        Right::Names => RoleBody::None,
        Right::Account(Access::Read) => RoleBody::Reader,
        Right::Account(Access::Write) => RoleBody::Owner,
        Right::Service(Access::Read) => RoleBody::ServiceReader,
        Right::Service(Access::Write) => RoleBody::Operator,
    };
    Answer::ok(&Whoami {
        token: caller.token.token().0,
        label: token.as_ref().map(|token| token.label.clone()).unwrap_or_default(),
        account: caller.token.account().0,
        role,
        hosts: caller.token.hosts().iter().map(text::name).collect(),
        exposed: token.is_some_and(|token| token.exposed.is_some()),
        address: call.source.address.map(|address| address.to_string()),
    })
}

async fn metrics(call: Call) -> Result<Answer, Problem> {
    Ok(Answer::whole(StatusCode::OK, METRICS, call.visit.metrics()))
}

/// Version 0.0.4 of the Prometheus text format.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
