//! Which path leads where, and the small answers.

use std::net::IpAddr;
use std::time::Instant;

use dialect::http::{Method, Request, Response};
use dialect::{Profile, acme_dns};

use crate::door::Door;
use crate::log;
use crate::source::{Forwarded, Source};
use crate::tally::UPDATE;
use crate::update::update;

/// Where a path leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Update(Profile),
    /// Where acme-dns makes accounts.
    Registration,
    Ip,
    Healthz,
    /// The same for clients of acme-dns.
    Health,
    Readyz,
    Metrics,
    Nowhere,
}

impl Place {
    fn of(request: &Request) -> Place {
        match request.path.as_str() {
            "/ip" => Place::Ip,
            "/healthz" => Place::Healthz,
            "/health" => Place::Health,
            "/readyz" => Place::Readyz,
            "/metrics" => Place::Metrics,
            _ if acme_dns::is_registration(request) => Place::Registration,
            _ => Profile::detect(request).map_or(Place::Nowhere, Place::Update),
        }
    }

    /// Its name in metrics.
    fn word(self) -> &'static str {
        match self {
            Place::Update(_) => UPDATE,
            Place::Registration => "register",
            Place::Ip => "ip",
            Place::Healthz | Place::Health => "healthz",
            Place::Readyz => "readyz",
            Place::Metrics => "metrics",
            Place::Nowhere => "other",
        }
    }

    /// What to say to a method that this place does not know; `None` when it does.
    fn refuse(self, method: Method) -> Option<Response> {
        let allowed = match (self, method) {
            (Place::Update(_), Method::Get | Method::Post) => return None,
            (Place::Registration, _) => return None,
            // HEAD must not change anything (RFC 9110 §9.2.1).
            (Place::Update(_), Method::Head | Method::Other) => "GET, POST",
            (_, Method::Get | Method::Head) => return None,
            (_, Method::Post | Method::Other) => "GET, HEAD",
        };
        let mut response = Response::text(405, "this method is not for this path\n");
        response.headers.push(("Allow", allowed.to_owned()));
        Some(response)
    }
}

/// Answers one request.
pub(crate) async fn respond(door: &Door, request: &Request, source: Source) -> Response {
    let began = Instant::now();
    log::hints(&request.hints, request, source);
    let place = Place::of(request);
    let response = match place.refuse(request.method) {
        Some(refusal) => refusal,
        None => match place {
            Place::Update(profile) => update(door, request, (source, profile)).await,
            // Nobody gets an account from here who has none.
            Place::Registration => acme_dns::no_registration(),
            Place::Ip => echo(request, source.address),
            Place::Health => Response::text(200, ""),
            Place::Healthz => Response::text(200, "alive\n"),
            Place::Readyz => readiness(door.is_ready(), door.client.is_writable()),
            Place::Metrics => metrics(door, source),
            Place::Nowhere => not_found(),
        },
    };
    if matches!(response.status, 404 | 405) && wants_update(request) && door.may_log() {
        log::astray(request, source, response.status);
    }
    door.tally.answered(place.word(), response.status, began.elapsed());
    response
}

/// Whether this is an update client, wherever it has come to: others bring neither.
fn wants_update(request: &Request) -> bool {
    Profile::Dyndns2.credentials(request).is_some() || request.parameter(&["hostname"]).is_some()
}

/// What a request's head says about proxies on its way.
pub(crate) fn forwarded(request: &Request) -> Forwarded {
    let hops: Vec<&str> = request.headers("X-Forwarded-For").collect();
    let scheme = request.header("X-Forwarded-Proto").unwrap_or_default();
    // A list grows to the right, like that of the hops.
    let last = scheme.rsplit(',').next().unwrap_or_default().trim();
    let others = ["Forwarded", "Via", "X-Real-IP"];
    Forwarded {
        hops: (!hops.is_empty()).then(|| hops.join(",")),
        https: last.eq_ignore_ascii_case("https"),
        other: others.iter().any(|name| request.header(name).is_some()),
    }
}

/// The client's own address.
fn echo(request: &Request, address: Option<IpAddr>) -> Response {
    let Some(address) = address else {
        // A proxy's address in place of the client's would be published by whoever asks.
        return Response::text(503, "your address is not known here\n");
    };
    let wanted = request.parameter(&["format"]).unwrap_or_default();
    let accepted = request.header("Accept").unwrap_or_default();
    let mut response = Response::text(200, format!("{address}\n"));
    if wanted.eq_ignore_ascii_case("json") || accepted.contains("application/json") {
        let family = if address.is_ipv4() { 4 } else { 6 };
        response = Response::text(200, format!("{{\"ip\":\"{address}\",\"family\":{family}}}\n"));
        response.content_type = "application/json";
    }
    response
}

/// Whether the zones are loaded. A store that cannot write leaves the node ready, as queries are
/// answered all the same; it is told.
fn readiness(ready: bool, writable: bool) -> Response {
    match (ready, writable) {
        (true, true) => Response::text(200, "ready\n"),
        (true, false) => {
            Response::text(200, "ready, but read-only: the store failed to write last time\n")
        }
        (false, true | false) => Response::text(503, "the zones are not loaded\n"),
    }
}

fn metrics(door: &Door, source: Source) -> Response {
    if !source.local {
        return not_found();
    }
    let mut response = Response::text(200, (door.metrics)());
    // Version 0.0.4 of the Prometheus text format.
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response
}

fn not_found() -> Response {
    Response::text(404, "there is nothing here\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(target: &str, fields: &str) -> Request {
        let mut reader = dialect::http::Reader::new(dialect::http::Limits::default());
        reader.push(format!("GET {target} HTTP/1.1\r\nHost: h\r\n{fields}\r\n").as_bytes());
        reader.next().unwrap().unwrap()
    }

    #[test]
    fn paths_lead_to_their_places() {
        for (path, place) in [
            ("/nic/update", "update"),
            ("/v2/update", "update"),
            ("/v3/update", "update"),
            ("/ip", "ip"),
            ("/healthz", "healthz"),
            ("/readyz", "readyz"),
            ("/metrics", "metrics"),
            ("/", "other"),
            ("/?hostname=h.example", "update"),
            ("/ip/x", "other"),
            ("/metrics/x", "other"),
        ] {
            assert_eq!(Place::of(&asked(path, "")).word(), place, "{path}");
        }
    }

    #[test]
    fn rfc9110_5_3_forwarded_fields_are_read_in_order() {
        for (fields, hops, https, other) in [
            ("", None, false, false),
            ("X-Forwarded-For: 1.1.1.1\r\n", Some("1.1.1.1"), false, false),
            ("x-forwarded-for: a\r\nX-Forwarded-For: b, c\r\n", Some("a,b, c"), false, false),
            ("X-Forwarded-For:\r\n", Some(""), false, false),
            ("X-Forwarded-Proto: https\r\n", None, true, false),
            ("X-Forwarded-Proto: http, HTTPS\r\n", None, true, false),
            ("X-Forwarded-Proto: https, http\r\n", None, false, false),
            ("X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n", None, false, false),
            ("Forwarded: for=1.1.1.1\r\n", None, false, true),
            ("Via: 1.1 proxy\r\n", None, false, true),
            ("X-Real-IP: 1.1.1.1\r\n", None, false, true),
        ] {
            let expected = Forwarded { hops: hops.map(str::to_owned), https, other };
            assert_eq!(forwarded(&asked("/ip", fields)), expected, "{fields}");
        }
    }

    #[test]
    fn rfc9110_9_2_1_head_never_updates() {
        let allow = |place: Place, method| {
            let refused = place.refuse(method);
            refused.map(|response| (response.status, response.headers[0].1.clone()))
        };
        let update = Place::Update(Profile::Dyndns2);
        for method in [Method::Get, Method::Post] {
            assert_eq!(allow(update, method), None);
        }
        for method in [Method::Head, Method::Other] {
            assert_eq!(allow(update, method), Some((405, "GET, POST".to_owned())));
        }
        for method in [Method::Get, Method::Head] {
            assert_eq!(allow(Place::Ip, method), None);
        }
        for method in [Method::Post, Method::Other] {
            assert_eq!(allow(Place::Ip, method), Some((405, "GET, HEAD".to_owned())));
        }
    }

    #[test]
    fn readiness_says_why_not() {
        for (ready, writable, status, word) in [
            (true, true, 200, "ready\n"),
            (true, false, 200, "read-only"),
            (false, true, 503, "not loaded"),
            (false, false, 503, "not loaded"),
        ] {
            let response = readiness(ready, writable);
            assert_eq!(response.status, status);
            assert!(String::from_utf8_lossy(&response.body).contains(word));
        }
    }
}
