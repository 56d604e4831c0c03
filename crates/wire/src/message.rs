//! Reading any message: header, question and records, with names decompressed.

use crate::name::{MAX_LABEL, MAX_LABELS, MAX_OCTETS, Name};
use crate::rdata::{Block, Rdata, blocks, skip};
use crate::types::{Class, Opcode, Rcode, Rtype};

/// A message whose sections have been checked to lie within its octets.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    octets: &'a [u8],
    header: Header,
    /// Where each record section begins; the last one is the end of the message.
    starts: [usize; 4],
}

/// The header of a message (RFC 1035 §4.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Id.
    pub id: u16,
    /// This is a response.
    pub qr: bool,
    /// Opcode.
    pub opcode: Opcode,
    /// Authoritative answer.
    pub aa: bool,
    /// Truncated.
    pub tc: bool,
    /// Recursion desired.
    pub rd: bool,
    /// Recursion available.
    pub ra: bool,
    /// Authentic data.
    pub ad: bool,
    /// Checking disabled.
    pub cd: bool,
    /// Response code, the four bits of the header.
    pub rcode: Rcode,
    /// Questions, answers, authority records, additional records.
    pub counts: [u16; 4],
}

/// A section of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Answer (prerequisites of an UPDATE).
    Answer,
    /// Authority (edits of an UPDATE).
    Authority,
    /// Additional.
    Additional,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name.
    pub qname: Name,
    /// The type.
    pub qtype: Rtype,
    /// The class.
    pub qclass: Class,
}

/// A record as it stands in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRef<'a> {
    /// Owner.
    pub owner: Name,
    /// Type.
    pub rtype: Rtype,
    /// Class.
    pub class: Class,
    /// TTL field.
    pub ttl: u32,
    /// The whole message, for names in the data that are compressed.
    message: &'a [u8],
    /// Where the data stands.
    data: (usize, usize),
}

/// Why octets are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Fewer than 12 octets.
    #[error("shorter than a header")]
    Short,
    /// A name is malformed: a pointer that does not point backwards, more pointers than a name has
    /// labels, a length over 63 or 255.
    #[error("a name is malformed")]
    Name,
    /// A record or question reaches beyond the end.
    #[error("a record reaches beyond the end")]
    Truncated,
    /// Octets are left after the last record.
    #[error("octets after the last record")]
    Trailing,
    /// A record of this type stands where none may.
    #[error("a {0} record stands in the wrong place")]
    Misplaced(Rtype),
    /// The data of a record is not of its type.
    #[error("the data of a {0} record is malformed")]
    Rdata(Rtype),
}

impl Section {
    /// Index among the four counts of the header.
    pub(crate) fn index(self) -> usize {
        match self {
            Section::Answer => 1,
            Section::Authority => 2,
            Section::Additional => 3,
        }
    }
}

impl<'a> Message<'a> {
    /// Reads a message: every name and length is checked, record data only for its length.
    pub fn parse(octets: &'a [u8]) -> Result<Message<'a>, MessageError> {
        let header = Header::parse(octets)?;
        let mut at = HEADER;
        for _ in 0..header.counts[0] {
            at = walk_name(octets, at, |_| {})? + 4;
        }
        let mut starts = [at; 4];
        for (section, count) in header.counts.iter().skip(1).enumerate() {
            for _ in 0..*count {
                at = skip_record(octets, at)?;
            }
            if let Some(end) = starts.get_mut(section + 1) {
                *end = at;
            }
        }
        match at.cmp(&octets.len()) {
            std::cmp::Ordering::Less => Err(MessageError::Trailing),
            std::cmp::Ordering::Greater => Err(MessageError::Truncated),
            std::cmp::Ordering::Equal => Ok(Message { octets, header, starts }),
        }
    }

    /// The header.
    pub fn header(&self) -> Header {
        self.header
    }

    /// The first question.
    pub fn question(&self) -> Option<Question> {
        if self.header.counts[0] == 0 {
            return None;
        }
        let (qname, at) = read_name(self.octets, HEADER).ok()?;
        let &[t0, t1, c0, c1] = self.octets.get(at..)?.first_chunk::<4>()?;
        let qtype = Rtype(u16::from_be_bytes([t0, t1]));
        Some(Question { qname, qtype, qclass: Class(u16::from_be_bytes([c0, c1])) })
    }

    /// The records of a section, in order.
    pub fn records(&self, section: Section) -> impl Iterator<Item = RecordRef<'a>> + use<'a> {
        let octets = self.octets;
        let start = self.starts.get(section.index() - 1).copied().unwrap_or(octets.len());
        let count = self.header.counts.get(section.index()).copied().unwrap_or(0);
        let mut at = start;
        (0..count).map_while(move |_| {
            let (record, after) = read_record(octets, at).ok()?;
            at = after;
            Some(record)
        })
    }

    /// The response code with the bits of OPT, when there is one.
    pub fn rcode(&self) -> Rcode {
        let opt = self.records(Section::Additional).find(|record| record.rtype == Rtype::OPT);
        let upper = opt.map_or(0, |opt| opt.ttl >> 24);
        Rcode((upper as u16) << 4 | self.header.rcode.0)
    }
}

impl Header {
    /// Reads a header; fewer octets are [`MessageError::Short`].
    pub fn parse(octets: &[u8]) -> Result<Header, MessageError> {
        let &[i0, i1, f0, f1, q0, q1, a0, a1, n0, n1, d0, d1] =
            octets.first_chunk::<HEADER>().ok_or(MessageError::Short)?;
        let count = |high, low| u16::from_be_bytes([high, low]);
        Ok(Header {
            id: count(i0, i1),
            qr: f0 & 0x80 != 0,
            opcode: Opcode(f0 >> 3 & 0x0f),
            aa: f0 & 0x04 != 0,
            tc: f0 & 0x02 != 0,
            rd: f0 & 0x01 != 0,
            ra: f1 & 0x80 != 0,
            ad: f1 & 0x20 != 0,
            cd: f1 & 0x10 != 0,
            rcode: Rcode(u16::from(f1 & 0x0f)),
            counts: [count(q0, q1), count(a0, a1), count(n0, n1), count(d0, d1)],
        })
    }
}

impl<'a> RecordRef<'a> {
    /// [`RecordRef::raw_data`], for as long as the message lives.
    pub fn into_raw_data(self) -> &'a [u8] {
        self.message.get(self.data.0..self.data.1).unwrap_or_default()
    }
}

impl RecordRef<'_> {
    /// The data as it stands, names in it perhaps compressed.
    pub fn raw_data(&self) -> &[u8] {
        self.message.get(self.data.0..self.data.1).unwrap_or_default()
    }

    /// The data with names decompressed, checked to be of the type. Data of an UPDATE's class ANY
    /// or NONE may be empty: ask `raw_data` first.
    pub fn rdata(&self) -> Result<Rdata, MessageError> {
        let bad = MessageError::Rdata(self.rtype);
        if !blocks(self.rtype).iter().any(|block| matches!(block, Block::OldName)) {
            return Rdata::new(self.rtype, self.raw_data()).map_err(|_| bad);
        }
        let (mut at, end) = self.data;
        let within = self.message.get(..end).ok_or(bad)?;
        let mut out = Vec::with_capacity(end - at);
        for &block in blocks(self.rtype) {
            if matches!(block, Block::OldName) {
                let (name, after) = read_name(within, at).map_err(|_| bad)?;
                out.extend_from_slice(name.as_wire());
                at = after;
                continue;
            }
            let rest = within.get(at..).ok_or(bad)?;
            let after = end - skip(block, rest).ok_or(bad)?.len();
            out.extend_from_slice(within.get(at..after).ok_or(bad)?);
            at = after;
        }
        // Names may have grown: the data must still be one that a record can carry.
        if at != end || out.len() > usize::from(u16::MAX) {
            return Err(bad);
        }
        Ok(Rdata::from_checked(out))
    }
}

/// The record at an offset and where the next one begins.
fn read_record(octets: &[u8], at: usize) -> Result<(RecordRef<'_>, usize), MessageError> {
    let (owner, at) = read_name(octets, at)?;
    let (&[t0, t1, c0, c1, l0, l1, l2, l3, ..], end) = read_fields(octets, at)?;
    let record = RecordRef {
        owner,
        rtype: Rtype(u16::from_be_bytes([t0, t1])),
        class: Class(u16::from_be_bytes([c0, c1])),
        ttl: u32::from_be_bytes([l0, l1, l2, l3]),
        message: octets,
        data: (at + FIELDS, end),
    };
    Ok((record, end))
}

/// Checks the record at an offset as reading it would; where the next one begins.
fn skip_record(octets: &[u8], at: usize) -> Result<usize, MessageError> {
    let at = walk_name(octets, at, |_| {})?;
    read_fields(octets, at).map(|(_, end)| end)
}

/// The fields of a record behind its owner, and where its data end.
fn read_fields(octets: &[u8], at: usize) -> Result<(&[u8; FIELDS], usize), MessageError> {
    let fields = octets.get(at..).and_then(|rest| rest.first_chunk::<FIELDS>());
    let fields = fields.ok_or(MessageError::Truncated)?;
    let &[.., d0, d1] = fields;
    let end = at + FIELDS + usize::from(u16::from_be_bytes([d0, d1]));
    if end > octets.len() {
        return Err(MessageError::Truncated);
    }
    Ok((fields, end))
}

/// The name at an offset, decompressed, and where what follows it begins.
pub(crate) fn read_name(octets: &[u8], at: usize) -> Result<(Name, usize), MessageError> {
    let mut wire = [0; MAX_OCTETS];
    let mut len = 0;
    let after = walk_name(octets, at, |label| {
        // The walk ends before a name is too long.
        if let Some(place) = wire.get_mut(len..len + label.len()) {
            place.copy_from_slice(label);
            len += label.len();
        }
    })?;
    let name = Name::from_wire(wire.get(..len).unwrap_or_default());
    Ok((name.map_err(|_| MessageError::Name)?, after))
}

/// Walks along the name at an offset: hands out its labels, each behind its length, the root label last;
/// where what follows the name begins.
///
/// A pointer must point before the labels that lead to it, so every walk ends. Pointers to pointers
/// are of no use to anybody but those who want us to walk long ways: hence their limit.
fn walk_name(octets: &[u8], at: usize, mut take: impl FnMut(&[u8])) -> Result<usize, MessageError> {
    let mut after = None;
    let mut at = at;
    let mut lowest = at;
    let (mut pointers, mut length) = (0, 0);
    loop {
        let len = *octets.get(at).ok_or(MessageError::Truncated)?;
        match len {
            0..=MAX_LABEL => {
                let end = at + 1 + usize::from(len);
                let label = octets.get(at..end).ok_or(MessageError::Truncated)?;
                length += label.len();
                if length > MAX_OCTETS {
                    return Err(MessageError::Name);
                }
                take(label);
                at = end;
                if len == 0 {
                    return Ok(after.unwrap_or(at));
                }
            }
            0xc0..=0xff => {
                let low = *octets.get(at + 1).ok_or(MessageError::Truncated)?;
                let target = usize::from(u16::from_be_bytes([len & 0x3f, low]));
                after.get_or_insert(at + 2);
                pointers += 1;
                if target >= lowest || target < HEADER || pointers > MAX_LABELS {
                    return Err(MessageError::Name);
                }
                at = target;
                lowest = target;
            }
            _ => return Err(MessageError::Name),
        }
    }
}

/// Octets of type, class, TTL and length of a record.
const FIELDS: usize = 10;
/// Octets of a header.
const HEADER: usize = 12;
