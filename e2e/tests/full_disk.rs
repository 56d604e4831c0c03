//! A disk that is full, and one that has room again, under a running service.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use std::fs::File;
use std::io::Write;
use std::path::Path;

use e2e::dns::short;
use e2e::{DEADLINE, Finished, Service, admin, eventually, http, namespace, new_folder, program};

#[test]
fn full_disk_refuses_with_911_answers_queries_and_recovers_by_itself() {
    if !namespace::enter("full_disk_refuses_with_911_answers_queries_and_recovers_by_itself") {
        return;
    }
    let folder = new_folder();
    let data = folder.path().join("data");
    mount_small_disk(&data);
    admin(&data, &["zone", "add", "dyn.example"]);
    let service = Service::serve(&data);
    let token = service.add_host(HOST);
    let update = |service: &Service, number: u32| {
        let address = format!("198.51.{}.{}", number / 250, number % 250 + 1);
        let answer = http::update(service.http, HOST, &token, &address).expect("an answer");
        (answer, address)
    };
    let (answer, mut acknowledged) = update(&service, 0);
    assert_eq!(answer, format!("good {acknowledged}"));

    fill(&data.join("filler"));
    // Files that have room left inside take a few more.
    let mut number = 0;
    eventually("a refusal", DEADLINE, || {
        number += 1;
        let (answer, address) = update(&service, number);
        if answer == "911" {
            return Ok(());
        }
        assert_eq!(answer, format!("good {address}"));
        acknowledged = address;
        Err(format!("still `{answer}`"))
    });
    // What was refused is not served, what was acknowledged is.
    assert_eq!(short(service.dns, HOST, "A"), [acknowledged.as_str()]);
    let ready = curl(&service, "/readyz");
    assert!(ready.contains("read-only"), "a service that cannot write says so: {ready}");

    std::fs::remove_file(data.join("filler")).expect("a file of ours");
    let served = eventually("room again", DEADLINE, || {
        number += 1;
        let (answer, address) = update(&service, number);
        if answer == format!("good {address}") { Ok(address) } else { Err(answer) }
    });
    assert_eq!(short(service.dns, HOST, "A"), [served.as_str()]);
    assert_eq!(curl(&service, "/readyz"), "ready\n", "{}", service.talk());
    service.kill_hard();
    let again = Service::serve(&data);
    assert_eq!(short(again.dns, HOST, "A"), [served.as_str()]);
}

fn curl(service: &Service, path: &str) -> String {
    let mut curl = program("curl");
    curl.args(["--silent", "--fail", "--noproxy", "*"]);
    curl.arg(format!("http://{}{path}", service.http));
    Finished::run(&mut curl).ok().out
}

fn mount_small_disk(at: &Path) {
    std::fs::create_dir(at).expect("a folder");
    let mut mount = program("mount");
    mount.args(["-t", "tmpfs", "-o", "size=6m,mode=0700", "tmpfs"]).arg(at);
    Finished::run(&mut mount).ok();
}

/// Takes all the room there is.
fn fill(path: &Path) {
    let mut file = File::create(path).expect("a file");
    let block = [0; 4096];
    while file.write_all(&block).is_ok() {}
    while file.write_all(&block[..64]).is_ok() {}
}

const HOST: &str = "nas.dyn.example";
