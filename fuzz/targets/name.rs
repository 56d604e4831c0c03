//! Any text as a name, and any octets as a name: what is accepted comes back from its text, orders
//! as RFC 4034 says, and `domain` reads the same.
#![no_main]

use std::str::FromStr;

use domain::base::{CanonicalOrd, Name as Theirs, ToName};
use libfuzzer_sys::fuzz_target;
use wire::Name;

fuzz_target!(|octets: &[u8]| {
    if let Ok(text) = std::str::from_utf8(octets)
        && let Ok(name) = Name::parse(text)
    {
        check(&name);
        if let Ok(theirs) = Theirs::<Vec<u8>>::from_str(text) {
            assert_eq!(theirs.as_slice(), name.as_wire(), "{text}");
        }
    }
    let Ok((first, len)) = Name::split_from(octets) else { return };
    check(&first);
    let Ok((second, _)) = Name::split_from(&octets[len..]) else { return };
    let theirs = |name: &Name| Theirs::from_octets(name.as_wire().to_vec()).expect("a name");
    let (their_first, their_second) = (theirs(&first), theirs(&second));
    assert_eq!(first.cmp(&second), their_first.canonical_cmp(&their_second));
    assert_eq!(first == second, their_first == their_second);
    assert_eq!(first.is_subdomain_of(&second), their_first.ends_with(&their_second));
    if let Some(relative) = first.strip_suffix(&second) {
        assert_eq!(Name::join(relative, &second), Ok(first.clone()));
    }
});

fn check(name: &Name) {
    assert_eq!(Name::parse(&name.to_string()).as_ref(), Ok(name));
    assert_eq!(Name::from_wire(name.as_wire()).as_ref(), Ok(name));
    assert!(name.as_wire().len() <= 255 && name.label_count() <= 127);
    assert!(name.labels().all(|label| (1..=63).contains(&label.len())));
    let theirs = Theirs::from_octets(name.as_wire()).expect("domain takes the name");
    assert_eq!(theirs.to_vec().as_slice(), name.as_wire());
}
