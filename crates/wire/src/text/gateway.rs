//! Types that lead to other hosts by address or name: IPSECKEY (RFC 4025), AMTRELAY (RFC 8777),
//! HIP (RFC 8005).

use crate::rdata::RdataError;
use crate::text::octets::Octets;
use crate::text::words::Words;

/// RFC 4025 §3.1: precedence, kind of gateway, algorithm, gateway, key. Only algorithm 0, which
/// says that there is no key, may stand without one.
pub(super) fn read_ipseckey(words: &mut Words<'_>) -> Result<Vec<u8>, RdataError> {
    let (precedence, kind, algorithm) = (words.u8()?, words.u8()?, words.u8()?);
    let mut octets = vec![precedence, kind, algorithm];
    octets.extend(read_gateway(words, kind)?);
    if algorithm != 0 || !words.is_done() {
        octets.extend(words.base64()?);
    }
    Ok(octets)
}

pub(super) fn show_ipseckey(octets: &mut Octets<'_>) -> Option<String> {
    let (precedence, kind, algorithm) = (octets.u8()?, octets.u8()?, octets.u8()?);
    let gateway = show_gateway(octets, kind)?;
    let gap = if octets.is_done() { "" } else { " " };
    let key = data_encoding::BASE64.encode(octets.rest());
    Some(format!("{precedence} {kind} {algorithm} {gateway}{gap}{key}"))
}

/// RFC 8777 §4.3.1: precedence, the discovery bit, kind of relay, relay.
pub(super) fn read_amtrelay(words: &mut Words<'_>) -> Result<Vec<u8>, RdataError> {
    let precedence = words.u8()?;
    let discovery = match words.number(1)? {
        0 => 0,
        _ => DISCOVERY,
    };
    let kind = words.u8()?;
    let mut octets = vec![precedence, discovery | kind];
    octets.extend(read_gateway(words, kind)?);
    Ok(octets)
}

pub(super) fn show_amtrelay(octets: &mut Octets<'_>) -> Option<String> {
    let (precedence, second) = (octets.u8()?, octets.u8()?);
    let (discovery, kind) = (u8::from(second & DISCOVERY != 0), second & !DISCOVERY);
    let relay = show_gateway(octets, kind)?;
    Some(format!("{precedence} {discovery} {kind} {relay}"))
}

/// RFC 8005 §6: algorithm, HIT, key, names of rendezvous servers. The wire begins with the lengths
/// (RFC 8005 §5).
pub(super) fn read_hip(words: &mut Words<'_>) -> Result<Vec<u8>, RdataError> {
    let (algorithm, hit, key) = (words.u8()?, words.hex_word()?, words.base64_word()?);
    let hit_len = u8::try_from(hit.len()).map_err(|_| words.bad("the HIT is too long"))?;
    let key_len = u16::try_from(key.len()).map_err(|_| words.bad("the key is too long"))?;
    let mut octets = vec![hit_len, algorithm];
    octets.extend(key_len.to_be_bytes());
    octets.extend(hit);
    octets.extend(key);
    while !words.is_done() {
        octets.extend_from_slice(words.name()?.as_wire());
    }
    Ok(octets)
}

pub(super) fn show_hip(octets: &mut Octets<'_>) -> Option<String> {
    let (hit_len, algorithm, key_len) = (octets.u8()?, octets.u8()?, octets.u16()?);
    let hit = data_encoding::HEXLOWER.encode(octets.take(hit_len.into())?);
    let key = data_encoding::BASE64.encode(octets.take(key_len.into())?);
    let mut text = format!("{algorithm} {hit} {key}");
    while !octets.is_done() {
        text.push(' ');
        text.push_str(&octets.name()?.to_string());
    }
    Some(text)
}

/// The kinds of RFC 4025 §2.3, which those of RFC 8777 §4.2.3 repeat: none, IPv4, IPv6, name.
fn read_gateway(words: &mut Words<'_>, kind: u8) -> Result<Vec<u8>, RdataError> {
    match kind {
        0 if words.plain()? == "." => Ok(Vec::new()),
        0 => Err(words.bad("`.` is expected where there is no gateway")),
        1 => Ok(words.ipv4()?.octets().into()),
        2 => Ok(words.ipv6()?.octets().into()),
        3 => Ok(words.name()?.as_wire().into()),
        _ => Err(words.bad("a kind of gateway up to 3 is expected")),
    }
}

fn show_gateway(octets: &mut Octets<'_>, kind: u8) -> Option<String> {
    match kind {
        0 => Some(".".into()),
        1 => Some(octets.ipv4()?.to_string()),
        2 => Some(octets.ipv6()?.to_string()),
        3 => Some(octets.name()?.to_string()),
        _ => None,
    }
}

/// The bit beside the kind of relay (RFC 8777 §4.2.2).
const DISCOVERY: u8 = 0x80;
