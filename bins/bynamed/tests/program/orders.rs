//! Orders find the service, or the data, or wait for who has them.

use rustix::process::Signal;

use crate::bynamed::{HOST, Place, ZONE};

#[test]
fn orders_at_the_same_time_wait_for_each_other() {
    let (place, _) = Place::with_host();
    let hosts: Vec<String> = (0..8).map(|number| format!("h{number}.{ZONE}")).collect();
    std::thread::scope(|scope| {
        for host in &hosts {
            scope.spawn(|| place.json(&["host", "add", host]));
        }
    });
    assert_eq!(place.json(&["host", "list"]).as_array().map(Vec::len), Some(9));
}

#[test]
fn orders_while_a_service_starts_and_stops_are_carried_out_once() {
    let (place, _) = Place::with_host();
    std::thread::scope(|scope| {
        let orders = scope.spawn(|| {
            for number in 0..12 {
                place.json(&["host", "add", &format!("h{number}.{ZONE}")]);
            }
        });
        while !orders.is_finished() {
            // It may find the data directory in use by an order: that is an error, not a wait.
            let mut command = place.command(&["serve", "--dns", "127.0.0.1:0", "--http", "none"]);
            let mut child = command.arg("--json").spawn().expect("the program");
            let id = i32::try_from(child.id()).expect("a process id");
            let pid = rustix::process::Pid::from_raw(id).expect("a process id");
            std::thread::park_timeout(std::time::Duration::from_millis(100));
            let _ = rustix::process::kill_process(pid, Signal::TERM);
            child.wait().expect("our own child");
        }
    });
    assert_eq!(place.json(&["host", "list"]).as_array().map(Vec::len), Some(13));
}

#[test]
fn socket_that_a_killed_service_left_is_in_nobodys_way() {
    let (place, token) = Place::with_host();
    let mut service = place.serve(&[]);
    assert_eq!(service.update(&token, "198.51.100.7"), "good 198.51.100.7");
    service.signal(Signal::KILL);
    service.wait();
    assert!(place.data().join("admin.sock").exists());
    assert_eq!(place.json(&["host", "show", HOST])["a"][0], "198.51.100.7");
    let again = place.serve(&[]);
    assert_eq!(place.json(&["zone", "list"])[0]["zone"], ZONE);
    assert!(again.stop().success());
    assert!(!place.data().join("admin.sock").exists());
}

#[test]
fn import_from_standard_input_becomes_visible_in_a_running_service() {
    let (place, _) = Place::with_host();
    let service = place.serve(&[]);
    let mut command = place.command(&["zone", "import", "new.example", "-"]);
    command.stdin(std::process::Stdio::piped());
    let mut child = command.stdout(std::process::Stdio::null()).spawn().expect("the program");
    let text = "@ 60 IN SOA ns1 h 1 2 3 4 5\n@ 60 IN NS ns1\n";
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), text.as_bytes())
        .expect("a pipe that takes octets");
    assert!(child.wait().expect("our own child").success());
    assert_eq!(service.rcode("new.example"), 0);
}

#[test]
fn scavenging_of_a_zone_is_set_shown_and_ended() {
    let (place, _) = Place::with_host();
    assert!(place.json(&["zone", "show", ZONE])["scavenge"].is_null());
    let service = place.serve(&[]);
    let wanted = serde_json::json!({ "no_refresh_s": 7 * 86_400, "refresh_s": 43_200 });
    let set = place.json(&["zone", "set", ZONE, "--scavenge", "7d,12h"]);
    assert_eq!(set["scavenge"], wanted);
    assert!(service.stop().success());
    assert_eq!(place.json(&["zone", "set", ZONE])["scavenge"], wanted, "what is not given stays");
    assert_eq!(place.json(&["zone", "list"])[0]["scavenge"], wanted);
    let people = place.run(&["zone", "show", ZONE]).out;
    assert!(people.contains("no_refresh_s 604800 refresh_s 43200\n"), "{people}");
    for (options, code, words) in [
        (&["--scavenge", "7d"][..], 2, "two times with a comma"),
        (&["--scavenge", "7d,x"], 2, "`x` is not a time"),
        (&["--scavenge", "7d,0s"], 1, "for a second at least"),
        (&["--scavenge", "7d,7d", "--no-scavenge"], 2, "cannot be used with"),
    ] {
        let ended = place.run(&[&["zone", "set", ZONE], options].concat());
        assert_eq!(ended.code, Some(code), "{options:?}: {ended:?}");
        assert!(ended.err.contains(words), "{options:?}: {ended:?}");
    }
    assert!(place.json(&["zone", "set", ZONE, "--no-scavenge"])["scavenge"].is_null());
}

#[test]
fn dialect_of_a_host_is_set_shown_and_told_of() {
    let (place, token) = Place::with_host();
    assert!(place.json(&["host", "show", HOST])["dialect"].is_null());
    let set = |name: &str| place.json(&["host", "set", HOST, "--dialect", name])["dialect"].clone();
    for name in ["dyndns2", "dyn", "noip", "google", "nsupdate", "he"] {
        assert_eq!(set(name), name);
    }
    assert_eq!(set("DESEC"), "desec");
    let other = place.json(&["host", "set", HOST, "--ttl", "30"]);
    assert_eq!(other["dialect"], "desec", "what is not given stays");
    for unknown in ["", "duckdns", "5", "no such"] {
        let ended = place.run(&["host", "set", HOST, "--dialect", unknown]);
        assert_eq!(ended.code, Some(1), "{unknown}: {ended:?}");
        assert!(ended.err.contains("one of `auto`") && ended.err.contains("`desec`"), "{ended:?}");
    }
    let service = place.serve(&[]);
    let update = || service.get("/nic/update?myip=9.9.9.9,2620:fe::9", Some((HOST, &token))).1;
    assert_eq!(update(), "good");
    assert!(set("auto").is_null());
    assert_eq!(update(), "nochg 9.9.9.9,2620:fe::9\n");
}

#[test]
fn expiry_of_a_host_is_set_shown_and_ended() {
    let (place, token) = Place::with_host();
    assert!(place.json(&["host", "show", HOST])["expiry"].is_null());
    let shown = |options: &[&str]| place.json(&[&["host", "set", HOST], options].concat());
    for (options, after_s, then) in [
        (&["--expire-after", "7d"][..], 604_800, "withdraw"),
        (&["--expire-after", "1h", "--then", "withdraw"], 3600, "withdraw"),
        (&["--expire-after", "60s", "--then", "cname=Sorry.example."], 60, "cname=Sorry.example"),
        (
            &["--expire-after", "2m", "--then", "park=9.9.9.9,2620:fe::9"],
            120,
            "park=9.9.9.9,2620:fe::9",
        ),
        (&["--ttl", "30"], 120, "park=9.9.9.9,2620:fe::9"),
    ] {
        let expiry = serde_json::json!({ "after_s": after_s, "then": then });
        assert_eq!(shown(options)["expiry"], expiry, "{options:?}");
    }
    for (options, code, words) in [
        (&["--then", "withdraw"][..], 2, "--expire-after"),
        (&["--expire-after", "7d", "--no-expiry"], 2, "cannot be used with"),
        (&["--expire-after", "soon"], 2, "`soon` is not a time"),
        (&["--expire-after", "0s"], 1, "one second to ten years"),
        (&["--expire-after", "7d", "--then", "park=nowhere"], 2, "`nowhere` is not an address"),
        (&["--expire-after", "7d", "--then", "burn"], 2, "none of `withdraw`"),
        (&["--expire-after", "7d", "--then", "cname=nas.dyn.example"], 1, "alias of itself"),
    ] {
        let ended = place.run(&[&["host", "set", HOST], options].concat());
        assert_eq!(ended.code, Some(code), "{options:?}: {ended:?}");
        assert!(ended.err.contains(words), "{options:?}: {ended:?}");
    }
    shown(&["--expire-after", "1s", "--then", "park=9.9.9.9"]);
    let service = place.serve(&[]);
    service.wait_for_log("nothing was heard of this host");
    assert_eq!(place.json(&["host", "show", HOST])["a"][0], "9.9.9.9");
    let (_, metrics) = service.get("/metrics", None);
    assert!(metrics.contains("byname_hosts_expired_total 1"), "{metrics}");
    assert!(shown(&["--no-expiry"])["expiry"].is_null());
    assert_eq!(service.update(&token, "9.9.9.9"), "good 9.9.9.9");
    assert!(place.json(&["host", "show", HOST])["parked"].is_null());
}

#[test]
fn frozen_account_cannot_change_its_hosts_and_rotated_tokens_are_worth_nothing() {
    let (place, old) = Place::with_host();
    let service = place.serve(&[]);
    let new = place.json(&["host", "rotate", HOST])["token"].as_str().map(str::to_owned);
    let new = new.expect("a token");
    assert_eq!(service.update(&old, "198.51.100.7"), "badauth");
    assert_eq!(service.update(&new, "198.51.100.7"), "good 198.51.100.7");
    place.json(&["account", "freeze", "operator"]);
    assert_ne!(service.update(&new, "198.51.100.8"), "good 198.51.100.8");
    assert_eq!(place.json(&["host", "show", HOST])["a"][0], "198.51.100.7");
}

#[test]
fn host_show_says_why_a_host_of_a_frozen_account_is_refused() {
    let (place, token) = Place::with_host();
    let service = place.serve(&[]);
    let shown = place.json(&["host", "show", HOST]);
    assert_eq!((&shown["account"], &shown["frozen"]), (&"operator".into(), &false.into()));
    assert!(shown["tokens"][0]["revoked"].is_null(), "{shown}");
    place.json(&["account", "freeze", "operator"]);
    assert_eq!(service.update(&token, "198.51.100.7"), "badauth");
    service.wait_for_log("revoked token");
    let shown = place.json(&["host", "show", HOST]);
    assert_eq!(shown["frozen"], true);
    // The lockdown has made it void, although nobody has revoked it by itself.
    assert!(shown["tokens"][0]["revoked"].is_string(), "{shown}");
    assert!(place.json(&["token", "list"])[0]["revoked"].is_string());
    let people = place.run(&["host", "show", HOST]).out;
    assert!(people.contains("frozen      yes\n"), "{people}");
    place.json(&["account", "unfreeze", "operator"]);
    assert!(place.json(&["host", "show", HOST])["tokens"][0]["revoked"].is_string());
    assert_eq!(service.update(&token, "198.51.100.7"), "badauth");
}
