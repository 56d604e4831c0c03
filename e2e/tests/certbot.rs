//! certbot with its plugin for DNS UPDATE, against the ACME service pebble, which looks for the TXT
//! record at our service.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use e2e::dns::{serial, short};
use e2e::update::Key;
use e2e::{
    Background, DEADLINE, Finished, Service, admin, eventually, namespace, new_folder, pebble,
    program, write_secret_file,
};

const ZONE: &str = "dyn.example";
const HOST: &str = "home.dyn.example";
const CHALLENGE: &str = "_acme-challenge.home.dyn.example";

#[test]
fn certbot_proves_a_host_and_its_wildcard_and_cleans_up() {
    if !namespace::enter("certbot_proves_a_host_and_its_wildcard_and_cleans_up") {
        return;
    }
    let folder = new_folder();
    let data = folder.path().join("data");
    admin(&data, &["zone", "add", ZONE]);
    // A key that can do nothing but prove this host, as we advise.
    let rest = ["--zone", ZONE, "--allow", "update", "--type", "TXT", "--name", CHALLENGE];
    let key = Key::add(&data, "certbot.key", "hmac-sha512", &rest);
    let service = Service::serve(&data);
    let pebble = pebble::start(folder.path(), service.dns);
    for round in 1..=2 {
        let before = serial(service.dns, ZONE);
        let log = folder.path().join(format!("certbot-{round}.log"));
        let mut command = certbot(folder.path(), &format!("account-{round}"), (service.dns, &key));
        let certbot = Background::start(&mut command, &log);
        // A host and its wildcard are proven by two records at one name.
        let talk = || format!("{}\n{}\n{}", certbot.talk(), pebble.talk(), service.talk());
        eventually("both TXT records", DEADLINE, || {
            let texts = short(service.dns, CHALLENGE, "TXT");
            if texts.len() == 2 { Ok(()) } else { Err(format!("{texts:?}\n{}", talk())) }
        });
        eventually("a certificate", DEADLINE, || {
            let done = certbot.talk().contains("Successfully received certificate");
            if done { Ok(()) } else { Err(talk()) }
        });
        assert!(short(service.dns, CHALLENGE, "TXT").is_empty(), "{}", talk());
        // Two records came and went, each by a message of its own.
        assert_eq!(serial(service.dns, ZONE), before.wrapping_add(4), "{}", talk());
    }
    let chain = folder.path().join("account-2/live").join(HOST).join("fullchain.pem");
    let mut openssl = program("openssl");
    openssl.args(["x509", "-noout", "-ext", "subjectAltName", "-in"]).arg(chain);
    let names = Finished::run(&mut openssl).ok();
    assert!(names.out.contains(&format!("DNS:*.{HOST}")), "{names}");
}

#[test]
fn certbot_is_told_that_its_key_may_not() {
    if !namespace::enter("certbot_is_told_that_its_key_may_not") {
        return;
    }
    let folder = new_folder();
    let data = folder.path().join("data");
    admin(&data, &["zone", "add", ZONE]);
    let rest =
        ["--zone", ZONE, "--allow", "update", "--type", "TXT", "--name", "other.dyn.example"];
    let key = Key::add(&data, "certbot.key", "hmac-sha512", &rest);
    let service = Service::serve(&data);
    let _pebble = pebble::start(folder.path(), service.dns);
    let before = serial(service.dns, ZONE);
    let said = Finished::run(&mut certbot(folder.path(), "account", (service.dns, &key)));
    assert!(said.said().contains("Received response from server: REFUSED"), "{said}");
    assert_eq!(serial(service.dns, ZONE), before);
}

/// Each with an account of its own: what an account has proven once it need not prove again.
fn certbot(folder: &Path, account: &str, (dns, key): (SocketAddr, &Key)) -> Command {
    let credentials = folder.join("rfc2136.ini");
    let text = format!(
        "dns_rfc2136_server = {}\ndns_rfc2136_port = {}\ndns_rfc2136_name = {}\n\
         dns_rfc2136_secret = {}\ndns_rfc2136_algorithm = HMAC-SHA512\n",
        dns.ip(),
        dns.port(),
        key.name,
        key.secret
    );
    write_secret_file(&credentials, &text);
    let mut command = program("certbot");
    command.args(["certonly", "--non-interactive", "--agree-tos", "--force-renewal"]);
    command.args(["--register-unsafely-without-email", "--no-verify-ssl"]);
    command.args(["--server", &format!("https://{}/dir", pebble::ADDRESS), "--dns-rfc2136"]);
    command.arg("--dns-rfc2136-credentials").arg(credentials);
    command.args(["--dns-rfc2136-propagation-seconds", "2"]);
    command.args(["-d", HOST, "-d", &format!("*.{HOST}")]);
    for option in ["--config-dir", "--work-dir", "--logs-dir"] {
        command.arg(option).arg(folder.join(account));
    }
    command
}
