//! The address of a service, and what is particular about the way there.

use std::fmt;
use std::net::IpAddr;

use ureq::http::Uri;

/// Where a service listens: `http` or `https`, host, perhaps a port and a path before its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Without a slash at the end.
    base: String,
    secure: bool,
    host: String,
}

/// Why a text is not the address of a service. Never repeats the text: a password may be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// Not a URL at all.
    #[error("not a URL; write it like `https://dyn.example`")]
    NotAUrl,
    /// Neither `http` nor `https`.
    #[error("only `http://` and `https://` are understood")]
    Scheme,
    /// User and password within the URL.
    #[error("a URL with a password in it ends up in logs; give the token apart from it")]
    Credentials,
    /// A query or a fragment.
    #[error("the URL of a server has no `?` or `#`")]
    Query,
}

impl Server {
    /// Reads a URL; without a scheme, `https` is meant.
    ///
    /// # Errors
    /// [`ServerError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Server, ServerError> {
        let text = text.trim();
        let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        if whole.contains('#') {
            return Err(ServerError::Query);
        }
        let uri: Uri = whole.parse().map_err(|_| ServerError::NotAUrl)?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err(ServerError::Scheme),
        };
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(ServerError::Credentials);
        }
        if uri.query().is_some() {
            return Err(ServerError::Query);
        }
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(ServerError::NotAUrl)?;
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        Ok(Server { base: whole.trim_end_matches('/').to_owned(), secure, host })
    }

    /// The URL of a path of the service; `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Whether the service is on this machine.
    pub fn is_loopback(&self) -> bool {
        let address: Option<IpAddr> = self.host.parse().ok();
        address.map_or(self.host == "localhost", |address| address.is_loopback())
    }

    /// Whether a token on the way there can be read by others.
    pub fn is_in_clear(&self) -> bool {
        !self.secure && !self.is_loopback()
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_base_for_paths() {
        for (text, url, loopback, in_clear) in [
            ("https://dyn.example", "https://dyn.example/ip", false, false),
            ("dyn.example", "https://dyn.example/ip", false, false),
            ("http://dyn.example:8053/", "http://dyn.example:8053/ip", false, true),
            ("http://127.0.0.1:8053", "http://127.0.0.1:8053/ip", true, false),
            ("http://[::1]:8053", "http://[::1]:8053/ip", true, false),
            ("http://LocalHost/dyn/", "http://LocalHost/dyn/ip", true, false),
            ("http://192.168.1.1", "http://192.168.1.1/ip", false, true),
        ] {
            let server = Server::parse(text).unwrap();
            let found = (server.url("/ip"), server.is_loopback(), server.is_in_clear());
            assert_eq!(found, (url.to_owned(), loopback, in_clear), "{text}");
        }
    }

    #[test]
    fn what_is_no_server_is_refused_without_repeating_it() {
        for (text, expected) in [
            ("", ServerError::NotAUrl),
            ("https://", ServerError::NotAUrl),
            ("ftp://dyn.example", ServerError::Scheme),
            ("https://me:hunter2@dyn.example", ServerError::Credentials),
            ("https://dyn.example/?a=b", ServerError::Query),
            ("https://dyn.example/#a", ServerError::Query),
        ] {
            let error = Server::parse(text).unwrap_err();
            assert_eq!(error, expected, "{text}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }
}
