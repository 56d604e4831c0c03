//! Labels that only the operator gives to a host.

use wire::Name;

use crate::entity::ZoneEntry;

/// Whether the label of a name next below the apex of its zone is reserved there: on a suffix by
/// what programs look for of themselves, and in any zone by what it says itself.
pub fn is_reserved(name: &Name, zone: &ZoneEntry) -> bool {
    let below = name.label_count().saturating_sub(zone.apex.label_count());
    let Some(label) = below.checked_sub(1).and_then(|at| name.labels().nth(at)) else {
        return false;
    };
    let usual = if zone.suffix { USUAL } else { &[] };
    let own = zone.reserved.iter().map(String::as_str);
    usual.iter().copied().chain(own).any(|pattern| matches(pattern.as_bytes(), label))
}

/// A label, or with `*` at its end all that begin so.
fn matches(pattern: &[u8], label: &[u8]) -> bool {
    match pattern.strip_suffix(b"*") {
        Some(head) => label.get(..head.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(head)),
        None => label.eq_ignore_ascii_case(pattern),
    }
}

/// Names that stand for the suffix itself to people, mailers, browsers or those who give out
/// certificates.
const USUAL: &[&str] = &[
    "_*",
    "abuse",
    "admin",
    "administrator",
    "api",
    "autoconfig",
    "autodiscover",
    "dns*",
    "email",
    "ftp",
    "hostmaster",
    "imap",
    "isatap",
    "ldap",
    "localhost",
    "login",
    "mail*",
    "mta-sts",
    "mx*",
    "ns",
    "ns0*",
    "ns1*",
    "ns2*",
    "ns3*",
    "ns4*",
    "ns5*",
    "ns6*",
    "ns7*",
    "ns8*",
    "ns9*",
    "ntp",
    "openpgpkey",
    "pop",
    "pop3",
    "postmaster",
    "root",
    "security",
    "sip",
    "smtp*",
    "ssladmin",
    "ssladministrator",
    "sslwebmaster",
    "support",
    "sysadmin",
    "webmail",
    "webmaster",
    "wpad",
    "www*",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::{AccountId, Timestamp};

    #[test]
    fn reserved_labels_table() {
        let apex = Name::parse("dyn.example").unwrap();
        let zone = ZoneEntry::new(apex, AccountId(0), Timestamp(0));
        let own = vec!["shop".to_owned(), "corp-*".to_owned()];
        let suffix = ZoneEntry { suffix: true, reserved: own, ..zone.clone() };
        for (text, expected) in [
            ("www.dyn.example", true),
            ("WWW2.dyn.example", true),
            ("ns1.dyn.example", true),
            ("ns.dyn.example", true),
            ("nsa.dyn.example", false),
            ("nsupdate.dyn.example", false),
            ("_acme-challenge.dyn.example", true),
            ("wpad.dyn.example", true),
            ("Shop.dyn.example", true),
            ("shops.dyn.example", false),
            ("corp-7.dyn.example", true),
            ("home.dyn.example", false),
            // What lies below a host is its owner's.
            ("www.home.dyn.example", false),
            ("home.www.dyn.example", true),
            ("dyn.example", false),
        ] {
            let name = Name::parse(text).unwrap();
            assert_eq!(is_reserved(&name, &suffix), expected, "{text}");
            assert!(!is_reserved(&name, &zone), "{text}: nobody else gets a name there");
        }
    }
}
