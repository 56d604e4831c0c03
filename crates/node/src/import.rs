//! Zone files in and out.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;

use engine::{NewZone, Operation, Outcome, Refused};
use gateway::{Client, SubmitError};
use store::ImportId;
use wire::zonefile::{self, Records, ZonefileError};
use wire::{Class, Name, Rdata, Record, Rrset, Rtype, Serial};
use zone::Snapshot;

/// Why a zone file was not imported. The zone is as it was before.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// The file cannot be read.
    #[error(transparent)]
    Zonefile(#[from] ZonefileError),
    /// A name lies outside the zone.
    #[error("{0} lies outside the zone")]
    Outside(Name),
    /// There is no SOA record at the apex.
    #[error("the file has no SOA record at {0}")]
    NoSoa(Name),
    /// There are several SOA records.
    #[error("the file has more than one SOA record")]
    ManySoas,
    /// There is no NS record at the apex.
    #[error("the file has no NS record at {0}")]
    NoNs(Name),
    /// A name has a CNAME record and other data (RFC 2181 §10.1).
    #[error("{0} has a CNAME record and other data, or several CNAME records")]
    Cname(Name),
    /// A name has several DNAME records (RFC 6672 §2.4).
    #[error("{0} has several DNAME records")]
    Dnames(Name),
    /// An RRset is too large for any message.
    #[error("{0} {1}: the records do not fit into one message")]
    TooLarge(Name, Rtype),
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

/// What was imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Imported {
    /// Number of RRsets.
    pub rrsets: usize,
    /// Serial of the zone.
    pub serial: Serial,
}

type Keyed = (Name, Rtype, Rrset);

/// Makes a zone file the content of a zone, which becomes visible whole at the end.
pub(crate) fn import(
    client: &Client,
    text: &[u8],
    mut zone: NewZone,
) -> Result<Imported, ImportError> {
    let rrsets = read(text, &zone.apex)?;
    zone.serial = check(&rrsets, &zone.apex)?;
    let count = rrsets.len();
    let mut import = None;
    let mut rest = rrsets.into_iter().peekable();
    while rest.peek().is_some() {
        let part: Vec<Keyed> = rest.by_ref().take(STAGE_RRSETS).collect();
        let apex = zone.apex.clone();
        match operate(client, Operation::Stage { import, zone: apex, rrsets: part }) {
            Ok((made, _)) => import = made.map(ImportId).or(import),
            Err(why) => return Err(give_up(client, import, why)),
        }
    }
    let Some(import) = import else { return Err(ImportError::NoSoa(zone.apex)) };
    match operate(client, Operation::Import { import, zone }) {
        Ok((_, serial)) => Ok(Imported { rrsets: count, serial: serial.unwrap_or_default() }),
        Err(why) => Err(give_up(client, Some(import), why)),
    }
}

/// Writes a zone as a zone file, SOA first, then in canonical order (RFC 4034 §6.1) unless the zone
/// is too large to be put into order in memory.
pub(crate) fn export(
    apex: &Name,
    zone: &Snapshot,
    out: &mut dyn io::Write,
) -> Result<(), io::Error> {
    let mut line = String::new();
    let is_soa = |(owner, rtype, _): &Keyed| *rtype == Rtype::SOA && owner == apex;
    let soa = zone.rrsets().find(is_soa);
    let others = zone.rrsets().filter(|keyed| !is_soa(keyed));
    let others: Box<dyn Iterator<Item = Keyed>> = if zone.rrset_count() <= SORTED_RRSETS_MAX {
        let mut all: Vec<Keyed> = others.collect();
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

/// The RRsets of a zone file, in canonical order of their owners: the tables behind the log are
/// filled from front to back.
fn read(text: &[u8], apex: &Name) -> Result<Vec<Keyed>, ImportError> {
    let mut rrsets: HashMap<(Name, Rtype), Rrset> = HashMap::new();
    for record in Records::parse(text, apex) {
        let Record { owner, rtype, ttl_s, rdata, .. } = record?;
        if !owner.is_subdomain_of(apex) {
            return Err(ImportError::Outside(owner));
        }
        // RFC 2181 §5.2: one TTL for all records of an RRset; the first one counts.
        let keyed = owner.clone();
        let rrset = rrsets
            .entry((owner, rtype))
            .or_insert_with(|| Rrset { ttl_s, rdata: Vec::with_capacity(1) });
        if !holds(rrset, rtype, &rdata) {
            rrset.rdata.push(rdata);
        }
        // Each record is compared with all of its RRset: stop before that becomes long.
        if rrset.rdata.len() > RRSET_RECORDS_MAX {
            return Err(ImportError::TooLarge(keyed, rtype));
        }
    }
    let mut rrsets: Vec<Keyed> = rrsets
        .into_iter()
        .map(|((owner, rtype), rrset)| (owner.to_lowercase(), rtype, rrset))
        .collect();
    rrsets.sort_by(|(a, at, _), (b, bt, _)| a.cmp(b).then(at.cmp(bt)));
    Ok(rrsets)
}

fn holds(rrset: &Rrset, rtype: Rtype, rdata: &Rdata) -> bool {
    // Most RRsets have one record, and no comparison is needed for the first.
    !rrset.rdata.is_empty() && {
        let new = rdata.canonical(rtype);
        rrset.rdata.iter().any(|known| known.canonical(rtype) == new)
    }
}

/// What a zone must be before it can be served; its serial.
fn check(rrsets: &[Keyed], apex: &Name) -> Result<Serial, ImportError> {
    let at_apex = |wanted| rrsets.iter().find(|(o, rtype, _)| *rtype == wanted && o == apex);
    let (.., soa) = at_apex(Rtype::SOA).ok_or_else(|| ImportError::NoSoa(apex.clone()))?;
    at_apex(Rtype::NS).ok_or_else(|| ImportError::NoNs(apex.clone()))?;
    let soas = rrsets.iter().filter(|(_, rtype, _)| *rtype == Rtype::SOA).count();
    let [soa] = soa.rdata.as_slice() else { return Err(ImportError::ManySoas) };
    if soas > 1 {
        return Err(ImportError::ManySoas);
    }
    for names in rrsets.chunk_by(|(a, ..), (b, ..)| a == b) {
        check_cname(names)?;
    }
    for (owner, rtype, rrset) in rrsets {
        if *rtype == Rtype::DNAME && rrset.rdata.len() > 1 {
            return Err(ImportError::Dnames(owner.clone()));
        }
        let octets: usize = rrset.rdata.iter().map(|rdata| rdata.as_wire().len() + 12).sum();
        if octets > RRSET_OCTETS_MAX {
            return Err(ImportError::TooLarge(owner.clone(), *rtype));
        }
    }
    let fields = soa.soa_fields().ok_or_else(|| ImportError::NoSoa(apex.clone()))?;
    Ok(Serial(fields.serial))
}

fn check_cname(name: &[Keyed]) -> Result<(), ImportError> {
    let cname = name.iter().find(|(_, rtype, _)| *rtype == Rtype::CNAME);
    let Some((owner, _, rrset)) = cname else { return Ok(()) };
    let beside =
        |rtype: Rtype| ![Rtype::CNAME, Rtype::RRSIG, Rtype::NSEC, Rtype::KEY].contains(&rtype);
    if rrset.rdata.len() > 1 || name.iter().any(|(_, rtype, _)| beside(*rtype)) {
        return Err(ImportError::Cname(owner.clone()));
    }
    Ok(())
}

/// Number and serial of what was made. An import that fails anywhere is given up: its parts would lie
/// about until the next start.
fn operate(
    client: &Client,
    operation: Operation,
) -> Result<(Option<u64>, Option<Serial>), ImportError> {
    match client.operate(operation)? {
        Outcome::Done { made, serial, .. } => Ok((made, serial)),
        Outcome::Unchanged => Ok((None, None)),
        Outcome::Refused(why) => Err(why.into()),
        Outcome::Unavailable => Err(ImportError::Unavailable),
    }
}

fn give_up(client: &Client, import: Option<ImportId>, why: ImportError) -> ImportError {
    if let Some(import) = import {
        // When this fails too, the parts stay unseen until somebody drops them.
        let _ = client.operate(Operation::DropImport(import));
    }
    why
}

/// RRsets that are put into order for an export.
const SORTED_RRSETS_MAX: usize = 1_000_000;
/// What the last line of an exported zone begins with, so that one that was cut off is known.
pub(crate) const EXPORT_END: &str = "; end of";
/// RRsets in one part of an import.
const STAGE_RRSETS: usize = 20_000;
/// Records of one RRset: with headers and the shortest data, more do not fit into one message.
const RRSET_RECORDS_MAX: usize = 5000;
/// Octets that the records of one RRset may take, so that they fit into one message.
const RRSET_OCTETS_MAX: usize = 60_000;
