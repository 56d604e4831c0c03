//! The address echo, health and metrics.

use crate::service::Service;

#[test]
fn ip_tells_the_address_as_text_and_json() {
    let service = Service::start();
    let mut caller = service.call();
    let text = caller.get("/ip");
    assert_eq!((text.status, &*text.body), (200, "127.0.0.1\n"));
    assert_eq!(text.header("Content-Type"), Some("text/plain; charset=utf-8"));
    assert_eq!(text.header("Cache-Control"), Some("no-store"));
    let json = "{\"ip\":\"127.0.0.1\",\"family\":4}\n";
    for request in [
        "GET /ip?format=json HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /ip HTTP/1.1\r\nHost: h\r\nAccept: application/json\r\n\r\n",
    ] {
        let reply = caller.ask(request);
        assert_eq!((reply.status, &*reply.body), (200, json));
        assert_eq!(reply.header("Content-Type"), Some("application/json"));
    }
    assert_eq!(caller.ask("POST /ip HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n").status, 405);
}

#[test]
fn health_and_readiness_are_told_apart() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    let mut caller = service.call();
    assert_eq!(caller.get("/healthz").status, 200);
    assert_eq!(caller.get("/readyz").body, "ready\n");
    service.set_ready(false);
    assert_eq!(caller.get("/healthz").status, 200);
    let unready = caller.get("/readyz");
    assert_eq!((unready.status, &*unready.body), (503, "the zones are not loaded\n"));
    let update = caller.update(&token, "hostname=nas.own.example&myip=10.0.0.1");
    assert_eq!((update.status, &*update.body), (503, "911\n"));
    assert!(service.published("nas.own.example").is_empty());
}

#[test]
fn metrics_are_for_loopback_and_trusted_networks() {
    let service = Service::start_with(|settings| {
        settings.trusted_proxies = vec!["127.0.0.7".parse().expect("a network")];
        settings.trusted_networks = vec!["10.9.0.0/16".parse().expect("a network")];
    });
    let local = service.call().get("/metrics");
    assert_eq!((local.status, &*local.body), (200, "byname_test_total 1\n"));
    for (from, lines, status) in [
        ("127.0.0.7", "X-Forwarded-For: 10.9.1.1\r\n", 200),
        ("127.0.0.7", "X-Forwarded-For: 8.8.8.8\r\n", 404),
        ("127.0.0.7", "X-Forwarded-For: 10.9.1.1, 8.8.8.8\r\n", 404),
        ("127.0.0.7", "X-Forwarded-For: 127.0.0.1, 8.8.8.8\r\n", 404),
        // A proxy that nobody has listed, with who knows whom behind it.
        ("127.0.0.1", "X-Forwarded-For: 8.8.8.8\r\n", 404),
        ("127.0.0.1", "Via: 1.1 proxy\r\n", 404),
    ] {
        let request = format!("GET /metrics HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
        assert_eq!(service.call_from(from).ask(request).status, status, "{from} {lines}");
    }
}

#[test]
fn other_paths_lead_nowhere() {
    let service = Service::start();
    let mut caller = service.call();
    for path in ["/", "/index.html", "/nic", "/update", "/metrics/x", "/v4/update"] {
        assert_eq!(caller.get(path).status, 404, "{path}");
    }
}
