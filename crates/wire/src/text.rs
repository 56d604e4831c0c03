//! Presentation form of record data: by our table where a type consists of numbers, names and
//! texts, by the modules below for types with a form of their own, through the `domain` crate where
//! it knows the type, and by RFC 3597 §5 for what is left.

mod apl;
mod fields;
mod gateway;
mod loc;
mod octets;
mod old;
mod other;
mod time;
mod words;

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::name::{Name, NameError};
use crate::rdata::{Block, Rdata, RdataError, Soa, blocks, is_of, skip};
use crate::text::octets::Octets;
use crate::text::words::{Words, decimal};
use crate::types::Rtype;
use crate::zonefile::entry::{Entry, Reader, Word};

impl Rdata {
    /// Reads presentation form, such as `10 mail` for MX. Relative names are completed by
    /// `origin`. `\# 4 0a000001` is read for every type (RFC 3597 §5).
    pub fn parse(rtype: Rtype, text: &str, origin: &Name) -> Result<Rdata, RdataError> {
        let bad = |why: &dyn fmt::Display| RdataError::Text(rtype, why.to_string());
        let mut reader = Reader::new(text.as_bytes());
        let mut entry = Entry::default();
        reader.next(&mut entry).map_err(|why| bad(&why))?;
        if !matches!(reader.next(&mut Entry::default()), Ok(false)) {
            return Err(bad(&"more than one line"));
        }
        Rdata::read(rtype, &entry.words, origin)
    }

    /// Reads the words of a record after its type.
    pub(crate) fn read(
        rtype: Rtype,
        words: &[Word<'_>],
        origin: &Name,
    ) -> Result<Rdata, RdataError> {
        match words {
            [sign, words @ ..] if sign.is_sign(b"\\#") => read_generic(rtype, words),
            [one] if rtype == Rtype::A => read_a(one).map(Rdata::a),
            [one] if rtype == Rtype::AAAA => read_aaaa(one).map(Rdata::aaaa),
            [mname, rname, serial, times @ ..] if rtype == Rtype::SOA => {
                let names = (read_name(mname, origin)?, read_name(rname, origin)?);
                read_soa(names, serial, times)
            }
            words if TABULAR.contains(&rtype) => read_table(rtype, words, origin),
            words => {
                read_own(rtype, words, origin).unwrap_or_else(|| other::read(rtype, words, origin))
            }
        }
    }

    /// The same in wire form, put in place of what `data` holds.
    pub(crate) fn read_into(
        rtype: Rtype,
        words: &[Word<'_>],
        origin: &Name,
        data: &mut Vec<u8>,
    ) -> Result<(), RdataError> {
        data.clear();
        match words {
            [one] if rtype == Rtype::A => data.extend_from_slice(&read_a(one)?.octets()),
            [one] if rtype == Rtype::AAAA => data.extend_from_slice(&read_aaaa(one)?.octets()),
            words => data.extend_from_slice(Rdata::read(rtype, words, origin)?.as_wire()),
        }
        Ok(())
    }

    /// Presentation form, without owner, TTL, class and type; `parse` reads the same data from it.
    pub fn display(&self, rtype: Rtype) -> impl fmt::Display + '_ {
        Shown { rtype, octets: self.as_wire() }
    }
}

fn read_a(word: &Word<'_>) -> Result<Ipv4Addr, RdataError> {
    let address = word.text().and_then(|text| text.parse().ok());
    address.ok_or_else(|| RdataError::Text(Rtype::A, "an IPv4 address is expected".into()))
}

fn read_aaaa(word: &Word<'_>) -> Result<Ipv6Addr, RdataError> {
    let address = word.text().and_then(|text| text.parse().ok());
    address.ok_or_else(|| RdataError::Text(Rtype::AAAA, "an IPv6 address is expected".into()))
}

/// RFC 3597 §5: a length, and so many octets in hexadecimal, perhaps in several words.
fn read_generic(rtype: Rtype, words: &[Word<'_>]) -> Result<Rdata, RdataError> {
    let bad = || RdataError::Text(rtype, "`\\#` needs a length and so many octets".into());
    let (length, words) = words.split_first().ok_or_else(bad)?;
    let length = length.text().and_then(|text| decimal(text, u16::MAX.into())).ok_or_else(bad)?;
    let digits: Vec<u8> = words.iter().flat_map(|word| word.octets).copied().collect();
    let octets = data_encoding::HEXLOWER_PERMISSIVE.decode(&digits).map_err(|_| bad())?;
    if u64::try_from(octets.len()) != Ok(length) {
        return Err(bad());
    }
    Rdata::new(rtype, &octets)
}

/// Numbers of 16 bits, names and texts, as the structure of the type has them.
fn read_table(rtype: Rtype, words: &[Word<'_>], origin: &Name) -> Result<Rdata, RdataError> {
    let bad = |why: &str| RdataError::Text(rtype, why.into());
    let mut octets = Vec::new();
    let mut words = words.iter();
    for &block in blocks(rtype) {
        let mut next = || words.next().ok_or_else(|| bad("a field is missing"));
        match block {
            Block::Fixed(len) => {
                for _ in 0..len / 2 {
                    let number = next()?.text().and_then(|text| decimal(text, u16::MAX.into()));
                    let number = number.ok_or_else(|| bad("a number up to 65535 is expected"))?;
                    octets.extend(number.to_be_bytes().iter().skip(6));
                }
            }
            Block::OldName | Block::FoldedName | Block::FoldedNameOrNone | Block::Name => {
                octets.extend_from_slice(read_name(next()?, origin)?.as_wire());
            }
            Block::CharString => push_string(rtype, next()?, &mut octets)?,
            Block::CharStrings => {
                for word in words.by_ref() {
                    push_string(rtype, word, &mut octets)?;
                }
            }
            Block::SomeRest if rtype == Rtype::URI => octets.extend(next()?.unescaped()?),
            Block::Rest | Block::SomeRest | Block::Shaped(_) => {
                let digits: Vec<u8> =
                    words.by_ref().flat_map(|word| word.octets).copied().collect();
                let read = data_encoding::BASE64.decode(&digits);
                octets.extend(read.map_err(|_| bad("base64 is expected"))?);
            }
        }
    }
    if words.next().is_some() {
        return Err(bad("there are more fields than the type has"));
    }
    Rdata::new(rtype, &octets)
}

fn push_string(rtype: Rtype, word: &Word<'_>, octets: &mut Vec<u8>) -> Result<(), RdataError> {
    let string = word.unescaped()?;
    let too_long = || RdataError::Text(rtype, "a text is longer than 255 octets".into());
    octets.push(u8::try_from(string.len()).map_err(|_| too_long())?);
    octets.extend_from_slice(&string);
    Ok(())
}

/// Times of a SOA may have units, like all times in a zone file.
fn read_soa(
    (mname, rname): (Name, Name),
    serial: &Word<'_>,
    times: &[Word<'_>],
) -> Result<Rdata, RdataError> {
    let bad = || RdataError::Text(Rtype::SOA, "two names and five numbers are expected".into());
    let serial = serial.text().and_then(|text| decimal(text, u32::MAX.into()));
    let serial = serial.and_then(|serial| u32::try_from(serial).ok()).ok_or_else(bad)?;
    let times: Option<Vec<u32>> = times.iter().map(Word::seconds).collect();
    match times.ok_or_else(bad)?.as_slice() {
        &[refresh_s, retry_s, expire_s, minimum_s] => {
            Ok(Rdata::soa(&Soa { mname, rname, serial, refresh_s, retry_s, expire_s, minimum_s }))
        }
        _ => Err(bad()),
    }
}

fn read_name(word: &Word<'_>, origin: &Name) -> Result<Name, NameError> {
    if word.is_sign(b"@") { Ok(origin.clone()) } else { Name::read(word.octets, origin) }
}

/// How a type with a form of its own is read and shown; `show` gives `None` for data that only the
/// generic form can show.
struct Form {
    read: fn(&mut Words<'_>) -> Result<Vec<u8>, RdataError>,
    show: fn(&mut Octets<'_>) -> Option<String>,
}

fn own_form(rtype: Rtype) -> Option<Form> {
    let form = match rtype {
        Rtype::LOC => Form { read: loc::read, show: loc::show },
        Rtype::APL => Form { read: apl::read, show: apl::show },
        Rtype::IPSECKEY => Form { read: gateway::read_ipseckey, show: gateway::show_ipseckey },
        Rtype::AMTRELAY => Form { read: gateway::read_amtrelay, show: gateway::show_amtrelay },
        Rtype::HIP => Form { read: gateway::read_hip, show: gateway::show_hip },
        Rtype::WKS => Form { read: old::read_wks, show: old::show_wks },
        Rtype::NSAP => Form { read: old::read_nsap, show: old::show_nsap },
        Rtype::NXT => Form { read: old::read_nxt, show: old::show_nxt },
        Rtype::A6 => Form { read: old::read_a6, show: old::show_a6 },
        Rtype::ATMA => Form { read: old::read_atma, show: old::show_atma },
        _ => return None,
    };
    Some(form)
}

/// Reads all words of a type with a form of its own; `None` for other types.
fn read_own(rtype: Rtype, words: &[Word<'_>], origin: &Name) -> Option<Result<Rdata, RdataError>> {
    let mut words = Words::new(rtype, words, origin);
    let octets = match (fields::fields(rtype), own_form(rtype)) {
        (Some(fields), _) => fields::read(&mut words, fields),
        (None, Some(form)) => (form.read)(&mut words),
        (None, None) => return None,
    };
    let checked = octets.and_then(|octets| words.end().map(|()| octets));
    Some(checked.and_then(|octets| Rdata::new(rtype, &octets)))
}

struct Shown<'a> {
    rtype: Rtype,
    octets: &'a [u8],
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Rtype::A, Ok(four)) = (self.rtype, <[u8; 4]>::try_from(self.octets)) {
            return fmt::Display::fmt(&std::net::Ipv4Addr::from(four), f);
        }
        if let (Rtype::AAAA, Ok(sixteen)) = (self.rtype, <[u8; 16]>::try_from(self.octets)) {
            return fmt::Display::fmt(&std::net::Ipv6Addr::from(sixteen), f);
        }
        let by_table = self.rtype == Rtype::SOA || TABULAR.contains(&self.rtype);
        if by_table && is_of(self.rtype, self.octets) {
            return self.fmt_table(f);
        }
        let mut octets = Octets::new(self.octets);
        let text = match (fields::fields(self.rtype), own_form(self.rtype)) {
            (Some(fields), _) => fields::show(&mut octets, fields),
            (None, Some(form)) => (form.show)(&mut octets),
            (None, None) => other::show(self.rtype, self.octets),
        };
        // Never a text from which other data would be read.
        match text.filter(|text| self.is_read_from(text)) {
            Some(text) => f.write_str(&text),
            None => self.fmt_generic(f),
        }
    }
}

impl Shown<'_> {
    fn fmt_table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.octets;
        let mut gap = "";
        for &block in blocks(self.rtype) {
            let Some(after) = skip(block, rest) else { return Err(fmt::Error) };
            let part = rest.get(..rest.len() - after.len()).unwrap_or_default();
            rest = after;
            match block {
                Block::Fixed(_) => {
                    for number in part.chunks(if self.rtype == Rtype::SOA { 4 } else { 2 }) {
                        let number =
                            number.iter().fold(0_u32, |n, &octet| n << 8 | u32::from(octet));
                        write!(f, "{gap}{number}")?;
                        gap = " ";
                    }
                }
                Block::OldName | Block::FoldedName | Block::FoldedNameOrNone | Block::Name => {
                    write!(f, "{gap}{}", Name::from_wire(part).map_err(|_| fmt::Error)?)?;
                }
                Block::CharString | Block::CharStrings => fmt_strings(part, gap, f)?,
                Block::SomeRest if self.rtype == Rtype::URI => fmt_quoted(part, gap, f)?,
                Block::Rest | Block::SomeRest | Block::Shaped(_) => {
                    write!(f, "{gap}{}", data_encoding::BASE64.encode(part))?;
                }
            }
            gap = " ";
        }
        Ok(())
    }

    fn is_read_from(&self, text: &str) -> bool {
        let read = Rdata::parse(self.rtype, text, &Name::root());
        read.is_ok_and(|read| read.as_wire() == self.octets)
    }

    fn fmt_generic(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\\# {}", self.octets.len())?;
        if !self.octets.is_empty() {
            write!(f, " {}", data_encoding::HEXLOWER.encode(self.octets))?;
        }
        Ok(())
    }
}

/// Character strings, each in quotes.
fn fmt_strings(octets: &[u8], gap: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut rest = octets;
    let mut gap = gap;
    while let Some((&len, after)) = rest.split_first() {
        let (string, after) = after.split_at_checked(usize::from(len)).ok_or(fmt::Error)?;
        rest = after;
        fmt_quoted(string, gap, f)?;
        gap = " ";
    }
    Ok(())
}

fn fmt_quoted(string: &[u8], gap: &str, f: &mut impl fmt::Write) -> fmt::Result {
    write!(f, "{gap}\"")?;
    for &octet in string {
        match octet {
            b'"' | b'\\' => write!(f, "\\{}", char::from(octet))?,
            0x20..=0x7e => write!(f, "{}", char::from(octet))?,
            _ => write!(f, "\\{octet:03}")?,
        }
    }
    f.write_str("\"")
}

/// Types whose presentation form follows from their structure: numbers of 16 bits, names, texts, and
/// base64 for what is left.
const TABULAR: [Rtype; 33] = [
    Rtype::NS,
    Rtype::CNAME,
    Rtype::PTR,
    Rtype::DNAME,
    Rtype::MD,
    Rtype::MF,
    Rtype::MB,
    Rtype::MG,
    Rtype::MR,
    Rtype::MX,
    Rtype::AFSDB,
    Rtype::RT,
    Rtype::KX,
    Rtype::PX,
    Rtype::LP,
    Rtype::RP,
    Rtype::MINFO,
    Rtype::TALINK,
    Rtype::SRV,
    Rtype::NAPTR,
    Rtype::TXT,
    Rtype::SPF,
    Rtype::AVC,
    Rtype::RESINFO,
    Rtype::NINFO,
    Rtype::WALLET,
    Rtype::CLA,
    Rtype::ISDN,
    Rtype::HINFO,
    Rtype::X25,
    Rtype::GPOS,
    Rtype::DHCID,
    Rtype::URI,
];
