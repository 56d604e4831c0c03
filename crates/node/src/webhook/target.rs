//! One call: to where it may go, how it is signed, what came of it.

use std::net::SocketAddr;
use std::time::Duration;

use account::Scope;
use account::address::{scope, unmapped};
use data_encoding::BASE64;
use ring::hmac;
use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Error, config::Config};

use super::message::Message;

/// An address that is called.
#[derive(Debug)]
pub struct Target {
    agent: Agent,
    url: String,
    key: hmac::Key,
}

/// Why a call counts as failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// It has answered something else than "done".
    #[error("it answered with HTTP status {0}")]
    Status(u16),
    /// It was not called: the address lies where the service does not go for strangers.
    #[error("its address lies in a private network")]
    Private,
    /// There is no complete answer.
    #[error("{0}")]
    Unanswered(String),
}

impl Target {
    /// The address of a webhook. `private_ok`: the operator has allowed addresses of private networks.
    pub fn new(url: &str, secret: &[u8], private_ok: bool) -> Target {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // Where it leads would have to be judged anew, and nobody needs it.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .max_idle_connections(0)
            .max_response_header_size(HEAD_OCTETS_MAX)
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
            .user_agent(USER_AGENT)
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(WHOLE))
            .build();
        let resolver = Careful { private_ok, system: DefaultResolver::default() };
        let agent = Agent::with_parts(config, DefaultConnector::default(), resolver);
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        Target { agent, url: url.to_owned(), key }
    }

    /// Tells it something; the HTTP status. `at_s`: seconds since 1970.
    ///
    /// # Errors
    /// [`Failed`] for everything but 2xx.
    pub fn call(&self, message: &Message, at_s: i64) -> Result<u16, Failed> {
        let body = message.body.to_string();
        let signature = sign(&self.key, &message.id, at_s, body.as_bytes());
        let request = self.agent.post(&self.url);
        let request = request.header("content-type", "application/json");
        let request = request.header("webhook-id", &message.id);
        let request = request.header("webhook-timestamp", at_s.to_string());
        let request = request.header("webhook-signature", signature);
        // The body of the answer is nobody's concern: it is not read.
        match request.send(body.as_bytes()) {
            Ok(answer) if answer.status().is_success() => Ok(answer.status().as_u16()),
            Ok(answer) => Err(Failed::Status(answer.status().as_u16())),
            Err(Error::Other(why)) if why.is::<IsPrivate>() => Err(Failed::Private),
            Err(Error::Io(why)) => Err(Failed::Unanswered(why.to_string())),
            Err(why) => Err(Failed::Unanswered(why.to_string())),
        }
    }
}

/// What stands in `webhook-signature`: HMAC-SHA256 over number, moment and body, joined by dots.
pub fn sign(key: &hmac::Key, id: &str, at_s: i64, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(key);
    context.update(format!("{id}.{at_s}.").as_bytes());
    context.update(body);
    format!("v1,{}", BASE64.encode(context.sign().as_ref()))
}

/// Whether a webhook may have this address. Where a name leads is looked at with every call.
///
/// # Errors
/// What is wrong with it, in words.
pub fn check_url(url: &str, private_ok: bool) -> Result<(), String> {
    let uri: Uri = url.parse().map_err(|_| "it is not the address of a web page".to_owned())?;
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if private_ok => {}
        Some("http") => return Err("it must begin with `https://`".to_owned()),
        _ => return Err("it must begin with `https://`".to_owned()),
    }
    let authority = uri.authority().ok_or_else(|| "it has no host".to_owned())?;
    if authority.as_str().contains('@') {
        return Err("a user and a password may not stand in it".to_owned());
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    match host.parse() {
        Ok(address) if !may_go(address, private_ok) => {
            Err("it lies in a private network".to_owned())
        }
        _ if host.eq_ignore_ascii_case("localhost") && !private_ok => {
            Err("it lies in a private network".to_owned())
        }
        _ => Ok(()),
    }
}

/// Looks names up as the system does, and leaves out what lies in private networks. It is the addresses
/// that come out here, and no others, that are connected to.
#[derive(Debug)]
struct Careful {
    private_ok: bool,
    system: DefaultResolver,
}

/// All addresses of a target lie where the service does not go for strangers.
#[derive(Debug, thiserror::Error)]
#[error("its address lies in a private network")]
struct IsPrivate;

impl Resolver for Careful {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = self.system.resolve(uri, config, timeout)?;
        let mut allowed = self.empty();
        let may = |address: &&SocketAddr| may_go(address.ip(), self.private_ok);
        found.iter().filter(may).for_each(|address| allowed.push(*address));
        if allowed.is_empty() {
            return Err(Error::Other(Box::new(IsPrivate)));
        }
        Ok(allowed)
    }
}

/// Whether a call may go to an address. Link-local ones are those of clouds that tell secrets to
/// whoever asks from inside: nobody gets there.
fn may_go(address: std::net::IpAddr, private_ok: bool) -> bool {
    let address = unmapped(address);
    let never = match address {
        std::net::IpAddr::V4(v4) => {
            v4.is_link_local() || v4.is_multicast() || v4.is_unspecified() || v4.is_broadcast()
        }
        std::net::IpAddr::V6(v6) => {
            v6.is_unicast_link_local() || v6.is_multicast() || v6.is_unspecified()
        }
    };
    !never && (private_ok || scope(address) == Scope::Public)
}

const USER_AGENT: &str = concat!("bynamed/", env!("CARGO_PKG_VERSION"));
/// How long looking up a name and connecting may take, each.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a call may take.
const WHOLE: Duration = Duration::from_secs(15);
const HEAD_OCTETS_MAX: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_is_that_of_the_standard_webhooks_example() {
        // The test vector of the Standard Webhooks specification's reference libraries.
        let secret = BASE64.decode(b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let body = br#"{"test": 2432232314}"#;
        let signature = sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn calls_go_where_strangers_may_send_the_service() {
        for (address, public, private) in [
            ("8.8.8.8", true, true),
            ("2606:4700::1111", true, true),
            ("127.0.0.1", false, true),
            ("10.1.2.3", false, true),
            ("192.168.1.1", false, true),
            ("100.64.0.1", false, true),
            ("::1", false, true),
            ("fd00::1", false, true),
            ("::ffff:127.0.0.1", false, true),
            ("2002:7f00:1::", false, true),
            ("64:ff9b::7f00:1", false, true),
            ("169.254.169.254", false, false),
            ("::ffff:169.254.169.254", false, false),
            ("fe80::1", false, false),
            ("0.0.0.0", false, false),
            ("::", false, false),
            ("224.0.0.1", false, false),
            ("255.255.255.255", false, false),
        ] {
            let parsed = address.parse().unwrap();
            assert_eq!(may_go(parsed, false), public, "{address}");
            assert_eq!(may_go(parsed, true), private, "{address} with leave");
        }
    }

    #[test]
    fn addresses_of_webhooks_are_looked_at_when_they_are_made() {
        for (url, public, private) in [
            ("https://hooks.example/x?y=1", true, true),
            ("https://8.8.8.8/", true, true),
            ("http://hooks.example/", false, true),
            ("https://127.0.0.1/", false, true),
            ("https://[::1]:8443/", false, true),
            ("https://localhost/", false, true),
            ("http://10.0.0.1:8080/x", false, true),
            ("https://169.254.169.254/latest", false, false),
            ("https://user:secret@hooks.example/", false, false),
            ("ftp://hooks.example/", false, false),
            ("file:///etc/passwd", false, false),
            ("hooks.example", false, false),
            ("", false, false),
        ] {
            assert_eq!(check_url(url, false).is_ok(), public, "{url}");
            assert_eq!(check_url(url, true).is_ok(), private, "{url} with leave");
        }
    }
}
