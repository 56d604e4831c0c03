//! Where a request came from: the one place that decides which words about it are believed.

use std::net::IpAddr;

use account::address::{scope, unmapped};
use account::{Network, Scope};

use crate::proxy::Header;

/// Whom the operator trusts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trust {
    /// From here, as from loopback, a token in clear is not exposed.
    pub(crate) networks: Vec<Network>,
    /// Proxies whose word about the client counts.
    pub(crate) proxies: Vec<Network>,
}

/// What a request's head says about proxies on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// All `X-Forwarded-For` fields, in order, joined by commas (RFC 9110 §5.3).
    pub hops: Option<String>,
    /// Whether the last `X-Forwarded-Proto` says `https`.
    pub https: bool,
    /// Whether any other field tells of a proxy: `Forwarded`, `Via`, `X-Real-IP`.
    pub other: bool,
}

/// What is known of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// The address that it came from: the client's, or a proxy's.
    pub(crate) peer: IpAddr,
    /// Its PROXY header; there is one only when the peer is a trusted proxy.
    pub(crate) header: Option<Header>,
    /// Whether TLS ends here.
    pub(crate) tls: bool,
}

/// Where a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The client's address, never IPv4-mapped; `None` when only a proxy's is known. An unknown
    /// address is never published.
    pub address: Option<IpAddr>,
    /// The address to log and to count by: the client's, or else the nearest one that is known.
    pub nearest: IpAddr,
    /// Loopback, or a network that the operator trusts.
    pub local: bool,
    /// Whether the client's side of the connection was encrypted.
    pub encrypted: bool,
}

impl Source {
    /// Whether somebody on the way may have read what was sent.
    pub fn is_exposed(&self) -> bool {
        !self.encrypted && !self.local
    }
}

impl Trust {
    /// Whether a peer's word about its clients counts.
    pub(crate) fn is_proxy(&self, peer: IpAddr) -> bool {
        self.proxies.iter().any(|network| network.contains(peer))
    }

    fn is_local(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.networks.iter().any(|network| network.contains(address))
    }

    /// Finds the source of one request. A field of the head counts only when whoever sent it is a
    /// trusted proxy.
    pub(crate) fn source(&self, link: Link, forwarded: &Forwarded) -> Source {
        let peer = unmapped(link.peer);
        match link.header {
            Some(Header::Proxied { source: Some(client), encrypted }) => {
                let client = unmapped(client);
                let through = self.through(client, link.tls, forwarded);
                Source { encrypted: encrypted || through.encrypted, ..through }
            }
            Some(Header::Proxied { source: None, encrypted }) => Source {
                address: None,
                nearest: peer,
                local: false,
                // A PROXY header comes before the handshake: the client made that, not the proxy.
                encrypted: encrypted || link.tls,
            },
            Some(Header::Local) | None => self.through(peer, link.tls, forwarded),
        }
    }

    /// The source of a request that `sender` handed on, or made itself; `tls`: over TLS to here.
    fn through(&self, sender: IpAddr, tls: bool, forwarded: &Forwarded) -> Source {
        if self.is_proxy(sender) {
            return self.last_untrusted_hop(sender, tls, forwarded);
        }
        let told = forwarded.hops.is_some() || forwarded.https || forwarded.other;
        if told && scope(sender) == Scope::Private {
            // A proxy on this machine or in this network that nobody has listed: its address is
            // not the client's, and what it says may come from anybody.
            return Source { address: None, nearest: sender, local: false, encrypted: false };
        }
        Source {
            address: Some(sender),
            nearest: sender,
            local: self.is_local(sender),
            encrypted: tls,
        }
    }

    /// The client is the rightmost hop that is not a proxy of ours: what stands left of it was
    /// written by the client itself, or by machines that we do not know.
    ///
    /// Whether the client's side was encrypted is the proxy's to say, whatever it uses towards us.
    fn last_untrusted_hop(&self, proxy: IpAddr, tls: bool, forwarded: &Forwarded) -> Source {
        let encrypted = forwarded.https;
        let Some(hops) = &forwarded.hops else {
            // The proxy speaks for itself, or hides its clients: its own address is not theirs.
            let itself = !forwarded.https && !forwarded.other;
            let local = itself && self.is_local(proxy);
            let encrypted = encrypted || (itself && tls);
            return Source { address: None, nearest: proxy, local, encrypted };
        };
        let mut nearest = proxy;
        for hop in hops.rsplit(',') {
            let Some(address) = hop_address(hop.trim()) else {
                return Source { address: None, nearest, local: false, encrypted };
            };
            nearest = address;
            if !self.is_proxy(address) {
                break;
            }
        }
        let local = self.is_local(nearest);
        Source { address: Some(nearest), nearest, local, encrypted }
    }
}

/// An address as proxies write it: alone, in brackets, or with a port.
fn hop_address(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(unmapped(address));
    }
    if let Ok(with_port) = text.parse::<std::net::SocketAddr>() {
        return Some(unmapped(with_port.ip()));
    }
    let bare = text.strip_prefix('[')?.strip_suffix(']')?;
    bare.parse::<IpAddr>().ok().map(unmapped)
}

#[cfg(test)]
mod tests;
