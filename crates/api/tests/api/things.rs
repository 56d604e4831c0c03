//! Zones, hosts, tokens, accounts, keys: made, shown, changed, taken away.

use serde_json::{Value, json};

use crate::caller::{Ask, Caller, Reply};
use crate::service::Service;

struct As<'a> {
    caller: Caller,
    token: &'a str,
}

impl As<'_> {
    fn ask(&mut self, method: &str, path: &str, body: Value) -> Reply {
        let ask = Ask::new(method, path).token(self.token);
        self.caller.ask(&if body.is_null() { ask } else { ask.json(&body) })
    }

    fn get(&mut self, path: &str) -> Value {
        let reply = self.ask("GET", path, Value::Null);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.json()
    }
}

#[test]
fn zone_is_added_shown_set_and_removed() {
    let service = Service::start();
    let token = service.operator();
    let mut operator = As { caller: service.call(), token: &token };
    let new = json!({ "name": "New.Example.", "suffix": true, "ns": ["ns.example.net"], "host_ttl_s": 30 });
    let added = operator.ask("POST", "/v1/zones", new.clone());
    assert_eq!((added.status, added.field("location")), (201, Some("/v1/zones/new.example")));
    let zone = operator.get("/v1/zones/new.example");
    assert_eq!(zone, added.json());
    assert_eq!(
        (&zone["suffix"], &zone["host_ttl_s"], &zone["rrsets"]),
        (&json!(true), &json!(30), &json!(2))
    );
    assert_eq!(operator.ask("POST", "/v1/zones", new).problem(), "exists");
    let scavenge = json!({ "no_refresh_s": 60, "refresh_s": 60 });
    let set = operator.ask("PATCH", "/v1/zones/new.example", json!({ "scavenge": scavenge }));
    assert_eq!(set.json()["scavenge"], scavenge, "{}", set.text());
    let kept = operator.ask("PATCH", "/v1/zones/new.example", json!({}));
    assert_eq!(kept.json()["scavenge"], scavenge);
    let reset = operator.ask("PATCH", "/v1/zones/new.example", json!({ "scavenge": null }));
    assert_eq!(reset.json()["scavenge"], Value::Null);
    let names: Vec<Value> = operator.get("/v1/zones")["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|zone| zone["name"].clone())
        .collect();
    assert_eq!(names, ["dyn.example", "new.example", "own.example"]);
    assert_eq!(operator.ask("DELETE", "/v1/zones/new.example", Value::Null).status, 204);
    assert_eq!(operator.ask("DELETE", "/v1/zones/new.example", Value::Null).problem(), "not-found");
}

#[test]
fn host_is_added_updated_by_its_device_shown_rotated_and_removed() {
    let service = Service::start();
    let token = service.operator();
    let mut operator = As { caller: service.call(), token: &token };
    let new =
        json!({ "name": "cam.dyn.example", "ttl_s": 30, "private_ok": true, "label": "camera" });
    let made = operator.ask("POST", "/v1/hosts", new);
    assert_eq!(made.status, 201, "{}", made.text());
    let secret = made.json()["token"].as_str().expect("a token").to_owned();
    assert_eq!(made.json()["host"]["last_seen"], Value::Null);
    let auth = format!("Bearer {secret}");
    let update = Ask::new("GET", "/nic/update?hostname=cam.dyn.example&myip=192.0.2.9")
        .with("Authorization", &auth);
    assert_eq!(service.call().ask(&update).text(), "good 192.0.2.9\n");
    let host = operator.get("/v1/hosts/cam.dyn.example");
    assert_eq!((&host["a"], &host["ttl_s"]), (&json!(["192.0.2.9"]), &json!(30)));
    assert!(host["last_seen"].is_string());
    // The device sees itself, and changes its addresses here as well.
    let mut device = As { caller: service.call(), token: &secret };
    let path = "/v1/zones/dyn.example/rrsets/cam.dyn.example/AAAA";
    let put = device.ask("PUT", path, json!({ "ttl_s": 30, "records": ["2001:db8::9"] }));
    assert_eq!(put.status, 200, "{}", put.text());
    assert_eq!(device.get("/v1/hosts/cam.dyn.example")["aaaa"], json!(["2001:db8::9"]));
    let expiry = json!({ "after_s": 86_400, "then": { "do": "park", "addresses": ["192.0.2.1"] } });
    let set = operator.ask(
        "PATCH",
        "/v1/hosts/cam.dyn.example",
        json!({ "ttl_s": null, "expiry": expiry }),
    );
    assert_eq!(
        (&set.json()["ttl_s"], &set.json()["expiry"]),
        (&Value::Null, &expiry),
        "{}",
        set.text()
    );
    let rotated = operator.ask("POST", "/v1/hosts/cam.dyn.example/rotate", Value::Null);
    assert_eq!(rotated.status, 201);
    assert_ne!(rotated.json()["token"], json!(secret));
    assert_eq!(device.ask("GET", "/v1/whoami", Value::Null).problem(), "unauthenticated");
    assert_eq!(operator.ask("DELETE", "/v1/hosts/cam.dyn.example", Value::Null).status, 204);
    assert_eq!(
        operator.ask("GET", "/v1/hosts/cam.dyn.example", Value::Null).problem(),
        "not-found"
    );
    assert_eq!(operator.ask("GET", path, Value::Null).problem(), "not-found");
}

#[test]
fn tokens_are_added_listed_and_revoked() {
    let service = Service::start();
    let token = service.operator();
    service.host_of("cam.dyn.example", None);
    let mut operator = As { caller: service.call(), token: &token };
    let made =
        operator.ask("POST", "/v1/tokens", json!({ "hosts": ["cam.dyn.example"], "label": "two" }));
    assert_eq!(made.status, 201, "{}", made.text());
    let place = made.field("location").expect("a place").to_owned();
    let shown = operator.get(&place);
    assert_eq!((&shown["label"], &shown["revoked"]), (&json!("two"), &Value::Null));
    let secret = made.json()["token"].as_str().expect("a token").to_owned();
    let mut second = As { caller: service.call(), token: &secret };
    assert_eq!(second.get("/v1/whoami")["hosts"], json!(["cam.dyn.example"]));
    assert_eq!(operator.ask("DELETE", &place, Value::Null).status, 204);
    assert!(operator.get(&place)["revoked"].is_string());
    assert_eq!(second.ask("GET", "/v1/whoami", Value::Null).problem(), "unauthenticated");
    for body in [json!({ "hosts": [] }), json!({ "hosts": ["no.dyn.example"] })] {
        assert_eq!(operator.ask("POST", "/v1/tokens", body).problem(), "invalid");
    }
    assert_eq!(operator.ask("GET", "/v1/tokens/007", Value::Null).problem(), "bad-request");
    assert_eq!(operator.ask("GET", "/v1/tokens/7777777", Value::Null).problem(), "not-found");
    let listed = operator.get("/v1/tokens?limit=500");
    assert!(!listed.to_string().contains("byn_"), "{listed}");
}

#[test]
fn account_is_added_and_locked_down() {
    let service = Service::start();
    let token = service.operator();
    let mut operator = As { caller: service.call(), token: &token };
    let made = operator.ask("POST", "/v1/accounts", json!({ "name": "alice" }));
    assert_eq!(made.status, 201, "{}", made.text());
    let place = made.field("location").expect("a place").to_owned();
    assert_eq!(
        operator.ask("POST", "/v1/accounts", json!({ "name": "alice" })).problem(),
        "exists"
    );
    assert_eq!(operator.ask("POST", "/v1/accounts", json!({ "name": "" })).problem(), "invalid");
    let secret = service.host_of("a.dyn.example", Some("alice"));
    let frozen = operator.ask("PATCH", &place, json!({ "frozen": true }));
    assert_eq!(frozen.json()["frozen"], true, "{}", frozen.text());
    let mut alice = As { caller: service.call(), token: &secret };
    assert_eq!(alice.ask("GET", "/v1/whoami", Value::Null).problem(), "unauthenticated");
    assert_eq!(operator.ask("PATCH", &place, json!({ "frozen": false })).json()["frozen"], false);
    assert_eq!(operator.get("/v1/accounts")["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(operator.get("/v1/accounts/0")["created"], Value::Null);
}

#[test]
fn key_is_added_and_its_secret_is_shown_once() {
    let service = Service::start();
    let token = service.operator();
    let mut operator = As { caller: service.call(), token: &token };
    let new = json!({
        "name": "dhcp.own.example", "algorithm": "hmac-sha256", "zones": ["own.example"],
        "update": true, "names": ["*.own.example"], "types": ["A"], "actions": ["add"],
    });
    let made = operator.ask("POST", "/v1/keys", new.clone());
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["secret"].as_str().map(str::len), Some(44));
    let shown = operator.get("/v1/keys/dhcp.own.example");
    assert_eq!((&shown["names"], &shown["actions"]), (&json!(["*.own.example."]), &json!(["add"])));
    assert_eq!(shown.get("secret"), None);
    assert_eq!(operator.ask("POST", "/v1/keys", new).problem(), "exists");
    for (field, value) in [
        ("algorithm", json!("hmac-md5")),
        ("algorithm", json!("hmac-sha-256")),
        ("secret", json!("!")),
        ("zones", json!([])),
        ("zones", json!(["no.example"])),
        ("types", json!(["ANY"])),
        ("names", json!(["a..b"])),
    ] {
        let mut bad = json!({ "name": "k.own.example", "algorithm": "hmac-sha256", "zones": ["own.example"] });
        bad[field] = value;
        let reply = operator.ask("POST", "/v1/keys", bad.clone());
        assert!(matches!(reply.problem().as_str(), "invalid" | "limit-reached"), "{bad}");
    }
    assert_eq!(operator.get("/v1/keys")["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(operator.ask("DELETE", "/v1/keys/dhcp.own.example", Value::Null).status, 204);
    assert_eq!(
        operator.ask("GET", "/v1/keys/dhcp.own.example", Value::Null).problem(),
        "not-found"
    );
}

#[test]
fn service_tells_how_it_is() {
    let service = Service::start();
    let token = service.operator();
    let mut operator = As { caller: service.call(), token: &token };
    assert_eq!(operator.get("/v1/health"), json!({ "ready": true, "writable": true }));
    assert_eq!(operator.get("/v1/problems/invalid")["status"], 422);
    assert_eq!(operator.ask("GET", "/v1/metrics", Value::Null).text(), "byname_test_total 1\n");
    let who = operator.get("/v1/whoami");
    assert_eq!(
        (&who["role"], &who["account"], &who["address"]),
        (&json!("operator"), &json!(0), &json!("127.0.0.1"))
    );
    service.set_ready(false);
    assert_eq!(operator.get("/v1/health")["ready"], false);
    let reply = operator.ask("GET", "/v1/zones", Value::Null);
    assert_eq!((reply.problem().as_str(), reply.field("retry-after")), ("unavailable", Some("5")));
}
