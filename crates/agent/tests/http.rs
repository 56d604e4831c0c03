//! Echoes and services that behave badly, as real peers over TCP.

#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use agent::address::{Addresses, Allowed, Family};
use agent::echo;
use agent::http::{BODY_OCTETS_MAX, Http, HttpSettings, Trust};
use agent::observe::{Cause, Observed};
use agent::outcome::{Outcome, Pausing, Stop};
use agent::publish::{Account, publish_addresses};
use agent::secret::Token;
use agent::server::Server;

/// For peers that answer; never reached.
const PATIENCE: Duration = Duration::from_secs(20);
/// For peers that do not.
const TIMEOUT: Duration = Duration::from_secs(2);

/// What the peer does with its one connection after it has read the head of a request.
#[derive(Clone)]
enum Act {
    /// Sends these octets and closes.
    Say(String),
    /// Sends these octets, then nothing, and keeps the connection open.
    Hang(String),
    /// Sends octets without an end until the client has had enough.
    Flood,
}

impl Act {
    fn timeout(&self) -> Duration {
        match self {
            Act::Hang(_) => TIMEOUT,
            Act::Say(_) | Act::Flood => PATIENCE,
        }
    }
}

struct Peer {
    address: SocketAddr,
    heads: Receiver<String>,
    thread: JoinHandle<()>,
}

impl Peer {
    fn start(act: Act) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sender, heads) = sync_channel(4);
        let thread = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            sender.send(read_head(&mut stream)).expect("somebody who listens");
            perform(&act, &mut stream);
        });
        Peer { address, heads, thread }
    }

    fn url(&self) -> String {
        format!("http://{}/ip", self.address)
    }

    /// The head of the request that came.
    fn head(self) -> String {
        let head = self.heads.recv_timeout(Duration::from_secs(10)).expect("a request");
        self.thread.join().expect("a peer that ends");
        head
    }
}

fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut octet = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut octet).expect("octets") == 1 {
        head.push(octet[0]);
    }
    String::from_utf8(head).expect("ASCII")
}

fn perform(act: &Act, stream: &mut TcpStream) {
    match act {
        Act::Say(octets) => {
            // The client may have gone away: it does not have to hear us out.
            let _ = stream.write_all(octets.as_bytes());
            let _ = stream.shutdown(Shutdown::Both);
        }
        Act::Hang(octets) => {
            let _ = stream.write_all(octets.as_bytes());
            let _ = stream.read(&mut [0]);
        }
        Act::Flood => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n");
            while stream.write_all(&[b'9'; 4096]).is_ok() {}
        }
    }
}

fn reply(status: &str, extra: &str, body: &str) -> Act {
    let length = body.len();
    Act::Say(format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{extra}\r\n{body}"))
}

fn http(family: Option<Family>, timeout: Duration) -> Http {
    Http::new(HttpSettings { timeout, trust: Trust::Bundled }, family)
}

fn echoed(act: Act) -> Observed {
    let http = http(Some(Family::V4), act.timeout());
    let peer = Peer::start(act);
    let observed = echo::ask(&http, &peer.url(), Family::V4, Allowed::default());
    peer.head();
    observed
}

fn published(act: Act) -> (Outcome, String) {
    let http = http(None, act.timeout());
    let peer = Peer::start(act);
    let server = Server::parse(&format!("http://{}", peer.address)).expect("a server");
    let token = Token::parse("byn_sesame").expect("a token");
    let account = Account { server: &server, host: "nas.dyn.example", token: &token };
    let addresses = ["9.0.0.1".parse().expect("an address")];
    let outcome = publish_addresses(&http, account, &addresses);
    (outcome, peer.head())
}

#[test]
fn an_echo_is_asked_politely_and_without_the_token() {
    let peer = Peer::start(reply("200 OK", "", "9.0.0.1\n"));
    let observed =
        echo::ask(&http(Some(Family::V4), PATIENCE), &peer.url(), Family::V4, Allowed::default());
    let expected = Observed::Known(Addresses::one("9.0.0.1".parse().unwrap()));
    assert_eq!(observed, expected);
    let head = peer.head().to_ascii_lowercase();
    assert!(head.starts_with("get /ip http/1.1\r\n"), "{head}");
    assert!(head.contains("user-agent: byname/"), "{head}");
    assert!(!head.contains("authorization"), "{head}");
}

#[test]
fn an_echo_that_misbehaves_says_nothing() {
    for (act, expected) in [
        (reply("200 OK", "", "<html>please log in</html>"), Cause::WebPage),
        (
            reply("302 Found", "Location: http://portal.example/\r\n", "9.0.0.1"),
            Cause::Redirected("http://portal.example/".to_owned()),
        ),
        (reply("401 Unauthorized", "", "9.0.0.1"), Cause::Status(401)),
        (reply("503 Service Unavailable", "", "9.0.0.1"), Cause::Status(503)),
        (reply("200 OK", "", ""), Cause::NotAnAddress),
    ] {
        assert_eq!(echoed(act), Observed::Unknown(expected));
    }
}

#[test]
fn half_an_answer_of_an_echo_is_none() {
    for act in [
        Act::Say(String::new()),
        Act::Say("HTTP/1.1 200 O".to_owned()),
        Act::Say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n9.0.0.1".to_owned()),
        Act::Hang(String::new()),
        Act::Hang("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n9.0.0.1".to_owned()),
        Act::Say("SSH-2.0-OpenSSH_9.2p1\r\n".to_owned()),
    ] {
        let before = Instant::now();
        let observed = echoed(act);
        assert!(matches!(observed, Observed::Unknown(Cause::NoAnswer(_))), "{observed:?}");
        assert!(before.elapsed() < PATIENCE / 2, "it has to end in time");
    }
}

#[test]
fn a_body_without_an_end_is_cut_off() {
    let observed = echoed(Act::Flood);
    assert!(matches!(observed, Observed::Unknown(Cause::NoAnswer(_))), "{observed:?}");
    let long = "9".repeat(BODY_OCTETS_MAX as usize + 1);
    let observed = echoed(reply("200 OK", "", &long));
    assert!(matches!(observed, Observed::Unknown(Cause::NoAnswer(_))), "{observed:?}");
}

#[test]
fn an_echo_where_nobody_listens_is_unreachable_and_so_is_the_wrong_family() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://{address}/ip");
    for family in Family::BOTH {
        let observed = echo::ask(&http(Some(family), PATIENCE), &url, family, Allowed::default());
        let unreachable = matches!(observed, Observed::Unknown(Cause::Unreachable(_)));
        assert!(unreachable, "{family}: {observed:?}");
    }
}

#[test]
fn an_update_carries_the_credentials_of_the_host() {
    let (outcome, head) = published(reply("200 OK", "", "good 9.0.0.1\n"));
    assert_eq!(outcome, Outcome::Confirmed { changed: true });
    let line = "GET /nic/update?hostname=nas.dyn.example&myip=9.0.0.1 HTTP/1.1\r\n";
    assert!(head.starts_with(line), "{head}");
    let encoded = data_encoding::BASE64.encode(b"nas.dyn.example:byn_sesame");
    assert!(head.to_ascii_lowercase().contains("authorization: basic "), "{head}");
    assert!(head.contains(&encoded), "{head}");
}

#[test]
fn what_a_service_says_decides_what_comes_next() {
    let unavailable = |for_s| Outcome::Paused(Pausing::Unavailable { code: "911", for_s });
    for (act, expected) in [
        (reply("200 OK", "", "nochg 9.0.0.1"), Outcome::Confirmed { changed: false }),
        (reply("401 Unauthorized", "", "badauth"), Outcome::Stopped(Stop::Badauth)),
        (reply("401 Unauthorized", "", ""), Outcome::Stopped(Stop::Badauth)),
        (reply("200 OK", "", "badauth"), Outcome::Stopped(Stop::Badauth)),
        (reply("200 OK", "", "nohost"), Outcome::Stopped(Stop::Nohost)),
        (reply("403 Forbidden", "", "abuse"), Outcome::Stopped(Stop::Abuse)),
        (reply("503 Busy", "", "911"), unavailable(None)),
        (reply("503 Busy", "Retry-After: 30\r\n", "911"), unavailable(Some(30))),
        (reply("200 OK", "", "911"), unavailable(None)),
    ] {
        assert_eq!(published(act).0, expected);
    }
}

#[test]
fn an_update_without_a_whole_answer_is_unconfirmed_and_not_failed() {
    for act in [
        Act::Say(String::new()),
        Act::Say("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\ngood".to_owned()),
        Act::Hang(String::new()),
        Act::Flood,
        reply("200 OK", "", "<html>good</html>"),
        reply("302 Found", "Location: http://elsewhere.example/\r\n", "good 9.0.0.1"),
    ] {
        let (outcome, _) = published(act);
        let unconfirmed = matches!(outcome, Outcome::Paused(Pausing::Unconfirmed(_)));
        assert!(unconfirmed, "{outcome:?}");
    }
}

#[test]
fn a_token_never_follows_a_redirect() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let target = elsewhere.local_addr().unwrap();
    let location = format!("Location: http://{target}/nic/update\r\n");
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        published(reply(status, &location, ""));
        assert!(elsewhere.accept().is_err(), "{status}: somebody came");
    }
}
