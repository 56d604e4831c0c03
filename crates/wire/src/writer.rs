//! Composing a response into a buffer, with a size limit and name compression.

use crate::edns::{Ede, UpdateLease};
use crate::message::Section;
use crate::query::{Envelope, Query};
use crate::rdata::{Block, Rdata, blocks, skip};
use crate::types::{Class, Rcode, Rtype};

/// A response in the making.
///
/// Records are pushed section by section; a record that does not fit leaves everything as it was.
/// Room for OPT is kept from the beginning. Names are compressed against the question and against
/// all names written before (RFC 1035 §4.1.4), in record data only where receivers know it
/// (RFC 3597 §4).
#[derive(Debug)]
pub struct Writer<'b> {
    buffer: &'b mut Vec<u8>,
    /// Where the message begins in the buffer; every offset counts from there.
    start: usize,
    limit: usize,
    counts: [u16; 4],
    rcode: Rcode,
    edns: Option<ReplyEdns>,
    /// Names that later ones may point to.
    places: [Place; PLACES_MAX],
    place_count: usize,
}

/// Where a name stands, and how many octets it has uncompressed.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    offset: u16,
    len: u8,
}

#[derive(Clone, Copy, Debug)]
struct ReplyEdns {
    udp_size: u16,
    do_bit: bool,
    ede: Option<Ede>,
    lease: Option<UpdateLease>,
}

impl ReplyEdns {
    fn new(udp_size: u16, do_bit: bool) -> ReplyEdns {
        ReplyEdns { udp_size, do_bit, ede: None, lease: None }
    }
}

/// A record does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message is full")]
pub struct Full;

/// A place to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    len: usize,
    counts: [u16; 4],
    place_count: usize,
}

impl<'b> Writer<'b> {
    /// Begins the response to a query: id, RD and question as they came; the other bits are not for
    /// us to repeat (RFC 4035 §3.1.6: an authoritative server clears CD). It goes behind what the
    /// buffer holds. `limit` counts octets of the message; `udp_size` is what OPT will announce.
    pub fn reply(buffer: &'b mut Vec<u8>, limit: usize, query: &Query<'_>, udp_size: u16) -> Self {
        let flags = [0x80 | u8::from(query.rd), 0];
        let mut writer = Writer::begin(buffer, limit, query.id, flags);
        writer.buffer.extend_from_slice(query.question);
        writer.counts[0] = 1;
        writer.remember(HEADER, query.qname.folded().len());
        writer.edns = query.edns.map(|edns| ReplyEdns::new(udp_size, edns.do_bit));
        writer
    }

    /// Begins a response that consists of a header only, and of OPT when the message has it.
    pub fn header_only(
        buffer: &'b mut Vec<u8>,
        about: &Envelope,
        rcode: Rcode,
        udp_size: u16,
    ) -> Self {
        let flags = [0x80 | about.opcode.0 << 3 | u8::from(about.rd), 0];
        let mut writer = Writer::begin(buffer, MIN_MESSAGE, about.id, flags);
        writer.rcode = rcode;
        writer.edns = about.do_bit.map(|do_bit| ReplyEdns::new(udp_size, do_bit));
        writer
    }

    /// Repeats the question as it came, if it fits into the limit with what is to come after it: of
    /// messages other than queries it is a courtesy (RFC 2136 §3.8).
    pub fn repeat_question(&mut self, question: &[u8]) {
        let first = self.counts == [0; 4] && !question.is_empty();
        if first && self.len() + question.len() + self.opt_len() <= self.limit {
            self.buffer.extend_from_slice(question);
            self.counts[0] = 1;
        }
    }

    fn begin(buffer: &'b mut Vec<u8>, limit: usize, id: u16, flags: [u8; 2]) -> Self {
        let start = buffer.len();
        let [i0, i1] = id.to_be_bytes();
        let [f0, f1] = flags;
        buffer.extend_from_slice(&[i0, i1, f0, f1, 0, 0, 0, 0, 0, 0, 0, 0]);
        Writer {
            buffer,
            start,
            limit: limit.clamp(MIN_MESSAGE, usize::from(u16::MAX)),
            counts: [0; 4],
            rcode: Rcode::NOERROR,
            edns: None,
            places: [Place::default(); PLACES_MAX],
            place_count: 0,
        }
    }

    /// Sets how many octets the message may have; what is written already stays.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit.min(usize::from(u16::MAX));
    }

    /// Sets the response code.
    pub fn set_rcode(&mut self, rcode: Rcode) {
        self.rcode = rcode;
    }

    /// The response code so far.
    pub fn rcode(&self) -> Rcode {
        self.rcode
    }

    /// Sets or clears the bit "authoritative answer".
    pub fn set_aa(&mut self, aa: bool) {
        self.set_flag(2, 0x04, aa);
    }

    /// Sets the bit "truncated".
    pub fn set_tc(&mut self) {
        self.set_flag(2, 0x02, true);
    }

    /// Adds an extended error; only the last one given is sent, and only to those who use EDNS.
    pub fn set_ede(&mut self, ede: Ede) {
        if let Some(edns) = &mut self.edns {
            edns.ede = Some(ede);
        }
    }

    /// Says how long records will live, to those who use EDNS (RFC 9664 §5).
    pub fn set_lease(&mut self, lease: UpdateLease) {
        if let Some(edns) = &mut self.edns {
            edns.lease = Some(lease);
        }
    }

    /// Whether DNSSEC records are wanted.
    pub fn do_bit(&self) -> bool {
        self.edns.is_some_and(|edns| edns.do_bit)
    }

    /// Number of records in a section so far.
    pub fn count(&self, section: Section) -> u16 {
        self.counts.get(section.index()).copied().unwrap_or(0)
    }

    /// Appends a record of class IN, owner in wire form. Sections must be written in order.
    pub fn push(
        &mut self,
        section: Section,
        owner: &[u8],
        (rtype, ttl_s): (Rtype, u32),
        rdata: &Rdata,
    ) -> Result<(), Full> {
        self.push_wire(section, owner, (rtype, ttl_s), rdata.as_wire())
    }

    /// The same with data in wire form, which must be valid for the type.
    pub fn push_wire(
        &mut self,
        section: Section,
        owner: &[u8],
        (rtype, ttl_s): (Rtype, u32),
        rdata: &[u8],
    ) -> Result<(), Full> {
        let mark = self.mark();
        self.push_name(owner);
        let ([t0, t1], [c0, c1]) = (rtype.0.to_be_bytes(), Class::IN.0.to_be_bytes());
        let [l0, l1, l2, l3] = ttl_s.to_be_bytes();
        self.buffer.extend_from_slice(&[t0, t1, c0, c1, l0, l1, l2, l3, 0, 0]);
        let data_at = self.len();
        self.push_rdata(rtype, rdata);
        let length = u16::try_from(self.len() - data_at);
        let (Ok(length), true) = (length, self.len() + self.opt_len() <= self.limit) else {
            self.rewind(mark);
            return Err(Full);
        };
        self.patch(data_at - 2, length);
        match self.counts.get_mut(section.index()) {
            Some(count) if *count < u16::MAX => *count += 1,
            _ => {
                self.rewind(mark);
                return Err(Full);
            }
        }
        Ok(())
    }

    /// A place to go back to.
    pub fn mark(&self) -> Mark {
        Mark { len: self.len(), counts: self.counts, place_count: self.place_count }
    }

    /// Drops all records written since a mark.
    pub fn rewind(&mut self, mark: Mark) {
        self.buffer.truncate(self.start + mark.len);
        self.counts = mark.counts;
        self.place_count = mark.place_count;
    }

    /// Completes the message: counts, response code, OPT. Its length in octets.
    pub fn finish(mut self) -> usize {
        if let Some(edns) = self.edns {
            self.push_opt(edns);
            self.counts[3] = self.counts[3].saturating_add(1);
        }
        let header_bits = self.rcode.header_bits();
        let counts = self.counts;
        if let Some(header) = self.written_mut(3).and_then(|rest| rest.first_chunk_mut::<9>()) {
            let [octet, places @ ..] = header;
            *octet = *octet & 0xf0 | header_bits;
            for (place, count) in places.as_chunks_mut::<2>().0.iter_mut().zip(counts) {
                *place = count.to_be_bytes();
            }
        }
        self.len()
    }

    fn set_flag(&mut self, at: usize, bit: u8, on: bool) {
        if let Some(octet) = self.written_mut(at).and_then(|rest| rest.first_mut()) {
            *octet = if on { *octet | bit } else { *octet & !bit };
        }
    }

    fn patch(&mut self, at: usize, number: u16) {
        if let Some(place) = self.written_mut(at).and_then(|rest| rest.first_chunk_mut()) {
            *place = number.to_be_bytes();
        }
    }

    /// Octets of the message so far.
    fn len(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// The message from an offset on.
    fn written(&self, at: usize) -> Option<&[u8]> {
        self.buffer.get(self.start + at..)
    }

    fn written_mut(&mut self, at: usize) -> Option<&mut [u8]> {
        self.buffer.get_mut(self.start + at..)
    }

    fn push_rdata(&mut self, rtype: Rtype, rdata: &[u8]) {
        if !compresses(rtype) {
            self.buffer.extend_from_slice(rdata);
            return;
        }
        let mut rest = rdata;
        for &block in blocks(rtype) {
            let after = skip(block, rest).unwrap_or_default();
            let part = rest.get(..rest.len() - after.len()).unwrap_or_default();
            match block {
                Block::OldName => self.push_name(part),
                _ => self.buffer.extend_from_slice(part),
            }
            rest = after;
        }
    }

    /// Writes a name: as many labels as are new, then a pointer to the rest if it stands already.
    fn push_name(&mut self, name: &[u8]) {
        let start = self.len();
        let mut at = 0;
        while let Some(&len) = name.get(at) {
            if len == 0 {
                break;
            }
            let rest = name.get(at..).unwrap_or_default();
            if let Some(offset) = self.find(rest) {
                self.buffer.extend_from_slice(name.get(..at).unwrap_or_default());
                self.buffer.extend_from_slice(&(0xc000 | offset).to_be_bytes());
                if at > 0 {
                    self.remember(start, name.len());
                }
                return;
            }
            at += 1 + usize::from(len);
        }
        self.buffer.extend_from_slice(name);
        if name.len() > 1 {
            self.remember(start, name.len());
        }
    }

    fn remember(&mut self, offset: usize, len: usize) {
        let (Ok(offset), Ok(len)) = (u16::try_from(offset), u8::try_from(len)) else { return };
        if offset > POINTER_MAX {
            return;
        }
        if let Some(place) = self.places.get_mut(self.place_count) {
            *place = Place { offset, len };
            self.place_count += 1;
        }
    }

    /// Offset of a place where this name stands already.
    fn find(&self, name: &[u8]) -> Option<u16> {
        let known = self.places.get(..self.place_count)?;
        known.iter().find_map(|&place| self.find_suffix(place, name))
    }

    /// Whether the name at a place, or one of its ancestors, is this name; and where.
    ///
    /// Only the ancestor of the same length is compared: names of many equal labels would else cost
    /// as many comparisons as they have labels, each as long as they are.
    fn find_suffix(&self, place: Place, name: &[u8]) -> Option<u16> {
        let mut at = place.offset;
        let mut surplus = usize::from(place.len).checked_sub(name.len())?;
        while surplus > 0 {
            let len = *self.written(usize::from(at))?.first()?;
            if len >= 0xc0 {
                at = self.pointer(at)?;
                continue;
            }
            surplus = surplus.checked_sub(1 + usize::from(len))?;
            at += 1 + u16::from(len);
        }
        (at <= POINTER_MAX && self.equals_at(at, name)).then_some(at)
    }

    fn pointer(&self, at: u16) -> Option<u16> {
        let place = self.written(usize::from(at))?.first_chunk::<2>()?;
        Some(u16::from_be_bytes(*place) & POINTER_MAX)
    }

    /// Whether the name at an offset is this name. Pointers written here only point backwards.
    fn equals_at(&self, offset: u16, name: &[u8]) -> bool {
        let mut at = offset;
        let mut rest = name;
        loop {
            let Some((&len, after)) =
                self.written(usize::from(at)).and_then(|here| here.split_first())
            else {
                return false;
            };
            if len >= 0xc0 {
                match self.pointer(at) {
                    Some(target) if target < at => at = target,
                    _ => return false,
                }
                continue;
            }
            let end = 1 + usize::from(len);
            let (here, wanted) = (after.get(..usize::from(len)), rest.get(1..end));
            let (Some(here), Some(wanted)) = (here, wanted) else { return false };
            if rest.first() != Some(&len) || !here.eq_ignore_ascii_case(wanted) {
                return false;
            }
            if len == 0 {
                return true;
            }
            rest = rest.get(end..).unwrap_or_default();
            at += 1 + u16::from(len);
        }
    }

    fn opt_len(&self) -> usize {
        let Some(edns) = self.edns else { return 0 };
        let lease = edns.lease.map_or(0, |lease| lease.to_wire().1);
        OPT_FIXED + lease + edns.ede.map_or(0, |ede| 6 + ede.text.len())
    }

    fn push_opt(&mut self, edns: ReplyEdns) {
        // An extended error is a courtesy: it never pushes a message over its limit.
        let fits = self.len() + self.opt_len() <= self.limit;
        let ede = edns.ede.filter(|_| fits);
        self.buffer.push(0);
        self.buffer.extend_from_slice(&Rtype::OPT.0.to_be_bytes());
        self.buffer.extend_from_slice(&edns.udp_size.to_be_bytes());
        let flags = if edns.do_bit { 0x80 } else { 0 };
        self.buffer.extend_from_slice(&[self.rcode.extended_bits(), 0, flags, 0]);
        let lease = edns.lease.map(UpdateLease::to_wire);
        let lease = lease.as_ref().and_then(|(octets, len)| octets.get(..*len)).unwrap_or_default();
        let ede_len = ede.map_or(0, |ede| 6 + ede.text.len());
        let length = u16::try_from(lease.len() + ede_len).unwrap_or(0);
        self.buffer.extend_from_slice(&length.to_be_bytes());
        self.buffer.extend_from_slice(lease);
        if let Some(ede) = ede {
            let text_len = u16::try_from(ede.text.len()).unwrap_or(0);
            for number in [EDE_CODE, 2 + text_len, ede.code] {
                self.buffer.extend_from_slice(&number.to_be_bytes());
            }
            self.buffer.extend_from_slice(ede.text.as_bytes());
        }
    }
}

/// Types whose data may be sent with compressed names: those of RFC 1035 (RFC 3597 §4).
fn compresses(rtype: Rtype) -> bool {
    matches!(
        rtype,
        Rtype::NS
            | Rtype::CNAME
            | Rtype::SOA
            | Rtype::PTR
            | Rtype::MX
            | Rtype::MINFO
            | Rtype::MB
            | Rtype::MG
            | Rtype::MR
            | Rtype::MD
            | Rtype::MF
    )
}

/// Octets of a header: also where the name of the question stands.
const HEADER: usize = 12;
/// Every receiver takes a message of this size (RFC 1035 §2.3.4).
const MIN_MESSAGE: usize = 512;
/// Octets of OPT without options.
const OPT_FIXED: usize = 11;
/// Option code of extended errors (RFC 8914 §2).
const EDE_CODE: u16 = 15;
/// Names that later ones may point to; more are written in full.
const PLACES_MAX: usize = 32;
/// The 14 bits of a pointer.
const POINTER_MAX: u16 = 0x3fff;
