//! Zone files in and out.

mod content;
mod sections;

use std::fmt::Write as _;
use std::io;

use account::Actor;
use engine::{NewZone, Operation, Outcome, Refused};
use gateway::{Client, SubmitError};
use store::ImportId;
use wire::{Class, Name, Record, Rrset, Rtype, Serial, zonefile};
use zone::Snapshot;

/// Why a zone file was not imported. The zone is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Something is wrong with a line.
    #[error("line {line}: {fault}")]
    Line {
        /// The line; 1 for the first.
        line: usize,
        /// What is wrong.
        fault: Fault,
    },
    /// Something is wrong with a name that stands in several places.
    #[error(transparent)]
    Somewhere(Fault),
    /// There is no SOA record at the apex.
    #[error("the file has no SOA record at {0}")]
    NoSoa(Name),
    /// There are several SOA records.
    #[error("the file has more than one SOA record")]
    ManySoas,
    /// There is no NS record at the apex.
    #[error("the file has no NS record at {0}")]
    NoNs(Name),
    /// The engine refused it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store cannot write now.
    #[error("the store cannot write now; try again later")]
    Unavailable,
    /// It did not get to the engine, or no answer came.
    #[error(transparent)]
    Submit(#[from] SubmitError),
}

/// What is wrong with what a zone file says.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It cannot be read.
    #[error(transparent)]
    Zonefile(#[from] zonefile::Fault),
    /// A name lies outside the zone.
    #[error("{0} lies outside the zone")]
    Outside(Name),
    /// A name has a CNAME record and other data (RFC 2181 §10.1).
    #[error("{0} has a CNAME record and other data, or several CNAME records")]
    Cname(Name),
    /// A name has several DNAME records (RFC 6672 §2.4).
    #[error("{0} has several DNAME records")]
    Dnames(Name),
    /// An RRset is too large for any message.
    #[error("{0} {1}: the records do not fit into one message")]
    TooLarge(Name, Rtype),
}

/// What was imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Number of RRsets.
    pub rrsets: usize,
    /// Serial of the zone.
    pub serial: Serial,
}

/// Makes a zone file the content of a zone, which becomes visible whole at the end. Nothing is written
/// before the whole file is known to be right. Not to be called on a thread that drives asynchronous
/// tasks.
///
/// # Errors
/// [`ImportError`] when the text is no such file, the actor may not, or it cannot be written now. The zone
/// is as it was before.
pub fn import(
    client: &Client,
    actor: &Actor,
    (text, mut zone): (&[u8], NewZone),
) -> Result<Imported, ImportError> {
    let by = By { client, actor };
    let content = sections::read(text, &zone.apex)?;
    zone.serial = content.serial;
    let mut import = None;
    for part in content.parts {
        let apex = zone.apex.clone();
        match by.operate(Operation::Stage { import, zone: apex, part }) {
            Ok((made, _)) => import = made.map(ImportId).or(import),
            Err(why) => return Err(by.give_up(import, why)),
        }
    }
    let Some(import) = import else { return Err(ImportError::NoSoa(zone.apex)) };
    match by.operate(Operation::Import { import, zone }) {
        Ok((_, serial)) => {
            Ok(Imported { rrsets: content.rrsets, serial: serial.unwrap_or_default() })
        }
        Err(why) => Err(by.give_up(Some(import), why)),
    }
}

/// Writes a zone as a zone file, SOA first, then in canonical order (RFC 4034 §6.1) unless the zone
/// is too large to be put into order in memory.
///
/// # Errors
/// Those of `out`.
pub fn export(apex: &Name, zone: &Snapshot, out: &mut dyn io::Write) -> Result<(), io::Error> {
    let mut line = String::new();
    let is_soa = |(owner, rtype, _): &(Name, Rtype, Rrset)| *rtype == Rtype::SOA && owner == apex;
    let soa = zone.rrsets().find(is_soa);
    let others = zone.rrsets().filter(|keyed| !is_soa(keyed));
    let others: Box<dyn Iterator<Item = (Name, Rtype, Rrset)>> =
        if zone.rrset_count() <= SORTED_RRSETS_MAX {
            let mut all: Vec<(Name, Rtype, Rrset)> = others.collect();
            all.sort_by(|(a, at, _), (b, bt, _)| a.cmp(b).then(at.cmp(bt)));
            Box::new(all.into_iter())
        } else {
            Box::new(others)
        };
    for (owner, rtype, rrset) in soa.into_iter().chain(others) {
        line.clear();
        for rdata in rrset.rdata {
            let record =
                Record { owner: owner.clone(), rtype, class: Class::IN, ttl_s: rrset.ttl_s, rdata };
            zonefile::write_record(&mut line, &record).map_err(io::Error::other)?;
        }
        out.write_all(line.as_bytes())?;
    }
    line.clear();
    writeln!(line, "{EXPORT_END} {apex}").map_err(io::Error::other)?;
    out.write_all(line.as_bytes())
}

/// Who imports, and through what.
struct By<'a> {
    client: &'a Client,
    actor: &'a Actor,
}

impl By<'_> {
    /// Number and serial of what was made. An import that fails anywhere is given up: its parts would
    /// lie about until the next start.
    fn operate(&self, operation: Operation) -> Result<(Option<u64>, Option<Serial>), ImportError> {
        match self.client.operate_as(self.actor.clone(), operation)? {
            Outcome::Done { made, serial, .. } => Ok((made, serial)),
            Outcome::Unchanged => Ok((None, None)),
            Outcome::Refused(why) => Err(why.into()),
            Outcome::Unavailable => Err(ImportError::Unavailable),
        }
    }

    fn give_up(&self, import: Option<ImportId>, why: ImportError) -> ImportError {
        if let Some(import) = import {
            // When this fails too, the parts stay unseen until somebody drops them.
            let _ = self.client.operate_as(self.actor.clone(), Operation::DropImport(import));
        }
        why
    }
}

/// RRsets that are put into order for an export.
const SORTED_RRSETS_MAX: usize = 1_000_000;
/// What the last line of an exported zone begins with, so that one that was cut off is known.
pub(crate) const EXPORT_END: &str = "; end of";
