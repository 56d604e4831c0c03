//! What the program says besides its results: logs, metrics, readiness.

use std::io::Write;
use std::net::TcpStream;

use serde_json::Value;

use crate::bynamed::{HOST, Place, ZONE};

#[test]
fn secrets_are_not_in_logs_nor_shown_again() {
    for format in ["text", "json"] {
        let (place, old) = Place::with_host();
        let key = "bm90IGZvciBldmVyeWJvZHkncyBleWVz";
        let add = ["key", "add", "k", "--secret", key, "--zone", ZONE, "--allow", "update"];
        assert!(!place.run(&add).out.contains(key), "a secret that was given is not repeated");
        let service = place.serve(&["--log-level", "trace", "--log-format", format]);
        let wrong = format!("byn_{}", old[4..].chars().rev().collect::<String>());
        assert_eq!(service.update(&wrong, "198.51.100.7"), "badauth");
        assert_eq!(service.update(&old, "198.51.100.7"), "good 198.51.100.7");
        let made = place.json(&["host", "rotate", HOST]);
        let new = made["token"].as_str().expect("a token");
        assert_eq!(service.update(new, "198.51.100.8"), "good 198.51.100.8");
        // In the address of the page, as some firmware does.
        service.get(&format!("/nic/update?hostname={HOST}&password={new}"), None);
        let basic = data_encoding::BASE64.encode(format!("{HOST}:{new}").as_bytes());
        let shown = [&["token", "list"][..], &["key", "list"], &["host", "show", HOST]]
            .map(|order| place.json(order).to_string());
        let log = service.log();
        assert!(log.contains(HOST), "the log says something");
        for secret in [&old, &wrong, new, key, &basic] {
            assert!(!log.contains(secret), "{secret} is in the log");
            assert!(shown.iter().all(|shown| !shown.contains(secret)), "{shown:?}");
        }
    }
}

#[test]
fn tokens_are_kept_as_hashes_only() {
    let (place, token) = Place::with_host();
    for entry in std::fs::read_dir(place.data()).expect("the data directory") {
        let path = entry.expect("an entry").path();
        let octets = std::fs::read(&path).expect("a file");
        let found = octets.windows(token.len()).any(|part| part == token.as_bytes());
        assert!(!found, "a token is in {}", path.display());
    }
}

#[test]
fn log_in_json_is_one_event_a_line() {
    let (place, token) = Place::with_host();
    let service = place.serve(&["--log-level", "debug", "--log-format", "json"]);
    service.update(&token, "198.51.100.9");
    for line in service.log().lines() {
        let event: Value = serde_json::from_str(line).expect("JSON");
        assert!(event["level"].is_string() && event["timestamp"].is_string(), "{line}");
    }
}

#[test]
fn metrics_tell_of_doors_store_and_process() {
    let (place, token) = Place::with_host();
    let service = place.serve(&[]);
    assert_eq!(service.rcode(ZONE), 0);
    assert_eq!(service.update(&token, "198.51.100.7"), "good 198.51.100.7");
    let (status, text) = service.get("/metrics", None);
    assert_eq!(status, "HTTP/1.1 200 OK");
    for name in [
        "byname_build_info{version=",
        "byname_dns_answers_total{",
        "byname_commits_total 1",
        "byname_commit_seconds_bucket{",
        "byname_zones 1",
        "byname_hosts 1",
        "byname_store_writable 1",
        "process_resident_memory_bytes ",
        "process_open_fds ",
        "process_start_time_seconds ",
    ] {
        assert!(text.contains(name), "no {name} in\n{text}");
    }
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    for name in types.filter_map(|line| line.split(' ').next()) {
        assert!(text.contains(&format!("# HELP {name} ")), "nobody says what {name} is");
    }
}

#[test]
fn doors_that_nobody_chose_are_told_with_the_reason() {
    let (place, _) = Place::with_host();
    let service = place.serve(&[]);
    let log = service.log();
    let dns = service.dns().to_string();
    assert!(log.contains("DNS is open") && log.contains(&dns), "{log}");
    assert!(log.contains("HTTP is open") && log.contains("ready"), "{log}");
    assert_eq!(service.get("/readyz", None).0, "HTTP/1.1 200 OK");
}

#[test]
fn http_can_be_switched_off() {
    let (place, _) = Place::with_host();
    let arguments = ["serve", "--json", "--dns", "127.0.0.1:0", "--http", "none", "--workers", "1"];
    let service = place.start(place.command(&arguments));
    assert_eq!(service.ready["http"], serde_json::json!([]));
    assert_eq!(service.rcode(ZONE), 0);
}

#[test]
fn log_alone_tells_why_an_update_client_fails() {
    let (place, token) = Place::with_host();
    let service = place.serve(&[]);
    let user = Some((HOST, token.as_str()));
    let said = |words: &str| service.wait_for_log(words);
    assert_eq!(service.update(&token, "198.51.100.7"), "good 198.51.100.7");
    said("outcome=\"good\" addresses=\"198.51.100.7\"");
    // A path with a mistake in it, and one that another service has, with its secret.
    assert!(service.get("/nic/updat", user).0.contains("404"));
    said("no update path=/nic/updat source=127.0.0.1 status=404");
    let foreign = "/update/0123456789abcdef0123456789abcdef?hostname=nas.dyn.example";
    assert!(service.get(foreign, None).0.contains("404"));
    said("no update path=/update/* source=127.0.0.1 status=404");
    // HTTPS chosen for a port that speaks HTTP: the beginning of a ClientHello.
    let mut stream = TcpStream::connect(service.http()).expect("a connection");
    stream.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).expect("a socket that takes octets");
    said("why=\"the client speaks TLS; this is plain HTTP\"");
    // Who only looks around is not worth a line.
    assert!(service.get("/favicon.ico", None).0.contains("404"));
    let log = service.log();
    assert!(!log.contains("favicon") && !log.contains("0123456789abcdef"), "{log}");
    assert!(!log.contains(&token), "{log}");
}

#[test]
fn transfers_that_are_not_offered_are_not_promised() {
    let (place, _) = Place::with_host();
    let add = ["key", "add", "k", "--zone", ZONE, "--allow", "transfer"];
    let ended = place.run(&add);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.err.contains("note: transfers are not offered yet"), "{ended:?}");
    assert!(!place.run(&["key", "list"]).err.contains("transfers"));
    let add = ["key", "add", "other", "--zone", ZONE, "--allow", "update"];
    assert!(!place.run(&add).err.contains("transfers"));
}
