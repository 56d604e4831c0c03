use super::*;
use crate::configuration::Settings;

#[test]
fn reference_is_in_step_with_the_table() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let written = std::fs::read_to_string(file).unwrap();
    let hint = "run `cargo run -p bynamed -- config --reference > docs/configuration.md`";
    assert_eq!(written, reference(), "{hint}");
}

#[test]
fn keys_are_unique_and_fit_file_environment_and_flags() {
    for option in OPTIONS {
        assert_eq!(OPTIONS.iter().filter(|other| other.key == option.key).count(), 1);
        let fits = option.key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        assert!(fits && !option.doc.is_empty(), "{}", option.key);
        assert_eq!(find(option.key).map(|found| found.key), Some(option.key));
    }
}

#[test]
fn sample_that_is_the_default_leaves_the_settings_as_they_are() {
    for option in OPTIONS.iter().filter(|option| option.default.is_none()) {
        let mut settings = Settings::usual();
        let value = option.sample.trim_matches('"').to_owned();
        (option.set)(&mut settings, &[value]).unwrap();
        let (set, usual) = (format!("{settings:?}"), format!("{:?}", Settings::usual()));
        assert_eq!(set, usual, "{}", option.key);
    }
}

#[test]
fn values_out_of_range_are_refused() {
    for (key, values) in [
        ("workers", &["0"][..]),
        ("workers", &["-1"]),
        ("workers", &["1", "2"]),
        ("dns", &[]),
        ("dns", &["127.0.0.1:65536"]),
        ("dns", &["localhost:53"]),
        ("http", &["none", "127.0.0.1"]),
        ("tcp_idle", &["0s"]),
        ("tcp_idle", &["2h"]),
        ("tcp_idle", &["10"]),
        ("tcp_idle", &["10ä"]),
        ("log_retention", &["59m"]),
        ("log_retention", &["99999999999999999999d"]),
        ("log_level", &["loud"]),
        ("log_level", &["server=loud"]),
        ("node", &[""]),
        ("node", &["a\nb"]),
        ("trusted_networks", &["10.0.0.0/33"]),
        ("trusted_networks", &["10.0.0.1/8"]),
        ("proxy_protocol", &["yes"]),
        ("data", &[""]),
    ] {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        let option = find(key).unwrap();
        assert!((option.set)(&mut Settings::usual(), &values).is_err(), "{key} {values:?}");
    }
}

#[test]
fn addresses_without_a_port_get_the_usual_one() {
    let mut settings = Settings::usual();
    let values = ["192.0.2.1", "2001:db8::1", "[2001:db8::2]", "[2001:db8::3]:5300"];
    (find("dns").unwrap().set)(&mut settings, &values.map(str::to_owned)).unwrap();
    let wanted = ["192.0.2.1:53", "[2001:db8::1]:53", "[2001:db8::2]:53", "[2001:db8::3]:5300"];
    assert_eq!(settings.dns, Some(wanted.map(|text| text.parse().unwrap()).to_vec()));
}

#[test]
fn suggestions_are_for_slips_only() {
    for (slip, meant) in [
        ("worker", Some("workers")),
        ("Workers", Some("workers")),
        ("log-level", Some("log_level")),
        ("loglevel", Some("log_level")),
        ("trusted_proxy", Some("trusted_proxies")),
        ("tcp_conections", Some("tcp_connections")),
        ("rubbish", None),
        ("host", None),
        ("token", None),
        ("server", None),
        ("x", None),
        ("", None),
    ] {
        assert_eq!(suggest(slip), meant, "{slip}");
    }
}

#[test]
fn distance_counts_edits() {
    for (a, b, edits) in
        [("", "", 0), ("a", "", 1), ("abc", "abc", 0), ("abc", "adc", 1), ("kitten", "sitting", 3)]
    {
        assert_eq!(distance(a, b), edits, "{a} {b}");
        assert_eq!(distance(b, a), edits, "{b} {a}");
    }
}
