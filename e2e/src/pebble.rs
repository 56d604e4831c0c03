//! pebble, an ACME service of our own that looks for records at ours.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use crate::{Background, DEADLINE, Finished, eventually, program};

/// Where it listens. Two cannot run at once but in networks of their own.
pub const ADDRESS: &str = "127.0.0.1:14000";

/// Starts it in a folder of the caller's; it looks for records at this service. Its certificate is
/// `tls.pem` there.
pub fn start(folder: &Path, dns: SocketAddr) -> Background {
    let path = |name: &str| folder.join(name);
    let mut openssl = program("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    openssl.args(["-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]);
    Finished::run(openssl.arg("-keyout").arg(path("tls.key")).arg("-out").arg(path("tls.pem")))
        .ok();
    let configuration = serde_json::json!({ "pebble": {
        "listenAddress": ADDRESS,
        "managementListenAddress": "127.0.0.1:15000",
        "certificate": path("tls.pem"),
        "privateKey": path("tls.key"),
        "httpPort": 5002,
        "tlsPort": 5001,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": false,
    }});
    fs::write(path("pebble.json"), configuration.to_string()).expect("a file");
    let mut command = program("pebble");
    command.arg("-config").arg(path("pebble.json")).args(["-dnsserver", &dns.to_string()]);
    // It would sleep, and refuse good requests, to try clients.
    command.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", "0");
    let pebble = Background::start(&mut command, &path("pebble.log"));
    eventually("pebble", DEADLINE, || {
        let listens = std::net::TcpStream::connect(ADDRESS);
        listens.map(drop).map_err(|error| format!("{error}\n{}", pebble.talk()))
    });
    pebble
}
