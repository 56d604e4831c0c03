//! Zone files (RFC 1035 §5): reading and writing.

pub(crate) mod entry;

use std::fmt;

use crate::name::{Name, NameError, strip_suffix};
use crate::rdata::{Rdata, RdataError};
use crate::record::Record;
use crate::types::{Class, Rtype};
pub use entry::SyntaxError;
use entry::{Entry, Reader, Word};

/// The records of a zone file, in order.
///
/// `$ORIGIN` and `$TTL` are followed; `$INCLUDE` is refused: a file must not name other files of
/// the service's machine. Times may have units (`1h30m`). A record without a TTL has that of `$TTL`
/// (RFC 2308 §4), else that of the last record that has one, else an hour. After an error nothing
/// more is read.
#[derive(Debug)]
pub struct Records<'a> {
    reader: Reader<'a>,
    entry: Entry<'a>,
    context: Context,
    data: Vec<u8>,
    failed: bool,
}

/// What the lines before mean for those that follow. A file can be read in pieces, each from the
/// context at the end of the one before.
#[derive(Clone, Debug)]
pub struct Context {
    origin: Name,
    /// Owner of the last record, in wire form; empty before the first.
    owner: Vec<u8>,
    default_ttl_s: Option<u32>,
    last_ttl_s: u32,
}

/// A record that was read, while the next one is not.
#[derive(Clone, Copy, Debug)]
pub struct RecordRef<'r> {
    /// Owner, absolute, in wire form, case preserved.
    pub owner: &'r [u8],
    /// Type.
    pub rtype: Rtype,
    /// TTL in seconds, at most 2^31 - 1 (RFC 2181 §8).
    pub ttl_s: u32,
    /// Data in uncompressed wire form.
    pub data: &'r [u8],
    /// The line that it begins in; 1 for the first.
    pub line: usize,
}

/// Why a zone file cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct ZonefileError {
    /// The line; 1 for the first.
    pub line: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with an entry of a zone file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Its words cannot be told apart.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// It wants to include another file.
    #[error("`$INCLUDE` is not followed: put everything into one file")]
    Include,
    /// It begins with `$` but is neither `$ORIGIN` nor `$TTL` with one word.
    #[error("the directive is unknown or malformed")]
    Directive,
    /// It begins with a blank, and no record stands before it.
    #[error("the first record has no owner")]
    NoOwner,
    /// The owner, or the name of `$ORIGIN`, is malformed.
    #[error(transparent)]
    Name(#[from] NameError),
    /// What should be a TTL, a class or a type is none; or it ends before them.
    #[error("a type is expected, not `{0}`")]
    NoType(String),
    /// A record is not of class IN.
    #[error("class {0}: only class IN is served")]
    Class(Class),
    /// A TTL has more than 31 bits (RFC 2181 §8).
    #[error("the TTL is larger than {TTL_S_MAX}")]
    Ttl,
    /// A type that no zone can hold.
    #[error("type {0} does not belong into a zone")]
    Meta(Rtype),
    /// The data is not of its type.
    #[error(transparent)]
    Rdata(#[from] RdataError),
}

impl<'a> Records<'a> {
    /// Reads a whole zone file that is in memory. Relative names lie under `origin`.
    pub fn parse(text: &'a [u8], origin: &Name) -> Records<'a> {
        Records::parse_in(text, Context::new(origin))
    }

    /// Reads a piece of a zone file that is in memory, from the beginning of a line. Its lines are
    /// counted from 1.
    pub fn parse_in(text: &'a [u8], context: Context) -> Records<'a> {
        Records {
            reader: Reader::new(text),
            entry: Entry::default(),
            context,
            data: Vec::new(),
            failed: false,
        }
    }

    /// Reads the next record without keeping it; `None` at the end, and after an error.
    pub fn read(&mut self) -> Result<Option<RecordRef<'_>>, ZonefileError> {
        if self.failed {
            return Ok(None);
        }
        let read = self.read_record();
        self.failed = !matches!(read, Ok(Some(_)));
        let Some((rtype, ttl_s)) = read? else { return Ok(None) };
        let (owner, data) = (self.context.owner.as_slice(), self.data.as_slice());
        Ok(Some(RecordRef { owner, rtype, ttl_s, data, line: self.entry.line }))
    }

    /// What was read so far means for what follows.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Number of line ends read so far.
    pub fn lines(&self) -> usize {
        self.reader.line() - 1
    }

    fn read_record(&mut self) -> Result<Option<(Rtype, u32)>, ZonefileError> {
        loop {
            match self.reader.next(&mut self.entry) {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(why) => {
                    return Err(ZonefileError { line: self.reader.line(), fault: why.into() });
                }
            }
            match self.context.read_entry(&self.entry, &mut self.data) {
                Ok(None) => {}
                Ok(Some(record)) => return Ok(Some(record)),
                Err(fault) => return Err(ZonefileError { line: self.entry.line, fault }),
            }
        }
    }
}

impl<'r> RecordRef<'r> {
    /// The labels of the owner before `apex`, in wire form without a root label; `None` when it does
    /// not lie at or below it.
    pub fn below(&self, apex: &Name) -> Option<&'r [u8]> {
        strip_suffix(self.owner, apex)
    }
}

impl Context {
    /// That at the beginning of a file.
    pub fn new(origin: &Name) -> Context {
        Context {
            origin: origin.clone(),
            owner: Vec::new(),
            default_ttl_s: None,
            last_ttl_s: TTL_S_WITHOUT_ANY,
        }
    }

    /// Whether lines that begin with an owner mean the same here and there.
    pub fn is_like(&self, other: &Context) -> bool {
        self.origin.as_wire() == other.origin.as_wire()
            && self.default_ttl_s == other.default_ttl_s
            && (self.default_ttl_s.is_some() || self.last_ttl_s == other.last_ttl_s)
    }

    /// Reads a record, its data into `data`, or follows a directive.
    fn read_entry(
        &mut self,
        entry: &Entry<'_>,
        data: &mut Vec<u8>,
    ) -> Result<Option<(Rtype, u32)>, Fault> {
        let mut words = entry.words.as_slice();
        if !entry.is_indented
            && let Some((first, rest)) = words.split_first()
        {
            if !first.is_quoted && first.octets.starts_with(b"$") {
                return self.follow(first, rest).map(|()| None);
            }
            if first.is_sign(b"@") {
                self.owner.clear();
                self.owner.extend_from_slice(self.origin.as_wire());
            } else {
                Name::read_into(first.octets, &self.origin, &mut self.owner)?;
            }
            words = rest;
        }
        let (ttl_s, rtype, words) = fields(words)?;
        if self.owner.is_empty() {
            return Err(Fault::NoOwner);
        }
        self.last_ttl_s = ttl_s.unwrap_or(self.last_ttl_s);
        let ttl_s = ttl_s.or(self.default_ttl_s).unwrap_or(self.last_ttl_s);
        Rdata::read_into(rtype, words, &self.origin, data)?;
        Ok(Some((rtype, ttl_s)))
    }

    fn follow(&mut self, directive: &Word<'_>, words: &[Word<'_>]) -> Result<(), Fault> {
        let is = |name: &[u8]| directive.octets.eq_ignore_ascii_case(name);
        match words {
            _ if is(b"$INCLUDE") => Err(Fault::Include),
            [origin] if is(b"$ORIGIN") => {
                self.origin = self.name(origin)?;
                Ok(())
            }
            [ttl] if is(b"$TTL") => {
                self.default_ttl_s = Some(seconds(ttl)?);
                Ok(())
            }
            _ => Err(Fault::Directive),
        }
    }

    fn name(&self, word: &Word<'_>) -> Result<Name, NameError> {
        if word.is_sign(b"@") {
            return Ok(self.origin.clone());
        }
        Name::read(word.octets, &self.origin)
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, ZonefileError>;

    fn next(&mut self) -> Option<Result<Record, ZonefileError>> {
        let record = match self.read() {
            Ok(record) => record?,
            Err(why) => return Some(Err(why)),
        };
        let RecordRef { owner, rtype, ttl_s, data, line } = record;
        let made = Name::from_wire(owner).map_err(Fault::from).and_then(|owner| {
            let rdata = Rdata::new(rtype, data)?;
            Ok(Record { owner, rtype, class: Class::IN, ttl_s, rdata })
        });
        Some(made.map_err(|fault| ZonefileError { line, fault }))
    }
}

/// Writes one record as a line of a zone file, absolute names and all fields given.
pub fn write_record(out: &mut impl fmt::Write, record: &Record) -> fmt::Result {
    let Record { owner, rtype, class, ttl_s, rdata } = record;
    writeln!(out, "{owner} {ttl_s} {class} {rtype} {}", rdata.display(*rtype))
}

/// TTL and class in any order, both perhaps missing, then the type; and the words after it.
fn fields<'w, 'a>(words: &'w [Word<'a>]) -> Result<(Option<u32>, Rtype, &'w [Word<'a>]), Fault> {
    let mut words = words;
    let mut ttl_s = None;
    let mut class = None;
    loop {
        let Some((word, rest)) = words.split_first() else {
            return Err(Fault::NoType("the end of the line".into()));
        };
        words = rest;
        if let Some(rtype) = common_type(word)
            && class.is_none_or(|class| class == Class::IN)
        {
            return Ok((ttl_s, rtype, words));
        }
        let text = word.text().unwrap_or_default();
        if ttl_s.is_none() && word.octets.first().is_some_and(u8::is_ascii_digit) {
            ttl_s = Some(seconds(word)?);
        } else if let (None, Some(read)) = (class, read_class(text)) {
            class = Some(read);
        } else {
            let not_a_type = || Fault::NoType(word.shown());
            let rtype: Rtype = text.parse().map_err(|_| not_a_type())?;
            return match class {
                Some(class) if class != Class::IN => Err(Fault::Class(class)),
                _ if rtype.is_meta() => Err(Fault::Meta(rtype)),
                _ => Ok((ttl_s, rtype, words)),
            };
        }
    }
}

/// The types that nearly all records have, without a walk through the table of all types.
fn common_type(word: &Word<'_>) -> Option<Rtype> {
    match word.octets {
        b"A" => Some(Rtype::A),
        b"AAAA" => Some(Rtype::AAAA),
        _ => None,
    }
}

/// ANY and NONE are not classes of records, and the former is a type.
fn read_class(text: &str) -> Option<Class> {
    text.parse().ok().filter(|class| !matches!(*class, Class::ANY | Class::NONE))
}

fn seconds(word: &Word<'_>) -> Result<u32, Fault> {
    let is_time = |octet: &u8| octet.is_ascii_digit() || b"smhdwSMHDW".contains(octet);
    match word.seconds() {
        Some(seconds) if seconds <= TTL_S_MAX => Ok(seconds),
        // It was meant to be one.
        _ if word.octets.iter().all(is_time) => Err(Fault::Ttl),
        _ => Err(Fault::NoType(word.shown())),
    }
}

/// RFC 2181 §8.
const TTL_S_MAX: u32 = (1 << 31) - 1;
/// TTL of a record when neither it nor `$TTL` nor a record before says one; other servers take
/// the same.
const TTL_S_WITHOUT_ANY: u32 = 3600;

#[cfg(test)]
mod tests;
