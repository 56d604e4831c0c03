use super::*;
use crate::http::{Limits, Reader};

fn asked(target: &str) -> Request {
    let mut reader = Reader::new(Limits::default());
    reader.push(format!("GET {target} HTTP/1.1\r\nHost: d\r\n\r\n").as_bytes());
    reader.next().unwrap().unwrap()
}

#[test]
fn a_request_is_told_by_its_path_and_parameters() {
    let dyndns2 = Some(Profile::Dyndns2);
    for (target, profile) in [
        ("/nic/update", dyndns2),
        ("/nic/update?hostname=h.example", dyndns2),
        ("/x.php//nic/update/", dyndns2),
        ("/v2/update", dyndns2),
        ("/v3/update", dyndns2),
        ("/?hostname=h.example", dyndns2),
        ("/?MyIPv4=", dyndns2),
        ("/", None),
        ("/?x=y", None),
        ("/ip", None),
        ("/nic/updates", None),
        ("/v1/zones", None),
    ] {
        assert_eq!(Profile::detect(&asked(target)), profile, "{target}");
    }
}

#[test]
fn numbers_and_names_are_one_to_one() {
    for profile in Profile::ALL {
        assert_eq!(Profile::from_number(profile.number()), Some(*profile));
        assert_eq!(Profile::from_name(&profile.name().to_uppercase()), Some(*profile));
        assert!(profile.number() > 0);
    }
    assert_eq!(Profile::from_number(0), None);
    assert_eq!(Profile::from_name(""), None);
}

/// What is on disk keeps its meaning.
#[test]
fn numbers_never_change() {
    let numbers: Vec<(u8, &str)> =
        Profile::ALL.iter().map(|profile| (profile.number(), profile.name())).collect();
    let expected = [
        (20, "acme-dns"),
        (21, "httpreq"),
        (22, "duckdns"),
        (23, "dynv6"),
        (24, "freedns"),
        (25, "freedns2"),
        (26, "zoneedit"),
        (27, "easydns"),
        (28, "dyns"),
        (29, "pubyun"),
        (30, "hp"),
        (31, "ipv64"),
        (32, "changeip"),
        (1, "dyndns2"),
    ];
    assert_eq!(numbers, expected);
}
