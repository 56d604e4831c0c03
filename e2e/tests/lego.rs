//! Debian's lego 4.9 with its provider `httpreq`, against the ACME service pebble, which looks for the
//! TXT records at our service.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use std::path::Path;
use std::process::Command;

use e2e::dns::{serial, short};
use e2e::{Finished, Service, admin, namespace, new_folder, pebble, program};

const ZONE: &str = "dyn.example";
const HOST: &str = "home.dyn.example";
const CHALLENGE: &str = "_acme-challenge.home.dyn.example";

#[test]
fn lego_proves_a_host_and_its_wildcard_by_httpreq_and_cleans_up() {
    if !namespace::enter("lego_proves_a_host_and_its_wildcard_by_httpreq_and_cleans_up") {
        return;
    }
    let folder = new_folder();
    let (service, token) = serve(folder.path());
    let _pebble = pebble::start(folder.path(), service.dns);
    let before = serial(service.dns, ZONE);
    for mode in ["", "RAW"] {
        let mut lego = lego(folder.path(), &service, &format!("account{mode}"), "httpreq");
        lego.env("HTTPREQ_ENDPOINT", format!("http://{}", service.http)).env("HTTPREQ_MODE", mode);
        lego.env("HTTPREQ_USERNAME", "somebody").env("HTTPREQ_PASSWORD", &token);
        let done = Finished::run(&mut lego);
        assert_eq!(done.code, Some(0), "{done}\n{}", service.talk());
        assert!(short(service.dns, CHALLENGE, "TXT").is_empty(), "{done}");
        check_certificate(folder.path(), &format!("account{mode}"));
    }
    assert_ne!(serial(service.dns, ZONE), before);
}

#[test]
fn lego_is_told_that_its_token_may_not() {
    if !namespace::enter("lego_is_told_that_its_token_may_not") {
        return;
    }
    let folder = new_folder();
    let data = folder.path().join("data");
    admin(&data, &["zone", "add", ZONE]);
    // For addresses, as every host's first token is.
    let added = admin(&data, &["host", "add", HOST]);
    let token = added["token"].as_str().expect("a token");
    let service = Service::serve(&data);
    let _pebble = pebble::start(folder.path(), service.dns);
    let before = serial(service.dns, ZONE);
    let mut lego = lego(folder.path(), &service, "account", "httpreq");
    lego.env("HTTPREQ_ENDPOINT", format!("http://{}", service.http));
    lego.env("HTTPREQ_USERNAME", "somebody").env("HTTPREQ_PASSWORD", token);
    let done = Finished::run(&mut lego);
    assert_ne!(done.code, Some(0), "{done}");
    assert!(done.said().contains("the token may not change TXT at this name"), "{done}");
    assert_eq!(serial(service.dns, ZONE), before);
}

/// A service with one host, and a token that can do nothing but prove it.
fn serve(folder: &Path) -> (Service, String) {
    let data = folder.join("data");
    admin(&data, &["zone", "add", ZONE]);
    admin(&data, &["host", "add", HOST]);
    let added = admin(&data, &["token", "add", CHALLENGE, "--type", "TXT"]);
    let token = added["token"].as_str().expect("a token").to_owned();
    (Service::serve(&data), token)
}

/// Each with an account of its own: what an account has proven once it need not prove again.
fn lego(folder: &Path, service: &Service, account: &str, provider: &str) -> Command {
    let mut command = program("lego");
    command.env("LEGO_CA_CERTIFICATES", folder.join("ca.pem"));
    command.arg("--path").arg(folder.join(account)).args([
        "--accept-tos",
        "--email",
        "a@dyn.example",
    ]);
    command.args(["--server", &format!("https://{}/dir", pebble::ADDRESS), "--dns", provider]);
    command.args(["--dns.disable-cp", "--dns.resolvers", &service.dns.to_string()]);
    command.args(["--domains", HOST, "--domains", &format!("*.{HOST}"), "run"]);
    command
}

fn check_certificate(folder: &Path, account: &str) {
    let certificate = folder.join(account).join("certificates").join(format!("{HOST}.crt"));
    let mut openssl = program("openssl");
    openssl.args(["x509", "-noout", "-ext", "subjectAltName", "-in"]).arg(certificate);
    let names = Finished::run(&mut openssl).ok();
    assert!(names.out.contains(&format!("DNS:*.{HOST}")), "{names}");
}
