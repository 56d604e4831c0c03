//! Step 3 of the story: `kill -9` at any moment loses nothing that was acknowledged.

#[path = "restart/rounds.rs"]
mod rounds;

use e2e::dns::{serial, short};
use e2e::{Service, admin, http, new_folder};

#[test]
fn restart_after_kill_keeps_every_acknowledged_change_and_serials_never_go_back() {
    rounds::kill_and_look(4);
}

#[test]
fn restart_after_a_good_end_serves_what_it_served() {
    let folder = new_folder();
    let data = folder.path().join("data");
    admin(&data, &["zone", "add", "dyn.example"]);
    let service = Service::serve(&data);
    let token = service.add_host("nas.dyn.example");
    let answer = http::update(service.http, "nas.dyn.example", &token, "198.51.100.7");
    assert_eq!(answer.expect("an answer"), "good 198.51.100.7");
    let before = serial(service.dns, "dyn.example");
    assert_eq!(service.stop().code(), Some(0));
    let again = Service::serve(&data);
    assert_eq!(short(again.dns, "nas.dyn.example", "A"), ["198.51.100.7"]);
    assert!(serial(again.dns, "dyn.example") >= before);
    let answer = http::update(again.http, "nas.dyn.example", &token, "198.51.100.7");
    assert_eq!(answer.expect("an answer"), "nochg 198.51.100.7");
}

#[test]
fn restart_without_the_tables_rebuilds_them_from_the_log() {
    let folder = new_folder();
    let data = folder.path().join("data");
    admin(&data, &["zone", "add", "dyn.example"]);
    let service = Service::serve(&data);
    let token = service.add_host("nas.dyn.example");
    http::update(service.http, "nas.dyn.example", &token, "198.51.100.7").expect("an answer");
    service.kill_hard();
    let tables = std::fs::read_dir(&data).expect("the data directory").flatten();
    let tables = tables.filter(|e| e.file_name().to_string_lossy().starts_with("state.db"));
    let deleted = tables.map(|e| std::fs::remove_file(e.path()).expect("a file of ours")).count();
    assert!(deleted > 0, "there is no state.db in {}", data.display());
    let again = Service::serve(&data);
    assert_eq!(short(again.dns, "nas.dyn.example", "A"), ["198.51.100.7"]);
    let answer = http::update(again.http, "nas.dyn.example", &token, "198.51.100.8");
    assert_eq!(answer.expect("an answer"), "good 198.51.100.8");
}

#[test]
fn restart_refuses_a_second_service_on_the_same_data() {
    let folder = new_folder();
    let data = folder.path().join("data");
    let _service = Service::serve(&data);
    let mut second = e2e::ours("bynamed");
    second.args(["serve", "--dns", "127.0.0.1:0", "--http", "none", "--data"]).arg(&data);
    let refused = e2e::Finished::run(&mut second);
    assert_eq!(refused.code, Some(1), "{refused}");
}
