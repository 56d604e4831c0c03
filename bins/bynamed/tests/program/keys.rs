//! Keys: what they may do, and where their secrets come from and do not go.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::bynamed::{Ended, Place, ZONE};

/// An order for a key with these options, and what comes of it.
fn add(place: &Place, name: &str, options: &[&str]) -> Ended {
    let order = ["key", "add", name, "--zone", ZONE, "--allow", "update", "--json"];
    place.run(&[&order[..], options].concat())
}

fn place() -> Place {
    let place = Place::new();
    place.json(&["zone", "add", ZONE]);
    place
}

fn listed(place: &Place, name: &str) -> Value {
    let list = place.json(&["key", "list"]);
    let rows = list.as_array().expect("a list");
    rows.iter().find(|row| row["key"] == name).cloned().expect("the key")
}

#[test]
fn list_shows_what_a_key_may_change_and_never_its_secret() {
    let place = place();
    let service = place.serve(&[]);
    let all = ["add", "delete"];
    for (name, options, expected) in [
        ("all", "", json!({ "names": [], "types": [], "actions": all })),
        (
            "nas.dyn.example",
            "--name self --name *._tcp.NAS.dyn.example --type a,AAAA,TYPE65280 --action add",
            json!({
                "names": ["self", "*._tcp.nas.dyn.example"],
                "types": ["A", "AAAA", "TYPE65280"],
                "actions": ["add"],
            }),
        ),
        (
            "acme",
            r"--name _acme-challenge.nas.dyn.example --name \*.dyn.example --type TXT --allow-truncated",
            json!({
                "names": ["_acme-challenge.nas.dyn.example", r"\*.dyn.example"],
                "types": ["TXT"],
                "actions": all,
                "truncated_ok": true,
            }),
        ),
        (
            "self.dyn.example",
            "--name self-subtree --action delete,add --algorithm sig0",
            json!({ "names": ["self-subtree"], "actions": all, "algorithm": "sig0" }),
        ),
    ] {
        let options: Vec<&str> = options.split_whitespace().collect();
        let ended = add(&place, name, &options);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let shown = listed(&place, name);
        for (field, value) in expected.as_object().expect("fields") {
            assert_eq!(&shown[field], value, "{name}: {field}");
        }
        let made: Value = serde_json::from_str(&ended.out).expect("JSON");
        if let Some(secret) = made["secret"].as_str() {
            assert!(!shown.to_string().contains(secret) && !service.log().contains(secret));
        } else {
            assert_eq!(shown["algorithm"], "sig0", "a secret was made and is not told");
        }
    }
    let people = place.run(&["key", "list"]).out;
    assert!(people.contains("self, *._tcp.nas.dyn.example"), "{people}");
}

#[test]
fn secret_that_is_made_is_as_long_as_the_hash_and_ready_for_key_files() {
    let place = place();
    for (algorithm, octets) in [
        ("hmac-sha1", 20),
        ("hmac-sha224", 28),
        ("hmac-sha256", 32),
        ("hmac-sha384", 48),
        ("hmac-sha512", 64),
    ] {
        let ended = add(&place, algorithm, &["--algorithm", algorithm, "--generate"]);
        let made: Value = serde_json::from_str(&ended.out).expect("JSON");
        let secret = made["secret"].as_str().expect("a secret");
        let decoded = data_encoding::BASE64.decode(secret.as_bytes()).expect("base64");
        assert_eq!(decoded.len(), octets, "{algorithm}");
        let bind = format!(r#"key "{algorithm}" {{ algorithm {algorithm}; secret "{secret}"; }};"#);
        assert_eq!(made["nsupdate"], bind);
        assert_eq!(made["knsupdate"], format!("{algorithm}:{algorithm}:{secret}"));
    }
    let order = ["key", "add", "people", "--zone", ZONE, "--allow", "update", "--generate"];
    let people = place.run(&order);
    assert!(people.out.contains("\nknsupdate  hmac-sha256:people:"), "{people:?}");
    assert!(people.err.contains("not shown again"), "{people:?}");
}

#[test]
fn secret_comes_from_a_file_or_standard_input() {
    let place = place();
    let file = place.beside("secret");
    std::fs::write(&file, " bm90IGZvciBldmVy\neWJvZHkncyBleWVz\n").expect("a file");
    let file = file.display().to_string();
    let ended = add(&place, "file", &["--secret-file", &file]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.out.contains("bm90"), "a secret that was given is not repeated");
    let order = ["key", "add", "pipe", "--zone", ZONE, "--allow", "update", "--secret", "-"];
    let mut command = place.command(&order);
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().expect("the program");
    let mut pipe = child.stdin.take().expect("a pipe");
    pipe.write_all(b"bm90IGZvciBldmVyeWJvZHkncyBleWVz\n").expect("a pipe that takes octets");
    drop(pipe);
    assert!(child.wait().expect("our own child").success());
    let log = std::fs::read(place.data().join("log.db")).expect("the log");
    let wal = std::fs::read(place.data().join("log.db-wal")).unwrap_or_default();
    let secret = b"not for everybody's eyes";
    let octets = [log, wal].concat();
    let found = octets.windows(secret.len()).filter(|part| part == secret).count();
    assert!(found >= 2, "the secrets of both keys are kept");
}

#[test]
fn key_that_makes_no_sense_is_refused_with_the_reason() {
    let place = place();
    let empty = place.beside("empty");
    std::fs::write(&empty, "\n").expect("a file");
    let empty = empty.display().to_string();
    for (options, code, words) in [
        (&["--algorithm", "hmac-md5"][..], 1, "--allow-md5"),
        (&["--algorithm", "sig0", "--secret", "c2VjcmV0"], 1, "no secret"),
        (&["--algorithm", "sig0", "--generate"], 1, "where messages are signed"),
        (&["--algorithm", "sig0"], 1, "lies in a zone that is served"),
        (&["--secret", "not base64"], 1, "not base64"),
        (&["--secret-file", &empty], 1, "no secret in it"),
        (&["--secret-file", "/no/such/file"], 1, "/no/such/file"),
        (&["--name", "nas.other.example"], 1, "none of its zones"),
        (&["--name", "a..b"], 1, "is not a name or pattern"),
        (&["--type", "A,NONSENSE"], 1, "`NONSENSE` is not the type of a record"),
        (&["--type", "ANY"], 1, "no zone can hold"),
        (&["--action", "replace"], 2, "invalid value"),
        (&["--secret", "c2VjcmV0", "--generate"], 2, "cannot be used with"),
        (&["--secret", "c2VjcmV0", "--secret-file", "x"], 2, "cannot be used with"),
    ] {
        let ended = add(&place, "k", options);
        assert_eq!(ended.code, Some(code), "{options:?}: {ended:?}");
        assert!(ended.err.contains(words), "{options:?}: {ended:?}");
    }
    assert_eq!(place.json(&["key", "list"]), json!([]));
    let ended = add(&place, "camera", &["--algorithm", "hmac-md5", "--allow-md5"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}
