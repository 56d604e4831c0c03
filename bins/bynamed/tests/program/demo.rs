//! `bynamed demo`.

use crate::bynamed::{Place, bare};

const FREE: [&str; 4] = ["--dns", "127.0.0.1:0", "--http", "127.0.0.1:0"];

#[test]
fn demo_twice_on_the_same_data_gives_the_host_a_new_token() {
    let place = Place::new();
    let start = || place.start(place.command(&[&["demo", "--json"], &FREE[..]].concat()));
    let first = start();
    let old = first.ready["token"].as_str().expect("a token").to_owned();
    assert_eq!(first.ready["zone"], "demo.example");
    assert!(first.stop().success());
    let second = start();
    let new = second.ready["token"].as_str().expect("a token").to_owned();
    assert_ne!(old, new);
    let update = |token: &str| {
        let path = "/nic/update?hostname=home.demo.example&myip=198.51.100.7";
        second.get(path, Some(("home.demo.example", token))).1.trim().to_owned()
    };
    assert_eq!(update(&old), "badauth");
    assert_eq!(update(&new), "good 198.51.100.7");
    assert_eq!(second.rcode("demo.example"), 0);
}

#[test]
fn demo_without_data_leaves_nothing_behind() {
    let place = Place::new();
    let folder = place.beside("temporary");
    std::fs::create_dir(&folder).expect("a folder");
    let mut command = bare(&[&["demo", "--json"], &FREE[..]].concat());
    command.env("TMPDIR", &folder);
    let demo = place.start(command);
    let count = || std::fs::read_dir(&folder).expect("the folder").count();
    assert_eq!(count(), 1);
    assert!(demo.stop().success());
    assert_eq!(count(), 0);
}

#[test]
fn demo_does_not_touch_what_the_environment_names() {
    let place = Place::new();
    let real = place.beside("real");
    let mut command = bare(&[&["demo", "--json"], &FREE[..]].concat());
    command.env("BYNAME_DATA", &real).env("BYNAME_WORKERS", "nonsense");
    let demo = place.start(command);
    assert!(demo.ready["token"].is_string(), "{}", demo.ready);
    assert!(demo.stop().success());
    assert!(!real.exists());
}
