use rcgen::{CertificateParams, KeyPair};

use super::*;

fn pair(names: &[&str]) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn read(certificate: &str, key: &str) -> Result<Pair, PairError> {
    Pair::from_pem(certificate.as_bytes(), key.as_bytes())
}

#[test]
fn what_a_certificate_says_is_read() {
    let (certificate, key) = pair(&["Home.Example", "*.dyn.example", "192.0.2.1", "2001:db8::1"]);
    let pair = read(&certificate, &key).unwrap();
    assert_eq!(pair.names(), ["home.example", "*.dyn.example", "192.0.2.1", "2001:db8::1"]);
    assert!(pair.not_before_s() < pair.not_after_s());
    assert!(pair.is_valid(pair.not_after_s()) && !pair.is_valid(pair.not_after_s() + 1));
    assert!(!pair.serial().is_empty());
    assert!(!format!("{pair:?}").contains("BEGIN"));
    // Certificate and key may stand in one file.
    let both = format!("{key}{certificate}");
    assert!(read(&both, &both).is_ok());
}

#[test]
fn what_is_wrong_with_a_pair_is_told() {
    let (certificate, key) = pair(&["home.example"]);
    let (_, other) = pair(&["home.example"]);
    let (unnamed, its_key) = pair(&[]);
    let is_key = |found: &PairError| matches!(found, PairError::Key(_));
    let is_certificate = |found: &PairError| matches!(found, PairError::Certificate(_));
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let cut = certificate.replace("-----END", "-----ENT");
    let damaged = certificate.replacen("MII", "AAA", 1);
    for (found, expected) in [
        (read("", &key), PairError::NoCertificate),
        (read(&key, &key), PairError::NoCertificate),
        (read(&certificate, ""), PairError::NoKey),
        (read(&certificate, &certificate), PairError::NoKey),
        (read(&certificate, &encrypted), PairError::KeyEncrypted),
        (read(&certificate, &other), PairError::KeyMismatch),
        (read(&unnamed, &its_key), PairError::NoNames),
    ] {
        assert_eq!(found.unwrap_err(), expected);
    }
    assert!(is_certificate(&read(&cut, &key).unwrap_err()));
    assert!(is_certificate(&read(&damaged, &key).unwrap_err()));
    let no_key = key.replacen("MI", "AA", 1);
    let found = read(&certificate, &no_key).unwrap_err();
    assert!(is_key(&found), "{found}");
    let body = key.lines().nth(1).unwrap();
    assert!(!found.to_string().contains(&body[..8]), "no part of the key is shown");
}

#[test]
fn rfc6125_6_4_3_a_wildcard_stands_for_one_label() {
    let (certificate, key) = pair(&["dyn.example", "*.dyn.example", "a.b.example"]);
    let pair = read(&certificate, &key).unwrap();
    for (name, fit) in [
        ("dyn.example", Some(Fit::Exact)),
        ("DYN.Example", Some(Fit::Exact)),
        ("home.dyn.example", Some(Fit::Wildcard)),
        ("a.home.dyn.example", None),
        ("b.example", None),
        ("a.b.example", Some(Fit::Exact)),
        ("xdyn.example", None),
        ("", None),
        ("example", None),
    ] {
        assert_eq!(pair.fits(name), fit, "{name}");
    }
}
