//! A backup while changes are made, and a node over what was restored from it.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use node::admin::{self, Command};

use crate::playground::{Playground, ZONE, add_host, address_of, order, publish, shown};

#[test]
fn backup_while_writing_restores_a_state_that_was_acknowledged() {
    let (playground, restored) = (Playground::new(), Playground::empty());
    let file = playground.beside("copy");
    let (low, high, serial, token) = playground.with(|node| {
        let token = add_host(node, "nas");
        let (done, stop) = (AtomicU32::new(0), AtomicBool::new(false));
        let (low, high) = thread::scope(|scope| {
            scope.spawn(|| {
                for number in 1.. {
                    assert!(publish(node, "nas", &token, &address(number)));
                    done.store(number, Ordering::SeqCst);
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                }
            });
            while done.load(Ordering::SeqCst) < 5 {
                thread::yield_now();
            }
            let low = done.load(Ordering::SeqCst);
            order(node, &Command::Backup { file: file.clone() });
            let high = done.load(Ordering::SeqCst) + 1;
            stop.store(true, Ordering::SeqCst);
            (low, high)
        });
        (low, high, serial(node), token)
    });
    admin::restore(&file, restored.data()).expect("a restore");
    restored.with(|node| {
        let served = address_of(node, "nas");
        let state = (low..=high).find(|number| served == [address(*number)]);
        assert!(state.is_some(), "{served:?} is none of {low} to {high}");
        // RFC 1982: newer than whatever secondaries have seen after the backup.
        let jumped = self::serial(node);
        assert!(jumped.wrapping_sub(serial) < 1 << 31 && jumped != serial, "{serial} {jumped}");
        assert!(publish(node, "nas", &token, "203.0.114.1"), "tokens are restored");
        assert_eq!(
            order(node, &Command::Check { head: None }).value["problems"],
            serde_json::json!([])
        );
    });
    // The jump is made once.
    let before = restored.with(serial_of_node);
    assert_eq!(restored.with(serial_of_node), before);
}

#[test]
fn restore_of_something_else_is_refused_and_leaves_nothing_to_serve() {
    let playground = Playground::empty();
    let file = playground.beside("nothing");
    std::fs::write(&file, "no backup").expect("a file");
    assert!(admin::restore(&file, playground.data()).is_err());
    assert!(!playground.data().join("log.db").exists());
}

fn serial_of_node(node: &node::Node) -> u32 {
    serial(node)
}

fn serial(node: &node::Node) -> u32 {
    let shown = shown(node, &Command::ZoneShow { zone: ZONE.to_owned() });
    shown["serial"].as_u64().and_then(|serial| u32::try_from(serial).ok()).expect("a serial")
}

fn address(number: u32) -> String {
    std::net::Ipv4Addr::from(0x0a00_0000 + number).to_string()
}
