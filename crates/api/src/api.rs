//! Taking connections over, and leading their requests.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, TRANSFER_ENCODING,
};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::routing::{MethodFilter, MethodRouter};
use bytes::Bytes;
use gateway::{Conversation, Handed, Handover, Visit};
use http_body::Frame;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use node::Node;
use tokio::time::{Instant, sleep_until, timeout};

use crate::answer::Answer;
use crate::endpoint::Endpoint;
use crate::line::{Line, Working};
use crate::problem::{Kind, Problem};
use crate::reception::{Reception, count};
use crate::resources;

/// The API, for a door that hands connections over.
#[derive(Clone)]
pub struct Api {
    router: Router,
    reception: Arc<Reception>,
}

impl Api {
    /// The API with all its operations.
    pub fn new() -> Api {
        let reception = Arc::new(Reception::default());
        let mut by_path: BTreeMap<&'static str, Vec<Endpoint>> = BTreeMap::new();
        for endpoint in resources::endpoints() {
            by_path.entry(endpoint.path).or_default().push(endpoint);
        }
        let mut router = Router::new();
        for (path, endpoints) in by_path {
            router = router.route(path, led(endpoints, &reception));
        }
        Api { router: router.fallback(elsewhere), reception }
    }

    /// Gives it the node once that is loaded: until then there is no history.
    pub fn attach(&self, node: Arc<Node>) {
        self.reception.attach(node);
    }
}

impl Default for Api {
    fn default() -> Api {
        Api::new()
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Api")
    }
}

impl Handover for Api {
    fn takes(&self, octets: &[u8]) -> Option<bool> {
        takes(octets)
    }

    fn converse(&self, handed: Handed) -> Conversation {
        Box::pin(converse(self.router.clone(), handed))
    }
}

/// Whether a request begins as one of ours: a method in upper case, a space, one of our paths.
fn takes(octets: &[u8]) -> Option<bool> {
    let is_end = |octet: &u8| matches!(octet, b'\r' | b'\n');
    let begin = octets.iter().take_while(|octet| is_end(octet)).count();
    let line = octets.get(begin..).unwrap_or_default();
    let method = line.iter().take_while(|octet| octet.is_ascii_uppercase()).count();
    if method > METHOD_OCTETS_MAX {
        return Some(false);
    }
    let path = match line.get(method..).unwrap_or_default() {
        [] => return None,
        [b' ', path @ ..] if method > 0 => path,
        _ => return Some(false),
    };
    let mut is_open = false;
    for root in ROOTS {
        let known = path.len().min(root.len());
        if path.get(..known) != root.as_bytes().get(..known) {
            continue;
        }
        match path.get(root.len()) {
            Some(b'/' | b'?' | b' ') => return Some(true),
            Some(_) => {}
            None => is_open = true,
        }
    }
    (!is_open).then_some(false)
}

/// Serves a connection to its end.
async fn converse(router: Router, handed: Handed) {
    let Handed { stream, visit } = handed;
    let (visit, working) = (Arc::new(visit), Working::default());
    let line = Line::new(stream, Arc::clone(&visit), working.clone());
    let mut stopping = visit.stopping();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (router, visit, working) = (router.clone(), Arc::clone(&visit), working.clone());
        async move { Ok::<_, Infallible>(respond(router, request, visit, working).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(HEAD_OCTETS_MAX)
        .max_headers(HEADERS_MAX)
        .half_close(true)
        .serve_connection(TokioIo::new(line), service);
    let mut connection = std::pin::pin!(connection);
    let until = loop {
        let closing = *stopping.borrow_and_update();
        if let Some(until) = closing {
            break until;
        }
        tokio::select! {
            // The other side went away or was too slow: nobody is left to be told.
            _ = connection.as_mut() => return,
            changed = stopping.changed() => if changed.is_err() { break Instant::now() },
        }
    };
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = connection => {}
        () = sleep_until(until) => {}
    }
}

/// Answers one request of a connection.
async fn respond(
    router: Router,
    mut request: hyper::Request<Incoming>,
    visit: Arc<Visit>,
    working: Working,
) -> Response<Body> {
    working.begin();
    request.extensions_mut().insert(visit);
    let answered = TowerToHyperService::new(router).call(request).await;
    let response = answered.unwrap_or_else(|never| match never {});
    // Times for the connection run again when the answer has been taken.
    response.map(|body| Body::new(Watched { body, working }))
}

/// A body after which the connection is idle.
struct Watched {
    body: Body,
    working: Working,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.working.end();
    }
}

/// The operations of one path, by their methods; other methods are told which there are.
fn led(endpoints: Vec<Endpoint>, reception: &Arc<Reception>) -> MethodRouter {
    let mut allow: Vec<String> = endpoints.iter().map(|each| each.method.to_string()).collect();
    if allow.iter().any(|method| method == "GET") {
        allow.push("HEAD".to_owned());
    }
    allow.sort();
    let allow = allow.join(", ");
    let mut led = MethodRouter::new();
    for endpoint in endpoints {
        let (endpoint, reception) = (Arc::new(endpoint), Arc::clone(reception));
        // A method that axum does not know cannot be in the table: a test goes through all of it.
        let Ok(filter) = MethodFilter::try_from(endpoint.method.clone()) else { continue };
        led = led.on(filter, move |request: Request| {
            let (endpoint, reception) = (Arc::clone(&endpoint), Arc::clone(&reception));
            async move { reception.receive(&endpoint, request).await }
        });
    }
    led.fallback(move || {
        let detail = format!("this path knows {allow}");
        let problem = Problem::new(Kind::MethodNotAllowed, detail);
        let answer = Answer::problem(&Problem { allow: Some(allow.clone()), ..problem });
        async move {
            count("none", answer.status, Duration::ZERO);
            answer.into_response()
        }
    })
}

/// A path that no operation has: one of the door's own languages, or nothing.
async fn elsewhere(request: Request) -> Response<Body> {
    let path = request.uri().path();
    let is_ours = ROOTS.iter().any(|root| {
        path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    let visit = request.extensions().get::<Arc<Visit>>().cloned();
    let Some(visit) = visit.filter(|_| !is_ours) else {
        let problem = Problem::new(Kind::NotFound, "there is nothing at this path")
            .hint("`GET /v1/openapi.json` tells all paths");
        count("none", problem.kind.status(), Duration::ZERO);
        return Answer::problem(&problem).into_response();
    };
    let (parts, body) = request.into_parts();
    let body = match timeout(visit.request(), to_bytes(body, OTHER_BODY_OCTETS_MAX)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return Answer::bare(StatusCode::PAYLOAD_TOO_LARGE).into_response(),
        Err(_) => return Answer::bare(StatusCode::REQUEST_TIMEOUT).into_response(),
    };
    let answer = visit.answer(&written(&parts, &body)).await;
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or_default();
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    // An update by GET must reach us every time.
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in answer.headers {
        let pair = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value).ok());
        fields.extend(pair);
    }
    response
}

/// A request as it would have come: what decides where it ends is ours.
fn written(parts: &Parts, body: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(HEAD_OCTETS_USUAL + body.len());
    octets.extend_from_slice(parts.method.as_str().as_bytes());
    octets.push(b' ');
    octets.extend_from_slice(parts.uri.to_string().as_bytes());
    octets.extend_from_slice(b" HTTP/1.1\r\n");
    let ours = [CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING];
    for (name, value) in parts.headers.iter().filter(|(name, _)| !ours.contains(name)) {
        octets.extend_from_slice(name.as_str().as_bytes());
        octets.extend_from_slice(b": ");
        octets.extend_from_slice(value.as_bytes());
        octets.extend_from_slice(b"\r\n");
    }
    if !parts.headers.contains_key(HOST) {
        // HTTP/1.0 has none.
        octets.extend_from_slice(b"Host: -\r\n");
    }
    octets.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    octets.extend_from_slice(body);
    octets
}

/// The paths that are ours; the second is another API's, and kept for it.
const ROOTS: &[&str] = &["/v1", "/api/v1/servers"];
/// Longest method that is looked at, in octets.
const METHOD_OCTETS_MAX: usize = 16;
/// Octets of the head of a request: hyper wants room for at least so many.
const HEAD_OCTETS_MAX: usize = 16 * 1024;
/// Most header fields.
const HEADERS_MAX: usize = 64;
/// Longest body of a request of another language: as long as their own reader takes.
const OTHER_BODY_OCTETS_MAX: usize = 8 * 1024;
/// Room for a usual head.
const HEAD_OCTETS_USUAL: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_the_api_are_told_from_others_by_how_they_begin() {
        for (octets, taken) in [
            ("GET /v1/zones HTTP/1.1", Some(true)),
            ("PATCH /v1?x", Some(true)),
            ("\r\nGET /v1 HTTP/1.1", Some(true)),
            ("GET /api/v1/servers/localhost", Some(true)),
            ("", None),
            ("\r\n", None),
            ("DEL", None),
            ("GET ", None),
            ("GET /v", None),
            ("GET /v1", None),
            ("GET /api/v1/serv", None),
            ("GET /v11/", Some(false)),
            ("GET /nic/update?x=/v1/", Some(false)),
            ("GET /api/update", Some(false)),
            ("get /v1/zones", Some(false)),
            ("GET  /v1/zones", Some(false)),
            (" /v1/zones", Some(false)),
            ("PROPPATCHPROPPATCH", Some(false)),
            ("\x16\x03", Some(false)),
        ] {
            assert_eq!(takes(octets.as_bytes()), taken, "{octets}");
        }
    }
}
