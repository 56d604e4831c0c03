//! HTTPS: who may hold up whom, and what is believed of a connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway::HttpSettings;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tls::{Certificates, Pair};

use crate::caller::{Caller, request};
use crate::service::Service;

const HOST: &str = "nas.own.example";
const PROXY: &str = "127.0.0.7";
/// The first octets of a handshake whose rest never comes.
const HALF: &[u8] = b"\x16\x03\x01\x02\x00\x01";
/// Longest wait for what happens within seconds.
const LATE: Duration = Duration::from_secs(60);

/// A service with HTTPS, and the certificate that a client must believe.
fn start(settings: impl FnOnce(&mut HttpSettings)) -> (Service, CertificateDer<'static>) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(vec!["update.example".to_owned()]);
    let certificate = params.expect("a name").self_signed(&key).expect("a certificate");
    let pair = Pair::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes())
        .expect("a pair");
    let certificates = Certificates::new(vec!["test".to_owned()]);
    certificates.put(0, pair);
    let service = Service::start_with(|chosen| {
        chosen.https = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
        chosen.certificates = Some(Arc::new(certificates));
        chosen.trusted_proxies = vec![PROXY.parse().expect("a network")];
        settings(chosen);
    });
    (service, certificate.der().clone())
}

/// The PROXY header of a connection of a stranger.
fn stranger() -> Vec<u8> {
    let mut octets = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    octets.extend([8, 8, 8, 8, 127, 0, 0, 1, 0x30, 0x39, 1, 0xbb]);
    octets
}

/// Makes a handshake over a connection.
fn encrypt(
    caller: Caller,
    believed: &CertificateDer<'static>,
) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(believed.clone()).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("update.example").expect("a name");
    let connection = ClientConnection::new(Arc::new(client), name).expect("a client");
    StreamOwned::new(connection, caller.into_stream())
}

/// Sends requests, the last of which closes, and reads all answers.
fn exchange(stream: &mut StreamOwned<ClientConnection, TcpStream>, requests: &[String]) -> String {
    stream.write_all(requests.concat().as_bytes()).expect("octets to be taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answers, and a proper end");
    answer
}

#[test]
fn requests_over_tls_are_answered_one_after_the_other() {
    let (service, certificate) = start(|_| {});
    let token = service.host(HOST);
    let mut stream = encrypt(service.call_https("127.0.0.1"), &certificate);
    let update =
        |n: u8, lines: &str| request(&token, &format!("hostname={HOST}&myip=10.0.0.{n}"), lines);
    let requests: Vec<String> =
        (1..=19).map(|n| update(n, "")).chain([update(20, "Connection: close\r\n")]).collect();
    let answers = exchange(&mut stream, &requests);
    let said: Vec<&str> = answers.lines().filter(|line| line.starts_with("good ")).collect();
    let expected: Vec<String> = (1..=20).map(|n| format!("good 10.0.0.{n}")).collect();
    assert_eq!(said, expected);
}

#[test]
fn a_token_over_tls_is_not_exposed_and_one_in_clear_is() {
    let (service, certificate) = start(|_| {});
    let token = service.host(HOST);
    let update = |n: u8| {
        request(&token, &format!("hostname={HOST}&myip=10.0.0.{n}"), "Connection: close\r\n")
    };
    // The header comes before the handshake, in one piece with it or not.
    for n in 1..=3 {
        let mut caller = service.call_https(PROXY);
        caller.send(&stranger());
        let mut stream = encrypt(caller, &certificate);
        let answer = exchange(&mut stream, &[update(n)]);
        assert!(answer.contains(&format!("good 10.0.0.{n}")), "{answer}");
    }
    // In clear the token is marked by its first use, and slowed down.
    let clear = |n: u8| {
        let mut caller = service.call_from(PROXY);
        caller.send(&stranger());
        caller.ask(update(n)).body
    };
    assert_eq!(clear(4), "good 10.0.0.4\n");
    assert!(!clear(5).starts_with("good"), "once a minute");
}

#[test]
fn plain_http_where_https_is_spoken_is_told_so() {
    let (service, _) = start(|_| {});
    let mut caller = service.call_https("127.0.0.1");
    caller.send(b"GET /ip HTTP/1.1\r\nHost: h\r\n\r\n");
    let said = caller.rest();
    assert!(said.starts_with("HTTP/1.1 400 ") && said.contains("HTTPS"), "{said}");
}

#[test]
fn a_handshake_that_does_not_go_on_is_ended() {
    let (service, certificate) = start(|settings| {
        settings.handshake = Duration::from_millis(200);
        settings.idle = Duration::from_secs(600);
    });
    let mut half = service.call_https("127.0.0.1");
    half.send(HALF);
    assert_eq!(half.rest(), "");
    let mut stream = encrypt(service.call_https("127.0.0.1"), &certificate);
    let get = "GET /ip HTTP/1.0\r\n\r\n".to_owned();
    assert!(exchange(&mut stream, &[get]).ends_with("127.0.0.1\n"));
}

#[test]
fn whoever_holds_all_places_for_handshakes_loses_the_next_one_soon() {
    let (service, certificate) = start(|settings| {
        settings.handshakes = 1;
        settings.handshake = Duration::from_secs(600);
    });
    let mut callers: Vec<Caller> = (0..4).map(|_| service.call_https("127.0.0.1")).collect();
    for caller in &mut callers {
        caller.send(HALF);
    }
    // One has the place and much time. The others wait for it, and not for long.
    let began = Instant::now();
    while callers.len() > 1 {
        callers.retain_mut(|caller| !caller.hears(Duration::from_millis(50)));
        assert!(began.elapsed() < LATE, "{} still wait", callers.len());
    }
    let mut holder = callers.pop().expect("one that has the place");
    holder.shut();
    assert_eq!(holder.rest(), "", "and gives it back");
    let mut stream = encrypt(service.call_https("127.0.0.3"), &certificate);
    let get = "GET /ip HTTP/1.0\r\n\r\n".to_owned();
    assert!(exchange(&mut stream, &[get]).ends_with("127.0.0.3\n"));
}

#[test]
fn stopping_does_not_wait_for_handshakes() {
    let (mut service, _) = start(|settings| settings.handshake = Duration::from_secs(600));
    let mut half = service.call_https("127.0.0.1");
    half.send(HALF);
    service.close(Duration::from_secs(600));
    assert_eq!(half.rest(), "");
}
