//! Who has no token, a wrong one, or one for other things: they learn nothing.

use serde_json::json;

use crate::caller::Ask;
use crate::service::Service;

#[test]
fn nobody_gets_in_without_a_valid_token() {
    let service = Service::start();
    let token = service.operator();
    let basic = |pair: String| format!("Basic {}", data_encoding::BASE64.encode(pair.as_bytes()));
    let wrong = "byn_0000000000000000000000000000";
    let mut caller = service.call();
    for (fields, status) in [
        (vec![], 401),
        (vec![format!("Bearer {wrong}")], 401),
        (vec!["Bearer".to_owned()], 401),
        (vec!["Digest x".to_owned()], 401),
        (vec!["Basic !".to_owned()], 401),
        (vec![basic(token.clone())], 401),
        (vec![basic(format!("x:{wrong}"))], 401),
        (vec![format!("Bearer {token}"), format!("Bearer {token}")], 401),
        (vec![format!("Bearer {token}")], 200),
        (vec![format!("bearer  {token}")], 200),
        (vec![basic(format!(":{token}"))], 200),
        (vec![basic(format!("anybody:{token}"))], 200),
    ] {
        let ask = fields
            .iter()
            .fold(Ask::new("GET", "/v1/whoami"), |ask, field| ask.with("Authorization", field));
        let reply = caller.ask(&ask);
        assert_eq!(reply.status, status, "{fields:?}");
        if status == 401 {
            assert_eq!(reply.problem(), "unauthenticated");
            assert_eq!(reply.field("www-authenticate"), Some("Bearer realm=\"byname\""));
            assert!(!reply.text().contains("byn_0"), "{}", reply.text());
        }
    }
    // A token in the URL is none: it would stand in logs.
    let reply = caller.ask(&Ask::new("GET", &format!("/v1/whoami?token={token}")));
    assert_eq!(reply.problem(), "unauthenticated");
    // A browser that another site sends brings what its owner once gave to us.
    let ask = Ask::new("GET", "/v1/whoami").token(&token).with("Sec-Fetch-Site", "cross-site");
    assert_eq!(caller.ask(&ask).problem(), "forbidden");
}

#[test]
fn who_guesses_is_put_off_and_who_has_a_token_is_not() {
    let service = Service::start_with(|settings| settings.failures_per_minute = 3);
    let token = service.operator();
    let mut caller = service.call();
    let guess = Ask::new("GET", "/v1/zones").token("byn_0000000000000000000000000000");
    for _ in 0..3 {
        assert_eq!(caller.ask(&guess).problem(), "unauthenticated");
    }
    let off = caller.ask(&guess);
    assert_eq!(off.problem(), "too-many-requests");
    let wait: u64 = off.field("retry-after").and_then(|text| text.parse().ok()).expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(caller.ask(&Ask::new("GET", "/v1/zones").token(&token)).status, 200);
    assert_eq!(service.call_from("127.0.0.2").ask(&guess).problem(), "unauthenticated");
}

/// What is not there and what is another's are answered with the same octets but for the name.
#[test]
fn what_is_anothers_is_as_what_is_not_there() {
    let service = Service::start();
    service.account("alice");
    service.account("bob");
    let bob = service.token_of(Some("bob"), "owner");
    service.host_of("alice.dyn.example", Some("alice"));
    let hers = service.token_id_of("alice.dyn.example");
    let mut caller = service.call();
    let body = json!({ "ttl_s": 60, "records": ["192.0.2.1"] });
    for (method, there, not_there) in [
        (
            "GET",
            "/v1/hosts/alice.dyn.example".to_owned(),
            "/v1/hosts/nobody.dyn.example".to_owned(),
        ),
        (
            "PATCH",
            "/v1/hosts/alice.dyn.example".to_owned(),
            "/v1/hosts/nobody.dyn.example".to_owned(),
        ),
        (
            "DELETE",
            "/v1/hosts/alice.dyn.example".to_owned(),
            "/v1/hosts/nobody.dyn.example".to_owned(),
        ),
        ("GET", "/v1/zones/own.example".to_owned(), "/v1/zones/not.example".to_owned()),
        ("GET", format!("/v1/tokens/{hers}"), "/v1/tokens/999999".to_owned()),
        ("DELETE", format!("/v1/tokens/{hers}"), "/v1/tokens/999999".to_owned()),
        ("GET", "/v1/accounts/0".to_owned(), "/v1/accounts/999999".to_owned()),
        (
            "PUT",
            "/v1/zones/dyn.example/rrsets/alice.dyn.example/A".to_owned(),
            "/v1/zones/not.example/rrsets/alice.not.example/A".to_owned(),
        ),
    ] {
        let mut ask = |path: &str| {
            let ask = Ask::new(method, path).token(&bob);
            let reply = match method {
                "PUT" => caller.ask(&ask.json(&body)),
                "PATCH" => caller.ask(&ask.json(&json!({}))),
                _ => caller.ask(&ask),
            };
            assert_eq!(reply.problem(), "not-found", "{method} {path}");
            let asked = path.split('/').nth(3).expect("a name");
            reply.text().replace(&format!("`{asked}`"), "X")
        };
        assert_eq!(ask(&there), ask(&not_there), "{method} {there}");
    }
}

#[test]
fn token_in_clear_from_outside_is_marked() {
    let service = Service::start_with(|settings| {
        settings.trusted_proxies = vec!["127.0.0.9".parse().expect("a network")];
    });
    let token = service.operator();
    let mut proxy = service.call_from("127.0.0.9");
    let ask = Ask::new("GET", "/v1/whoami").token(&token).with("X-Forwarded-For", "198.51.100.7");
    let safe = proxy.ask(&ask.clone().with("X-Forwarded-Proto", "https"));
    assert_eq!(
        (&safe.json()["exposed"], &safe.json()["address"]),
        (&json!(false), &json!("198.51.100.7"))
    );
    proxy.ask(&ask);
    // The mark is on its way through the writer before what this asks for is.
    service.host_of("after.own.example", None);
    assert_eq!(proxy.ask(&ask).json()["exposed"], true);
}
