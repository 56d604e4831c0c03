//! Record data: opaque octets whose structure was checked once.

mod shapes;

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::name::{Name, NameError, wire_len};
use crate::types::Rtype;

/// Data of one record in uncompressed wire form, at most 65,535 octets, valid for its type.
///
/// The type is not kept here: it is part of the key under which records are held.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rdata(Box<[u8]>);

/// Why octets or text are not data of a type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RdataError {
    /// The octets do not have the structure of the type.
    #[error("the data does not have the form of {0} data")]
    Malformed(Rtype),
    /// A name in the text is not a name.
    #[error("a name in the data is malformed: {0}")]
    Name(#[from] NameError),
    /// The text is not data of the type; what is wrong, in words.
    #[error("the text is not {0} data: {1}")]
    Text(Rtype, String),
}

/// The fields of a SOA record (RFC 1035 §3.3.13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Soa {
    /// Primary name server.
    pub mname: Name,
    /// Mailbox of the person responsible.
    pub rname: Name,
    /// Serial.
    pub serial: u32,
    /// Refresh interval of secondaries, in seconds.
    pub refresh_s: u32,
    /// Retry interval, in seconds.
    pub retry_s: u32,
    /// Expiry, in seconds.
    pub expire_s: u32,
    /// TTL of negative answers, in seconds (RFC 2308 §4).
    pub minimum_s: u32,
}

/// One piece of a type's structure.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Block {
    /// So many octets.
    Fixed(usize),
    /// A name of the old types: senders may compress it, comparison folds its case.
    OldName,
    /// A name that is never compressed, while comparison folds its case (RFC 4034 §6.2).
    FoldedName,
    /// The same, or nothing.
    FoldedNameOrNone,
    /// A name that is never compressed and compared as it is.
    Name,
    /// One octet of length and so many octets.
    CharString,
    /// One or more character strings, up to the end.
    CharStrings,
    /// Whatever is left, perhaps nothing.
    Rest,
    /// Whatever is left, at least one octet.
    SomeRest,
    /// What the function leaves when it skips a part whose shape the other blocks cannot say.
    Shaped(fn(&[u8]) -> Option<&[u8]>),
}

impl Rdata {
    /// Checks that octets are data of a type. Data of unknown types is taken as it is (RFC 3597).
    pub fn new(rtype: Rtype, octets: &[u8]) -> Result<Rdata, RdataError> {
        if !Rdata::is_valid(rtype, octets) {
            return Err(RdataError::Malformed(rtype));
        }
        Ok(Rdata(octets.into()))
    }

    /// Whether octets are data of a type: what [`Rdata::new`] would take.
    pub fn is_valid(rtype: Rtype, octets: &[u8]) -> bool {
        match rtype {
            Rtype::A => octets.len() == 4,
            Rtype::AAAA => octets.len() == 16,
            _ => octets.len() <= MAX_OCTETS && is_of(rtype, octets),
        }
    }

    /// Data of an A record.
    pub fn a(address: Ipv4Addr) -> Rdata {
        Rdata(address.octets().into())
    }

    /// Data of an AAAA record.
    pub fn aaaa(address: Ipv6Addr) -> Rdata {
        Rdata(address.octets().into())
    }

    /// Data of a type that consists of one name: NS, CNAME, PTR, DNAME.
    pub fn name(name: &Name) -> Rdata {
        Rdata(name.as_wire().into())
    }

    /// Data of a TXT record; each string at most 255 octets, at least one string.
    pub fn txt(strings: &[&[u8]]) -> Result<Rdata, RdataError> {
        let mut octets = Vec::new();
        for string in strings {
            let len = u8::try_from(string.len()).map_err(|_| RdataError::Malformed(Rtype::TXT))?;
            octets.push(len);
            octets.extend_from_slice(string);
        }
        Rdata::new(Rtype::TXT, &octets)
    }

    /// Data of a SOA record.
    pub fn soa(soa: &Soa) -> Rdata {
        let mut octets = [soa.mname.as_wire(), soa.rname.as_wire()].concat();
        for number in [soa.serial, soa.refresh_s, soa.retry_s, soa.expire_s, soa.minimum_s] {
            octets.extend_from_slice(&number.to_be_bytes());
        }
        Rdata(octets.into())
    }

    /// The octets.
    pub fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// The fields, if this is data of a SOA record.
    pub fn soa_fields(&self) -> Option<Soa> {
        let (mname, len) = Name::split_from(&self.0).ok()?;
        let rest = self.0.get(len..)?;
        let (rname, len) = Name::split_from(rest).ok()?;
        let numbers: &[u8; 20] = rest.get(len..)?.try_into().ok()?;
        let mut fields = numbers
            .chunks_exact(4)
            .map(|four| four.iter().fold(0_u32, |number, &octet| number << 8 | u32::from(octet)));
        Some(Soa {
            mname,
            rname,
            serial: fields.next()?,
            refresh_s: fields.next()?,
            retry_s: fields.next()?,
            expire_s: fields.next()?,
            minimum_s: fields.next()?,
        })
    }

    /// The address, if this is data of an A record.
    pub fn ipv4(&self) -> Option<Ipv4Addr> {
        <[u8; 4]>::try_from(&*self.0).ok().map(Ipv4Addr::from)
    }

    /// The address, if this is data of an AAAA record.
    pub fn ipv6(&self) -> Option<Ipv6Addr> {
        <[u8; 16]>::try_from(&*self.0).ok().map(Ipv6Addr::from)
    }

    /// The name that an answer may follow or add addresses for, for types that have one: NS,
    /// CNAME, DNAME, PTR, MX, SRV, SVCB, HTTPS, KX.
    pub fn target(&self, rtype: Rtype) -> Option<Name> {
        Name::from_wire(target_octets(rtype, &self.0)?).ok()
    }

    /// Whether two records of a type are the same: their canonical forms are equal (RFC 2136 §1.1.1).
    pub fn is_same(&self, other: &Rdata, rtype: Rtype) -> bool {
        self == other
            || self.0.len() == other.0.len()
                && folds(rtype)
                && self.canonical(rtype) == other.canonical(rtype)
    }

    /// The data with names in lower case where comparison folds them (RFC 4034 §6.2): two records
    /// are the same when these are equal (RFC 2136 §1.1.1).
    pub fn canonical(&self, rtype: Rtype) -> Rdata {
        if !folds(rtype) {
            return self.clone();
        }
        let mut octets = self.0.to_vec();
        let mut at = 0;
        for &block in blocks(rtype) {
            let Some(rest) = self.0.get(at..) else { break };
            let Some(after) = skip(block, rest) else { break };
            let end = self.0.len() - after.len();
            if is_folded(block)
                && let Some(name) = octets.get_mut(at..end)
            {
                name.make_ascii_lowercase();
            }
            at = end;
        }
        Rdata(octets.into())
    }

    /// Octets that were put together from checked parts.
    pub(crate) fn from_checked(octets: Vec<u8>) -> Rdata {
        Rdata(octets.into())
    }
}

impl fmt::Debug for Rdata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rdata({})", data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// Whether comparison folds names in data of a type.
fn folds(rtype: Rtype) -> bool {
    blocks(rtype).iter().any(|&block| is_folded(block))
}

fn is_folded(block: Block) -> bool {
    matches!(block, Block::OldName | Block::FoldedName | Block::FoldedNameOrNone)
}

/// The octets of the name that data of a type leads to, see [`Rdata::target`].
pub fn target_octets(rtype: Rtype, data: &[u8]) -> Option<&[u8]> {
    let skip = match rtype {
        Rtype::NS | Rtype::CNAME | Rtype::DNAME | Rtype::PTR => 0,
        Rtype::MX | Rtype::SVCB | Rtype::HTTPS | Rtype::KX => 2,
        Rtype::SRV => 6,
        _ => return None,
    };
    let rest = data.get(skip..)?;
    rest.get(..wire_len(rest)?)
}

/// Whether octets have the structure of a type.
pub(crate) fn is_of(rtype: Rtype, octets: &[u8]) -> bool {
    let rest = blocks(rtype).iter().try_fold(octets, |rest, &block| skip(block, rest));
    rest.is_some_and(<[u8]>::is_empty)
}

/// Skips one block; what is left after it, or `None` when it is not there.
pub(crate) fn skip(block: Block, octets: &[u8]) -> Option<&[u8]> {
    match block {
        Block::Fixed(len) => octets.get(len..),
        Block::OldName | Block::FoldedName | Block::Name => octets.get(wire_len(octets)?..),
        Block::FoldedNameOrNone if octets.is_empty() => Some(octets),
        Block::FoldedNameOrNone => octets.get(wire_len(octets)?..),
        Block::CharString => skip_char_string(octets),
        Block::CharStrings => {
            let mut rest = skip_char_string(octets)?;
            while !rest.is_empty() {
                rest = skip_char_string(rest)?;
            }
            Some(rest)
        }
        Block::Rest => Some(&[]),
        Block::SomeRest => (!octets.is_empty()).then_some(&[]),
        Block::Shaped(skip) => skip(octets),
    }
}

fn skip_char_string(octets: &[u8]) -> Option<&[u8]> {
    let (&len, rest) = octets.split_first()?;
    rest.get(usize::from(len)..)
}

/// The structure of a type's data. Unknown types, and those whose structure nothing here depends
/// on, are opaque.
pub(crate) fn blocks(rtype: Rtype) -> &'static [Block] {
    use Block::{
        CharString, CharStrings, Fixed, FoldedName, FoldedNameOrNone, Name, OldName, Rest, Shaped,
        SomeRest,
    };
    match rtype {
        Rtype::A => &[Fixed(4)],
        Rtype::AAAA => &[Fixed(16)],
        Rtype::NS | Rtype::CNAME | Rtype::PTR | Rtype::MD | Rtype::MF => &[OldName],
        Rtype::MB | Rtype::MG | Rtype::MR => &[OldName],
        Rtype::DNAME => &[FoldedName],
        Rtype::SOA => &[OldName, OldName, Fixed(20)],
        Rtype::MX | Rtype::AFSDB | Rtype::RT => &[Fixed(2), OldName],
        Rtype::KX => &[Fixed(2), FoldedName],
        Rtype::PX => &[Fixed(2), OldName, OldName],
        Rtype::RP | Rtype::MINFO => &[OldName, OldName],
        Rtype::SRV => &[Fixed(6), OldName],
        Rtype::NAPTR => &[Fixed(4), CharString, CharString, CharString, OldName],
        Rtype::TXT | Rtype::SPF | Rtype::AVC | Rtype::RESINFO | Rtype::NINFO => &[CharStrings],
        Rtype::WALLET | Rtype::CLA | Rtype::ISDN => &[CharStrings],
        Rtype::HINFO => &[CharString, CharString],
        Rtype::X25 => &[CharString],
        Rtype::GPOS => &[CharString, CharString, CharString],
        Rtype::DS | Rtype::CDS | Rtype::DLV | Rtype::TA => &[Fixed(4), SomeRest],
        Rtype::DNSKEY | Rtype::CDNSKEY | Rtype::KEY | Rtype::RKEY => &[Fixed(4), Rest],
        Rtype::SSHFP => &[Fixed(2), SomeRest],
        Rtype::TLSA | Rtype::SMIMEA => &[Fixed(3), SomeRest],
        Rtype::RRSIG => &[Fixed(18), FoldedName, SomeRest],
        Rtype::SIG => &[Fixed(18), OldName, SomeRest],
        Rtype::NSEC => &[Name, Shaped(shapes::types)],
        Rtype::NXT => &[OldName, Rest],
        Rtype::NSEC3 => &[Fixed(4), CharString, CharString, Shaped(shapes::types)],
        Rtype::NSEC3PARAM => &[Fixed(4), CharString],
        Rtype::CAA => &[Fixed(1), CharString, Rest],
        Rtype::SVCB | Rtype::HTTPS => &[Fixed(2), Name, Shaped(shapes::svc_params)],
        Rtype::DHCID | Rtype::OPENPGPKEY | Rtype::HHIT | Rtype::BRID => &[SomeRest],
        Rtype::EID | Rtype::NIMLOC | Rtype::NSAP => &[SomeRest],
        Rtype::NSAP_PTR => &[Name],
        Rtype::SINK => &[Fixed(3), Rest],
        Rtype::DOA => &[Fixed(9), CharString, Rest],
        Rtype::CERT => &[Fixed(5), Rest],
        Rtype::URI => &[Fixed(4), SomeRest],
        Rtype::EUI48 | Rtype::L32 => &[Fixed(6)],
        Rtype::EUI64 | Rtype::IPN => &[Fixed(8)],
        Rtype::NID | Rtype::L64 => &[Fixed(10)],
        Rtype::LP => &[Fixed(2), Name],
        Rtype::TALINK => &[Name, Name],
        Rtype::DSYNC => &[Fixed(5), Name],
        Rtype::ZONEMD => &[Fixed(6), SomeRest],
        Rtype::CSYNC => &[Fixed(6), Shaped(shapes::types)],
        Rtype::LOC => &[Shaped(shapes::place)],
        Rtype::APL => &[Shaped(shapes::prefixes)],
        Rtype::IPSECKEY => &[Shaped(shapes::ipseckey), Rest],
        Rtype::AMTRELAY => &[Shaped(shapes::amtrelay)],
        Rtype::HIP => &[Shaped(shapes::hip)],
        Rtype::A6 => &[Shaped(shapes::a6_suffix), FoldedNameOrNone],
        Rtype::WKS => &[Fixed(5), Rest],
        Rtype::ATMA => &[Fixed(1), SomeRest],
        _ => &[Rest],
    }
}

/// Most octets of record data: its length field has 16 bits.
const MAX_OCTETS: usize = 65_535;
