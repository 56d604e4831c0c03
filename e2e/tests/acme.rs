//! The service obtains its certificate from pebble by itself.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use e2e::authority::{Pebble, pebble_directory};
use e2e::dns::short;
use e2e::{
    DEADLINE, Finished, Service, admin, eventually, http, namespace, new_folder, ours, program,
};

const ZONE: &str = "dyn.example";
const NAMES: &str = "update.dyn.example,*.dyn.example";
const DNS: &str = "127.0.0.1:5300";
/// Two thirds of it is when it is renewed.
const VALID_S: u32 = 30;

#[test]
fn acme_certificate_comes_by_itself_and_is_renewed_without_a_restart() {
    if !namespace::enter("acme_certificate_comes_by_itself_and_is_renewed_without_a_restart") {
        return;
    }
    let folder = new_folder();
    let data = folder.path().join("data");
    admin(&data, &["zone", "add", ZONE]);
    // Pebble makes the file by which it is known; then it is down.
    drop(Pebble::start(folder.path(), dns(), VALID_S));
    let service = start(&data, folder.path(), NAMES);
    // Everything else runs without a certificate, and whoever asks for HTTPS is told.
    let token = service.add_host("home.dyn.example");
    let said = http::update(service.http, "home.dyn.example", &token, "198.51.100.7");
    assert_eq!(said.expect("an answer"), "good 198.51.100.7");
    assert_eq!(shown(service.https()), None);
    eventually("a failed attempt", DEADLINE, || attempts(&service, "failed"));

    let pebble = Pebble::start(folder.path(), dns(), VALID_S);
    service.hang_up();
    let talk = || format!("{}\n{}", service.talk(), pebble.program.talk());
    let first = eventually("a certificate", DEADLINE, || shown(service.https()).ok_or_else(talk));
    let root = folder.path().join("root.pem");
    fs::write(&root, pebble.root()).expect("a file");
    // Its names and their chain hold: in the first third of its life.
    for name in ["update.dyn.example", "any.dyn.example"] {
        eventually("a connection that is believed", DEADLINE, || ask(&root, name, service.https()));
    }
    for owner in ["_acme-challenge.update.dyn.example", "_acme-challenge.dyn.example"] {
        assert!(short(service.dns, owner, "TXT").is_empty(), "{}", talk());
    }
    let kept = data.join("acme");
    for file in ["account.json", "certificate.pem", "orders.json"] {
        let mode = fs::metadata(kept.join(file)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    eventually("a renewed certificate", DEADLINE, || match shown(service.https()) {
        Some(next) if next != first => Ok(()),
        _ => Err(talk()),
    });
    attempts(&service, "ok").expect("attempts that are counted");
    // Without pebble the one that is there is served, after a restart too.
    drop(pebble);
    let last = shown(service.https()).expect("a certificate");
    assert!(service.stop().success());
    let service = start(&data, folder.path(), NAMES);
    assert_eq!(shown(service.https()), Some(last), "{}", service.talk());
    assert_eq!(short(service.dns, "home.dyn.example", "A"), ["198.51.100.7"]);
}

#[test]
fn acme_names_outside_our_zones_are_told_and_an_unknown_account_is_made_anew() {
    let test = "acme_names_outside_our_zones_are_told_and_an_unknown_account_is_made_anew";
    if !namespace::enter(test) {
        return;
    }
    let folder = new_folder();
    let data = folder.path().join("data");
    admin(&data, &["zone", "add", ZONE]);
    let pebble = Pebble::start(folder.path(), dns(), 86_400);
    let service = start(&data, folder.path(), "update.other.example");
    eventually("a word about the name", DEADLINE, || {
        let talk = service.talk();
        let told = talk.contains("`update.other.example` lies in no zone that is served here");
        if told { Ok(()) } else { Err(talk) }
    });
    assert!(!pebble.program.talk().contains("new-order"), "the authority is not bothered");
    service.admin(&["zone", "add", "other.example"]);
    service.hang_up();
    let talk = || format!("{}\n{}", service.talk(), pebble.program.talk());
    let first = eventually("a certificate", DEADLINE, || shown(service.https()).ok_or_else(talk));
    assert!(service.stop().success());
    drop(pebble);
    // Another pebble knows nobody. Other names are wanted at once.
    let _pebble = Pebble::start(folder.path(), dns(), 86_400);
    let service = start(&data, folder.path(), NAMES);
    eventually("a certificate for the other names", DEADLINE, || match shown(service.https()) {
        Some(next) if next != first => Ok(()),
        _ => Err(service.talk()),
    });
}

fn dns() -> SocketAddr {
    DNS.parse().expect("an address")
}

fn start(data: &Path, folder: &Path, names: &str) -> Service {
    let authority = folder.join("ca.pem");
    let authority = authority.to_string_lossy();
    let directory = pebble_directory();
    let mut arguments = vec!["--dns", DNS, "--http", "127.0.0.1:0", "--https", "127.0.0.1:0"];
    arguments.extend(["--acme-names", names, "--acme-directory", &directory]);
    arguments.extend(["--acme-ca-file", &authority, "--acme-contact", "hostmaster@dyn.example"]);
    Service::serve_with(ours("bynamed"), data, &arguments)
}

/// Whether attempts to obtain a certificate ended so.
fn attempts(service: &Service, outcome: &str) -> Result<(), String> {
    let count = http::counter(service.http, "byname_acme_attempts_total", outcome);
    match count {
        Ok(1..) => Ok(()),
        other => Err(format!("{other:?}\n{}", service.talk())),
    }
}

/// A request over a connection that is checked.
fn ask(root: &Path, name: &str, to: SocketAddr) -> Result<(), String> {
    let mut curl = program("curl");
    curl.args(["--silent", "--show-error", "--fail", "--cacert"]).arg(root);
    curl.args(["--resolve", &format!("{name}:{}:{}", to.port(), to.ip())]);
    let done = Finished::run(curl.arg(format!("https://{name}:{}/ip", to.port())));
    if done.out == "127.0.0.1\n" { Ok(()) } else { Err(done.to_string()) }
}

/// The certificate that a client is shown, if there is one.
fn shown(to: SocketAddr) -> Option<String> {
    let mut openssl = program("openssl");
    openssl.args(["s_client", "-connect", &to.to_string()]);
    let said = Finished::run(openssl.stdin(Stdio::null())).out;
    let (_, after) = said.split_once("-----BEGIN CERTIFICATE-----")?;
    Some(after.split("-----END").next().unwrap_or_default().to_owned())
}
