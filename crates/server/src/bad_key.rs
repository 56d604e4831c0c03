//! The answer to a signed query as long as we have no keys.

use wire::{Class, Message, Name, RecordRef, Rtype, Section};

/// The TSIG record that says that the key of a message is not known: without a MAC, as there is
/// nothing to sign with (RFC 8945 §5.2.1, §5.3.2). `None`: the message's own TSIG is malformed.
pub(crate) fn record(message: &[u8]) -> Option<Vec<u8>> {
    let message = Message::parse(message).ok()?;
    let tsig = message.records(Section::Additional).last()?;
    let data = error_data(&tsig)?;
    let mut record = tsig.owner.as_wire().to_vec();
    record.extend_from_slice(&Rtype::TSIG.0.to_be_bytes());
    record.extend_from_slice(&Class::ANY.0.to_be_bytes());
    record.extend_from_slice(&0_u32.to_be_bytes());
    record.extend_from_slice(&u16::try_from(data.len()).ok()?.to_be_bytes());
    record.extend_from_slice(&data);
    Some(record)
}

/// Algorithm, time, fudge and original id as they came, no MAC, and the error (RFC 8945 §4.2).
fn error_data(tsig: &RecordRef<'_>) -> Option<Vec<u8>> {
    let data = tsig.raw_data();
    let (_, algorithm) = Name::split_from(data).ok()?;
    let (before_mac, rest) = data.split_at_checked(algorithm + TIME_AND_FUDGE)?;
    let (mac_len, rest) = rest.split_first_chunk::<2>()?;
    let rest = rest.get(usize::from(u16::from_be_bytes(*mac_len))..)?;
    let (&[i0, i1, _, _, o0, o1], other) = rest.split_first_chunk::<6>()?;
    if other.len() != usize::from(u16::from_be_bytes([o0, o1])) {
        return None;
    }
    let [e0, e1] = BADKEY.to_be_bytes();
    Some([before_mac, &[0, 0, i0, i1, e0, e1, 0, 0]].concat())
}

const TIME_AND_FUDGE: usize = 8;
/// RFC 8945 §3.
const BADKEY: u16 = 17;
