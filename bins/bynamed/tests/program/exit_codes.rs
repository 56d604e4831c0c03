//! Exit codes say whose fault it is, and what to do is said with them.

use std::io::{Read, Write};
use std::net::UdpSocket;
use std::os::unix::net::UnixListener;

use serde_json::Value;

use crate::bynamed::{HOST, Place, ZONE, bare, end, write};

#[test]
fn exit_code_2_is_for_command_lines_that_make_no_sense() {
    let place = Place::new();
    for arguments in [
        &["--no-such-flag"][..],
        &["zone"],
        &["zone", "add"],
        &["no-such-command"],
        &["serve", "--workers", "none"],
        &["serve", "--workers", "0"],
        &["serve", "--dns", "somewhere"],
        &["serve", "--http", "none,127.0.0.1:0"],
        &["key", "add", "k", "--zone", ZONE, "--allow", "everything"],
        &["token", "revoke", "x"],
    ] {
        let ended = place.run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.out.is_empty(), "{arguments:?}: talk goes to standard error");
        assert!(!ended.err.is_empty());
        let ended = end(bare(&[arguments, &["--json"]].concat()).env("BYNAME_DATA", place.data()));
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        let told: Value = serde_json::from_str(&ended.out).expect("JSON");
        assert_eq!(told["exit"], 2);
        assert!(told["error"].as_str().is_some_and(|error| !error.is_empty()), "{told}");
    }
    assert!(!place.data().exists(), "nothing was made");
}

#[test]
fn exit_code_1_is_for_what_could_not_be_done() {
    let (place, _) = Place::with_host();
    for (arguments, words) in [
        (&["zone", "add", ZONE][..], "exists already"),
        (&["zone", "show", "other.example"], "no such zone"),
        (&["zone", "add", "a..b"], "is not a domain name"),
        (&["host", "add", HOST], "exists already"),
        (&["host", "add", "nas.other.example"], "no such zone"),
        (&["host", "rotate", "x.dyn.example"], "no such host"),
        (&["host", "set", HOST, "--ttl", "100000"], "86400"),
        (&["token", "revoke", "999"], "no such token"),
        (&["account", "freeze", "nobody"], "no such account"),
        (&["key", "remove", "nothing"], "no such key"),
        (
            &["key", "add", "k", "--algorithm", "rot13", "--zone", ZONE, "--allow", "update"],
            "unknown algorithm",
        ),
        (&["zone", "import", ZONE, "/no/such/file"], "/no/such/file"),
        (&["restore", "/no/such/file"], "holds data already"),
    ] {
        let ended = place.run(arguments);
        assert_eq!(ended.code, Some(1), "{arguments:?}: {ended:?}");
        assert!(ended.err.contains(words), "{arguments:?}: {ended:?}");
        assert!(ended.out.is_empty(), "{arguments:?}: {ended:?}");
        // Programs find the same on standard output.
        let ended = place.run(&[arguments, &["--json"]].concat());
        let told: Value = serde_json::from_str(&ended.out).expect("JSON");
        assert_eq!(told["exit"], 1);
        assert!(told["error"].as_str().is_some_and(|error| error.contains(words)), "{told}");
    }
}

#[test]
fn what_is_missing_or_there_already_is_named() {
    let (place, _) = Place::with_host();
    place.json(&["account", "add", "alice"]);
    place.json(&["key", "add", "k", "--zone", ZONE, "--allow", "update"]);
    for (arguments, told) in [
        (&["zone", "add", ZONE][..], "zone exists already: dyn.example"),
        (&["zone", "remove", "x.example"], "no such zone: x.example"),
        (&["host", "add", HOST], "host exists already: nas.dyn.example"),
        (&["host", "add", "nas.x.example"], "no such zone for this name: nas.x.example"),
        (&["host", "rotate", "x.dyn.example"], "no such host: x.dyn.example"),
        (&["host", "remove", "x.dyn.example"], "no such host: x.dyn.example"),
        (&["host", "set", "x.dyn.example", "--ttl", "60"], "no such host: x.dyn.example"),
        (&["token", "add", HOST, "x.dyn.example"], "no such host: x.dyn.example"),
        (&["token", "revoke", "999"], "no such token: 999"),
        (&["account", "add", "alice"], "account exists already: alice"),
        (&["key", "add", "k", "--zone", ZONE, "--allow", "update"], "key exists already: k"),
        (
            &["key", "add", "l", "--zone", ZONE, "--zone", "x.example", "--allow", "update"],
            "no such zone: x.example",
        ),
        (&["key", "remove", "x"], "no such key: x"),
    ] {
        let ended = place.run(arguments);
        assert_eq!(ended.err.trim_end(), format!("error: {told}"), "{arguments:?}");
    }
}

#[test]
fn file_that_cannot_be_read_is_named_whoever_would_read_it() {
    let (place, _) = Place::with_host();
    let fresh = Place::new();
    let folder = place.beside("folder");
    std::fs::create_dir(&folder).expect("a folder");
    let folder = folder.display().to_string();
    let check = || {
        for (place, arguments, path) in [
            (&place, &["zone", "import", "x.example", &folder][..], &*folder),
            (&place, &["zone", "import", "x.example", "/no/such/file"], "/no/such/file"),
            (&fresh, &["restore", "/no/such/file"], "/no/such/file: No such file"),
            (&fresh, &["restore", &folder], &*folder),
        ] {
            let ended = place.run(arguments);
            assert_eq!(ended.code, Some(1), "{arguments:?}: {ended:?}");
            assert!(ended.err.contains(path), "{arguments:?}: {ended:?}");
            assert!(!ended.err.contains("is not a backup"), "{arguments:?}: {ended:?}");
        }
    };
    check();
    let _service = place.serve(&[]);
    check();
}

#[test]
fn exit_code_3_is_for_what_a_rule_forbids() {
    let (place, _) = Place::with_host();
    place.json(&["account", "add", "alice"]);
    place.json(&["zone", "add", "alice.example", "--account", "alice"]);
    place.json(&["account", "freeze", "alice"]);
    let arguments = ["host", "add", "nas.alice.example", "--account", "alice"];
    let ended = place.run(&arguments);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let _service = place.serve(&[]);
    let ended = place.run(&arguments);
    assert_eq!(ended.code, Some(3), "through the service: {ended:?}");
}

#[test]
fn exit_code_4_is_for_a_service_that_does_not_answer() {
    let (place, _) = Place::with_host();
    let listener = UnixListener::bind(place.data().join("admin.sock")).expect("a socket");
    let hangs_up = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a caller");
        stream.write_all(b"byname admin 1\n").expect("a socket that takes octets");
        let mut order = [0; 1024];
        stream.read(&mut order).expect("an order")
    });
    let ended = place.run(&["zone", "list"]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.err.contains("could not confirm"), "{ended:?}");
    assert!(hangs_up.join().expect("a thread") > 0);
}

#[test]
fn port_that_is_taken_is_named_with_what_to_do() {
    let place = Place::new();
    let taken = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let address = taken.local_addr().expect("an address").to_string();
    let ended = place.run(&["serve", "--dns", &address, "--http", "none"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains(&address), "{ended:?}");
    assert!(ended.err.contains("hint: ") && ended.err.contains("--dns"), "{ended:?}");
    let http = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
    let address = http.local_addr().expect("an address").to_string();
    let ended = place.run(&["serve", "--dns", "127.0.0.1:0", "--http", &address]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains(&address) && ended.err.contains("--http"), "{ended:?}");
}

#[test]
fn address_of_another_machine_is_named_with_what_to_do() {
    let ended = Place::new().run(&["serve", "--dns", "192.0.2.1:5300", "--http", "none"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("192.0.2.1:5300") && ended.err.contains("hint: "), "{ended:?}");
}

#[test]
fn data_directory_that_cannot_be_used_is_named_with_what_to_do() {
    let place = Place::new();
    write(&place.data(), "a file is in the way");
    for arguments in [&["zone", "add", ZONE][..], &["serve", "--dns", "127.0.0.1:0"]] {
        let ended = place.run(arguments);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let path = place.data().display().to_string();
        assert!(ended.err.contains(&path) && ended.err.contains("hint: "), "{ended:?}");
    }
}

#[test]
fn second_service_on_the_same_data_is_told() {
    let (place, _) = Place::with_host();
    let service = place.serve(&[]);
    let ended = place.run(&["serve", "--dns", "127.0.0.1:0", "--http", "none"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("in use by another bynamed"), "{ended:?}");
    assert!(ended.err.contains("hint: "), "{ended:?}");
    assert_eq!(service.rcode(ZONE), 0, "the first one goes on");
}

#[test]
fn looking_at_data_that_are_not_there_makes_none() {
    let place = Place::new();
    for arguments in [&["zone", "list"][..], &["host", "list"], &["backup", "/tmp/x"]] {
        let ended = place.run(arguments);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.err.contains("holds no data"), "{ended:?}");
    }
    assert!(!place.data().exists());
}

#[test]
fn help_and_version_are_results() {
    for flag in ["--help", "--version"] {
        let ended = end(&mut bare(&[flag]));
        assert_eq!(ended.code, Some(0));
        assert!(ended.out.contains("bynamed"), "{ended:?}");
    }
}
