//! Stopping.

use std::io::Write;
use std::net::TcpStream;

use rustix::process::Signal;

use crate::bynamed::{HOST, Place, ZONE};

#[test]
fn stop_is_graceful_on_sigterm_and_sigint_and_writes_down_what_was_in_memory() {
    for signal in [Signal::TERM, Signal::INT] {
        let (place, token) = Place::with_host();
        let mut service = place.serve(&[]);
        assert_eq!(service.rcode(ZONE), 0);
        assert_eq!(service.update(&token, "198.51.100.7"), "good 198.51.100.7");
        // Nothing is written for this but when the host was seen.
        assert_eq!(service.update(&token, "198.51.100.7"), "nochg 198.51.100.7");
        let seen = place.json(&["host", "show", HOST])["last_seen"].clone();
        assert!(seen.is_string(), "{seen}");
        service.signal(signal);
        assert_eq!(service.wait().code(), Some(0), "{}", service.log());
        assert_eq!(place.json(&["host", "show", HOST])["last_seen"], seen);
    }
}

#[test]
fn second_signal_ends_at_once() {
    let (place, _) = Place::with_host();
    let mut service = place.serve(&[]);
    // A request that is never finished is waited for a while.
    let mut begun = TcpStream::connect(service.http()).expect("a connection");
    begun.write_all(b"GET /ip HTTP/1.1\r\n").expect("a socket that takes octets");
    assert_eq!(service.get("/healthz", None).0, "HTTP/1.1 200 OK");
    service.signal(Signal::TERM);
    service.wait_for_log("stopping");
    service.signal(Signal::TERM);
    service.wait();
    // Whether the first or the second was quicker: nothing that was acknowledged is lost.
    assert_eq!(place.json(&["zone", "list"])[0]["zone"], ZONE);
}

#[test]
fn service_whose_socket_somebody_removed_still_stops_well() {
    let (place, token) = Place::with_host();
    let mut service = place.serve(&[]);
    std::fs::remove_file(place.data().join("admin.sock")).expect("the socket was there");
    assert_eq!(service.update(&token, "198.51.100.7"), "good 198.51.100.7");
    service.signal(Signal::TERM);
    assert_eq!(service.wait().code(), Some(0), "{}", service.log());
    assert_eq!(place.json(&["host", "show", HOST])["a"][0], "198.51.100.7");
}
