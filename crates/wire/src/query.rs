//! Reading a query: one pass, no allocation. The hot path of a server.

use crate::edns::Edns;
use crate::name::{MAX_LABEL, MAX_OCTETS};
use crate::types::{Class, Opcode, Rcode, Rtype};

/// A query that can be answered: one question and perhaps EDNS.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// Its id.
    pub id: u16,
    /// Recursion desired; copied into the response.
    pub rd: bool,
    /// The name asked for.
    pub qname: QName,
    /// The type asked for.
    pub qtype: Rtype,
    /// The class asked for.
    pub qclass: Class,
    /// EDNS, when the query has it.
    pub edns: Option<Edns<'a>>,
    /// Its last record is TSIG (RFC 8945 §5.1); nothing of it was checked.
    pub signed: bool,
    /// The question as it came, to be repeated letter by letter.
    pub question: &'a [u8],
}

/// The name of a question, folded to lower case, in a fixed buffer.
#[derive(Clone, Copy)]
pub struct QName {
    len: u8,
    folded: [u8; MAX_OCTETS],
}

/// A message that is not a query to be answered from a zone, and what to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryError {
    /// Say nothing: no header, or a response. Answering those makes loops.
    Silence,
    /// Answer with a header only and this code, FORMERR or NOTIMP (RFC 8906 §3: never stay silent).
    Header(Envelope, Rcode),
    /// A dynamic update (RFC 2136): for somebody else to read.
    Update(Envelope),
}

/// What an answer repeats of a message that was not read as a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Its id.
    pub id: u16,
    /// Its opcode.
    pub opcode: Opcode,
    /// Recursion desired, of queries; for other opcodes the bit has no meaning.
    pub rd: bool,
    /// The DO bit of its OPT, when it has one: the answer needs OPT then, above all when OPT is what
    /// is malformed (RFC 6891 §6.1.1, §7).
    pub do_bit: Option<bool>,
}

impl<'a> Query<'a> {
    /// Reads a message as a query.
    ///
    /// Octets after the last record are FORMERR, as are more than one OPT, an OPT that is not owned
    /// by the root, TSIG that is not the last record, and QDCOUNT other than 1 (RFC 9619). Records in
    /// the answer and authority sections are skipped: IXFR has one there, and nothing else does. The
    /// version of EDNS is left to the caller, who needs the question to answer BADVERS.
    pub fn parse(message: &'a [u8]) -> Result<Query<'a>, QueryError> {
        let (header, body) = message.split_first_chunk::<12>().ok_or(QueryError::Silence)?;
        let &[i0, i1, f0, _, qd0, qd1, an0, an1, ns0, ns1, ar0, ar1] = header;
        if f0 & 0x80 != 0 {
            return Err(QueryError::Silence);
        }
        let id = u16::from_be_bytes([i0, i1]);
        let opcode = Opcode(f0 >> 3 & 0x0f);
        let rd = opcode == Opcode::QUERY && f0 & 0x01 != 0;
        let [questions, answers, authorities, additional] =
            [[qd0, qd1], [an0, an1], [ns0, ns1], [ar0, ar1]]
                .map(|count| u32::from(u16::from_be_bytes(count)));
        let envelope = || {
            let do_bit = seek_opt(body, questions, answers + authorities + additional);
            Envelope { id, opcode, rd, do_bit }
        };
        match opcode {
            Opcode::QUERY => {}
            Opcode::UPDATE => return Err(QueryError::Update(envelope())),
            _ => return Err(QueryError::Header(envelope(), Rcode::NOTIMP)),
        }
        let malformed = || QueryError::Header(envelope(), Rcode::FORMERR);
        if questions != 1 {
            return Err(malformed());
        }
        let (qname, question, rest) = split_question(body).ok_or_else(malformed)?;
        let (edns, signed) =
            read_records(rest, answers + authorities, additional).ok_or_else(malformed)?;
        let (qtype, qclass) = type_and_class(question).ok_or_else(malformed)?;
        Ok(Query { id, rd, qname, qtype, qclass, edns, signed, question })
    }
}

impl QName {
    /// The folded octets, root label included.
    pub fn folded(&self) -> &[u8] {
        self.folded.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The folded octets of exactly one uncompressed name; `None`: they are none.
    pub fn from_wire(octets: &[u8]) -> Option<QName> {
        let len = crate::name::wire_len(octets).filter(|len| *len == octets.len())?;
        let mut folded = [0; MAX_OCTETS];
        folded.get_mut(..len)?.copy_from_slice(octets);
        // Octets of length are below the letters.
        folded.make_ascii_lowercase();
        Some(QName { len: u8::try_from(len).ok()?, folded })
    }

    /// The folded octets of a name.
    pub fn of(name: &crate::name::Name) -> QName {
        let mut folded = [0; MAX_OCTETS];
        let len = crate::name::fold_into(name.as_wire(), &mut folded).len();
        QName { len: len as u8, folded }
    }
}

impl std::fmt::Debug for QName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match crate::name::Name::from_wire(self.folded()) {
            Ok(name) => write!(f, "{name}"),
            Err(_) => f.write_str("(not a name)"),
        }
    }
}

/// The first question of a body: its name folded, its octets, and what follows.
fn split_question(body: &[u8]) -> Option<(QName, &[u8], &[u8])> {
    let mut folded = [0; MAX_OCTETS];
    let mut at = 0;
    loop {
        let len = *body.get(at)?;
        let end = at + 1 + usize::from(len);
        // A pointer here could only point into the header.
        if len > MAX_LABEL || end > MAX_OCTETS {
            return None;
        }
        let label = body.get(at..end)?;
        for (to, from) in folded.get_mut(at..end)?.iter_mut().zip(label) {
            *to = from.to_ascii_lowercase();
        }
        at = end;
        if len == 0 {
            break;
        }
    }
    let (question, rest) = body.split_at_checked(at + 4)?;
    Some((QName { len: u8::try_from(at).ok()?, folded }, question, rest))
}

fn type_and_class(question: &[u8]) -> Option<(Rtype, Class)> {
    let &[t0, t1, c0, c1] = question.last_chunk::<4>()?;
    Some((Rtype(u16::from_be_bytes([t0, t1])), Class(u16::from_be_bytes([c0, c1]))))
}

/// Walks over the records: OPT among the last `additional` ones, and whether the very last one is
/// TSIG. `None`: malformed.
fn read_records(octets: &[u8], records: u32, additional: u32) -> Option<(Option<Edns<'_>>, bool)> {
    let mut rest = octets;
    let mut opt = None;
    let mut signed = false;
    for index in 0..records + additional {
        let (is_root, after_name) = skip_name(rest)?;
        let (fixed, after) = after_name.split_first_chunk::<10>()?;
        let &[t0, t1, c0, c1, l0, l1, l2, l3, d0, d1] = fixed;
        let data_len = usize::from(u16::from_be_bytes([d0, d1]));
        let (data, after) = after.split_at_checked(data_len)?;
        // RFC 8945 §5.1: nothing follows TSIG, and it has no other place.
        if signed {
            return None;
        }
        match Rtype(u16::from_be_bytes([t0, t1])) {
            Rtype::OPT => {
                if opt.is_some() || !is_root || index < records {
                    return None;
                }
                let class = u16::from_be_bytes([c0, c1]);
                let ttl = u32::from_be_bytes([l0, l1, l2, l3]);
                opt = Some(Edns::from_fields(class, ttl, data)?);
            }
            Rtype::TSIG if index < records => return None,
            Rtype::TSIG => signed = true,
            _ => {}
        }
        rest = after;
    }
    rest.is_empty().then_some((opt, signed))
}

/// The DO bit of the first OPT of a message of any opcode, as far as it can be read.
fn seek_opt(body: &[u8], questions: u32, records: u32) -> Option<bool> {
    let mut rest = body;
    for _ in 0..questions {
        rest = skip_name(rest)?.1.get(4..)?;
    }
    for _ in 0..records {
        let (fixed, after) = skip_name(rest)?.1.split_first_chunk::<10>()?;
        let &[t0, t1, _, _, _, _, flags, _, d0, d1] = fixed;
        if Rtype(u16::from_be_bytes([t0, t1])) == Rtype::OPT {
            return Some(flags & 0x80 != 0);
        }
        rest = after.get(usize::from(u16::from_be_bytes([d0, d1]))..)?;
    }
    None
}

/// Skips a name that may end in a pointer; whether it is the root, and what follows.
pub(crate) fn skip_name(octets: &[u8]) -> Option<(bool, &[u8])> {
    let mut rest = octets;
    let mut is_root = true;
    loop {
        let (&len, after) = rest.split_first()?;
        match len {
            0 => return Some((is_root, after)),
            1..=MAX_LABEL => rest = after.get(usize::from(len)..)?,
            0xc0..=0xff => return after.get(1..).map(|after| (false, after)),
            _ => return None,
        }
        is_root = false;
    }
}
