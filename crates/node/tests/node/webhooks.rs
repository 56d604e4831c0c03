//! Webhooks: who is told what, signed, again until it is taken, and nobody in private networks.

#[path = "../sample/target.rs"]
mod target;

use std::sync::Arc;

use account::{AccountId, WebhookId};
use data_encoding::BASE64;
use engine::{NewWebhook, Operation, Outcome};
use node::Node;
use node::admin::{self, Command};
use node::webhook::{Courier, sign};
use ring::hmac;
use serde_json::Value;
use wire::Name;

use crate::playground::{Playground, ZONE, add_host, order, publish, request, shown};
use target::Target;

fn open(playground: &Playground) -> (Arc<Node>, Courier) {
    let node = Arc::new(Node::open(&playground.options()).expect("a node"));
    let courier = Courier::start(&node).expect("a courier");
    (node, courier)
}

/// A new webhook to a target on this machine; its number and secret.
fn add(node: &Node, target: &Target, host: Option<&str>, events: &[&str]) -> (u64, Vec<u8>) {
    let command = Command::WebhookAdd(admin::WebhookSettings {
        url: target.url(),
        account: None,
        host: host.map(|label| format!("{label}.{ZONE}")),
        events: events.iter().map(|word| (*word).to_owned()).collect(),
        private_ok: true,
        label: String::new(),
    });
    let made = order(node, &command).value;
    let secret = made["secret"].as_str().expect("a secret").strip_prefix("whsec_");
    let secret = BASE64.decode(secret.expect("its mark").as_bytes()).expect("base64");
    (made["id"].as_u64().expect("a number"), secret)
}

#[test]
fn changes_of_a_host_are_told_in_order_and_signed() {
    let (playground, mut target) = (Playground::new(), Target::open());
    let (node, courier) = open(&playground);
    let [nas, cam] = ["nas", "cam"].map(|label| add_host(&node, label));
    let (_, secret) = add(&node, &target, Some("nas"), &["change"]);
    for last in 1..=5u8 {
        assert!(publish(&node, "cam", &cam, &format!("198.51.100.{last}")));
        assert!(publish(&node, "nas", &nas, &format!("198.51.100.{last}")));
    }
    for last in 1..=5u8 {
        let got = target.next();
        let body: Value = serde_json::from_str(&got.body).expect("JSON");
        assert_eq!(body["type"], "change");
        assert_eq!(body["host"], format!("nas.{ZONE}"));
        assert_eq!(body["after"]["A"][0], format!("198.51.100.{last}"));
        if last > 1 {
            assert_eq!(body["before"]["A"][0], format!("198.51.100.{}", last - 1));
        }
        assert_eq!(body["by"]["kind"], "token");
        assert_eq!(body["id"], got.header("webhook-id"));
        let at = got.header("webhook-timestamp").parse().expect("seconds");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let signature = sign(&key, got.header("webhook-id"), at, got.body.as_bytes());
        assert_eq!(got.header("webhook-signature"), signature);
    }
    courier.stop();
    node.stop();
}

#[test]
fn what_is_not_taken_is_told_again_under_the_same_number_and_a_restart_goes_on() {
    let (playground, mut target) = (Playground::new(), Target::open());
    let (node, courier) = open(&playground);
    let nas = add_host(&node, "nas");
    add(&node, &target, None, &["change"]);
    target.answer(503);
    assert!(publish(&node, "nas", &nas, "198.51.100.1"));
    let first = target.next();
    let again = target.next();
    assert_eq!(again.header("webhook-id"), first.header("webhook-id"));
    assert_eq!(again.body, first.body);
    courier.stop();
    node.stop();
    drop((node, courier));
    target.answer(204);
    let (node, courier) = open(&playground);
    let told = target.next();
    assert_eq!(told.header("webhook-id"), first.header("webhook-id"));
    assert!(publish(&node, "nas", &nas, "198.51.100.2"));
    let other = target.next();
    assert_ne!(other.header("webhook-id"), first.header("webhook-id"));
    courier.stop();
    node.stop();
    drop((node, courier));
    // What arrived is not told again.
    let (node, courier) = open(&playground);
    assert!(publish(&node, "nas", &nas, "198.51.100.3"));
    let body: Value = serde_json::from_str(&target.next().body).expect("JSON");
    assert_eq!(body["after"]["A"][0], "198.51.100.3");
    courier.stop();
    node.stop();
}

#[test]
fn a_target_that_is_gone_is_told_nothing_until_it_is_resumed() {
    let (playground, mut target) = (Playground::new(), Target::open());
    let (node, courier) = open(&playground);
    let nas = add_host(&node, "nas");
    let (id, _) = add(&node, &target, None, &["change"]);
    target.answer(410);
    assert!(publish(&node, "nas", &nas, "198.51.100.1"));
    let first = target.next();
    target.until(|| !shown(&node, &Command::WebhookList)[0]["paused"].is_null());
    target.answer(200);
    order(&node, &Command::WebhookPause { id, paused: false });
    assert_eq!(target.next().header("webhook-id"), first.header("webhook-id"));
    order(&node, &Command::WebhookRemove { id });
    assert_eq!(shown(&node, &Command::WebhookList), serde_json::json!([]));
    courier.stop();
    node.stop();
}

#[test]
fn nobody_in_a_private_network_is_called_and_no_redirect_is_followed() {
    let (playground, mut target, other) = (Playground::new(), Target::open(), Target::open());
    playground.with(|node| {
        for url in [target.url(), "https://127.0.0.1/".to_owned(), "https://[fd00::1]/".to_owned()]
        {
            let command = Command::WebhookAdd(admin::WebhookSettings {
                url,
                account: None,
                host: None,
                events: Vec::new(),
                private_ok: false,
                label: String::new(),
            });
            let refused = admin::execute(node, &command, &mut std::io::empty());
            assert!(refused.is_err(), "{command:?}");
        }
        // Whatever came to be there, and wherever a name leads: it is looked at with each call.
        for url in [target.url(), target.url().replace("127.0.0.1", "localhost")] {
            let new = NewWebhook {
                account: AccountId(0),
                url,
                secret: vec![1],
                events: Vec::new(),
                label: String::new(),
                host: None,
                private_ok: false,
            };
            let made = node.client().operate(Operation::AddWebhook(new)).expect("an outcome");
            let Outcome::Done { made: Some(id), .. } = made else { unreachable!("{made:?}") };
            let command = Command::WebhookTest { id };
            let refused = admin::execute(node, &command, &mut std::io::empty()).err();
            let refused = refused.expect("it is not called").to_string();
            assert!(refused.contains("private network"), "{refused}");
        }
        assert_eq!(target.count(), 0);
        let (id, _) = add(node, &target, None, &[]);
        target.lead_to(&other.url());
        let moved = admin::execute(node, &Command::WebhookTest { id }, &mut std::io::empty());
        assert!(moved.expect_err("no success").to_string().contains("302"));
        assert_eq!((target.count(), other.count()), (1, 0));
        target.answer(200);
        let told = order(node, &Command::WebhookTest { id }).value;
        assert_eq!(told["status"], 200);
        target.next();
        let test: Value = serde_json::from_str(&target.next().body).expect("JSON");
        assert_eq!(test["type"], "test");
    });
}

#[test]
fn new_networks_and_refusals_are_told() {
    let (playground, mut target) = (Playground::new(), Target::open());
    let (node, courier) = open(&playground);
    let nas = add_host(&node, "nas");
    add(&node, &target, None, &["new-network", "refused"]);
    let from = |source: &str, address: &str| {
        let mut request = request(&node, "nas", &nas, address);
        request.origin = node.client().origin(source.parse().expect("an address"));
        let outcome = node.client().submit(request).expect("a queue").blocking_recv();
        assert!(matches!(outcome, Ok(Outcome::Done { .. })), "{outcome:?}");
    };
    from("203.0.113.1", "198.51.100.1");
    from("203.0.200.9", "198.51.100.2");
    from("2001:db8::1", "198.51.100.3");
    from("2001:db8:9::1", "198.51.100.4");
    from("203.0.113.7", "198.51.100.5");
    from("192.0.2.1", "198.51.100.6");
    for network in ["2001:db8::/32", "192.0.0.0/16"] {
        let body: Value = serde_json::from_str(&target.next().body).expect("JSON");
        assert_eq!((&body["type"], &body["network"]), (&"new-network".into(), &network.into()));
    }
    target.until(|| node.client().notices().is_heard());
    let token = node.live().directory().tokens().first().expect("a token").id;
    let notice = gateway::Notice {
        id: "ref_1".to_owned(),
        at: node.now(),
        account: AccountId(0),
        token,
        host: Name::parse(&format!("nas.{ZONE}")).expect("a name"),
        why: "a private address".to_owned(),
    };
    node.client().notices().note(notice.clone());
    // The same within a minute is no news.
    node.client().notices().note(gateway::Notice { id: "ref_2".to_owned(), ..notice });
    let body: Value = serde_json::from_str(&target.next().body).expect("JSON");
    assert_eq!((&body["type"], &body["id"]), (&"refused".into(), &"ref_1".into()));
    assert_eq!(body["why"], "a private address");
    courier.stop();
    node.stop();
    assert!(node.live().directory().webhook(WebhookId(0)).is_none());
}
