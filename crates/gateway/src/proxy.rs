//! The PROXY protocol, version 2: what a proxy in front says about the connection that it passes
//! on (haproxy.org, `proxy-protocol.txt` §2.2).
//!
//! Version 1 is one line of text that a client could smuggle into something that looks like HTTP;
//! it is recognised only to be refused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How a connection begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// More octets are needed to tell.
    Incomplete,
    /// Not with a PROXY header.
    Plain,
    /// With a whole header of version 2.
    Header {
        /// Its length in octets; the client's own octets follow.
        octets: usize,
        /// What it says.
        header: Header,
    },
    /// With something that claims to be a PROXY header and is not accepted, and why.
    Refused(&'static str),
}

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// The proxy speaks for itself: a health check.
    Local,
    /// The proxy passes on somebody's connection.
    Proxied {
        /// Address of that somebody; `None` when the proxy does not know it.
        source: Option<IpAddr>,
        /// Whether that connection is encrypted.
        encrypted: bool,
    },
}

/// Tells how a connection begins, from its first octets.
pub(crate) fn opening(octets: &[u8]) -> Opening {
    let begins = |mark: &[u8]| octets.starts_with(mark);
    let may_become = |mark: &[u8]| octets.len() < mark.len() && mark.starts_with(octets);
    if begins(V1_MARK) {
        return Opening::Refused("PROXY protocol version 1 is not accepted, use version 2");
    }
    if begins(V2_SIGNATURE) {
        return version_2(octets);
    }
    if may_become(V1_MARK) || may_become(V2_SIGNATURE) {
        return Opening::Incomplete;
    }
    Opening::Plain
}

fn version_2(octets: &[u8]) -> Opening {
    let Some(([version_command, family, high, low], rest)) =
        octets.get(V2_SIGNATURE.len()..).and_then(|rest| rest.split_first_chunk::<4>())
    else {
        return Opening::Incomplete;
    };
    if version_command >> 4 != 2 {
        return Opening::Refused("unknown version of the PROXY protocol");
    }
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if length > PAYLOAD_OCTETS_MAX {
        return Opening::Refused("the PROXY header is too long");
    }
    let Some(payload) = rest.get(..length) else { return Opening::Incomplete };
    let header = match version_command & 0x0f {
        // What else such a header carries must be ignored.
        0 => Ok(Header::Local),
        1 => proxied(*family, payload),
        _ => Err("unknown command in the PROXY header"),
    };
    match header {
        Ok(header) => Opening::Header { octets: V2_SIGNATURE.len() + 4 + length, header },
        Err(why) => Opening::Refused(why),
    }
}

fn proxied(family: u8, payload: &[u8]) -> Result<Header, &'static str> {
    const SHORT: &str = "the addresses in the PROXY header are cut short";
    let (source, addresses) = match family {
        // AF_UNSPEC, and whatever follows it: the addresses are unknown, of unknown length.
        0x00 => return Ok(Header::Proxied { source: None, encrypted: false }),
        TCP_OVER_IPV4 => {
            let source: &[u8; 4] = payload.first_chunk().ok_or(SHORT)?;
            (Some(IpAddr::V4(Ipv4Addr::from(*source))), 12)
        }
        TCP_OVER_IPV6 => {
            let source: &[u8; 16] = payload.first_chunk().ok_or(SHORT)?;
            (Some(IpAddr::V6(Ipv6Addr::from(*source)).to_canonical()), 36)
        }
        UNIX_STREAM => (None, 216),
        _ => return Err("unknown transport in the PROXY header"),
    };
    let options = payload.get(addresses..).ok_or(SHORT)?;
    Ok(Header::Proxied { source, encrypted: encrypted(options)? })
}

/// Whether the options tell of TLS on the client's side: type `PP2_TYPE_SSL` with the flag
/// `PP2_CLIENT_SSL` (§2.2.6).
fn encrypted(mut options: &[u8]) -> Result<bool, &'static str> {
    let mut encrypted = false;
    while !options.is_empty() {
        let Some(([kind, high, low], rest)) = options.split_first_chunk::<3>() else {
            return Err("an option in the PROXY header is cut short");
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((value, rest)) = rest.split_at_checked(length) else {
            return Err("an option in the PROXY header is cut short");
        };
        encrypted |= *kind == TYPE_SSL && value.first().is_some_and(|flags| flags & 1 == 1);
        options = rest;
    }
    Ok(encrypted)
}

const V1_MARK: &[u8] = b"PROXY ";
const V2_SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const TCP_OVER_IPV4: u8 = 0x11;
const TCP_OVER_IPV6: u8 = 0x21;
const UNIX_STREAM: u8 = 0x31;
const TYPE_SSL: u8 = 0x20;
/// Most octets after the fixed part. Addresses take 216 at most; options with certificates' names
/// stay far below this.
const PAYLOAD_OCTETS_MAX: usize = 4096;

#[cfg(test)]
mod tests;
