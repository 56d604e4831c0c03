//! Where the doors are: what was asked for, or the usual places.

use std::io::{ErrorKind, Result};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};

use crate::configuration::Settings;
use crate::fault::Fault;
use crate::options::parse::{DNS_PORT, HTTP_PORT, HTTPS_PORT};

/// Addresses for one door, and why they were chosen when nobody asked for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) why: Option<&'static str>,
}

/// Where DNS is answered.
pub(crate) fn dns(settings: &Settings) -> Chosen {
    choose(settings.dns.as_deref(), DNS_PORT, DNS_FALLBACK, |at| UdpSocket::bind(at).map(drop))
}

/// Where updates are taken.
pub(crate) fn http(settings: &Settings) -> Chosen {
    choose(settings.http.as_deref(), HTTP_PORT, HTTP_FALLBACK, |at| TcpListener::bind(at).map(drop))
}

/// Where updates are taken over HTTPS: nowhere without a certificate.
pub(crate) fn https(settings: &Settings) -> Chosen {
    if settings.https.is_none() && !settings.has_certificate() {
        return Chosen { addresses: Vec::new(), why: None };
    }
    let bind = |at| TcpListener::bind(at).map(drop);
    choose(settings.https.as_deref(), HTTPS_PORT, HTTPS_FALLBACK, bind)
}

/// A fault of opening a door, with what to do about it.
pub(crate) fn refused(why: &std::io::Error, message: String, flag: &'static str) -> Fault {
    let hint = match why.kind() {
        ErrorKind::AddrInUse => {
            format!("another program has this address; stop it, or give another one with `{flag}`")
        }
        ErrorKind::PermissionDenied => format!(
            "ports below 1024 need root or CAP_NET_BIND_SERVICE; or give another one with `{flag}`"
        ),
        ErrorKind::AddrNotAvailable => {
            format!("this machine does not have this address; give one of its own with `{flag}`")
        }
        _ => format!("give another address with `{flag}`"),
    };
    let taken = (why.kind() == ErrorKind::AddrInUse).then_some(flag);
    Fault { taken, ..Fault::failed(message).hint(hint) }
}

fn choose(
    asked: Option<&[SocketAddr]>,
    port: u16,
    fallback: u16,
    bind: impl Fn(SocketAddr) -> Result<()>,
) -> Chosen {
    if let Some(asked) = asked {
        return Chosen { addresses: asked.to_vec(), why: None };
    }
    let everywhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port);
    match bind(everywhere) {
        Err(why) if why.kind() == ErrorKind::PermissionDenied => Chosen {
            addresses: vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), fallback)],
            why: Some("this process may not use the usual port"),
        },
        // A port that is taken is told when the door is opened.
        Ok(()) | Err(_) if has_ipv6() => Chosen {
            addresses: vec![everywhere, SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port)],
            why: Some("the usual port, on all addresses"),
        },
        Ok(()) | Err(_) => Chosen {
            addresses: vec![everywhere],
            why: Some("the usual port, on all addresses; this machine has no IPv6"),
        },
    }
}

fn has_ipv6() -> bool {
    UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

/// Port of DNS for those who may not use the usual one.
pub(crate) const DNS_FALLBACK: u16 = 5300;
/// Port of HTTP for those who may not use the usual one.
pub(crate) const HTTP_FALLBACK: u16 = 8053;
/// Port of HTTPS for those who may not use the usual one.
const HTTPS_FALLBACK: u16 = 8443;

#[cfg(test)]
mod tests {
    use super::*;

    fn usual(bind: impl Fn(SocketAddr) -> Result<()>) -> Chosen {
        choose(None, DNS_PORT, DNS_FALLBACK, bind)
    }

    #[test]
    fn what_was_asked_for_is_taken_as_it_is() {
        let asked = ["127.0.0.1:0".parse().unwrap()];
        let chosen = choose(Some(&asked), 53, 5300, |_| unreachable!("nothing is tried"));
        assert_eq!(chosen, Chosen { addresses: asked.to_vec(), why: None });
    }

    #[test]
    fn usual_port_is_taken_on_all_addresses() {
        let chosen = usual(|_| Ok(()));
        assert_eq!(chosen.addresses[0], "0.0.0.0:53".parse().unwrap());
        assert!(chosen.addresses.iter().all(|at| at.ip().is_unspecified() && at.port() == 53));
    }

    #[test]
    fn loopback_is_taken_by_those_who_may_not_have_the_usual_port() {
        let chosen = usual(|_| Err(ErrorKind::PermissionDenied.into()));
        assert_eq!(chosen.addresses, ["127.0.0.1:5300".parse().unwrap()]);
        assert!(chosen.why.is_some());
    }

    #[test]
    fn usual_port_that_is_taken_is_not_given_up_in_silence() {
        let chosen = usual(|_| Err(ErrorKind::AddrInUse.into()));
        assert_eq!(chosen.addresses[0].port(), 53);
    }
}
