//! Authorities: one of our own by openssl, and pebble, which speaks ACME.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Background, DEADLINE, Finished, eventually, program};

/// A certificate authority of our own, in a folder.
pub struct Authority {
    /// Its certificate (PEM).
    pub certificate: PathBuf,
    folder: PathBuf,
}

/// A certificate and its key (PEM).
#[derive(Clone, Debug)]
pub struct Issued {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Authority {
    /// A new one.
    pub fn new(folder: &Path) -> Authority {
        let path = |name: &str| folder.join(name);
        fs::write(path("openssl.cnf"), OPENSSL).expect("a file");
        let mut openssl = new_certificate(folder, "ca");
        openssl.args(["-addext", "basicConstraints=critical,CA:TRUE"]);
        openssl.args(["-addext", "subjectKeyIdentifier=hash"]);
        openssl.arg("-keyout").arg(path("ca.key")).arg("-out").arg(path("ca.pem"));
        Finished::run(&mut openssl).ok();
        Authority { certificate: path("ca.pem"), folder: folder.to_path_buf() }
    }

    /// Issues a certificate for names like `DNS:home.example,IP:127.0.0.1`.
    pub fn issue(&self, file: &str, names: &str) -> Issued {
        let path = |end: &str| self.folder.join(format!("{file}.{end}"));
        let issued = Issued { certificate: path("pem"), key: path("key") };
        let mut openssl = new_certificate(&self.folder, file);
        openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        openssl.args(["-addext", &format!("subjectAltName={names}")]);
        openssl.arg("-CA").arg(&self.certificate).arg("-CAkey").arg(self.folder.join("ca.key"));
        openssl.arg("-keyout").arg(&issued.key).arg("-out").arg(&issued.certificate);
        Finished::run(&mut openssl).ok();
        issued
    }
}

/// An ACME service that looks for proofs at `dns`, whose certificates are valid for so many seconds.
pub struct Pebble {
    /// The process.
    pub program: Background,
    /// The authority of its own server (PEM).
    pub authority: PathBuf,
}

impl Pebble {
    /// Starts it at a fixed port: it needs a network of our own.
    pub fn start(folder: &Path, dns: SocketAddr, valid_s: u32) -> Pebble {
        let path = |name: &str| folder.join(name);
        if !path(PEBBLE_CERTIFICATE).exists() {
            Authority::new(folder).issue("pebble-tls", "IP:127.0.0.1");
        }
        let configuration = serde_json::json!({ "pebble": {
            "listenAddress": ACME,
            "managementListenAddress": MANAGEMENT,
            "certificate": path(PEBBLE_CERTIFICATE),
            "privateKey": path("pebble-tls.key"),
            "httpPort": 5002,
            "tlsPort": 5001,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
            "certificateValidityPeriod": valid_s,
        }});
        fs::write(path("pebble.json"), configuration.to_string()).expect("a file");
        let mut command = program("pebble");
        command.arg("-config").arg(path("pebble.json")).args(["-dnsserver", &dns.to_string()]);
        // It would sleep, and refuse good requests, to try clients.
        command.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", "0");
        let pebble = Background::start(&mut command, &path("pebble.log"));
        eventually("pebble", DEADLINE, || {
            let listens = TcpStream::connect(ACME);
            listens.map(drop).map_err(|error| format!("{error}\n{}", pebble.talk()))
        });
        Pebble { program: pebble, authority: path("ca.pem") }
    }

    /// The certificate by which those that it issues are known (PEM), new at each start.
    pub fn root(&self) -> String {
        let mut curl = program("curl");
        curl.arg("--silent").arg("--cacert").arg(&self.authority);
        Finished::run(curl.arg(format!("https://{MANAGEMENT}/roots/0"))).ok().out
    }
}

/// Address of the directory of pebble.
pub fn pebble_directory() -> String {
    format!("https://{ACME}/dir")
}

fn new_certificate(folder: &Path, subject: &str) -> Command {
    let mut openssl = program("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    openssl.args(["-nodes", "-days", "30", "-subj", &format!("/CN={subject}")]);
    openssl.arg("-config").arg(folder.join("openssl.cnf"));
    openssl
}

/// The machine's own would make every certificate one of an authority.
const OPENSSL: &str = "[req]\ndistinguished_name = names\n[names]\n";
const PEBBLE_CERTIFICATE: &str = "pebble-tls.pem";
pub(crate) const ACME: &str = "127.0.0.1:14000";
const MANAGEMENT: &str = "127.0.0.1:15000";
