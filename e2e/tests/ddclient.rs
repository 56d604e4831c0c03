//! Debian's ddclient 3.10, which sends one address family per run.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use std::path::Path;

use e2e::dns::short;
use e2e::{Demo, Finished, Service, new_folder, program, write_secret_file};

#[test]
fn ddclient_publishes_ipv4_and_its_next_change() {
    let folder = new_folder();
    let (service, demo) = Service::demo(&folder.path().join("data"));
    for address in ["198.51.100.7", "198.51.100.8"] {
        let said = ddclient(folder.path(), &service, &demo, &format!("use=ip, ip={address}"));
        assert!(said.contains(&format!("good: IP address set to {address}")), "{said}");
        assert_eq!(short(service.dns, &demo.host, "A"), [address]);
    }
    assert!(short(service.dns, &demo.host, "AAAA").is_empty());
}

#[test]
fn ddclient_publishes_ipv6_in_a_run_of_its_own_and_ipv4_is_preserved() {
    let folder = new_folder();
    let (service, demo) = Service::demo(&folder.path().join("data"));
    for address in ["198.51.100.7", "2001:db8::7"] {
        let said = ddclient(folder.path(), &service, &demo, &format!("use=ip, ip={address}"));
        assert!(said.contains("SUCCESS"), "{said}");
    }
    assert_eq!(short(service.dns, &demo.host, "A"), ["198.51.100.7"]);
    assert_eq!(short(service.dns, &demo.host, "AAAA"), ["2001:db8::7"]);
}

#[test]
fn ddclient_finds_its_address_through_our_echo() {
    let folder = new_folder();
    let (service, demo) = Service::demo(&folder.path().join("data"));
    let find = format!("use=web, web=http://{}/ip", service.http);
    let said = ddclient(folder.path(), &service, &demo, &find);
    assert!(said.contains("good: IP address set to 127.0.0.1"), "{said}");
    assert_eq!(short(service.dns, &demo.host, "A"), ["127.0.0.1"]);
}

#[test]
fn ddclient_with_an_empty_myip_touches_only_the_family_of_its_source() {
    let folder = new_folder();
    let (service, demo) = Service::demo(&folder.path().join("data"));
    ddclient(folder.path(), &service, &demo, "use=ip, ip=2001:db8::7");
    // 3.10 knows `usev6` but sends `myip=` for it with this protocol.
    let said = ddclient(folder.path(), &service, &demo, "usev6=cmdv6, cmdv6='echo 2001:db8::8'");
    assert!(said.contains("SUCCESS"), "{said}");
    assert_eq!(short(service.dns, &demo.host, "AAAA"), ["2001:db8::7"]);
    assert_eq!(short(service.dns, &demo.host, "A"), ["127.0.0.1"]);
}

#[test]
fn ddclient_is_told_badauth_in_its_own_words() {
    let folder = new_folder();
    let (service, demo) = Service::demo(&folder.path().join("data"));
    let wrong = Demo { token: "byn_wrong".to_owned(), ..demo };
    let said = ddclient(folder.path(), &service, &wrong, "use=ip, ip=198.51.100.7");
    assert!(said.contains("FAILED") && said.contains("badauth"), "{said}");
    assert!(short(service.dns, &wrong.host, "A").is_empty());
}

/// One run with a cache of its own, because 3.10 waits between two changes of one host.
fn ddclient(folder: &Path, service: &Service, demo: &Demo, find: &str) -> String {
    let cache = tempfile::NamedTempFile::new_in(folder).expect("a cache file");
    let file = folder.join("ddclient.conf");
    let text = format!(
        "ssl=no\ncache={}\n{find}\nprotocol=dyndns2\nserver={}\nscript=/nic/update\nlogin={}\n\
         password='{}'\n{}\n",
        cache.path().display(),
        service.http,
        demo.host,
        demo.token,
        demo.host
    );
    write_secret_file(&file, &text);
    let mut ddclient = program("ddclient");
    ddclient.args(["-daemon=0", "-verbose", "-file"]).arg(&file);
    Finished::run(&mut ddclient).said()
}
