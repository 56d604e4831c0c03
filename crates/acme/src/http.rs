//! Requests to the authority, with a limit on everything.

use std::fs;
use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use http_body_util::BodyExt;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use ureq::http::Request;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

/// The HTTP client that the library for ACME uses.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    agent: Agent,
}

impl Http {
    /// Believes the authorities of the system, or only those in a file (PEM).
    ///
    /// # Errors
    /// The file cannot be read, or holds no certificate.
    pub(crate) fn new(authorities: Option<&Path>) -> io::Result<Http> {
        let roots = match authorities {
            Some(file) => roots(file)
                .map_err(|why| io::Error::new(why.kind(), format!("{}: {why}", file.display())))?,
            None => RootCerts::PlatformVerifier,
        };
        let config = Agent::config_builder()
            .https_only(true)
            .http_status_as_error(false)
            .max_redirects(REDIRECTS_MAX)
            .proxy(None)
            .max_idle_connections(1)
            .max_response_header_size(HEAD_OCTETS_MAX)
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .user_agent(USER_AGENT)
            .timeout_global(Some(TIME))
            .build();
        Ok(Http { agent: config.new_agent() })
    }
}

impl HttpClient for Http {
    fn request(&self, request: Request<BodyWrapper<Octets>>) -> Answer {
        let agent = self.agent.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let octets = body.collect().await.map(|all| all.to_bytes()).unwrap_or_default();
            let request = Request::from_parts(parts, octets.to_vec());
            let sent = tokio::task::spawn_blocking(move || send(&agent, request)).await;
            sent.map_err(|why| Error::Other(Box::new(why)))?
        })
    }
}

/// What the library gives and takes as a body.
type Octets = bytes::Bytes;
type Answer = Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>>;

fn send(agent: &Agent, request: Request<Vec<u8>>) -> Result<BytesResponse, Error> {
    let other = |why: ureq::Error| Error::Other(Box::new(why));
    let (parts, mut body): (_, Body) = agent.run(request).map_err(other)?.into_parts();
    let octets = body.with_config().limit(BODY_OCTETS_MAX).read_to_vec().map_err(other)?;
    Ok(BytesResponse { parts, body: Box::new(Octets::from(octets)) })
}

fn roots(file: &Path) -> io::Result<RootCerts> {
    let text = fs::read(file)?;
    let mut found = Vec::new();
    for item in parse_pem(&text) {
        if let PemItem::Certificate(certificate) = item.map_err(io::Error::other)? {
            found.push(certificate);
        }
    }
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "there is no certificate in it"));
    }
    Ok(RootCerts::new_with_certs(&found))
}

/// How the service calls itself; authorities ask for a name and a version (RFC 8555 §6.1).
const USER_AGENT: &str = concat!("bynamed/", env!("CARGO_PKG_VERSION"));
/// From the first packet to the last octet of an answer.
const TIME: Duration = Duration::from_secs(30);
const REDIRECTS_MAX: u32 = 3;
const HEAD_OCTETS_MAX: usize = 16 * 1024;
/// A chain of certificates is the longest answer.
const BODY_OCTETS_MAX: u64 = 256 * 1024;
