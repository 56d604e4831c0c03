//! Zone files (RFC 1035 §5): reading through the `domain` crate, writing.

use std::fmt;

use domain::base::ToName;
use domain::zonefile::inplace::{Entry, ScannedRecord, Zonefile};

use crate::name::Name;
use crate::record::Record;
use crate::text::{rdata_of, their_name};
use crate::types::{Class, Rtype};

/// The records of a zone file, in order.
///
/// `$ORIGIN` and `$TTL` are followed; `$INCLUDE` is refused: a file must not name other files of
/// the service's machine. After an error nothing more is read.
pub struct Records {
    zonefile: Zonefile,
    failed: bool,
}

/// Why a zone file cannot be read. The line is 1 for the first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZonefileError {
    /// Not a zone file; line, column and what is wrong, in words.
    #[error("{0}")]
    Syntax(String),
    /// It wants to include another file.
    #[error("`$INCLUDE` is not followed: put everything into one file")]
    Include,
    /// A record is not of class IN.
    #[error("{owner} {rtype}: only class IN is served")]
    Class {
        /// Owner of the record.
        owner: Name,
        /// Its type.
        rtype: Rtype,
    },
    /// A record has data that is not of its type, or a type that no zone can hold.
    #[error("{owner} {rtype}: the data is malformed")]
    Rdata {
        /// Owner of the record.
        owner: Name,
        /// Its type.
        rtype: Rtype,
    },
    /// A name is not a domain name.
    #[error("a name is malformed")]
    Name,
}

impl Records {
    /// Reads a whole zone file that is in memory. Relative names lie under `origin`.
    pub fn parse(text: &[u8], origin: &Name) -> Records {
        let mut zonefile = Zonefile::with_capacity(text.len() + 1);
        zonefile.extend_from_slice(text);
        if !text.ends_with(b"\n") {
            zonefile.extend_from_slice(b"\n");
        }
        zonefile.set_origin(their_name(origin));
        zonefile.set_default_class(domain::base::iana::Class::IN);
        Records { zonefile, failed: false }
    }
}

impl Iterator for Records {
    type Item = Result<Record, ZonefileError>;

    fn next(&mut self) -> Option<Result<Record, ZonefileError>> {
        if self.failed {
            return None;
        }
        let record = match self.zonefile.next_entry() {
            Ok(None) => return None,
            Ok(Some(Entry::Record(record))) => convert(&record),
            Ok(Some(Entry::Include { .. })) => Err(ZonefileError::Include),
            Err(error) => Err(ZonefileError::Syntax(error.to_string())),
        };
        self.failed = record.is_err();
        Some(record)
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").field("failed", &self.failed).finish_non_exhaustive()
    }
}

/// Writes one record as a line of a zone file, absolute names and all fields given.
pub fn write_record(out: &mut impl fmt::Write, record: &Record) -> fmt::Result {
    let Record { owner, rtype, class, ttl_s, rdata } = record;
    writeln!(out, "{owner} {ttl_s} {class} {rtype} {}", rdata.display(*rtype))
}

fn convert(record: &ScannedRecord) -> Result<Record, ZonefileError> {
    let mut octets = Vec::with_capacity(32);
    record.owner().compose(&mut octets).map_err(|_| ZonefileError::Name)?;
    let owner = Name::from_wire(&octets).map_err(|_| ZonefileError::Name)?;
    let rtype = Rtype(record.rtype().to_int());
    if Class(record.class().to_int()) != Class::IN {
        return Err(ZonefileError::Class { owner, rtype });
    }
    if rtype.is_meta() {
        return Err(ZonefileError::Rdata { owner, rtype });
    }
    match rdata_of(rtype, record.data()) {
        Ok(rdata) => {
            let ttl_s = record.ttl().as_secs();
            Ok(Record { owner, rtype, class: Class::IN, ttl_s, rdata })
        }
        Err(_) => Err(ZonefileError::Rdata { owner, rtype }),
    }
}
