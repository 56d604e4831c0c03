//! From a message to a change.

use std::collections::HashMap;

use wire::{
    Class, Ede, Edns, Envelope, Header, Message, Name, Opcode, Question, Rcode, Rdata, RecordRef,
    Rtype, Section, UpdateLease,
};
use zone::{Change, Edit, Flaw, Prerequisite, Refusal};

use crate::answer::About;

/// A dynamic update that was read.
#[derive(Clone, Debug)]
pub struct Update<'a> {
    /// What its response repeats.
    pub about: About<'a>,
    /// What it wants. Faults of form behind the zone section are in it: whether they are what the
    /// response tells depends on what is judged before them.
    pub change: Change,
    /// How long the records that it adds shall live.
    pub lease: Option<UpdateLease>,
}

/// A message that is no update to be judged, and what to do with it.
#[derive(Clone, Debug)]
pub enum Unread<'a> {
    /// Say nothing: there is no header, or it is a response.
    Silence,
    /// Say this code, and why.
    Refuse(About<'a>, Rcode, Option<Ede>),
}

/// Reads a message with opcode UPDATE. Its signature, if any, is not looked at.
///
/// What is wrong is told in the order of RFC 2136 §3: the zone section here (FORMERR for its form,
/// NOTAUTH for another class than IN), everything behind it by [`zone::judge`].
pub fn parse(octets: &[u8]) -> Result<Update<'_>, Unread<'_>> {
    let Ok(header) = Header::parse(octets) else { return Err(Unread::Silence) };
    if header.qr {
        return Err(Unread::Silence);
    }
    let mut about = About::of(&header);
    let formerr = |about, text| Unread::Refuse(about, Rcode::FORMERR, Some(other(text)));
    let Ok(message) = Message::parse(octets) else {
        return Err(formerr(about, "the message is malformed"));
    };
    let (edns, lease) = match read_opt(&message) {
        Ok(found) => found,
        Err(text) => {
            // RFC 6891 §7: the answer to OPT that is malformed has OPT.
            about.envelope.do_bit = Some(false);
            return Err(formerr(about, text));
        }
    };
    about.envelope.do_bit = edns.map(|edns| edns.do_bit);
    about.udp_octets = edns.map_or(UDP_OCTETS_MIN, |edns| edns.udp_size);
    if edns.is_some_and(|edns| edns.version != 0) {
        return Err(Unread::Refuse(about, Rcode::BADVERS, None));
    }
    // RFC 2136 §3.1.1: exactly one zone, and its type is SOA.
    let zone = message.question().filter(|_| header.counts[0] == 1);
    let Some(Question { qname, qtype, qclass }) = zone else {
        return Err(formerr(about, "the zone section does not name one zone"));
    };
    let name = Name::length_of(octets.get(HEADER..).unwrap_or_default());
    about.zone = name.and_then(|len| octets.get(HEADER..HEADER + len + 4)).unwrap_or_default();
    if qtype != Rtype::SOA {
        return Err(formerr(about, "the type of the zone section is not SOA"));
    }
    if qclass != Class::IN {
        let why = Ede { code: NOT_AUTHORITATIVE, text: "only zones of class IN are served" };
        return Err(Unread::Refuse(about, Rcode::NOTAUTH, Some(why)));
    }
    Ok(Update { about, change: read_change(&message, qname), lease })
}

/// OPT and the lease in it.
fn read_opt<'a>(
    message: &Message<'a>,
) -> Result<(Option<Edns<'a>>, Option<UpdateLease>), &'static str> {
    let mut found: Option<Edns<'a>> = None;
    for record in message.records(Section::Additional) {
        if record.rtype != Rtype::OPT {
            continue;
        }
        if found.is_some() || !record.owner.is_root() {
            return Err("there is more than one OPT, or it is not owned by the root");
        }
        let edns = Edns::from_fields(record.class.0, record.ttl, record.into_raw_data());
        found = Some(edns.ok_or("an EDNS option is malformed")?);
    }
    let options = found.iter().filter(|edns| edns.version == 0).flat_map(Edns::options);
    let mut leases = options.filter(|option| option.code == UpdateLease::CODE);
    let lease = leases.next().map(|option| UpdateLease::read(option.data));
    match lease {
        None => Ok((found, None)),
        Some(Some(lease)) => Ok((found, Some(lease))),
        // RFC 9664 §4: four or eight octets.
        Some(None) => Err("the Update Lease option is malformed"),
    }
}

fn read_change(message: &Message<'_>, zone: Name) -> Change {
    let mut change = Change::new(zone, Vec::new());
    if let Err(refusal) = read_prerequisites(message, &mut change) {
        change.flaw = Some(Flaw::Prerequisites(refusal));
        return change;
    }
    change.edits.reserve(usize::from(message.header().counts[2]).min(EDITS_AT_ONCE));
    for record in message.records(Section::Authority) {
        match read_edit(&change.zone, record) {
            Ok(edit) => change.edits.push(edit),
            Err(refusal) => {
                change.flaw = Some(Flaw::Edits(refusal));
                break;
            }
        }
    }
    change
}

/// RFC 2136 §3.2.5, as far as it is about form.
fn read_prerequisites(message: &Message<'_>, change: &mut Change) -> Result<(), Refusal> {
    // Where the RRsets stand whose records are given: those of one may stand apart.
    let mut places: HashMap<(Name, Rtype), usize> = HashMap::new();
    for record in message.records(Section::Answer) {
        if record.ttl != 0 {
            return Err(Refusal::Malformed("a prerequisite has a TTL"));
        }
        check_zone(&change.zone, &record.owner)?;
        let empty = record.raw_data().is_empty();
        let (rtype, class) = (record.rtype, record.class);
        let has_data = Refusal::Malformed("a prerequisite of class ANY or NONE has data");
        let prerequisite = match class {
            Class::ANY | Class::NONE if !empty => return Err(has_data),
            Class::ANY if rtype == Rtype::ANY => Prerequisite::NameInUse(record.owner),
            Class::ANY => Prerequisite::RrsetExists(record.owner, rtype),
            Class::NONE if rtype == Rtype::ANY => Prerequisite::NameNotInUse(record.owner),
            Class::NONE => Prerequisite::RrsetDoesNotExist(record.owner, rtype),
            Class::IN => {
                let rdata = read_rdata(&record)?;
                let last = change.prerequisites.len();
                let at = *places.entry((record.owner.clone(), rtype)).or_insert(last);
                if let Some(Prerequisite::RrsetEquals(_, _, set)) = change.prerequisites.get_mut(at)
                {
                    set.push(rdata);
                    continue;
                }
                Prerequisite::RrsetEquals(record.owner, rtype, vec![rdata])
            }
            _ => return Err(Refusal::Malformed("a prerequisite of another class than the zone's")),
        };
        change.prerequisites.push(prerequisite);
    }
    Ok(())
}

/// RFC 2136 §2.5 and §3.4.1.3.
fn read_edit(zone: &Name, record: RecordRef<'_>) -> Result<Edit, Refusal> {
    check_zone(zone, &record.owner)?;
    let (rtype, ttl_s) = (record.rtype, record.ttl);
    let deletes_all = record.class == Class::ANY && rtype == Rtype::ANY;
    if rtype.is_meta() && !deletes_all {
        return Err(Refusal::Malformed("an edit of a type that no zone can hold"));
    }
    match record.class {
        Class::IN => {
            let rdata = read_rdata(&record)?;
            Ok(Edit::Add { owner: record.owner, rtype, ttl_s, rdata })
        }
        Class::ANY | Class::NONE if ttl_s != 0 => {
            Err(Refusal::Malformed("an edit that deletes has a TTL"))
        }
        Class::ANY if !record.raw_data().is_empty() => {
            Err(Refusal::Malformed("an edit that deletes an RRset has data"))
        }
        Class::ANY if deletes_all => Ok(Edit::DeleteName { owner: record.owner }),
        Class::ANY => Ok(Edit::DeleteRrset { owner: record.owner, rtype }),
        Class::NONE => {
            let rdata = read_rdata(&record)?;
            Ok(Edit::DeleteRecord { owner: record.owner, rtype, rdata })
        }
        _ => Err(Refusal::Malformed("an edit of another class than the zone's")),
    }
}

fn read_rdata(record: &RecordRef<'_>) -> Result<Rdata, Refusal> {
    record.rdata().map_err(|_| Refusal::Malformed("the data of a record are not of its type"))
}

fn check_zone(zone: &Name, owner: &Name) -> Result<(), Refusal> {
    if owner.is_subdomain_of(zone) { Ok(()) } else { Err(Refusal::OutsideZone) }
}

impl About<'_> {
    /// What a header alone tells.
    fn of(header: &Header) -> Self {
        let envelope = Envelope { id: header.id, opcode: Opcode::UPDATE, rd: false, do_bit: None };
        About { envelope, zone: &[], udp_octets: UDP_OCTETS_MIN }
    }
}

/// An extended error that says no more than its text (RFC 8914 §4.1).
fn other(text: &'static str) -> Ede {
    Ede { code: 0, text }
}

/// RFC 8914 §4.21.
pub(crate) const NOT_AUTHORITATIVE: u16 = 20;
/// Octets of a header: where the zone section begins.
const HEADER: usize = 12;
/// What every receiver takes over UDP (RFC 1035 §4.2.1).
const UDP_OCTETS_MIN: u16 = 512;
/// Edits for which room is made at once: a count is not to be believed.
const EDITS_AT_ONCE: usize = 32;

#[cfg(test)]
mod tests;
