//! Why a handshake failed, in words for whoever runs the service.

use std::io;

use rustls::{AlertDescription, Error, PeerIncompatible};

/// Why a handshake failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The client knows only versions before TLS 1.2.
    OldVersion,
    /// The client knows TLS 1.2 or later, but no cipher, curve or signature of ours.
    NothingInCommon,
    /// The client does not believe our certificate.
    NotBelieved,
    /// The client ended it for another reason of its own.
    Ended,
    /// There is no certificate yet.
    NoCertificate,
    /// The client sent something else than TLS, or something broken.
    Garbage,
    /// The client went away in the middle.
    Gone,
    /// Not complete in time.
    Late,
}

impl Failure {
    /// What an error of a handshake means.
    pub fn of(error: &io::Error) -> Failure {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(error) => of_tls(error),
            None if error.kind() == io::ErrorKind::TimedOut => Failure::Late,
            None => Failure::Gone,
        }
    }

    /// One word for metrics.
    pub fn word(self) -> &'static str {
        match self {
            Failure::OldVersion => "old version",
            Failure::NothingInCommon => "nothing in common",
            Failure::NotBelieved => "certificate not believed",
            Failure::Ended => "ended by client",
            Failure::NoCertificate => "no certificate",
            Failure::Garbage => "garbage",
            Failure::Gone => "gone",
            Failure::Late => "late",
        }
    }

    /// What happened, and what to do about it.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Failure::OldVersion => (
                "the client speaks no TLS version after 1.1",
                "update its firmware, or let it use plain HTTP with a token of its own",
            ),
            Failure::NothingInCommon => (
                "the client knows no cipher, curve or signature that is safe today",
                "update its firmware, or let it use plain HTTP with a token of its own",
            ),
            Failure::NotBelieved => (
                "the client does not believe the certificate",
                "look whether it is for the name that the client uses, whether its chain is \
                 complete, and whether the client has the right time and knows its authority",
            ),
            Failure::Ended => ("the client ended the handshake", "its own log may say why"),
            Failure::NoCertificate => {
                ("there is no certificate yet", "it is being obtained; look for lines about ACME")
            }
            Failure::Garbage => ("the client sent what is not TLS", "this port takes HTTPS only"),
            Failure::Gone => ("the client went away in the middle", "its own log may say why"),
            Failure::Late => ("the handshake was not complete in time", "the line may be slow"),
        }
    }
}

fn of_tls(error: &Error) -> Failure {
    match error {
        Error::PeerIncompatible(
            PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::SupportedVersionsExtensionRequired
            // Looked for before the version: clients of TLS 1.2 send it, older ones do not know it.
            | PeerIncompatible::SignatureAlgorithmsExtensionRequired,
        ) => Failure::OldVersion,
        Error::PeerIncompatible(_) => Failure::NothingInCommon,
        Error::AlertReceived(
            AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::UnknownCA,
        ) => Failure::NotBelieved,
        Error::AlertReceived(AlertDescription::ProtocolVersion) => Failure::OldVersion,
        Error::AlertReceived(_) => Failure::Ended,
        // The one general error of a server: its resolver has none.
        Error::General(_) => Failure::NoCertificate,
        _ => Failure::Garbage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_apart() {
        let of = |error: Error| Failure::of(&io::Error::new(io::ErrorKind::InvalidData, error));
        for (error, failure) in [
            (PeerIncompatible::Tls12NotOffered.into(), Failure::OldVersion),
            (PeerIncompatible::SignatureAlgorithmsExtensionRequired.into(), Failure::OldVersion),
            (PeerIncompatible::NoCipherSuitesInCommon.into(), Failure::NothingInCommon),
            (Error::AlertReceived(AlertDescription::UnknownCA), Failure::NotBelieved),
            (Error::AlertReceived(AlertDescription::UserCanceled), Failure::Ended),
            (Error::DecryptError, Failure::Garbage),
        ] {
            let shown = error.to_string();
            assert_eq!(of(error), failure, "{shown}");
        }
        assert_eq!(Failure::of(&io::ErrorKind::TimedOut.into()), Failure::Late);
        assert_eq!(Failure::of(&io::ErrorKind::UnexpectedEof.into()), Failure::Gone);
    }
}
