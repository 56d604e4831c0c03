//! Requests that are sent again.

use serde_json::json;

use crate::caller::Ask;
use crate::service::Service;

#[test]
fn same_key_makes_one_host_and_answers_the_same() {
    let service = Service::start();
    let token = service.operator();
    let mut caller = service.call();
    let new = |name: &str, key: &str| {
        let body = json!({ "name": name });
        Ask::new("POST", "/v1/hosts").token(&token).with("Idempotency-Key", key).json(&body)
    };
    let made = caller.ask(&new("cam.dyn.example", "k1"));
    assert_eq!(made.status, 201, "{}", made.text());
    let again = service.call().ask(&new("cam.dyn.example", "k1"));
    assert_eq!((again.status, again.text()), (201, made.text()));
    assert_eq!(again.field("location"), made.field("location"));
    assert_eq!(caller.ask(&new("other.dyn.example", "k1")).problem(), "idempotency-key-reused");
    assert_eq!(caller.ask(&new("cam.dyn.example", "k2")).problem(), "exists");
    // Refusals are answers as well.
    assert_eq!(caller.ask(&new("cam.dyn.example", "k2")).problem(), "exists");
    for key in ["", "a b", &"x".repeat(256)] {
        assert_eq!(caller.ask(&new("x.dyn.example", key)).problem(), "bad-request", "{key}");
    }
}

#[test]
fn key_of_one_token_is_nothing_to_another() {
    let service = Service::start();
    let (first, second) = (service.operator(), service.operator());
    let new = |token: &str, name: &str| {
        let body = json!({ "name": name });
        Ask::new("POST", "/v1/hosts").token(token).with("Idempotency-Key", "k").json(&body)
    };
    let mut caller = service.call();
    let made = caller.ask(&new(&first, "a.dyn.example"));
    let other = caller.ask(&new(&second, "b.dyn.example"));
    assert_eq!((made.status, other.status), (201, 201));
    assert_ne!(made.text(), other.text());
}
