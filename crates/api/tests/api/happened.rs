//! What happened and what happens: history, undoing, events.

use std::time::Duration;

use serde_json::{Value, json};

use crate::caller::{Ask, Caller, Reply};
use crate::service::Service;

const WWW: &str = "/v1/zones/own.example/rrsets/www.own.example/A";

fn put(caller: &mut Caller, token: &str, last: u8) -> Reply {
    let body = json!({ "ttl_s": 60, "records": [format!("192.0.2.{last}")] });
    caller.ask(&Ask::new("PUT", WWW).token(token).json(&body))
}

fn get(caller: &mut Caller, token: &str, path: &str) -> Value {
    let reply = caller.ask(&Ask::new("GET", path).token(token));
    assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    reply.json()
}

#[test]
fn changes_are_listed_with_who_and_where_from_and_undone() {
    let service = Service::start();
    let token = service.operator();
    let mut caller = service.call();
    for last in 1..4 {
        assert_eq!(put(&mut caller, &token, last).status, 200);
    }
    let path = "/v1/history?host=www.own.example";
    let page = get(&mut caller, &token, path);
    let items = page["items"].as_array().expect("items");
    assert_eq!(items.len(), 3, "{page}");
    assert_eq!(items[0]["changes"][0]["after"]["data"], json!(["192.0.2.3"]));
    assert_eq!(items[0]["source"], "127.0.0.1");
    let first = get(&mut caller, &token, &format!("{path}&order=oldest-first&limit=1"));
    assert_eq!(first["items"][0], items[2]);
    let cursor = first["next"].as_str().expect("a cursor");
    let second =
        get(&mut caller, &token, &format!("{path}&order=oldest-first&limit=1&cursor={cursor}"));
    assert_eq!(second["items"][0], items[1]);
    assert_eq!(get(&mut caller, &token, "/v1/history?kind=key")["items"], json!([]));
    for query in
        ["kind=x", "order=x", "since=yesterday", "account=x", "host=a.example&zone=b.example"]
    {
        let reply = caller.ask(&Ask::new("GET", &format!("/v1/history?{query}")).token(&token));
        assert_eq!(reply.problem(), "bad-request", "{query}");
    }
    let mut undo =
        |body: Value| caller.ask(&Ask::new("POST", "/v1/undo").token(&token).json(&body));
    let event = items[0]["pos"].clone();
    let dry = undo(json!({ "event": event, "dry_run": true }));
    assert_eq!(dry.json()["changes"][0]["to"]["records"], json!(["192.0.2.2"]), "{}", dry.text());
    assert_eq!(undo(json!({ "event": event })).status, 200);
    // It is not what the change has left any more.
    assert_eq!(undo(json!({ "event": event })).problem(), "precondition-failed");
    assert_eq!(undo(json!({ "event": 999_999 })).problem(), "not-found");
    for body in
        [json!({}), json!({ "event": 1, "name": "x" }), json!({ "name": "www.own.example" })]
    {
        assert_eq!(undo(body).problem(), "invalid");
    }
    let shown = caller.ask(&Ask::new("GET", WWW).token(&token));
    assert_eq!(shown.json()["records"], json!(["192.0.2.2"]));
}

#[test]
fn who_listens_is_told_of_each_change_and_goes_on_where_it_was() {
    let service = Service::start();
    let token = service.operator();
    let mut caller = service.call();
    let listen = |last: Option<&str>| {
        let mut listener = service.call();
        let ask = Ask::new("GET", "/v1/events?zone=own.example").token(&token);
        let ask = last.map_or(ask.clone(), |last| ask.with("Last-Event-ID", last));
        let reply = listener.ask(&ask);
        assert_eq!((reply.status, reply.field("content-type")), (200, Some("text/event-stream")));
        listener
    };
    let mut listener = listen(None);
    put(&mut caller, &token, 1);
    put(&mut caller, &token, 2);
    let first = listener.event();
    assert_eq!(first[0], "event: change");
    assert!(first[2].contains("192.0.2.1"), "{first:?}");
    let id = first[1].strip_prefix("id: ").expect("an id").to_owned();
    let second = listener.event();
    assert!(second[2].contains("192.0.2.2"), "{second:?}");
    assert_eq!(listen(Some(&id)).event(), second);
    let ask = Ask::new("GET", "/v1/events").token(&token).with("Last-Event-ID", "x");
    assert_eq!(caller.ask(&ask).problem(), "bad-request");
}

#[test]
fn closing_door_tells_who_listens() {
    let mut service = Service::start();
    let token = service.operator();
    let mut listener = service.call();
    listener.ask(&Ask::new("GET", "/v1/events").token(&token));
    std::thread::scope(|scope| {
        scope.spawn(|| service.close(Duration::from_secs(20)));
        assert_eq!(listener.event()[0], "event: end");
    });
    assert!(listener.ends());
}
