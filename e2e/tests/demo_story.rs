//! Steps 1 and 2 of a newcomer's story: start the demo, copy its lines, see the address change.

use std::process::Command;

use e2e::dns::{WAYS, ask};
use e2e::{DEADLINE, Finished, Service, eventually, http, new_folder, program, tools_path};

#[test]
fn demo_prints_curl_and_dig_lines_that_work() {
    let folder = new_folder();
    let is_last = |line: &str| line.to_lowercase().contains("ctrl");
    let (_service, said) = Service::demo_for_people(&folder.path().join("data"), is_last);
    let line = |begin: &str| {
        let found = said.iter().map(|line| line.trim()).find(|line| line.starts_with(begin));
        found.unwrap_or_else(|| panic!("no `{begin}` line in:\n{}", said.join("\n"))).to_owned()
    };
    let updated = shell(&line("curl ")).ok();
    let (code, address) = updated.out.trim().split_once(' ').expect("a code and an address");
    assert_eq!(code, "good", "{updated}");
    let seen = shell(&line("dig ")).ok();
    assert!(seen.out.contains(address), "{address} is not in the answer: {seen}");
    assert!(said.iter().any(|line| line.contains("ddclient")), "{}", said.join("\n"));
}

#[test]
fn demo_change_is_seen_at_once_over_udp_and_tcp_by_dig_and_kdig() {
    let folder = new_folder();
    let (service, demo) = Service::demo(&folder.path().join("data"));
    for (address, rtype) in [
        ("198.51.100.7", "A"),
        ("2001:db8::7", "AAAA"),
        ("198.51.100.8", "A"),
        ("2001:db8::8", "AAAA"),
    ] {
        let answer = curl_update(&service, &demo.host, &demo.token, address);
        assert_eq!(answer, format!("good {address}"));
        // No waiting here: acknowledged means visible.
        for way in WAYS {
            assert_eq!(
                ask(service.dns, &demo.host, rtype, way),
                Ok(vec![address.to_owned()]),
                "{way:?}"
            );
        }
    }
    // The other family stayed as it was all the time.
    assert_eq!(ask(service.dns, &demo.host, "A", WAYS[0]), Ok(vec!["198.51.100.8".to_owned()]));
}

#[test]
fn demo_same_address_again_is_nochg_and_a_wrong_token_is_badauth() {
    let folder = new_folder();
    let (service, demo) = Service::demo(&folder.path().join("data"));
    let update = |token: &str, address: &str| {
        http::update(service.http, &demo.host, token, address).expect("an answer")
    };
    assert_eq!(update(&demo.token, "198.51.100.7"), "good 198.51.100.7");
    let serial = e2e::dns::serial(service.dns, &demo.zone);
    assert_eq!(update(&demo.token, "198.51.100.7"), "nochg 198.51.100.7");
    assert_eq!(update("byn_wrong", "198.51.100.9"), "badauth");
    assert_eq!(e2e::dns::serial(service.dns, &demo.zone), serial, "nothing was written");
    assert_eq!(ask(service.dns, &demo.host, "A", WAYS[0]), Ok(vec!["198.51.100.7".to_owned()]));
}

#[test]
fn demo_echoes_the_address_of_the_asker() {
    let folder = new_folder();
    let (service, _) = Service::demo(&folder.path().join("data"));
    let mut curl = program("curl");
    let echoed = Finished::run(curl.args(CURL).arg(format!("http://{}/ip", service.http))).ok();
    assert_eq!(echoed.out.trim(), "127.0.0.1");
}

#[test]
fn demo_ends_well_when_asked_to() {
    let folder = new_folder();
    let (service, _) = Service::demo(&folder.path().join("data"));
    let dns = service.dns;
    assert_eq!(service.stop().code(), Some(0));
    eventually("silence", DEADLINE, || match ask(dns, "demo.example", "SOA", WAYS[1]) {
        Err(_) => Ok(()),
        Ok(answer) => Err(format!("still answers {answer:?}")),
    });
}

#[test]
fn demo_takes_free_ports_when_the_usual_ones_are_taken() {
    let folder = new_folder();
    // Two at once cannot have the same ports, whoever has them now.
    let start = |name: &str| Service::demo_with(&folder.path().join(name), &[]);
    let (first, _) = start("first");
    let (second, demo) = start("second");
    assert_ne!(first.dns, second.dns);
    assert_ne!(first.http, second.http);
    let answer = http::update(second.http, &demo.host, &demo.token, "198.51.100.7");
    assert_eq!(answer.expect("an answer"), "good 198.51.100.7");
}

fn curl_update(service: &Service, host: &str, token: &str, address: &str) -> String {
    let url = format!("http://{}/nic/update?hostname={host}&myip={address}", service.http);
    let mut curl = program("curl");
    let done = Finished::run(curl.args(CURL).args(["-u", &format!("{host}:{token}"), &url])).ok();
    done.out.trim().to_owned()
}

/// Runs a line as a person would who has every program.
fn shell(line: &str) -> Finished {
    let mut shell = Command::new("sh");
    tools_path(&mut shell);
    Finished::run(shell.args(["-c", line]))
}

const CURL: [&str; 4] = ["--silent", "--show-error", "--noproxy", "*"];
