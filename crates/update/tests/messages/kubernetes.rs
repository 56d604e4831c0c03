//! external-dns: many records in one message, each with a TXT record that says whose it is.

use wire::{Rcode, Rtype};

use crate::kit::{Names, World, message, signed};

const ZONE: &str = "k8s.example.";
const OWNER: &str = "\"heritage=external-dns,external-dns/owner=default\"";

fn send(world: &World, edits: &[&str]) -> Rcode {
    world.send(&signed(message(ZONE, Names::Plain, &[], edits)))
}

#[test]
fn external_dns_creates_updates_and_deletes_endpoints() {
    let world = World::new(ZONE, &[]);
    let owner = |edit: &str| format!("a-nginx {edit} {OWNER}");
    let create = ["nginx IN A 0 192.0.2.1", "nginx IN A 0 192.0.2.2", &owner("IN TXT 0")];
    assert_eq!(send(&world, &create), Rcode::NOERROR);
    let text = format!("a-nginx 0 TXT {OWNER}");
    world.check(&["nginx 0 A 192.0.2.1", "nginx 0 A 192.0.2.2", &text]);
    // What stays is deleted and added again in the same message.
    let update = [
        "nginx NONE A 0 192.0.2.1",
        "nginx NONE A 0 192.0.2.2",
        "nginx IN A 300 192.0.2.2",
        "nginx IN A 300 192.0.2.3",
        &owner("NONE TXT 0"),
        &owner("IN TXT 0"),
    ];
    assert_eq!(send(&world, &update), Rcode::NOERROR);
    world.check(&["nginx 300 A 192.0.2.2", "nginx 300 A 192.0.2.3", &text]);
    let delete = ["nginx NONE A 0 192.0.2.2", "nginx NONE A 0 192.0.2.3", &owner("NONE TXT 0")];
    assert_eq!(send(&world, &delete), Rcode::NOERROR);
    world.check(&[]);
}

#[test]
fn external_dns_sends_batches_and_all_of_a_batch_is_done_or_nothing() {
    let world = World::new(ZONE, &[]);
    let lines: Vec<String> = (0..200)
        .flat_map(|number| {
            let host = format!("svc-{number}");
            [format!("{host} IN A 60 192.0.2.{number}"), format!("{host} IN TXT 60 {OWNER}")]
        })
        .collect();
    let batch: Vec<&str> = lines.iter().map(String::as_str).collect();
    let with_fault = [&batch[..], &["svc.elsewhere.example. IN A 60 192.0.2.1"]].concat();
    assert_eq!(send(&world, &with_fault), Rcode::NOTZONE);
    assert_eq!((world.serial(), world.count("svc-0", Rtype::A)), (1, 0));
    assert_eq!(send(&world, &batch), Rcode::NOERROR);
    assert_eq!((world.serial(), world.count("svc-199", Rtype::TXT)), (2, 1));
}
