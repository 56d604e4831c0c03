use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, SignatureAlgorithm};

use super::*;

fn pair(name: &str, algorithm: &'static SignatureAlgorithm) -> Pair {
    let key = KeyPair::generate_for(algorithm).unwrap();
    let certificate =
        CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    Pair::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap()
}

#[test]
fn the_certificate_for_the_name_is_chosen() {
    let names = ["first.example", "*.dyn.example", "home.dyn.example", "old.example"];
    let places = names.iter().map(|&name| name.to_owned()).collect();
    let certificates = Certificates::new(places);
    let both = [SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::ED25519];
    assert!(certificates.is_empty());
    assert!(certificates.choose(Some("first.example"), &both, 0).is_none());
    for (place, name) in names.iter().enumerate() {
        certificates.put(place, pair(name, &PKCS_ECDSA_P256_SHA256));
    }
    let now_s = now_s();
    let chosen = |name: Option<&str>, schemes: &[SignatureScheme]| {
        let key = certificates.choose(name, schemes, now_s).unwrap();
        let place = |place: &usize| {
            certificates.get(*place).is_some_and(|pair| Arc::ptr_eq(&pair.key, &key))
        };
        (0..names.len()).find(place).unwrap()
    };
    for (name, place) in [
        (Some("first.example"), 0),
        (Some("other.example"), 0),
        (None, 0),
        (Some("nas.dyn.example"), 1),
        (Some("home.dyn.example"), 2),
        (Some("OLD.example"), 3),
    ] {
        assert_eq!(chosen(name, &both), place, "{name:?}");
    }
    // A client that cannot check the better one gets one that it can check.
    certificates.put(0, pair("home.dyn.example", &PKCS_ED25519));
    assert_eq!(chosen(Some("home.dyn.example"), &both), 0);
    assert_eq!(chosen(Some("home.dyn.example"), &both[..1]), 2);
}

#[test]
fn of_two_for_one_name_the_valid_one_is_shown() {
    let certificates = Certificates::new(vec!["a".to_owned(), "b".to_owned()]);
    let mut old = CertificateParams::new(vec!["home.example".to_owned()]).unwrap();
    old.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let key = KeyPair::generate().unwrap();
    let old = old.self_signed(&key).unwrap().pem();
    let old = Pair::from_pem(old.as_bytes(), key.serialize_pem().as_bytes()).unwrap();
    certificates.put(0, old);
    certificates.put(1, pair("home.example", &PKCS_ECDSA_P256_SHA256));
    let schemes = [SignatureScheme::ECDSA_NISTP256_SHA256];
    let shown = certificates.choose(Some("home.example"), &schemes, now_s()).unwrap();
    assert!(Arc::ptr_eq(&shown, &certificates.get(1).unwrap().key));
}
