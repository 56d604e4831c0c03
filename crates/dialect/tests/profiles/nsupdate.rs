//! nsupdate.info: `/nic/update` and `/nic/delete`, version of May 2026.

use dialect::{Outcome, Profile};

use crate::trial::{answer, check, check_answers, deleting, outcome, read};

const OK: &str = "HTTP/1.1 200 OK\nContent-Type: text/plain\n\n";

#[test]
fn the_user_is_the_host() {
    check(
        Profile::Nsupdate,
        &[
            ("h.example /nic/update", "h.example: source source"),
            ("h.example /nic/update?hostname=h.example", "h.example: source source"),
            ("h.example /nic/update?hostname=other.example", "nohost [NotTheUser]"),
            ("h.example /nic/update?hostname=other", "notfqdn"),
            ("h.example /nic/update?hostname=", "notfqdn"),
            ("joe /nic/update?hostname=h.example", "notfqdn"),
            ("joe /nic/update", "notfqdn"),
        ],
    );
}

#[test]
fn addresses_are_those_of_myip_or_the_source() {
    check(
        Profile::Nsupdate,
        &[
            ("h.example /nic/update?myip=", "h.example: source source"),
            ("h.example /nic/update?myip=192.0.2.1", "h.example: 192.0.2.1 keep"),
            ("h.example /nic/update?myip=192.0.2.1/24", "h.example: 192.0.2.1 keep"),
            (
                "h.example /nic/update?myip=192.0.2.1,%202001:db8::1/64",
                "h.example: 192.0.2.1 2001:db8::1",
            ),
            ("h.example /nic/update?myip=192.0.2.1,192.0.2.2", "h.example: 192.0.2.2 keep"),
            ("h.example /nic/update?myip=192.0.2.1,", "dnserr [NotAnAddress]"),
            ("h.example /nic/update?myip=x", "dnserr [NotAnAddress]"),
            ("h.example /nic/update?myip=<ipaddr>", "dnserr [AddressPlaceholder]"),
        ],
    );
}

/// Its issue 648.
#[test]
fn the_address_of_a_network_deletes() {
    check(
        Profile::Nsupdate,
        &[
            ("h.example /nic/update?myip=2001:db8:1:2::", "h.example: keep delete"),
            ("h.example /nic/update?myip=2001:db8:1:2::/64", "h.example: keep delete"),
            ("h.example /nic/update?myip=2001:db8:1:2::1", "h.example: keep 2001:db8:1:2::1"),
            ("h.example /nic/update?myip=192.0.2.0", "h.example: 192.0.2.0 keep"),
        ],
    );
    // Nobody else reads it so.
    for profile in [Profile::Dyndns2, Profile::Dyn, Profile::NoIp, Profile::Google, Profile::He] {
        let asked = read("h.example /nic/update?myip=2001:db8:1:2::/64");
        assert!(profile.parse(&asked).is_err(), "{profile:?}");
    }
}

#[test]
fn deleting_has_a_path_of_its_own() {
    let asked = read("h.example /nic/delete");
    assert_eq!(Profile::detect(&asked), Some(Profile::Nsupdate));
    check(
        Profile::Nsupdate,
        &[
            ("h.example /nic/delete", "h.example: delete-if-source delete-if-source"),
            ("h.example /nic/delete?myip=0.0.0.0", "h.example: delete keep"),
            ("h.example /nic/delete?myip=::", "h.example: keep delete"),
            ("h.example /nic/delete?myip=0.0.0.0,::", "h.example: delete delete"),
            ("h.example /nic/delete?myip=x", "dnserr [NotAnAddress]"),
            ("h.example /nic/delete?hostname=other.example", "nohost [NotTheUser]"),
        ],
    );
}

#[test]
fn answers_are_one_line_when_all_addresses_share_it() {
    check_answers(
        Profile::Nsupdate,
        &read("h.example /nic/update"),
        &[
            (&["good 192.0.2.1"], &format!("{OK}good 192.0.2.1")),
            (&["nochg 192.0.2.1"], &format!("{OK}nochg 192.0.2.1")),
            (&["nohost"], &format!("{OK}nohost")),
            (&["notfqdn"], &format!("{OK}notfqdn")),
            (&["dnserr"], &format!("{OK}dnserr")),
            (&["abuse"], &format!("{OK}abuse")),
            (&["badagent"], &format!("{OK}badagent")),
            (
                &["badauth"],
                "HTTP/1.1 401 Unauthorized\nContent-Type: text/plain\n\
                 WWW-Authenticate: Basic realm=\"byname\", charset=\"UTF-8\"\n\nbadauth",
            ),
            (
                &["911"],
                "HTTP/1.1 503 Service Unavailable\nContent-Type: text/plain\nRetry-After: 300\n\n911",
            ),
        ],
    );
    let both = read("h.example /nic/update?myip=192.0.2.1,2001:db8::1");
    check_answers(
        Profile::Nsupdate,
        &both,
        &[
            (&["good 192.0.2.1,2001:db8::1"], &format!("{OK}good 192.0.2.1,2001:db8::1")),
            (&["nochg 192.0.2.1,2001:db8::1"], &format!("{OK}nochg 192.0.2.1,2001:db8::1")),
        ],
    );
}

#[test]
fn answers_are_several_lines_when_they_are_mixed() {
    let asked = read("h.example /nic/update?myip=192.0.2.1,2001:db8::1");
    let mixed = |before: &str| Outcome {
        before: before.split(',').map(|text| text.parse().unwrap()).collect(),
        ..outcome("good 192.0.2.1,2001:db8::1")
    };
    let found = answer(Profile::Nsupdate, &asked, &[mixed("192.0.2.1,2001:db8::9")]);
    assert_eq!(found, format!("{OK}good 2001:db8::1\nnochg 192.0.2.1"));
    let found = answer(Profile::Nsupdate, &asked, &[mixed("192.0.2.9,2001:db8::9")]);
    assert_eq!(found, format!("{OK}good 192.0.2.1,2001:db8::1"));
}

#[test]
fn a_network_is_good_and_a_deletion_is_told_by_types() {
    let network = read("h.example /nic/update?myip=2001:db8:1:2::");
    for word in ["good", "nochg"] {
        let found = answer(Profile::Nsupdate, &network, &[deleting(word, false, true)]);
        assert_eq!(found, format!("{OK}good 2001:db8:1:2::"));
    }
    for (asked, ipv4, ipv6, expected) in [
        ("h.example /nic/delete", true, false, "deleted A"),
        ("h.example /nic/delete", false, true, "deleted AAAA"),
        ("h.example /nic/delete?myip=0.0.0.0", true, false, "deleted A"),
        ("h.example /nic/delete?myip=::,0.0.0.0", true, true, "deleted AAAA,A"),
    ] {
        for word in ["good", "nochg"] {
            let found = answer(Profile::Nsupdate, &read(asked), &[deleting(word, ipv4, ipv6)]);
            assert_eq!(found, format!("{OK}{expected}"), "{asked}");
        }
    }
}
