//! Presentation form of record data: by our table where a type consists of numbers, names and
//! texts, through the `domain` crate where it knows the type, and by RFC 3597 §5 for all others.

use std::fmt;

use bytes::Bytes;
use domain::base::ParsedName;
use domain::base::iana;
use domain::base::rdata::{ComposeRecordData, ParseRecordData};
use domain::base::zonefile_fmt::{DisplayKind, ZonefileFmt};
use domain::rdata::ZoneRecordData;
use domain::zonefile;
use domain::zonefile::inplace::Zonefile;
use octseq::Parser;

use crate::name::{Name, NameError};
use crate::rdata::{Block, Rdata, RdataError, Soa, blocks, is_of, skip};
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
            [one] if rtype == Rtype::A => one
                .text()
                .and_then(|text| text.parse().ok())
                .map(Rdata::a)
                .ok_or_else(|| RdataError::Text(rtype, "an IPv4 address is expected".into())),
            [one] if rtype == Rtype::AAAA => one
                .text()
                .and_then(|text| text.parse().ok())
                .map(Rdata::aaaa)
                .ok_or_else(|| RdataError::Text(rtype, "an IPv6 address is expected".into())),
            [mname, rname, serial, times @ ..] if rtype == Rtype::SOA => {
                let names = (read_name(mname, origin)?, read_name(rname, origin)?);
                read_soa(names, serial, times)
            }
            words if TABULAR.contains(&rtype) => read_table(rtype, words, origin),
            words => read_by_other(rtype, words, origin),
        }
    }

    /// Presentation form, without owner, TTL, class and type; `parse` reads the same data from it.
    pub fn display(&self, rtype: Rtype) -> impl fmt::Display + '_ {
        Shown { rtype, octets: self.as_wire() }
    }
}

/// RFC 3597 §5: a length, and so many octets in hexadecimal, perhaps in several words.
fn read_generic(rtype: Rtype, words: &[Word<'_>]) -> Result<Rdata, RdataError> {
    let bad = || RdataError::Text(rtype, "`\\#` needs a length and so many octets".into());
    let (length, words) = words.split_first().ok_or_else(bad)?;
    let length: usize = length.text().and_then(|text| text.parse().ok()).ok_or_else(bad)?;
    let digits: Vec<u8> = words.iter().flat_map(|word| word.octets).copied().collect();
    let octets = data_encoding::HEXLOWER_PERMISSIVE.decode(&digits).map_err(|_| bad())?;
    if octets.len() != length {
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
                    let number: Option<u16> = next()?.text().and_then(|text| text.parse().ok());
                    let number = number.ok_or_else(|| bad("a number up to 65535 is expected"))?;
                    octets.extend_from_slice(&number.to_be_bytes());
                }
            }
            Block::OldName | Block::FoldedName | Block::Name => {
                octets.extend_from_slice(read_name(next()?, origin)?.as_wire());
            }
            Block::CharString => push_string(rtype, next()?, &mut octets)?,
            Block::CharStrings => {
                for word in words.by_ref() {
                    push_string(rtype, word, &mut octets)?;
                }
            }
            Block::SomeRest if rtype == Rtype::URI => octets.extend(next()?.unescaped()?),
            Block::Rest | Block::SomeRest | Block::SvcParams => {
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
    let serial = serial.text().and_then(|text| text.parse().ok()).ok_or_else(bad)?;
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

/// All other types are read by the `domain` crate, one record at a time.
fn read_by_other(rtype: Rtype, words: &[Word<'_>], origin: &Name) -> Result<Rdata, RdataError> {
    let bad = |why: &dyn fmt::Display| RdataError::Text(rtype, why.to_string());
    // It does not take `@` for the origin in data.
    let has_names = blocks(rtype).iter().any(|block| {
        matches!(block, Block::OldName | Block::FoldedName | Block::Name | Block::Rest)
    });
    let mut line = format!(". 0 IN TYPE{}", like(rtype).0).into_bytes();
    for word in words {
        match word {
            word if word.is_quoted => {
                line.extend_from_slice(&[b" \"", word.octets, b"\""].concat())
            }
            word if has_names && word.is_sign(b"@") => {
                line.extend_from_slice(format!(" {origin}").as_bytes());
            }
            word => line.extend_from_slice(&[b" ", word.octets].concat()),
        }
    }
    line.push(b'\n');
    let mut zonefile = Zonefile::from(line.as_slice());
    zonefile.set_origin(their_name(origin));
    match zonefile.next_entry().map_err(|error| bad(&error))? {
        Some(zonefile::inplace::Entry::Record(record)) => rdata_of(rtype, record.data()),
        Some(zonefile::inplace::Entry::Include { .. }) | None => Err(bad(&"no data")),
    }
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
        match self.by_other() {
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
                Block::OldName | Block::FoldedName | Block::Name => {
                    write!(f, "{gap}{}", Name::from_wire(part).map_err(|_| fmt::Error)?)?;
                }
                Block::CharString | Block::CharStrings => fmt_strings(part, gap, f)?,
                Block::SomeRest if self.rtype == Rtype::URI => fmt_quoted(part, gap, f)?,
                Block::Rest | Block::SomeRest | Block::SvcParams => {
                    write!(f, "{gap}{}", data_encoding::BASE64.encode(part))?;
                }
            }
            gap = " ";
        }
        Ok(())
    }

    /// As the `domain` crate shows it; `None` when it does not know the type, or when the same data
    /// cannot be read from what it shows.
    fn by_other(&self) -> Option<String> {
        type Data<'a> = ZoneRecordData<&'a [u8], ParsedName<&'a [u8]>>;
        let mut parser = Parser::from_ref(self.octets);
        let rtype = iana::Rtype::from_int(like(self.rtype).0);
        let data = Data::parse_rdata(rtype, &mut parser).ok()??;
        if matches!(data, Data::Unknown(_)) {
            return None;
        }
        let text = data.display_zonefile(DisplayKind::Simple).to_string();
        let read = Rdata::parse(self.rtype, &text, &Name::root()).ok()?;
        (read.as_wire() == self.octets).then_some(text)
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

fn fmt_quoted(string: &[u8], gap: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

/// The type of which the other crate knows the form, where it is that of a type that it does not
/// know.
fn like(rtype: Rtype) -> Rtype {
    match rtype {
        Rtype::KEY | Rtype::RKEY => Rtype::DNSKEY,
        Rtype::SMIMEA => Rtype::TLSA,
        Rtype::DLV | Rtype::TA => Rtype::DS,
        other => other,
    }
}

/// Record data of the other crate as ours, checked against our table.
fn rdata_of<D: ComposeRecordData>(rtype: Rtype, data: &D) -> Result<Rdata, RdataError> {
    let mut octets = Vec::new();
    data.compose_rdata(&mut octets).map_err(|_| RdataError::Malformed(rtype))?;
    Rdata::new(rtype, &octets)
}

/// A name as the other crate has it.
fn their_name(name: &Name) -> domain::base::Name<Bytes> {
    let octets = Bytes::copy_from_slice(name.as_wire());
    domain::base::Name::from_octets(octets).unwrap_or_else(|_| domain::base::Name::root_bytes())
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
