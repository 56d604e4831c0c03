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
        ("/nic/update?hostname=all.ddnskey.com", Some(Profile::NoIp)),
        ("/nic/update?hostname=h.example&txt=x", Some(Profile::He)),
        ("/nic/delete", Some(Profile::Nsupdate)),
        ("/v1/zones", None),
    ] {
        assert_eq!(Profile::detect(&asked(target)), profile, "{target}");
    }
}

/// `curl -u host:token https://d/`, as deSEC's documentation has it, and a browser that still knows
/// what it was told at `/nic/update`.
#[test]
fn credentials_at_the_root_are_an_update_unless_a_page_is_wanted() {
    for (accept, profile) in [
        ("", Some(Profile::Dyndns2)),
        ("Accept: */*\r\n", Some(Profile::Dyndns2)),
        ("Accept: text/html,application/xhtml+xml\r\n", None),
    ] {
        let mut reader = Reader::new(Limits::default());
        let basic = "Authorization: Basic dTpw";
        reader.push(format!("GET / HTTP/1.1\r\nHost: d\r\n{basic}\r\n{accept}\r\n").as_bytes());
        let request = reader.next().unwrap().unwrap();
        assert_eq!(Profile::detect(&request), profile, "{accept}");
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
    for (number, name) in [
        (1, "dyndns2"),
        (2, "dyn"),
        (3, "noip"),
        (4, "google"),
        (5, "desec"),
        (6, "nsupdate"),
        (7, "he"),
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
    ] {
        assert_eq!(Profile::from_number(number).map(Profile::name), Some(name));
    }
}

#[test]
fn a_host_may_be_set_to_a_member_of_the_family_only() {
    let mut choices: Vec<&str> =
        Profile::ALL.iter().filter(|p| p.is_choice()).map(|p| p.name()).collect();
    let mut known = ["dyndns2", "dyn", "noip", "google", "desec", "nsupdate", "he", "changeip"];
    known.sort_unstable();
    choices.sort_unstable();
    assert_eq!(choices, known);
}
