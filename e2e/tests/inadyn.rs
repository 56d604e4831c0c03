//! Debian's inadyn 2.10, dual stack: one section per address family.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use std::path::Path;

use e2e::dns::short;
use e2e::{Demo, Finished, Service, new_folder, program, write_secret_file};

#[test]
fn inadyn_publishes_both_families_and_their_next_change() {
    let folder = new_folder();
    let (service, demo) = Service::demo(&folder.path().join("data"));
    for (v4, v6) in [("198.51.100.7", "2001:db8::7"), ("198.51.100.8", "2001:db8::8")] {
        let commands = [
            (format!("checkip-command = \"echo {v4}\""), "myip"),
            (format!("checkip-command = \"echo {v6}\""), "myipv6"),
        ];
        let done = inadyn(folder.path(), &service, &demo, &commands);
        assert_eq!(done.code, Some(0), "{done}");
        assert_eq!(short(service.dns, &demo.host, "A"), [v4], "{done}");
        assert_eq!(short(service.dns, &demo.host, "AAAA"), [v6], "{done}");
    }
}

#[test]
fn inadyn_finds_its_address_through_our_echo() {
    let folder = new_folder();
    let (service, demo) = Service::demo(&folder.path().join("data"));
    let echo =
        format!("checkip-ssl = false\n checkip-server = {}\n checkip-path = \"/ip\"", service.http);
    let done = inadyn(folder.path(), &service, &demo, &[(echo, "myip")]);
    assert_eq!(done.code, Some(0), "{done}");
    assert_eq!(short(service.dns, &demo.host, "A"), ["127.0.0.1"], "{done}");
}

#[test]
fn inadyn_lines_of_the_readme_work() {
    let folder = new_folder();
    let (service, demo) = Service::demo(&folder.path().join("data"));
    let readme = include_str!("../../README.md");
    let (_, after) = readme.split_once("**inadyn**").expect("a part on inadyn");
    let lines = after.split("```").nth(1).expect("lines to copy");
    // The demo of a test has ports of its own; nothing else differs from what is printed.
    let lines =
        lines.replace("TOKEN", &demo.token).replace("127.0.0.1:8053", &service.http.to_string());
    let file = folder.path().join("inadyn.conf");
    write_secret_file(&file, &lines);
    let mut inadyn = program("inadyn");
    inadyn.args(["-1", "-n", "--no-pidfile", "-f"]).arg(&file);
    let done = Finished::run(inadyn.arg("--cache-dir").arg(folder.path()));
    assert_eq!(done.code, Some(0), "{done}");
    assert_eq!(short(service.dns, &demo.host, "A"), ["127.0.0.1"], "{done}");
}

#[test]
fn inadyn_stops_on_badauth() {
    let folder = new_folder();
    let (service, demo) = Service::demo(&folder.path().join("data"));
    let wrong = Demo { token: "byn_wrong".to_owned(), ..demo };
    let command = ("checkip-command = \"echo 198.51.100.7\"".to_owned(), "myip");
    let done = inadyn(folder.path(), &service, &wrong, &[command]);
    // Its exit code 50: the status 401 told it that the credentials are wrong.
    assert_eq!(done.code, Some(50), "{done}");
    assert!(done.said().contains("badauth"), "{done}");
    assert!(short(service.dns, &wrong.host, "A").is_empty());
}

/// One run (`-1`) with a fresh cache and one section per way of finding an address.
fn inadyn(folder: &Path, service: &Service, demo: &Demo, found: &[(String, &str)]) -> Finished {
    let cache = tempfile::tempdir_in(folder).expect("a cache folder");
    // Without a cached address it would ask the machine's resolver for the host.
    let cached = cache.path().join(format!("{}.cache", demo.host));
    std::fs::write(cached, "192.0.2.1\n").expect("a cache file");
    let mut text = String::from("period = 300\nallow-ipv6 = true\nverify-address = false\n");
    for (index, (find, parameter)) in found.iter().enumerate() {
        text.push_str(&format!(
            "custom byname@{} {{\n username = {}\n password = \"{}\"\n ssl = false\n {find}\n \
             ddns-server = {}\n ddns-path = \"/nic/update?hostname=%h&{parameter}=%i\"\n \
             hostname = {{ \"{}\" }}\n}}\n",
            index + 1,
            demo.host,
            demo.token,
            service.http,
            demo.host
        ));
    }
    let file = folder.join("inadyn.conf");
    write_secret_file(&file, &text);
    let mut inadyn = program("inadyn");
    inadyn.args(["-1", "-n", "-l", "debug", "--no-pidfile", "-f"]).arg(&file);
    Finished::run(inadyn.arg("--cache-dir").arg(cache.path()))
}
