//! One HTTP request at a time, with a limit on everything.

use std::io;
use std::time::Duration;

use data_encoding::BASE64;
use ureq::config::IpFamily;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Error, Timeout};

use crate::address::Family;
use crate::secret::Token;

/// How requests are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// The longest time from the first packet to the last octet of the answer.
    pub timeout: Duration,
    /// Whom to believe.
    pub trust: Trust,
}

/// Which certificate authorities are believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// Those of the operating system.
    #[default]
    System,
    /// Those that were bundled when the program was built, for systems without any.
    Bundled,
}

/// A complete answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Where a redirect leads; it was not followed.
    pub location: Option<String>,
    /// How long the server asks to be left alone, in seconds (RFC 9110 §10.2.3), if it does.
    pub retry_after_s: Option<u32>,
    /// The body; octets that are not UTF-8 are replaced.
    pub body: String,
}

/// Why there is no complete answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The request has certainly not been sent.
    #[error("could not be reached: {0}")]
    Unreachable(String),
    /// The request may have arrived and may have been carried out.
    #[error("no complete answer: {0}")]
    Unconfirmed(String),
}

/// A client for either family or both. Keeps no connection, follows no redirect, uses no proxy:
/// the address that a proxy has is not ours.
#[derive(Debug)]
pub struct Http {
    agent: Agent,
}

impl Http {
    /// A client that connects over `family` only, or over whichever works.
    pub fn new(settings: HttpSettings, family: Option<Family>) -> Http {
        let roots = match settings.trust {
            Trust::System => RootCerts::PlatformVerifier,
            Trust::Bundled => RootCerts::WebPki,
        };
        let family = match family {
            Some(Family::V4) => IpFamily::Ipv4Only,
            Some(Family::V6) => IpFamily::Ipv6Only,
            None => IpFamily::Any,
        };
        // Shorter than the whole, so that a timeout says whether the request can have been sent.
        let before_sending = Some(settings.timeout / 2);
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .max_idle_connections(0)
            .max_response_header_size(HEAD_OCTETS_MAX)
            .ip_family(family)
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .user_agent(USER_AGENT)
            .timeout_resolve(before_sending)
            .timeout_connect(before_sending)
            .timeout_global(Some(settings.timeout))
            .build();
        Http { agent: config.new_agent() }
    }

    /// Asks for `url`; with a token, as Basic credentials (RFC 7617) of `user`.
    ///
    /// # Errors
    /// [`Failure`] says whether the request can have been carried out.
    pub fn fetch(&self, url: &str, credentials: Option<(&str, &Token)>) -> Result<Reply, Failure> {
        let mut request = self.agent.get(url).header("Accept", "text/plain, application/json");
        if let Some((user, token)) = credentials {
            let pair = format!("{user}:{}", token.reveal());
            let encoded = BASE64.encode(pair.as_bytes());
            request = request.header("Authorization", format!("Basic {encoded}"));
        }
        let mut answer = request.call().map_err(failure)?;
        let header = |name: &str| {
            answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let location = header("Location");
        let retry_after_s = header("Retry-After").and_then(|text| text.trim().parse().ok());
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(BODY_OCTETS_MAX).read_to_vec();
        let body = String::from_utf8_lossy(&body.map_err(unconfirmed)?).into_owned();
        Ok(Reply { status, location, retry_after_s, body })
    }
}

/// Sorts the client's errors by the only question that matters: can it have been carried out?
fn failure(error: Error) -> Failure {
    use io::ErrorKind as Io;
    let unreachable = || Failure::Unreachable(words(&error));
    match &error {
        Error::BadUri(_)
        | Error::Http(_)
        | Error::HostNotFound
        | Error::ConnectionFailed
        | Error::Tls(_)
        | Error::Rustls(_)
        | Error::Pem(_)
        | Error::TlsRequired
        | Error::Timeout(Timeout::Resolve | Timeout::Connect) => unreachable(),
        Error::Io(io) => match io.kind() {
            Io::ConnectionRefused
            | Io::HostUnreachable
            | Io::NetworkUnreachable
            | Io::NetworkDown
            | Io::AddrNotAvailable
            | Io::PermissionDenied => unreachable(),
            Io::InvalidData if is_about_certificate(io) => unreachable(),
            _ => unconfirmed(error),
        },
        _ => unconfirmed(error),
    }
}

/// Whether the handshake ended because the server's certificate is not believed: then no octet of a
/// request has left.
fn is_about_certificate(error: &io::Error) -> bool {
    let tls: Option<&rustls::Error> = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
}

fn unconfirmed(error: Error) -> Failure {
    Failure::Unconfirmed(words(&error))
}

/// What went wrong, for people.
fn words(error: &Error) -> String {
    match error {
        Error::Io(io) => io.to_string(),
        Error::Timeout(at) => format!("timed out ({at})"),
        other => other.to_string(),
    }
}

/// What the program calls itself; services ask for a name and a version.
pub const USER_AGENT: &str = concat!("byname/", env!("CARGO_PKG_VERSION"));

/// No answer of an echo or an update service is longer.
pub const BODY_OCTETS_MAX: u64 = 64 * 1024;

const HEAD_OCTETS_MAX: usize = 16 * 1024;
