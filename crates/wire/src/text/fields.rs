//! Types whose data is a row of fields that each have one text.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::rdata::RdataError;
use crate::text::octets::Octets;
use crate::text::time;
use crate::text::words::{Words, decimal};
use crate::types::Rtype;

/// One field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field {
    U8,
    U16,
    U32,
    U64,
    /// 16 bits: a mnemonic of RFC 4398 §2.1, or a number.
    CertType,
    /// 8 bits: a mnemonic of the registry of DNSSEC algorithms, or a number.
    Algorithm,
    /// 16 bits: the mnemonic of a type.
    Type,
    /// 32 bits: a date, or a number of seconds (RFC 4034 §3.2).
    Time,
    /// 8 bits: a mnemonic of RFC 9859 §2, or a number.
    Scheme,
    Ipv4,
    Name,
    String,
    /// So many octets, each in two hexadecimal digits, with hyphens between (RFC 7043 §3.2).
    Eui(usize),
    /// 64 bits: four groups of hexadecimal digits with colons between (RFC 6742 §2.1).
    Locator,
    /// Mnemonics of types up to the end (RFC 4034 §4.1.2).
    Types,
    /// Hexadecimal up to the end, at least one octet.
    Hex,
    /// Base64 up to the end, at least one octet.
    Base64,
    /// Base64 up to the end, `-` when there is none.
    Base64OrDash,
}

/// The fields of a type, when its data is such a row.
pub(super) fn fields(rtype: Rtype) -> Option<&'static [Field]> {
    use Field::{
        Algorithm, Base64, Base64OrDash, CertType, Eui, Hex, Ipv4, Locator, Name, Scheme, String,
        Time, Type, Types, U8, U16, U32, U64,
    };
    let fields: &[Field] = match rtype {
        Rtype::CERT => &[CertType, U16, Algorithm, Base64],
        // RFC 2535 §7.2: the text of SIG has times as dates alone.
        Rtype::RRSIG | Rtype::SIG => &[Type, Algorithm, U8, U32, Time, Time, U16, Name, Base64],
        Rtype::EUI48 => &[Eui(6)],
        Rtype::EUI64 => &[Eui(8)],
        Rtype::CSYNC => &[U32, U16, Types],
        Rtype::NID | Rtype::L64 => &[U16, Locator],
        Rtype::L32 => &[U16, Ipv4],
        Rtype::DSYNC => &[Type, Scheme, U16, Name],
        Rtype::NSAP_PTR => &[Name],
        Rtype::EID | Rtype::NIMLOC => &[Hex],
        Rtype::HHIT | Rtype::BRID => &[Base64],
        // draft-eastlake-kitchen-sink-02: meaning, coding, subcoding.
        Rtype::SINK => &[U8, U8, U8, Base64],
        // draft-durand-doa-over-dns-03: enterprise, type, location, media type.
        Rtype::DOA => &[U32, U32, U8, String, Base64OrDash],
        Rtype::IPN => &[U64],
        _ => return None,
    };
    Some(fields)
}

pub(super) fn read(words: &mut Words<'_>, fields: &[Field]) -> Result<Vec<u8>, RdataError> {
    let mut octets = Vec::new();
    for &field in fields {
        read_field(words, field, &mut octets)?;
    }
    Ok(octets)
}

fn read_field(words: &mut Words<'_>, field: Field, octets: &mut Vec<u8>) -> Result<(), RdataError> {
    match field {
        Field::U8 => octets.push(words.u8()?),
        Field::U16 => octets.extend(words.u16()?.to_be_bytes()),
        Field::U32 => {
            let number = words.number(u32::MAX.into())?.to_be_bytes();
            octets.extend(number.iter().skip(4));
        }
        Field::U64 => octets.extend(words.number(u64::MAX)?.to_be_bytes()),
        Field::CertType => {
            let text = words.plain()?;
            let number = of_mnemonic(text, &CERT_TYPES).map_or_else(|| words.u16_of(text), Ok)?;
            octets.extend(number.to_be_bytes());
        }
        Field::Algorithm => {
            let text = words.plain()?;
            octets.push(of_mnemonic(text, &ALGORITHMS).map_or_else(|| words.u8_of(text), Ok)?);
        }
        Field::Scheme => {
            let text = words.plain()?;
            octets.push(of_mnemonic(text, &SCHEMES).map_or_else(|| words.u8_of(text), Ok)?);
        }
        Field::Time => octets.extend(read_time(words)?.to_be_bytes()),
        Field::Type => octets.extend(words.rtype()?.0.to_be_bytes()),
        Field::Ipv4 => octets.extend(words.ipv4()?.octets()),
        Field::Name => octets.extend_from_slice(words.name()?.as_wire()),
        Field::String => words.char_string(octets)?,
        Field::Eui(len) => octets.extend(read_eui(words, len)?),
        Field::Locator => octets.extend(read_locator(words)?),
        Field::Types => octets.extend(read_types(words)?),
        Field::Hex => octets.extend(words.hex()?),
        Field::Base64 => octets.extend(words.base64()?),
        Field::Base64OrDash => octets.extend(words.base64_or_dash()?),
    }
    Ok(())
}

pub(super) fn show(octets: &mut Octets<'_>, fields: &[Field]) -> Option<String> {
    let mut text = String::new();
    for &field in fields {
        let shown = show_field(octets, field)?;
        if !text.is_empty() && !shown.is_empty() {
            text.push(' ');
        }
        text.push_str(&shown);
    }
    Some(text)
}

fn show_field(octets: &mut Octets<'_>, field: Field) -> Option<String> {
    Some(match field {
        Field::U8 | Field::Algorithm => octets.u8()?.to_string(),
        Field::U16 => octets.u16()?.to_string(),
        Field::U32 => octets.u32()?.to_string(),
        Field::U64 => u64::from_be_bytes(octets.array()?).to_string(),
        Field::CertType => mnemonic_of(octets.u16()?, &CERT_TYPES),
        Field::Scheme => mnemonic_of(octets.u8()?, &SCHEMES),
        Field::Time => time::show(octets.u32()?),
        Field::Type => Rtype(octets.u16()?).to_string(),
        Field::Ipv4 => octets.ipv4()?.to_string(),
        Field::Name => octets.name()?.to_string(),
        Field::String => octets.char_string()?,
        Field::Eui(len) => {
            let pairs: Vec<String> =
                octets.take(len)?.iter().map(|octet| format!("{octet:02x}")).collect();
            pairs.join("-")
        }
        Field::Locator => {
            let [a, b, c, d] = [octets.u16()?, octets.u16()?, octets.u16()?, octets.u16()?];
            format!("{a:04x}:{b:04x}:{c:04x}:{d:04x}")
        }
        Field::Types => show_types(octets)?,
        Field::Hex => data_encoding::HEXLOWER.encode(octets.rest()),
        Field::Base64 => data_encoding::BASE64.encode(octets.rest()),
        Field::Base64OrDash if octets.is_done() => "-".into(),
        Field::Base64OrDash => data_encoding::BASE64.encode(octets.rest()),
    })
}

fn read_time(words: &mut Words<'_>) -> Result<u32, RdataError> {
    let text = words.plain()?;
    let time = if text.len() == time::DIGITS {
        time::read(text)
    } else {
        decimal(text, u32::MAX.into()).and_then(|seconds| u32::try_from(seconds).ok())
    };
    time.ok_or_else(|| words.bad("a time is `YYYYMMDDHHmmSS` or seconds since 1970"))
}

fn read_eui(words: &mut Words<'_>, len: usize) -> Result<Vec<u8>, RdataError> {
    let text = words.plain()?;
    let pairs: Vec<&str> = text.split('-').collect();
    if pairs.len() != len || pairs.iter().any(|pair| pair.len() != 2) {
        return Err(words.bad("pairs of hexadecimal digits with hyphens between are expected"));
    }
    words.hex_of(pairs.concat().as_bytes())
}

fn read_locator(words: &mut Words<'_>) -> Result<Vec<u8>, RdataError> {
    let bad = "four groups of hexadecimal digits with colons between are expected";
    let groups: Vec<&str> = words.plain()?.split(':').collect();
    if groups.len() != 4 || groups.iter().any(|group| !(1..=4).contains(&group.len())) {
        return Err(words.bad(bad));
    }
    let digits: String = groups.iter().map(|group| format!("{group:0>4}")).collect();
    words.hex_of(digits.as_bytes())
}

/// RFC 4034 §4.1.2: a window for each 256 numbers, a bit for each, without zeros at the end.
fn read_types(words: &mut Words<'_>) -> Result<Vec<u8>, RdataError> {
    let mut numbers = BTreeSet::new();
    while !words.is_done() {
        numbers.insert(words.rtype()?.0);
    }
    let mut octets = Vec::new();
    let mut rest = numbers.iter().peekable();
    while let Some(&&first) = rest.peek() {
        let [window, _] = first.to_be_bytes();
        let mut bits = Vec::new();
        while let Some(number) = rest.next_if(|number| number.to_be_bytes()[0] == window) {
            set_bit(&mut bits, usize::from(number & 0xff));
        }
        octets.push(window);
        // At most 32: a bit for each of 256.
        octets.push(u8::try_from(bits.len()).unwrap_or_default());
        octets.extend(bits);
    }
    Ok(octets)
}

fn show_types(octets: &mut Octets<'_>) -> Option<String> {
    let mut text = String::new();
    while !octets.is_done() {
        let (window, len) = (octets.u8()?, octets.u8()?);
        for bit in bits_of(octets.take(len.into())?) {
            let number = u16::from_be_bytes([window, u8::try_from(bit).ok()?]);
            let gap = if text.is_empty() { "" } else { " " };
            write!(text, "{gap}{}", Rtype(number)).ok()?;
        }
    }
    Some(text)
}

/// Sets a bit, counted from the highest of the first octet.
pub(super) fn set_bit(bits: &mut Vec<u8>, bit: usize) {
    let at = bit / 8;
    if bits.len() <= at {
        bits.resize(at + 1, 0);
    }
    if let Some(octet) = bits.get_mut(at) {
        *octet |= 0x80 >> (bit % 8);
    }
}

/// The numbers of the bits that are set.
pub(super) fn bits_of(bits: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let each = bits.iter().enumerate();
    each.flat_map(|(at, octet)| {
        (0..8).filter(move |bit| octet & (0x80 >> bit) != 0).map(move |bit| at * 8 + bit)
    })
}

pub(super) fn of_mnemonic<N: Copy>(text: &str, table: &[(N, &str)]) -> Option<N> {
    table.iter().find(|(_, name)| name.eq_ignore_ascii_case(text)).map(|&(number, _)| number)
}

fn mnemonic_of<N: Copy + PartialEq + ToString>(number: N, table: &[(N, &str)]) -> String {
    let row = table.iter().find(|&&(row, _)| row == number);
    row.map_or_else(|| number.to_string(), |&(_, name)| name.to_string())
}

/// RFC 4398 §2.1.
const CERT_TYPES: [(u16, &str); 10] = [
    (1, "PKIX"),
    (2, "SPKI"),
    (3, "PGP"),
    (4, "IPKIX"),
    (5, "ISPKI"),
    (6, "IPGP"),
    (7, "ACPKIX"),
    (8, "IACPKIX"),
    (253, "URI"),
    (254, "OID"),
];

/// RFC 4034 appendix A.1, and the mnemonics that were registered after it.
pub(super) const ALGORITHMS: [(u8, &str); 17] = [
    (1, "RSAMD5"),
    (2, "DH"),
    (3, "DSA"),
    (4, "ECC"),
    (5, "RSASHA1"),
    (6, "DSA-NSEC3-SHA1"),
    (7, "RSASHA1-NSEC3-SHA1"),
    (8, "RSASHA256"),
    (10, "RSASHA512"),
    (12, "ECC-GOST"),
    (13, "ECDSAP256SHA256"),
    (14, "ECDSAP384SHA384"),
    (15, "ED25519"),
    (16, "ED448"),
    (252, "INDIRECT"),
    (253, "PRIVATEDNS"),
    (254, "PRIVATEOID"),
];

/// RFC 9859 §2.
const SCHEMES: [(u8, &str); 1] = [(1, "NOTIFY")];
