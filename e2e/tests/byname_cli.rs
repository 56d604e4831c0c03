//! Our own agent's program against our service.

use std::process::Command;

use e2e::dns::short;
use e2e::{Demo, Finished, Service, new_folder, ours, write_secret_file};

#[test]
fn byname_update_publishes_both_families_in_one_go() {
    let folder = new_folder();
    let (service, demo) = Service::demo(&folder.path().join("data"));
    let done = Finished::run(update(&service, &demo).args([
        "--ip",
        "198.51.100.7",
        "--ip",
        "2001:db8::7",
    ]));
    assert_eq!(done.code, Some(0), "{done}");
    assert_eq!(short(service.dns, &demo.host, "A"), ["198.51.100.7"], "{done}");
    assert_eq!(short(service.dns, &demo.host, "AAAA"), ["2001:db8::7"], "{done}");
}

#[test]
fn byname_update_without_an_address_publishes_the_source() {
    let folder = new_folder();
    let (service, demo) = Service::demo(&folder.path().join("data"));
    let done = Finished::run(&mut update(&service, &demo)).ok();
    assert_eq!(short(service.dns, &demo.host, "A"), ["127.0.0.1"], "{done}");
}

#[test]
fn byname_update_speaks_json() {
    let folder = new_folder();
    let (service, demo) = Service::demo(&folder.path().join("data"));
    let mut command = update(&service, &demo);
    let told = Finished::run(command.args(["--ip", "198.51.100.7", "--json"])).ok().json();
    assert!(told.to_string().contains("198.51.100.7"), "{told}");
    assert!(!told.to_string().contains(&demo.token), "a token is never repeated");
}

#[test]
fn byname_exit_codes_say_whose_fault_it_is() {
    let folder = new_folder();
    let (service, demo) = Service::demo(&folder.path().join("data"));
    let wrong = Demo { token: "byn_wrong".to_owned(), ..demo.clone() };
    let address = ["--ip", "198.51.100.7"];
    let refused = Finished::run(update(&service, &wrong).args(address));
    assert_eq!(refused.code, Some(3), "{refused}");
    let usage = Finished::run(ours("byname").args(["update", "--no-such-flag"]));
    assert_eq!(usage.code, Some(2), "{usage}");
    let mut late = update(&service, &demo);
    service.kill_hard();
    let unreachable = Finished::run(late.args(address));
    assert_eq!(unreachable.code, Some(4), "{unreachable}");
}

#[test]
fn byname_once_publishes_what_the_echo_says() {
    let folder = new_folder();
    let (service, demo) = Service::demo(&folder.path().join("data"));
    let file = folder.path().join("byname.toml");
    let text = format!(
        "server = \"http://{http}\"\nhost = \"{host}\"\ntoken = \"{token}\"\n",
        http = service.http,
        host = demo.host,
        token = demo.token
    );
    write_secret_file(&file, &text);
    let mut once = ours("byname");
    once.env("BYNAME_STATE", folder.path().join("state.json"));
    let done = Finished::run(once.args(["once", "--config"]).arg(&file)).ok();
    assert_eq!(short(service.dns, &demo.host, "A"), ["127.0.0.1"], "{done}");
}

fn update(service: &Service, demo: &Demo) -> Command {
    let mut command = ours("byname");
    command.args(["update", "--server", &format!("http://{}", service.http)]);
    command.args(["--host", &demo.host, "--token", &demo.token]);
    command
}
