//! APL: lists of address prefixes (RFC 3123).

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::rdata::RdataError;
use crate::text::octets::Octets;
use crate::text::words::{Words, decimal};

/// RFC 3123 §5: items of the form `[!]family:address/prefix`, perhaps none.
pub(super) fn read(words: &mut Words<'_>) -> Result<Vec<u8>, RdataError> {
    let mut octets = Vec::new();
    while !words.is_done() {
        let item = read_item(words.plain()?);
        octets.extend(item.ok_or_else(|| words.bad("`[!]family:address/prefix` is expected"))?);
    }
    Ok(octets)
}

fn read_item(text: &str) -> Option<Vec<u8>> {
    let (is_negated, text) = match text.strip_prefix('!') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (family, text) = text.split_once(':')?;
    let (address, prefix) = text.split_once('/')?;
    let (family, address, prefix_max) = match family {
        "1" => (IPV4, address.parse::<Ipv4Addr>().ok()?.octets().to_vec(), 32),
        "2" => (IPV6, address.parse::<Ipv6Addr>().ok()?.octets().to_vec(), 128),
        _ => return None,
    };
    let prefix = u8::try_from(decimal(prefix, prefix_max)?).ok()?;
    // RFC 3123 §4: zeros at the end are left out.
    let len = address.iter().rposition(|&octet| octet != 0).map_or(0, |last| last + 1);
    let mut octets = family.to_be_bytes().to_vec();
    octets.extend([prefix, u8::try_from(len).ok()? | if is_negated { NEGATION } else { 0 }]);
    octets.extend(address.iter().take(len));
    Some(octets)
}

/// `None` when there is an item of a family that has no text.
pub(super) fn show(octets: &mut Octets<'_>) -> Option<String> {
    let mut items = Vec::new();
    while !octets.is_done() {
        let (family, prefix, len) = (octets.u16()?, octets.u8()?, octets.u8()?);
        let sign = if len & NEGATION == 0 { "" } else { "!" };
        let part = octets.take(usize::from(len & !NEGATION))?;
        let address = match family {
            IPV4 => Ipv4Addr::from(padded(part)?).to_string(),
            IPV6 => Ipv6Addr::from(padded::<16>(part)?).to_string(),
            _ => return None,
        };
        items.push(format!("{sign}{family}:{address}/{prefix}"));
    }
    Some(items.join(" "))
}

/// An address with the zeros at its end.
fn padded<const N: usize>(part: &[u8]) -> Option<[u8; N]> {
    let mut address = [0; N];
    address.get_mut(..part.len())?.copy_from_slice(part);
    Some(address)
}

/// Address families (RFC 3123 §4).
const IPV4: u16 = 1;
const IPV6: u16 = 2;
/// The bit above the length of an address part.
const NEGATION: u8 = 0x80;
