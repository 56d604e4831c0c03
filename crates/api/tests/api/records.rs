//! RRsets: one at a time, several at once, under preconditions, as zone files.

use serde_json::{Value, json};

use crate::caller::{Ask, Caller, Reply};
use crate::service::{OWN, Service};

const WWW: &str = "/v1/zones/own.example/rrsets/www.own.example/A";

fn ask(caller: &mut Caller, token: &str, method: &str, path: &str, body: Option<Value>) -> Reply {
    let ask = Ask::new(method, path).token(token);
    caller.ask(&match body {
        Some(body) => ask.json(&body),
        None => ask,
    })
}

#[test]
fn rrset_is_put_read_replaced_and_deleted() {
    let service = Service::start();
    let token = service.operator();
    let mut caller = service.call();
    let put = ask(
        &mut caller,
        &token,
        "PUT",
        WWW,
        Some(json!({ "ttl_s": 300, "records": ["192.0.2.1"] })),
    );
    assert_eq!(put.status, 200, "{}", put.text());
    assert_eq!(
        put.json(),
        json!({ "name": "www.own.example", "type": "A", "ttl_s": 300, "records": ["192.0.2.1"] })
    );
    let shown = ask(&mut caller, &token, "GET", WWW, None);
    assert_eq!(shown.json(), put.json());
    assert_eq!(shown.field("etag"), put.field("etag"));
    assert_eq!(shown.field("cache-control"), Some("private, no-cache"));
    // What is there twice is there once, and other names in data are absolute.
    let path = "/v1/zones/own.example/rrsets/mail.own.example./mx";
    let body = json!({ "ttl_s": 60, "records": ["10 mx.example.net", "10 MX.example.net."] });
    let put = ask(&mut caller, &token, "PUT", path, Some(body));
    assert_eq!(put.json()["records"], json!(["10 mx.example.net."]));
    assert_eq!(ask(&mut caller, &token, "DELETE", WWW, None).status, 204);
    assert_eq!(ask(&mut caller, &token, "GET", WWW, None).problem(), "not-found");
    assert_eq!(ask(&mut caller, &token, "DELETE", WWW, None).problem(), "not-found");
}

#[test]
fn what_makes_no_sense_is_refused_and_says_why() {
    let service = Service::start();
    let token = service.operator();
    let mut caller = service.call();
    let one = |record: &str| json!({ "ttl_s": 60, "records": [record] });
    for (path, body, kind, pointer) in [
        (WWW, one("192.0.2"), "invalid", json!("/records/0")),
        (WWW, json!({ "ttl_s": 60, "records": [] }), "invalid", json!("/records")),
        (WWW, json!({ "ttl_s": 60 }), "invalid", Value::Null),
        (WWW, json!({ "ttl": 60, "records": ["192.0.2.1"] }), "invalid", json!("/ttl")),
        (
            WWW,
            json!({ "ttl_s": 4_294_967_295_u32, "records": ["192.0.2.1"] }),
            "invalid",
            Value::Null,
        ),
        (WWW, json!([]), "invalid", Value::Null),
        ("/v1/zones/own.example/rrsets/www.own.example/ANY", one("x"), "bad-request", Value::Null),
        (
            "/v1/zones/own.example/rrsets/www.own.example/HELLO",
            one("x"),
            "bad-request",
            Value::Null,
        ),
        (
            "/v1/zones/own.example/rrsets/www.other.example/A",
            one("192.0.2.1"),
            "not-found",
            Value::Null,
        ),
        ("/v1/zones/own.example/rrsets/a..b/A", one("192.0.2.1"), "bad-request", Value::Null),
        (
            "/v1/zones/no.example/rrsets/www.no.example/A",
            one("192.0.2.1"),
            "not-found",
            Value::Null,
        ),
    ] {
        let reply = ask(&mut caller, &token, "PUT", path, Some(body.clone()));
        assert_eq!(reply.problem(), kind, "{path} {body}");
        assert_eq!(reply.json()["pointer"], pointer, "{path} {body}");
    }
    // An alias stands alone, and nothing is passed over in silence.
    let alias = "/v1/zones/own.example/rrsets/alias.own.example/CNAME";
    let put = ask(&mut caller, &token, "PUT", alias, Some(one("www.own.example")));
    assert_eq!(put.status, 200, "{}", put.text());
    let beside = "/v1/zones/own.example/rrsets/alias.own.example/A";
    let put = ask(&mut caller, &token, "PUT", beside, Some(one("192.0.2.1")));
    assert_eq!(put.problem(), "invalid");
    let apex = "/v1/zones/own.example/rrsets/own.example/SOA";
    assert_eq!(ask(&mut caller, &token, "DELETE", apex, None).problem(), "invalid");
}

#[test]
fn rfc9110_13_1_preconditions_are_judged_with_the_change() {
    let service = Service::start();
    let token = service.operator();
    let mut caller = service.call();
    let body = |last: u8| json!({ "ttl_s": 60, "records": [format!("192.0.2.{last}")] });
    let put = |caller: &mut Caller, field: &str, value: &str, last: u8| {
        caller.ask(&Ask::new("PUT", WWW).token(&token).with(field, value).json(&body(last)))
    };
    assert_eq!(put(&mut caller, "If-Match", "*", 1).problem(), "precondition-failed");
    let first = put(&mut caller, "If-None-Match", "*", 1);
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(put(&mut caller, "If-None-Match", "*", 2).problem(), "precondition-failed");
    let tag = first.field("etag").expect("a tag").to_owned();
    assert_eq!(put(&mut caller, "If-Match", &tag, 2).status, 200);
    assert_eq!(put(&mut caller, "If-Match", &tag, 3).problem(), "precondition-failed");
    // Not read again when it is the same, and read when it is not.
    let read = |caller: &mut Caller, tag: &str| {
        caller.ask(&Ask::new("GET", WWW).token(&token).with("If-None-Match", tag))
    };
    assert_eq!(read(&mut caller, &tag).status, 200);
    let now = read(&mut caller, "\"x\"").field("etag").expect("a tag").to_owned();
    let same = read(&mut caller, &now);
    assert_eq!((same.status, same.field("etag")), (304, Some(now.as_str())));
    // An operation that knows no precondition does nothing under one.
    let path = "/v1/zones/own.example";
    let ask = Ask::new("DELETE", path).token(&token).with("If-Match", "\"x\"");
    assert_eq!(caller.ask(&ask).problem(), "bad-request");
    assert_eq!(caller.ask(&Ask::new("GET", path).token(&token)).status, 200);
}

/// Of many who read one state and write on it, one succeeds.
#[test]
fn of_those_who_rest_on_one_state_one_writes() {
    let service = Service::start();
    let token = service.operator();
    let first = service.call().ask(
        &Ask::new("PUT", WWW).token(&token).json(&json!({ "ttl_s": 60, "records": ["192.0.2.1"] })),
    );
    let tag = first.field("etag").expect("a tag").to_owned();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let race = |last: u8| {
            let (service, token, tag) = (&service, &token, &tag);
            scope.spawn(move || {
                let body = json!({ "ttl_s": 60, "records": [format!("192.0.2.{last}")] });
                let ask = Ask::new("PUT", WWW).token(token).with("If-Match", tag).json(&body);
                service.call().ask(&ask).status
            })
        };
        let racing: Vec<_> = (2..10).map(race).collect();
        racing.into_iter().map(|each| each.join().expect("an end")).collect()
    });
    assert_eq!(statuses.iter().filter(|&&status| status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 412)), "{statuses:?}");
}

#[test]
fn several_edits_are_made_at_once_or_not_at_all() {
    let service = Service::start();
    let token = service.operator();
    let mut caller = service.call();
    let path = "/v1/zones/own.example/rrsets";
    let add = |name: &str, record: &str| json!({ "do": "add", "name": name, "type": "A", "ttl_s": 60, "records": [record] });
    let edits =
        json!({ "edits": [add("a.own.example", "192.0.2.1"), add("b.own.example", "192.0.2.2")] });
    let done = ask(&mut caller, &token, "PATCH", path, Some(edits.clone()));
    assert_eq!(done.json()["changed"], true, "{}", done.text());
    let again = ask(&mut caller, &token, "PATCH", path, Some(edits));
    assert_eq!(again.json()["changed"], false);
    assert_eq!(again.json()["serial"], done.json()["serial"]);
    let bad = json!({
        "prerequisites": [{ "is": "name-not-in-use", "name": "b.own.example" }],
        "edits": [add("c.own.example", "192.0.2.3")],
    });
    assert_eq!(ask(&mut caller, &token, "PATCH", path, Some(bad)).problem(), "precondition-failed");
    let bad = json!({ "edits": [add("c.own.example", "192.0.2.3"), add("d.own.example", "?")] });
    let bad = ask(&mut caller, &token, "PATCH", path, Some(bad));
    assert_eq!(
        (bad.problem().as_str(), &bad.json()["pointer"]),
        ("invalid", &json!("/edits/1/records/0"))
    );
    let alias = json!({ "edits": [
        { "do": "add", "name": "e.own.example", "type": "CNAME", "ttl_s": 60, "records": ["a.own.example"] },
    ] });
    assert_eq!(ask(&mut caller, &token, "PATCH", path, Some(alias.clone())).status, 200);
    // Beside an alias nothing is acknowledged that nobody would see; in place of one it is.
    let beside = json!({ "edits": [add("e.own.example", "192.0.2.5")] });
    assert_eq!(
        ask(&mut caller, &token, "PATCH", path, Some(beside)).problem(),
        "precondition-failed"
    );
    let instead = json!({
        "edits": [{ "do": "delete-name", "name": "e.own.example" }, add("e.own.example", "192.0.2.5")],
    });
    assert_eq!(ask(&mut caller, &token, "PATCH", path, Some(instead)).json()["changed"], true);
    assert_eq!(ask(&mut caller, &token, "PATCH", path, Some(alias)).problem(), "invalid");
    let gone = json!({ "edits": [{ "do": "delete-name", "name": "e.own.example" }] });
    let again = ask(&mut caller, &token, "PATCH", path, Some(gone));
    let moved = json!({
        "prerequisites": [
            { "is": "rrset-equals", "name": "a.own.example", "type": "A", "records": ["192.0.2.1"] },
            { "is": "rrset-does-not-exist", "name": "a.own.example", "type": "AAAA" },
        ],
        "edits": [
            { "do": "delete-name", "name": "a.own.example" },
            { "do": "delete-rrset", "name": "b.own.example", "type": "A" },
            { "do": "replace", "name": "c.own.example", "type": "A", "ttl_s": 5, "records": ["192.0.2.9"] },
            { "do": "delete-records", "name": "c.own.example", "type": "A", "records": ["192.0.2.8"] },
        ],
    });
    let tag = again.field("etag").expect("a tag").to_owned();
    let patch = Ask::new("PATCH", path).token(&token).with("If-Match", &tag).json(&moved);
    assert_eq!(caller.ask(&patch).status, 200);
    // The serial has moved on.
    assert_eq!(caller.ask(&patch).problem(), "precondition-failed");
    let listed = ask(&mut caller, &token, "GET", &format!("{path}?type=A"), None);
    assert_eq!(listed.json()["items"][0]["name"], "c.own.example");
    assert_eq!(listed.json()["items"].as_array().map(Vec::len), Some(1));
}

#[test]
fn lists_come_in_pages_that_together_are_everything_in_order() {
    let service = Service::start();
    let token = service.operator();
    let mut caller = service.call();
    let path = "/v1/zones/own.example/rrsets";
    let edits: Vec<Value> = (0..25)
        .map(|n| {
            let name = format!("h{n}.sub.own.example");
            json!({ "do": "add", "name": name, "type": "A", "ttl_s": 60, "records": ["192.0.2.1"] })
        })
        .collect();
    ask(&mut caller, &token, "PATCH", path, Some(json!({ "edits": edits })));
    let all =
        ask(&mut caller, &token, "GET", &format!("{path}?under=sub.own.example&limit=500"), None);
    let all = all.json()["items"].clone();
    assert_eq!(all.as_array().map(Vec::len), Some(25));
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let target = format!("{path}?under=sub.own.example&limit=4{cursor}");
        let page = ask(&mut caller, &token, "GET", &target, None).json();
        seen.extend(page["items"].as_array().expect("items").clone());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(Value::Array(seen), all);
    let one = ask(&mut caller, &token, "GET", &format!("{path}?name=own.example"), None).json();
    let types: Vec<&Value> =
        one["items"].as_array().expect("items").iter().map(|each| &each["type"]).collect();
    assert_eq!(types, ["NS", "SOA"]);
    for query in [
        "limit=0",
        "limit=501",
        "limit=x",
        "cursor=!",
        "cursor=eA",
        "names=x",
        "name=a.other.example",
    ] {
        let reply = ask(&mut caller, &token, "GET", &format!("{path}?{query}"), None);
        assert_eq!(reply.problem(), "bad-request", "{query}");
    }
}

#[test]
fn zone_comes_out_as_a_file_and_goes_in_as_one() {
    let service = Service::start();
    let token = service.operator();
    let mut caller = service.call();
    let file = "/v1/zones/own.example/file";
    let text = "own.example. 3600 IN SOA ns1.own.example. h.own.example. 3000000000 1 1 1 1\n\
                own.example. 3600 IN NS ns1.own.example.\nns1 60 IN A 192.0.2.53\n";
    let put = caller.ask(&Ask::new("PUT", file).token(&token).body("text/dns", text));
    assert_eq!(put.json(), json!({ "zone": OWN, "rrsets": 3, "serial": 3_000_000_000_u32 }));
    let out = ask(&mut caller, &token, "GET", file, None);
    assert_eq!(out.field("content-type"), Some("text/dns"));
    assert!(out.text().contains("ns1.own.example."), "{}", out.text());
    assert!(out.text().ends_with("; end of own.example.\n"), "{}", out.text());
    // A file with a fault changes nothing, and says where.
    let bad = caller
        .ask(&Ask::new("PUT", file).token(&token).body("text/dns", "own.example. 60 IN A 1\n"));
    assert_eq!(bad.problem(), "invalid");
    assert!(bad.json()["detail"].as_str().expect("a detail").contains("line 1"), "{}", bad.text());
    let bad = caller.ask(&Ask::new("PUT", file).token(&token).body("text/plain", text));
    assert_eq!(bad.problem(), "unsupported-media-type");
    let same = Ask::new("GET", file)
        .token(&token)
        .with("If-None-Match", out.field("etag").expect("a tag"));
    assert_eq!(caller.ask(&same).status, 304);
    // A zone that is not served yet is served from then on.
    let text = text.replace("own.example", "fresh.example");
    let put = caller
        .ask(&Ask::new("PUT", "/v1/zones/fresh.example/file").token(&token).body("text/dns", text));
    assert_eq!(put.status, 200, "{}", put.text());
    assert_eq!(
        ask(&mut caller, &token, "GET", "/v1/zones/fresh.example", None).json()["rrsets"],
        3
    );
}
