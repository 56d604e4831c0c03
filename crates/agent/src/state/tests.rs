use super::*;
use crate::address::Addresses;
use crate::desired::{Desired, Want};
use crate::outcome::{Outcome, Pausing, Stop};

const NOW: u64 = 1_700_000_000_000;

fn target(text: &str) -> Target {
    Target(text.to_owned())
}

fn both() -> Desired {
    let hold = |text: &str| Want::Hold(Addresses::one(text.parse().unwrap()));
    Desired { ipv4: hold("9.0.0.1"), ipv6: hold("2a00::1") }
}

fn sample() -> State {
    let mut state = State::default();
    let mut settle = |host: &str, outcome: Outcome| {
        let record = state.record(host, "https://dyn.example", &target(host));
        record.settle(&both(), &Outcome::Confirmed { changed: true }, NOW, 0);
        let removal = Desired { ipv4: Want::Keep, ipv6: Want::Remove };
        record.settle(&removal, &outcome, NOW + 1, 7);
    };
    settle("a.dyn.example", Outcome::Confirmed { changed: false });
    settle("b.dyn.example", Outcome::Stopped(Stop::Donator));
    settle("c.dyn.example", Outcome::Paused(Pausing::Unreachable("refused".to_owned())));
    settle("d.dyn.example", Outcome::Paused(Pausing::Unconfirmed("late".to_owned())));
    for code in Pausing::CODES {
        settle(code, Outcome::Paused(Pausing::Unavailable { code, for_s: Some(60) }));
    }
    state
}

#[test]
fn what_is_written_is_read_again() {
    let state = sample();
    assert_eq!(State::parse(&state.to_text()).unwrap(), state);
}

#[test]
fn every_stop_is_written_and_read() {
    for stop in Stop::ALL {
        let mut state = State::default();
        let record = state.record("a.dyn.example", "s", &target("t"));
        record.settle(&both(), &Outcome::Stopped(stop), NOW, 0);
        assert_eq!(State::parse(&state.to_text()).unwrap(), state);
    }
}

#[test]
fn a_file_of_format_1_is_read_by_every_later_version() {
    let text = r#"{"version":1,"hosts":[{"host":"nas.dyn.example","server":"https://dyn.example",
        "target":"0011","ipv4":{"addresses":["9.0.0.1"],"at_ms":1700000000000,"changed":true},
        "ipv6":null,"stopped":{"code":"badauth","at_ms":1700000000001},"paused":null}]}"#;
    let state = State::parse(text).unwrap();
    let entry = state.entries()[0];
    assert_eq!(entry.host, "nas.dyn.example");
    let published = entry.record.published.ipv4.as_ref().unwrap();
    assert_eq!(published.addresses, ["9.0.0.1".parse::<std::net::IpAddr>().unwrap()]);
    assert_eq!(
        entry.record.hold,
        crate::plan::Hold::Stopped { stop: Stop::Badauth, at_ms: 1_700_000_000_001 }
    );
}

#[test]
fn what_is_no_state_is_an_error_and_no_crash() {
    let whole = sample().to_text();
    for end in 0..whole.trim_end().len() {
        if whole.is_char_boundary(end) {
            assert!(State::parse(&whole[..end]).is_err(), "{end}");
        }
    }
    assert!(matches!(State::parse("{\"version\":2}"), Err(StateError::Version(2))));
    let word = whole.replace("!donator", "whatever");
    assert!(matches!(State::parse(&word), Err(StateError::Word(_))));
}

#[test]
fn another_token_begins_anew_and_another_host_or_service_is_left_alone() {
    let mut state = State::default();
    let stopped = Outcome::Stopped(Stop::Badauth);
    for (host, server, of) in [("a", "s", "1"), ("a", "other", "2"), ("b", "s", "3")] {
        state.record(host, server, &target(of)).settle(&both(), &stopped, NOW, 0);
    }
    let renewed = state.record("a", "s", &target("4"));
    assert_eq!(*renewed, Record::new(target("4")));
    let left: Vec<&str> =
        state.entries().iter().map(|entry| entry.record.target.0.as_str()).collect();
    assert_eq!(left, ["2", "4", "3"]);
}

#[test]
fn there_is_a_limit_on_hosts_and_the_oldest_goes_first() {
    let mut state = State::default();
    for at in 0..ENTRIES_MAX as u64 + 2 {
        let record = state.record(&format!("h{at}"), "s", &target(&at.to_string()));
        record.settle(&both(), &Outcome::Confirmed { changed: true }, NOW + at, 0);
    }
    assert_eq!(state.entries().len(), ENTRIES_MAX);
    let kept = |host: &str| state.entries().iter().any(|entry| entry.host == host);
    assert!(!kept("h0") && !kept("h1") && kept("h2"));
}
