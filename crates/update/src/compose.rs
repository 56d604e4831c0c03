//! The client's end: from a change to a message.

use wire::{Class, Name, Opcode, Rtype, UpdateLease};
use zone::{Change, Edit, Prerequisite};

/// Composes the message that asks for a change; names are not compressed. A replacement becomes a
/// deletion and additions. What makes more records than a message can count, or more octets than it
/// can have, is left to the sender: nothing is cut off.
pub fn compose(id: u16, change: &Change, lease: Option<UpdateLease>) -> Vec<u8> {
    let mut message = Vec::with_capacity(512);
    message.extend_from_slice(&id.to_be_bytes());
    message.extend_from_slice(&[Opcode::UPDATE.0 << 3, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    message.extend_from_slice(change.zone.as_wire());
    push_u16s(&mut message, &[Rtype::SOA.0, Class::IN.0]);
    let mut counts = [0_u16; 3];
    for prerequisite in &change.prerequisites {
        counts[0] = counts[0].saturating_add(push_prerequisite(&mut message, prerequisite));
    }
    for edit in &change.edits {
        counts[1] = counts[1].saturating_add(push_edit(&mut message, edit));
    }
    if let Some(lease) = lease {
        let (octets, len) = lease.to_wire();
        let option = octets.get(..len).unwrap_or_default();
        push(&mut message, &Name::root(), (Rtype::OPT, Class(UDP_OCTETS), 0), option);
        counts[2] = 1;
    }
    for (place, count) in message.iter_mut().skip(6).zip(counts.map(u16::to_be_bytes).concat()) {
        *place = count;
    }
    message
}

fn push_prerequisite(message: &mut Vec<u8>, prerequisite: &Prerequisite) -> u16 {
    let (name, rtype, class) = match prerequisite {
        Prerequisite::NameInUse(name) => (name, Rtype::ANY, Class::ANY),
        Prerequisite::NameNotInUse(name) => (name, Rtype::ANY, Class::NONE),
        Prerequisite::RrsetExists(name, rtype) => (name, *rtype, Class::ANY),
        Prerequisite::RrsetDoesNotExist(name, rtype) => (name, *rtype, Class::NONE),
        Prerequisite::RrsetEquals(name, rtype, set) => {
            for rdata in set {
                push(message, name, (*rtype, Class::IN, 0), rdata.as_wire());
            }
            return set.len() as u16;
        }
    };
    push(message, name, (rtype, class, 0), &[]);
    1
}

fn push_edit(message: &mut Vec<u8>, edit: &Edit) -> u16 {
    match edit {
        Edit::Add { owner, rtype, ttl_s, rdata } => {
            push(message, owner, (*rtype, Class::IN, *ttl_s), rdata.as_wire());
        }
        Edit::DeleteRrset { owner, rtype } => push(message, owner, (*rtype, Class::ANY, 0), &[]),
        Edit::DeleteName { owner } => push(message, owner, (Rtype::ANY, Class::ANY, 0), &[]),
        Edit::DeleteRecord { owner, rtype, rdata } => {
            push(message, owner, (*rtype, Class::NONE, 0), rdata.as_wire());
        }
        Edit::Replace { owner, rtype, rrset } => {
            push(message, owner, (*rtype, Class::ANY, 0), &[]);
            for rdata in &rrset.rdata {
                push(message, owner, (*rtype, Class::IN, rrset.ttl_s), rdata.as_wire());
            }
            return 1 + rrset.rdata.len() as u16;
        }
    }
    1
}

fn push(
    message: &mut Vec<u8>,
    owner: &Name,
    (rtype, class, ttl): (Rtype, Class, u32),
    data: &[u8],
) {
    message.extend_from_slice(owner.as_wire());
    push_u16s(message, &[rtype.0, class.0]);
    message.extend_from_slice(&ttl.to_be_bytes());
    push_u16s(message, &[data.len() as u16]);
    message.extend_from_slice(data);
}

fn push_u16s(message: &mut Vec<u8>, numbers: &[u16]) {
    for number in numbers {
        message.extend_from_slice(&number.to_be_bytes());
    }
}

/// What we take over UDP, in octets.
const UDP_OCTETS: u16 = 1232;
