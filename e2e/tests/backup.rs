//! `backup`, `restore` and `check` while the service works.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use e2e::dns::{serial, short};
use e2e::{DEADLINE, Finished, Service, admin, eventually, http, new_folder, ours};

#[test]
fn backup_of_a_busy_service_restores_a_state_that_was_acknowledged() {
    let folder = new_folder();
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy.byname"));
    admin(&data, &["zone", "add", "dyn.example"]);
    let service = Service::serve(&data);
    let token = service.add_host(HOST);
    let (acknowledged, stop) = (AtomicU32::new(0), AtomicBool::new(false));
    let (low, high) = thread::scope(|scope| {
        scope.spawn(|| write_until(&stop, service.http, &token, &acknowledged));
        let busy = |least: u32| {
            eventually("load", DEADLINE, || {
                let count = acknowledged.load(Ordering::SeqCst);
                if count >= least { Ok(count) } else { Err(format!("{count} acknowledged")) }
            })
        };
        let low = busy(20);
        bynamed(&data, &["backup", &copy.to_string_lossy()]).ok();
        let high = acknowledged.load(Ordering::SeqCst) + 1;
        bynamed(&data, &["check"]).ok();
        busy(high + 20);
        stop.store(true, Ordering::SeqCst);
        (low, high)
    });
    let before = serial(service.dns, "dyn.example");

    let restored = folder.path().join("restored");
    bynamed(&restored, &["restore", &copy.to_string_lossy()]).ok();
    bynamed(&restored, &["check"]).ok();
    let again = Service::serve(&restored);
    let served = short(again.dns, HOST, "A");
    let number = (low..=high).find(|number| served == [address(*number)]);
    assert!(number.is_some(), "{served:?} is none of the {low} to {high} acknowledged meanwhile");
    // Secondaries hold serials of the time after the backup: ours has to be newer.
    let after = serial(again.dns, "dyn.example");
    assert!(after.wrapping_sub(before) < 1 << 31, "serial {after} after {before}");
    let answer = http::update(again.http, HOST, &token, "203.0.114.1").expect("an answer");
    assert_eq!(answer, "good 203.0.114.1", "tokens are restored too");
}

#[test]
fn restore_keeps_its_hands_off_data_that_is_there() {
    let folder = new_folder();
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy.byname"));
    admin(&data, &["zone", "add", "dyn.example"]);
    bynamed(&data, &["backup", &copy.to_string_lossy()]).ok();
    let refused = bynamed(&data, &["restore", &copy.to_string_lossy()]);
    assert_eq!(refused.code, Some(1), "{refused}");
    let no_backup = bynamed(&folder.path().join("new"), &["restore", "/etc/hostname"]);
    assert_eq!(no_backup.code, Some(1), "{no_backup}");
    assert_eq!(admin(&data, &["zone", "list"]).as_array().map(Vec::len), Some(1));
}

fn bynamed(data: &Path, arguments: &[&str]) -> Finished {
    Finished::run(ours("bynamed").args(arguments).arg("--data").arg(data))
}

fn write_until(
    stop: &AtomicBool,
    server: std::net::SocketAddr,
    token: &str,
    acknowledged: &AtomicU32,
) {
    for number in 1.. {
        let answer = http::update(server, HOST, token, &address(number)).expect("an answer");
        assert_eq!(answer, format!("good {}", address(number)));
        acknowledged.store(number, Ordering::SeqCst);
        if stop.load(Ordering::SeqCst) {
            return;
        }
    }
}

fn address(number: u32) -> String {
    std::net::Ipv4Addr::from(0x0a00_0000 + number).to_string()
}

const HOST: &str = "nas.dyn.example";
