//! Types that the `domain` crate reads and shows: those of DNSSEC, SVCB, CAA and their like.

use std::fmt;

use bytes::Bytes;
use domain::base::ParsedName;
use domain::base::iana;
use domain::base::rdata::{ComposeRecordData, ParseRecordData};
use domain::base::zonefile_fmt::{DisplayKind, ZonefileFmt};
use domain::rdata::ZoneRecordData;
use domain::zonefile;
use domain::zonefile::inplace::Zonefile;
use octseq::Parser;

use crate::name::Name;
use crate::rdata::{Block, Rdata, RdataError, blocks};
use crate::text::fields::{ALGORITHMS, of_mnemonic};
use crate::types::Rtype;
use crate::zonefile::entry::Word;

/// Reads the words of one record.
pub(super) fn read(rtype: Rtype, words: &[Word<'_>], origin: &Name) -> Result<Rdata, RdataError> {
    let bad = |why: &dyn fmt::Display| RdataError::Text(rtype, why.to_string());
    // It does not take `@` for the origin in data.
    let has_names = blocks(rtype).iter().any(|block| {
        matches!(
            block,
            Block::OldName
                | Block::FoldedName
                | Block::FoldedNameOrNone
                | Block::Name
                | Block::Rest
        )
    });
    let mut line = format!(". 0 IN TYPE{}", like(rtype).0).into_bytes();
    for (at, word) in words.iter().enumerate() {
        let mnemonic = word.text().filter(|_| Some(at) == algorithm_at(rtype));
        if let Some(number) = mnemonic.and_then(|text| of_mnemonic(text, &ALGORITHMS)) {
            line.extend_from_slice(format!(" {number}").as_bytes());
            continue;
        }
        match word {
            // RFC 9460 §2.1: a value may be quoted. It does not take quotes after `=`.
            word if is_value(rtype, words, at) => escape_into(word.octets, &mut line),
            word if word.is_quoted => {
                line.extend_from_slice(&[b" \"", word.octets, b"\""].concat())
            }
            word if has_names && word.is_sign(b"@") => {
                line.extend_from_slice(format!(" {origin}").as_bytes());
            }
            word => line.extend_from_slice(&[b" ", word.octets].concat()),
        }
    }
    line.push(b'\n');
    let mut zonefile = Zonefile::from(line.as_slice());
    zonefile.set_origin(their_name(origin));
    match zonefile.next_entry().map_err(|error| bad(&error))? {
        Some(zonefile::inplace::Entry::Record(record)) => rdata_of(rtype, record.data()),
        Some(zonefile::inplace::Entry::Include { .. }) | None => Err(bad(&"no data")),
    }
}

/// The word that is an algorithm, for which there are mnemonics (RFC 4034 appendix A.1), which the
/// other crate does not take.
fn algorithm_at(rtype: Rtype) -> Option<usize> {
    match like(rtype) {
        Rtype::DS | Rtype::CDS => Some(1),
        Rtype::DNSKEY | Rtype::CDNSKEY => Some(2),
        _ => None,
    }
}

/// Whether a word is the quoted value that belongs to the key before it.
fn is_value(rtype: Rtype, words: &[Word<'_>], at: usize) -> bool {
    let key = at.checked_sub(1).and_then(|at| words.get(at));
    let is_quoted = words.get(at).is_some_and(|word| word.is_quoted && word.is_joined);
    is_quoted
        && matches!(rtype, Rtype::SVCB | Rtype::HTTPS)
        && key.is_some_and(|key| !key.is_quoted && key.octets.ends_with(b"="))
}

/// What was quoted, so that it means the same without quotes.
fn escape_into(octets: &[u8], line: &mut Vec<u8>) {
    for &octet in octets {
        match octet {
            b' ' | b'\t' | b'\r' | b'(' | b')' | b';' => {
                line.extend_from_slice(format!("\\{octet:03}").as_bytes());
            }
            octet => line.push(octet),
        }
    }
}

/// As the `domain` crate shows it; `None` when it does not know the type.
pub(super) fn show(rtype: Rtype, octets: &[u8]) -> Option<String> {
    type Data<'a> = ZoneRecordData<&'a [u8], ParsedName<&'a [u8]>>;
    let mut parser = Parser::from_ref(octets);
    let theirs = iana::Rtype::from_int(like(rtype).0);
    let data = Data::parse_rdata(theirs, &mut parser).ok()??;
    if matches!(data, Data::Unknown(_)) {
        return None;
    }
    Some(data.display_zonefile(DisplayKind::Simple).to_string())
}

/// The type of which the other crate knows the form, where it is that of a type that it does not
/// know.
fn like(rtype: Rtype) -> Rtype {
    match rtype {
        Rtype::KEY | Rtype::RKEY => Rtype::DNSKEY,
        Rtype::SMIMEA => Rtype::TLSA,
        Rtype::DLV | Rtype::TA => Rtype::DS,
        other => other,
    }
}

/// Record data of the other crate as ours, checked against our table.
fn rdata_of<D: ComposeRecordData>(rtype: Rtype, data: &D) -> Result<Rdata, RdataError> {
    let mut octets = Vec::new();
    data.compose_rdata(&mut octets).map_err(|_| RdataError::Malformed(rtype))?;
    Rdata::new(rtype, &octets)
}

/// A name as the other crate has it.
fn their_name(name: &Name) -> domain::base::Name<Bytes> {
    let octets = Bytes::copy_from_slice(name.as_wire());
    domain::base::Name::from_octets(octets).unwrap_or_else(|_| domain::base::Name::root_bytes())
}
