//! HTTPS with certificates from files: openssl and curl as strict as they are.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use e2e::authority::{Authority, Issued};
use e2e::{DEADLINE, Finished, Service, admin, eventually, http, new_folder, ours, program};

const ZONE: &str = "dyn.example";
const HOST: &str = "home.dyn.example";

#[test]
fn https_serves_each_name_its_certificate_and_updates_hosts() {
    let folder = new_folder();
    let authority = Authority::new(folder.path());
    let first = authority.issue("first", "DNS:update.dyn.example,IP:127.0.0.1");
    let second = authority.issue("second", "DNS:*.other.example");
    let (service, token) = start(folder.path(), &[&first, &second]);
    let to = service.https();
    for name in ["update.dyn.example", "a.other.example", "127.0.0.1"] {
        let mut curl = curl(&authority, name, to, "/ip");
        assert_eq!(Finished::run(&mut curl).ok().out, "127.0.0.1\n", "{name}");
    }
    let mut unknown = curl(&authority, "a.third.example", to, "/ip");
    assert_eq!(Finished::run(&mut unknown).code, Some(CURL_NOT_BELIEVED));
    let mut update = curl(&authority, "update.dyn.example", to, &update_path("198.51.100.7"));
    let done = Finished::run(update.args(["--user", &format!("{HOST}:{token}")])).ok();
    assert_eq!(done.out, "good 198.51.100.7\n");
    assert_eq!(e2e::dns::short(service.dns, HOST, "A"), ["198.51.100.7"]);
}

#[test]
fn https_speaks_tls_1_2_and_1_3_resumes_sessions_and_tells_of_older_clients() {
    let folder = new_folder();
    let authority = Authority::new(folder.path());
    let issued = authority.issue("first", "DNS:update.dyn.example");
    let (service, _) = start(folder.path(), &[&issued]);
    for version in ["-tls1_2", "-tls1_3"] {
        let session = folder.path().join(format!("session{version}"));
        let said = s_client(&authority, service.https(), &[version, "-sess_out"], Some(&session));
        assert!(said.contains("Verify return code: 0 (ok)"), "{said}");
        assert!(said.contains("New, TLSv1"), "{said}");
        let again = s_client(&authority, service.https(), &[version, "-sess_in"], Some(&session));
        assert!(again.contains("Reused, TLSv1"), "{version}: {again}");
    }
    let alpn = s_client(&authority, service.https(), &["-alpn", "h2,http/1.1"], None);
    assert!(alpn.contains("ALPN protocol: http/1.1"), "{alpn}");
    let old = ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"];
    let said = s_client(&authority, service.https(), &old, None);
    assert!(said.contains("no peer certificate available"), "{said}");
    eventually("the failure in the log", DEADLINE, || {
        let talk = service.talk();
        let told = talk.contains("the client speaks no TLS version after 1.1");
        if told { Ok(()) } else { Err(talk) }
    });
    let count = |what: &str| http::counter(service.http, "byname_tls_handshakes_total", what);
    assert_eq!(count("old version").expect("metrics"), 1);
    assert_eq!(count("ok").expect("metrics"), 5);
    // Whoever speaks plain HTTP there is told in plain HTTP.
    let mut curl = program("curl");
    curl.args(["--silent", &format!("http://{}/ip", service.https())]);
    let said = Finished::run(&mut curl).ok();
    assert!(said.out.contains("HTTPS"), "{said}");
}

#[test]
fn https_takes_over_new_certificates_and_keeps_the_old_one_when_they_are_broken() {
    let folder = new_folder();
    let authority = Authority::new(folder.path());
    let issued = authority.issue("first", "DNS:update.dyn.example");
    let (service, _) = start(folder.path(), &[&issued]);
    let serial = || shown_serial(service.https());
    let first = serial();
    let reloads = |what: &str| {
        http::counter(service.http, "byname_certificate_reloads_total", what).expect("metrics")
    };
    // As by a program that renews: a file is replaced, and the service is told.
    let next = authority.issue("next", "DNS:update.dyn.example");
    fs::rename(&next.key, &issued.key).expect("a file of ours");
    fs::rename(&next.certificate, &issued.certificate).expect("a file of ours");
    service.hang_up();
    let second = eventually("the new certificate", DEADLINE, || {
        let shown = serial();
        if shown == first { Err(service.talk()) } else { Ok(shown) }
    });
    fs::write(&issued.certificate, "no certificate").expect("a file of ours");
    service.hang_up();
    eventually("a word about the broken one", DEADLINE, || {
        if reloads("failed") > 0 { Ok(()) } else { Err(service.talk()) }
    });
    assert_eq!(serial(), second);
    assert!(service.talk().contains("there is no certificate in it"), "{}", service.talk());
    // Without a word it is found too.
    let last = authority.issue("last", "DNS:update.dyn.example");
    fs::rename(&last.key, &issued.key).expect("a file of ours");
    fs::rename(&last.certificate, &issued.certificate).expect("a file of ours");
    eventually("the last certificate", DEADLINE, || {
        let shown = serial();
        if shown == second { Err(service.talk()) } else { Ok(()) }
    });
    let mut curl = curl(&authority, "update.dyn.example", service.https(), "/ip");
    Finished::run(&mut curl).ok();
}

#[test]
fn https_that_cannot_be_served_is_told_at_the_start() {
    let folder = new_folder();
    let authority = Authority::new(folder.path());
    let one = authority.issue("one", "DNS:one.example");
    let other = authority.issue("other", "DNS:other.example");
    let run = |more: &[&str]| {
        let mut command = ours("bynamed");
        command.arg("serve").arg("--data").arg(folder.path().join("data"));
        command.args(["--dns", "127.0.0.1:0", "--http", "127.0.0.1:0"]).args(more);
        Finished::run(&mut command)
    };
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let (certificate, key, wrong) = (path(&one.certificate), path(&one.key), path(&other.key));
    for (arguments, word) in [
        (vec!["--https", "127.0.0.1:0"], "`https` needs a certificate"),
        (vec!["--certificate", &certificate], "each certificate needs its key"),
        (
            vec!["--certificate", &certificate, "--certificate-key", &wrong],
            "the private key does not belong to the first certificate",
        ),
        (
            vec!["--certificate", &certificate, "--certificate-key", "/no/such/file"],
            "/no/such/file: No such file",
        ),
        (vec!["--certificate", &key, "--certificate-key", &key], "there is no certificate in it"),
    ] {
        let done = run(&arguments);
        assert!(done.code.is_some_and(|code| code != 0), "{done}");
        assert!(done.err.contains(word), "{done}");
    }
}

/// A service with HTTPS, and the token of a host.
fn start(folder: &Path, pairs: &[&Issued]) -> (Service, String) {
    let data = folder.join("data");
    admin(&data, &["zone", "add", ZONE]);
    let mut arguments = vec!["--dns", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    arguments.extend(["--https", "127.0.0.1:0"]);
    let paths: Vec<(String, String)> = pairs
        .iter()
        .map(|pair| {
            let text = |path: &Path| path.to_string_lossy().into_owned();
            (text(&pair.certificate), text(&pair.key))
        })
        .collect();
    for (certificate, key) in &paths {
        arguments.extend(["--certificate", certificate, "--certificate-key", key]);
    }
    let service = Service::serve_with(ours("bynamed"), &data, &arguments);
    let token = service.add_host(HOST);
    (service, token)
}

fn update_path(address: &str) -> String {
    format!("/nic/update?hostname={HOST}&myip={address}")
}

/// curl that believes only one authority, and finds a name where the service is.
fn curl(authority: &Authority, name: &str, to: SocketAddr, path: &str) -> Command {
    let mut curl = program("curl");
    curl.args(["--silent", "--show-error", "--fail", "--cacert"]).arg(&authority.certificate);
    curl.args(["--resolve", &format!("{name}:{}:{}", to.port(), to.ip())]);
    curl.arg(format!("https://{name}:{}{path}", to.port()));
    curl
}

/// What openssl says of one connection on which a request is made.
fn s_client(
    authority: &Authority,
    to: SocketAddr,
    options: &[&str],
    session: Option<&Path>,
) -> String {
    let mut openssl = program("openssl");
    openssl.args(["s_client", "-connect", &to.to_string(), "-servername", "update.dyn.example"]);
    openssl.arg("-CAfile").arg(&authority.certificate).args(options);
    if let Some(session) = session {
        openssl.arg(session);
    }
    let request = authority.certificate.with_file_name("request");
    fs::write(&request, "GET /ip HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .expect("a file");
    // The tickets of TLS 1.3 come behind the handshake: it reads until the service closes.
    openssl.arg("-ign_eof").stdin(Stdio::from(fs::File::open(request).expect("a file")));
    Finished::run(&mut openssl).said()
}

/// The serial number of the certificate that a client is shown.
fn shown_serial(to: SocketAddr) -> String {
    let mut openssl = program("openssl");
    openssl.args(["s_client", "-connect", &to.to_string(), "-servername", "update.dyn.example"]);
    let said = Finished::run(openssl.stdin(Stdio::null())).out;
    let (_, after) = said.split_once("-----BEGIN CERTIFICATE-----").expect("a certificate");
    after.split("-----END").next().unwrap_or_default().to_owned()
}

/// Exit code of curl: the certificate is for other names.
const CURL_NOT_BELIEVED: i32 = 60;
