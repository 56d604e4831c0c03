//! A certificate with its private key.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;

/// A certificate chain with the private key of its first certificate. `Debug` does not show the key.
#[derive(Clone)]
pub struct Pair {
    pub(crate) key: Arc<CertifiedKey>,
    said: Said,
}

/// What a certificate says about itself.
#[derive(Clone)]
struct Said {
    /// Names that it is for, in lower case; the first label may be `*`.
    names: Vec<String>,
    not_before_s: i64,
    not_after_s: i64,
    serial: Vec<u8>,
    authority: Option<Vec<u8>>,
}

/// How well a certificate fits a name; the better the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// By a wildcard.
    Wildcard,
    /// It names it.
    Exact,
}

/// Why text is no pair.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PairError {
    /// There is no certificate.
    #[error("there is no certificate in it (PEM, `-----BEGIN CERTIFICATE-----`)")]
    NoCertificate,
    /// A certificate cannot be read.
    #[error("the certificate is damaged: {0}")]
    Certificate(String),
    /// There is no key.
    #[error("there is no private key in it (PEM, `-----BEGIN PRIVATE KEY-----`)")]
    NoKey,
    /// The key needs a passphrase.
    #[error("the private key is encrypted; it must be stored without a passphrase")]
    KeyEncrypted,
    /// The key is of a kind that is not known, or damaged.
    #[error("the private key cannot be used: {0}")]
    Key(String),
    /// The key is another one's.
    #[error("the private key does not belong to the first certificate")]
    KeyMismatch,
    /// The certificate names nobody (RFC 6125 §6.4.4: a common name does not count).
    #[error("the certificate names no DNS name and no address (subjectAltName)")]
    NoNames,
}

impl Pair {
    /// Reads a chain, the server's certificate first, and its key.
    ///
    /// # Errors
    /// [`PairError`] says what is wrong. A certificate that is expired or not yet valid is none of
    /// that: see [`Pair::is_valid`].
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Pair, PairError> {
        let chain = CertificateDer::pem_slice_iter(chain).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|why| PairError::Certificate(why.to_string()))?;
        let Some(first) = chain.first() else { return Err(PairError::NoCertificate) };
        let said = Said::by(first)?;
        let secret = private_key(key)?;
        let key = match CertifiedKey::from_der(chain, secret, &default_provider()) {
            Ok(key) => Arc::new(key),
            Err(rustls::Error::InconsistentKeys(_)) => return Err(PairError::KeyMismatch),
            Err(rustls::Error::InvalidCertificate(why)) => {
                return Err(PairError::Certificate(format!("{why:?}")));
            }
            Err(why) => return Err(PairError::Key(why.to_string())),
        };
        Ok(Pair { key, said })
    }

    /// When it expires, in seconds since 1970.
    pub fn not_after_s(&self) -> i64 {
        self.said.not_after_s
    }

    /// When it begins to be valid, in seconds since 1970.
    pub fn not_before_s(&self) -> i64 {
        self.said.not_before_s
    }

    /// Whether it is valid at a moment, in seconds since 1970.
    pub fn is_valid(&self, at_s: i64) -> bool {
        (self.said.not_before_s..=self.said.not_after_s).contains(&at_s)
    }

    /// The names that it is for, in lower case.
    pub fn names(&self) -> &[String] {
        &self.said.names
    }

    /// Its serial number, as it is encoded.
    pub fn serial(&self) -> &[u8] {
        &self.said.serial
    }

    /// The identifier of the key of whoever issued it, if it says so (RFC 5280 §4.2.1.1).
    pub fn authority(&self) -> Option<&[u8]> {
        self.said.authority.as_deref()
    }

    /// Whether it is for a name: exactly, or by a wildcard, which stands for one label
    /// (RFC 6125 §6.4.3).
    pub(crate) fn fits(&self, name: &str) -> Option<Fit> {
        let exact = self.said.names.iter().any(|own| own.eq_ignore_ascii_case(name));
        if exact {
            return Some(Fit::Exact);
        }
        let (_, parent) = name.split_once('.')?;
        let wild = |own: &String| {
            own.strip_prefix("*.").is_some_and(|rest| rest.eq_ignore_ascii_case(parent))
        };
        self.said.names.iter().any(wild).then_some(Fit::Wildcard)
    }
}

impl Said {
    fn by(certificate: &CertificateDer<'_>) -> Result<Said, PairError> {
        let (_, parsed) = X509Certificate::from_der(certificate)
            .map_err(|why| PairError::Certificate(why.to_string()))?;
        let mut said = Said {
            names: Vec::new(),
            not_before_s: parsed.validity().not_before.timestamp(),
            not_after_s: parsed.validity().not_after.timestamp(),
            serial: parsed.raw_serial().to_vec(),
            authority: None,
        };
        for extension in parsed.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::SubjectAlternativeName(subject) => {
                    said.names = subject.general_names.iter().filter_map(name).collect();
                }
                ParsedExtension::AuthorityKeyIdentifier(authority) => {
                    said.authority = authority.key_identifier.as_ref().map(|id| id.0.to_vec());
                }
                _ => {}
            }
        }
        if said.names.is_empty() { Err(PairError::NoNames) } else { Ok(said) }
    }
}

/// A name that clients look for.
fn name(general: &GeneralName<'_>) -> Option<String> {
    match general {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        GeneralName::IPAddress(octets) => {
            let v4 = <[u8; 4]>::try_from(*octets).map(IpAddr::from);
            v4.or_else(|_| <[u8; 16]>::try_from(*octets).map(IpAddr::from))
                .ok()
                .map(|address| address.to_string())
        }
        _ => None,
    }
}

fn private_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, PairError> {
    PrivateKeyDer::from_pem_slice(text).map_err(|why| match why {
        pem::Error::NoItemsFound if has(text, b"BEGIN ENCRYPTED PRIVATE KEY") => {
            PairError::KeyEncrypted
        }
        pem::Error::NoItemsFound => PairError::NoKey,
        // What the error shows may be a part of the key.
        _ => PairError::Key("it is not PEM, or damaged".to_owned()),
    })
}

fn has(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pair").field(&self.said.names).finish()
    }
}

#[cfg(test)]
mod tests;
