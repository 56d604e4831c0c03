//! Listening to changes: everything once and in order, from any position that the log still has.

use std::sync::Arc;
use std::time::Duration;

use account::AccountId;
use node::Node;
use node::history::feed::{SubscribeError, Subscription, Told, subscribe};
use node::history::{Of, Viewer};
use store::Pos;
use tokio::runtime::Runtime;
use wire::Name;

use crate::playground::{Playground, ZONE, add_host, publish};

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn host(label: &str) -> Of {
    Of::Host(Name::parse(&format!("{label}.{ZONE}")).expect("a name"))
}

/// What is told next, with a deadline.
fn next(runtime: &Runtime, subscription: &mut Subscription) -> Told {
    let told = async { tokio::time::timeout(Duration::from_secs(30), subscription.next()).await };
    runtime.block_on(told).expect("something is told")
}

fn position(told: &Told) -> Pos {
    let Told::Entry(entry) = told else { unreachable!("{told:?} is no entry") };
    entry.pos
}

fn open(playground: &Playground) -> Arc<Node> {
    Arc::new(Node::open(&playground.options()).expect("a node"))
}

#[test]
fn who_listens_is_told_of_its_host_only_and_goes_on_where_it_stopped() {
    let (playground, runtime) = (Playground::new(), runtime());
    let node = open(&playground);
    let [nas, cam] = ["nas", "cam"].map(|label| add_host(&node, label));
    let mut all = subscribe(&node, Of::All, Viewer::Operator, None).expect("a subscription");
    let mut one = subscribe(&node, host("nas"), Viewer::Operator, None).expect("a subscription");
    for last in 1..=20u8 {
        let (label, token) = if last % 2 == 0 { ("nas", &nas) } else { ("cam", &cam) };
        assert!(publish(&node, label, token, &format!("198.51.100.{last}")));
    }
    let everything: Vec<Pos> = (0..20).map(|_| position(&next(&runtime, &mut all))).collect();
    assert!(everything.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0), "{everything:?}");
    let own: Vec<Pos> = (0..10).map(|_| position(&next(&runtime, &mut one))).collect();
    let second: Vec<Pos> = everything.iter().copied().skip(1).step_by(2).collect();
    assert_eq!(own, second);
    assert_eq!(one.position(), own[9]);
    drop((all, one));
    // From the log, then live, without a gap.
    let mut again = subscribe(&node, host("nas"), Viewer::Operator, Some(own[3])).expect("again");
    let rest: Vec<Pos> = (0..6).map(|_| position(&next(&runtime, &mut again))).collect();
    assert_eq!(rest, own[4..]);
    assert!(publish(&node, "nas", &nas, "198.51.100.77"));
    assert!(position(&next(&runtime, &mut again)) > own[9]);
    node.stop();
    assert!(matches!(next(&runtime, &mut again), Told::Ended(_)));
}

#[test]
fn who_is_too_slow_is_cut_off_and_may_come_again() {
    let (playground, runtime) = (Playground::new(), runtime());
    let node = open(&playground);
    let token = add_host(&node, "nas");
    let mut slow = subscribe(&node, Of::All, Viewer::Operator, None).expect("a subscription");
    assert!(publish(&node, "nas", &token, "198.51.100.1"));
    let first = position(&next(&runtime, &mut slow));
    // More than the ring holds.
    let replies: Vec<_> = (0..9_000u32)
        .map(|number| {
            let address = std::net::Ipv4Addr::from(0x0a00_0000 + number).to_string();
            let request = crate::playground::request(&node, "nas", &token, &address);
            node.client().submit(request).expect("a queue")
        })
        .collect();
    for reply in replies {
        reply.blocking_recv().expect("an outcome");
    }
    let mut fast = subscribe(&node, Of::All, Viewer::Operator, None).expect("a subscription");
    assert!(publish(&node, "nas", &token, "198.51.100.2"));
    let newest = position(&next(&runtime, &mut fast));
    let mut last = first;
    let cut = loop {
        match next(&runtime, &mut slow) {
            Told::Entry(entry) => {
                assert_eq!(entry.pos.0, last.0 + 1, "nothing is left out");
                last = entry.pos;
            }
            Told::CutOff(at) => break at,
            Told::Ended(_) => unreachable!("the service runs"),
        }
    };
    assert_eq!(cut, last);
    let mut again = subscribe(&node, Of::All, Viewer::Operator, Some(cut)).expect("again");
    while last < newest {
        let told = position(&next(&runtime, &mut again));
        assert_eq!(told.0, last.0 + 1);
        last = told;
    }
    node.stop();
}

#[test]
fn strangers_hear_nothing() {
    let playground = Playground::new();
    let node = open(&playground);
    add_host(&node, "nas");
    let stranger = Viewer::Account(AccountId(99));
    for of in [host("nas"), Of::All, Of::Account(AccountId(0))] {
        let refused = subscribe(&node, of, stranger, None).err();
        assert!(matches!(refused, Some(SubscribeError::History(_))), "{refused:?}");
    }
    node.stop();
}
