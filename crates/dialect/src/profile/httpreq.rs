//! lego's `httpreq`: text records for ACME, by JSON.
//!
//! `POST /present` and `POST /cleanup` with `{"fqdn": "_acme-challenge.<h>.", "value": …}`, or in its
//! RAW mode `{"domain": <h>, "token": …, "keyAuth": …}`, with Basic. From lego's documentation and
//! source (a0e15c2, 2026). Any 2xx is success there, and what else comes is shown to whoever runs it,
//! so refusals are sentences.

use data_encoding::BASE64URL_NOPAD;
use ring::digest;
use serde::Deserialize;

use crate::ask::{ACME_CHALLENGE, Ask, Hosts, Refusal, TXT_OCTETS_MAX, TxtAction, TxtEdit};
use crate::http::{Credentials, Method, Request, Response};
use crate::profile::{Path, Spoken};
use crate::{Code, Hint, Outcome, asker};

/// How it is spoken.
pub(crate) const SPOKEN: Spoken = Spoken {
    paths: &[Path::Exact(PRESENT), Path::Exact(CLEANUP)],
    is_meant: |request| request.method == Method::Post,
    credentials,
    parse,
    render,
    is_family: false,
};

fn credentials(request: &Request) -> Option<Credentials> {
    request.credentials.clone()
}

/// The body, of either mode.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Message {
    fqdn: String,
    value: String,
    domain: String,
    #[serde(rename = "keyAuth")]
    key_authorization: String,
}

impl Message {
    /// The name and the value of the record.
    fn record(self) -> Option<(String, String)> {
        let (name, value) = if self.fqdn.is_empty() {
            // RFC 8555 §8.4: the value is the digest of the key authorization.
            let digest = digest::digest(&digest::SHA256, self.key_authorization.as_bytes());
            let domain = self.domain.strip_prefix("*.").unwrap_or(&self.domain);
            let is_there = !domain.is_empty() && !self.key_authorization.is_empty();
            let value = is_there.then(|| BASE64URL_NOPAD.encode(digest.as_ref()));
            (format!("{ACME_CHALLENGE}.{domain}"), value.unwrap_or_default())
        } else {
            (self.fqdn, self.value)
        };
        let name = name.strip_suffix('.').unwrap_or(&name).to_owned();
        (!value.is_empty() && value.len() <= TXT_OCTETS_MAX).then_some((name, value))
    }
}

fn parse(request: &Request) -> Result<Ask, Refusal> {
    let refuse = |code, hint| Err(Refusal { code, hints: vec![hint] });
    let Ok(message) = serde_json::from_slice::<Message>(&request.body) else {
        return refuse(Code::Notfqdn, Hint::JsonUnreadable);
    };
    let Some((name, value)) = message.record() else {
        return refuse(Code::Dnserr, Hint::TextUnusable);
    };
    // Where a CNAME has led, the name is whatever it is.
    let (below, host) = match name.split_once('.') {
        Some((first, rest)) if first.eq_ignore_ascii_case(ACME_CHALLENGE) => (ACME_CHALLENGE, rest),
        _ => ("", name.as_str()),
    };
    let action = if request.path.eq_ignore_ascii_case(CLEANUP) {
        TxtAction::Remove(value)
    } else {
        TxtAction::Add { value, keep: KEPT }
    };
    let mut ask = Ask::of(Hosts::Named(vec![host.to_owned()]));
    ask.txt.push(TxtEdit { below, action });
    Ok(ask)
}

fn render(_: &Request, outcomes: &[Outcome]) -> Response {
    let code = outcomes.first().map_or(Code::Notfqdn, |outcome| outcome.code);
    let (status, text) = match code {
        Code::Good | Code::Nochg => (200, ""),
        Code::Badauth => (401, "HTTPREQ_PASSWORD is not a token of this service\n"),
        Code::Nohost => (404, "the token may not change TXT at this name\n"),
        Code::Notfqdn | Code::Numhost => {
            (400, "the body is not JSON with `fqdn` and `value`, or `domain` and `keyAuth`\n")
        }
        Code::Dnserr => (400, "the value cannot be published\n"),
        Code::Abuse | Code::Badagent | Code::Donator => (403, "forbidden\n"),
        Code::Unavailable => (503, "try again later\n"),
    };
    let mut response = Response::text(status, text);
    if status == 401 {
        response.headers.push(asker::challenge());
    }
    response
}

const PRESENT: &str = "/present";
const CLEANUP: &str = "/cleanup";
/// Values of one name at a time: as many certificates can be on their way to be proven.
const KEPT: usize = 8;

#[cfg(test)]
mod tests;
