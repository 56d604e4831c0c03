//! Types of the early Internet: WKS (RFC 1035 §3.4.2), NSAP (RFC 1706), NXT (RFC 2535 §5),
//! A6 (RFC 2874), ATMA (ATM Forum, AF-DANS-0152).

use std::fmt::Write as _;

use crate::rdata::RdataError;
use crate::text::fields::{bits_of, of_mnemonic, set_bit};
use crate::text::octets::Octets;
use crate::text::words::Words;
use crate::types::Rtype;

/// Address, protocol and ports, both as numbers or by the best known of their names (RFC 1010).
pub(super) fn read_wks(words: &mut Words<'_>) -> Result<Vec<u8>, RdataError> {
    let mut octets = words.ipv4()?.octets().to_vec();
    let protocol = words.plain()?;
    octets.push(of_mnemonic(protocol, &PROTOCOLS).map_or_else(|| words.u8_of(protocol), Ok)?);
    let mut ports = Vec::new();
    while !words.is_done() {
        let port = words.plain()?;
        let port = of_mnemonic(port, &PORTS).map_or_else(|| words.u16_of(port), Ok)?;
        set_bit(&mut ports, port.into());
    }
    octets.extend(ports);
    Ok(octets)
}

pub(super) fn show_wks(octets: &mut Octets<'_>) -> Option<String> {
    let mut text = format!("{} {}", octets.ipv4()?, octets.u8()?);
    for port in bits_of(octets.rest()) {
        write!(text, " {port}").ok()?;
    }
    Some(text)
}

/// RFC 1706 §7: `0x` and hexadecimal digits, in which dots mean nothing.
pub(super) fn read_nsap(words: &mut Words<'_>) -> Result<Vec<u8>, RdataError> {
    let digits = words.plain()?.strip_prefix("0x").map(|digits| digits.replace('.', ""));
    let digits = digits.ok_or_else(|| words.bad("`0x` and hexadecimal digits are expected"))?;
    words.hex_of(digits.as_bytes())
}

pub(super) fn show_nsap(octets: &mut Octets<'_>) -> Option<String> {
    Some(format!("0x{}", data_encoding::HEXLOWER.encode(octets.rest())))
}

/// RFC 2535 §7.3: the next name, and types below 128.
pub(super) fn read_nxt(words: &mut Words<'_>) -> Result<Vec<u8>, RdataError> {
    let mut octets = words.name()?.as_wire().to_vec();
    let mut bits = Vec::new();
    while !words.is_done() {
        match words.rtype()? {
            Rtype(number @ 1..128) => set_bit(&mut bits, number.into()),
            _ => return Err(words.bad("only types below 128 can be listed")),
        }
    }
    octets.extend(bits);
    Ok(octets)
}

pub(super) fn show_nxt(octets: &mut Octets<'_>) -> Option<String> {
    let mut text = octets.name()?.to_string();
    for bit in bits_of(octets.rest()) {
        write!(text, " {}", Rtype(u16::try_from(bit).ok()?)).ok()?;
    }
    Some(text)
}

/// RFC 2874 §3.1: length of the prefix, suffix unless it is empty, name of the prefix unless that
/// is empty.
pub(super) fn read_a6(words: &mut Words<'_>) -> Result<Vec<u8>, RdataError> {
    let too_long = |words: &Words<'_>| words.bad("a prefix length up to 128 is expected");
    let prefix_len = words.u8()?;
    let suffix_bits = 128_u8.checked_sub(prefix_len).ok_or_else(|| too_long(words))?;
    let mut octets = vec![prefix_len];
    if suffix_bits > 0 {
        // RFC 2874 §3.1: bits that are not part of the suffix are zero.
        let suffix = words.ipv6()?.to_bits() & (u128::MAX >> prefix_len);
        let unused = 16 - usize::from(suffix_bits).div_ceil(8);
        octets.extend(suffix.to_be_bytes().iter().skip(unused));
    }
    if prefix_len > 0 {
        octets.extend_from_slice(words.name()?.as_wire());
    }
    Ok(octets)
}

pub(super) fn show_a6(octets: &mut Octets<'_>) -> Option<String> {
    let prefix_len = octets.u8()?;
    let mut text = prefix_len.to_string();
    let suffix_bits = 128_u8.checked_sub(prefix_len)?;
    if suffix_bits > 0 {
        let suffix = octets.take(usize::from(suffix_bits).div_ceil(8))?;
        let bits = suffix.iter().fold(0_u128, |bits, &octet| bits << 8 | u128::from(octet));
        write!(text, " {}", std::net::Ipv6Addr::from_bits(bits)).ok()?;
    }
    if prefix_len > 0 {
        write!(text, " {}", octets.name()?).ok()?;
    }
    Some(text)
}

/// `+` and the digits of an E.164 number, or an ATM end system address in hexadecimal, in which
/// dots mean nothing.
pub(super) fn read_atma(words: &mut Words<'_>) -> Result<Vec<u8>, RdataError> {
    let text = words.plain()?;
    match text.strip_prefix('+') {
        Some(number) if is_digits(number.as_bytes()) => Ok([&[E164], number.as_bytes()].concat()),
        Some(_) => Err(words.bad("digits are expected after `+`")),
        None => {
            let address = words.hex_of(text.replace('.', "").as_bytes())?;
            Ok([&[END_SYSTEM], address.as_slice()].concat())
        }
    }
}

pub(super) fn show_atma(octets: &mut Octets<'_>) -> Option<String> {
    match (octets.u8()?, octets.rest()) {
        (END_SYSTEM, address) => Some(data_encoding::HEXLOWER.encode(address)),
        (E164, number) if is_digits(number) => {
            Some(format!("+{}", std::str::from_utf8(number).ok()?))
        }
        _ => None,
    }
}

fn is_digits(octets: &[u8]) -> bool {
    !octets.is_empty() && octets.iter().all(u8::is_ascii_digit)
}

/// Formats of ATM addresses.
const END_SYSTEM: u8 = 0;
const E164: u8 = 1;

const PROTOCOLS: [(u8, &str); 2] = [(6, "tcp"), (17, "udp")];

const PORTS: [(u16, &str); 12] = [
    (20, "ftp-data"),
    (21, "ftp"),
    (23, "telnet"),
    (25, "smtp"),
    (37, "time"),
    (53, "domain"),
    (69, "tftp"),
    (79, "finger"),
    (80, "http"),
    (110, "pop3"),
    (119, "nntp"),
    (123, "ntp"),
];
