//! Any octets as data of any type, and as its text: what is accepted can be shown, and is read again
//! from that, by us and by `domain`.
#![no_main]

use domain::base::rdata::ComposeRecordData;
use domain::zonefile::inplace::{Entry, Zonefile};
use libfuzzer_sys::fuzz_target;
use wire::{Name, Rdata, Rtype};

fuzz_target!(|octets: &[u8]| {
    let Some((&[high, low], octets)) = octets.split_first_chunk::<2>() else { return };
    let rtype = Rtype(u16::from_be_bytes([high, low]));
    if let Ok(rdata) = Rdata::new(rtype, octets) {
        check(rtype, &rdata);
    }
    let Ok(text) = std::str::from_utf8(octets) else { return };
    if let Ok(rdata) = Rdata::parse(rtype, text, &Name::root()) {
        assert_eq!(Rdata::new(rtype, rdata.as_wire()).as_ref(), Ok(&rdata));
        check(rtype, &rdata);
    }
});

fn check(rtype: Rtype, rdata: &Rdata) {
    let canonical = rdata.canonical(rtype);
    assert_eq!(canonical.canonical(rtype), canonical);
    assert_eq!(Rdata::new(rtype, canonical.as_wire()).as_ref(), Ok(&canonical));
    let _ = rdata.target(rtype);
    if let Some(soa) = rdata.soa_fields().filter(|_| rtype == Rtype::SOA) {
        assert_eq!(Rdata::soa(&soa), *rdata);
    }
    let text = rdata.display(rtype).to_string();
    let read = Rdata::parse(rtype, &text, &Name::root());
    assert_eq!(read.as_ref(), Ok(rdata), "{rtype} {text}");
    check_with_theirs(rtype, rdata, &text);
}

/// `domain` reads the same from our text, with two exceptions: it refuses data that is malformed
/// beyond what we look at (it is shown in generic form, and we take it back), and it loses an empty
/// text at the end of a record.
fn check_with_theirs(rtype: Rtype, rdata: &Rdata, text: &str) {
    let line = format!(". 0 IN TYPE{} {text}\n", rtype.0);
    let mut zonefile = Zonefile::from(line.as_str());
    let Ok(Some(Entry::Record(record))) = zonefile.next_entry() else { return };
    let mut octets = Vec::new();
    if record.data().compose_rdata(&mut octets).is_ok() {
        assert_eq!(octets, rdata.as_wire(), "{line}");
    }
}
