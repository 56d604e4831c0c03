//! Update clients over HTTPS that check the certificate: ddclient, inadyn and our own.

use std::fs;
use std::path::Path;

use e2e::authority::Authority;
use e2e::dns::short;
use e2e::{Finished, Service, admin, new_folder, ours, program, write_secret_file};

const HOST: &str = "home.dyn.example";

/// A service under the name `localhost`, a token, and the authority that must be believed.
struct Encrypted {
    service: Service,
    token: String,
    authority: Authority,
}

impl Encrypted {
    fn start(folder: &Path) -> Encrypted {
        let data = folder.join("data");
        admin(&data, &["zone", "add", "dyn.example"]);
        let authority = Authority::new(folder);
        let issued = authority.issue("localhost", "DNS:localhost,IP:127.0.0.1");
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let (certificate, key) = (text(&issued.certificate), text(&issued.key));
        let mut arguments = vec!["--dns", "127.0.0.1:0", "--http", "127.0.0.1:0"];
        arguments.extend(["--https", "127.0.0.1:0"]);
        arguments.extend(["--certificate", &certificate, "--certificate-key", &key]);
        let service = Service::serve_with(ours("bynamed"), &data, &arguments);
        let token = service.add_host(HOST);
        Encrypted { service, token, authority }
    }

    fn server(&self) -> String {
        format!("localhost:{}", self.service.https().port())
    }

    fn published(&self) -> Vec<String> {
        short(self.service.dns, HOST, "A")
    }
}

#[test]
fn ddclient_updates_over_https_and_checks_the_certificate() {
    let folder = new_folder();
    let encrypted = Encrypted::start(folder.path());
    let other = folder.path().join("other");
    fs::create_dir(&other).expect("a folder");
    let stranger = Authority::new(&other);
    let run = |authority: &Authority, address: &str| {
        let file = folder.path().join("ddclient.conf");
        let cache = tempfile::NamedTempFile::new_in(folder.path()).expect("a cache file");
        let text = format!(
            "ssl=yes\nssl_ca_file={}\ncache={}\nuse=ip, ip={address}\nprotocol=dyndns2\n\
             server={}\nscript=/nic/update\nlogin={HOST}\npassword='{}'\n{HOST}\n",
            authority.certificate.display(),
            cache.path().display(),
            // It takes no name without a dot.
            encrypted.service.https(),
            encrypted.token,
        );
        write_secret_file(&file, &text);
        let mut ddclient = program("ddclient");
        Finished::run(ddclient.args(["-daemon=0", "-verbose", "-file"]).arg(&file)).said()
    };
    let said = run(&encrypted.authority, "198.51.100.7");
    assert!(said.contains("good: IP address set to 198.51.100.7"), "{said}");
    assert_eq!(encrypted.published(), ["198.51.100.7"]);
    let said = run(&stranger, "198.51.100.8");
    assert!(said.to_lowercase().contains("certificate verify failed"), "{said}");
    assert_eq!(encrypted.published(), ["198.51.100.7"]);
}

#[test]
fn inadyn_updates_over_https_and_checks_the_certificate() {
    let folder = new_folder();
    let encrypted = Encrypted::start(folder.path());
    let file = folder.path().join("inadyn.conf");
    let cached = folder.path().join(format!("{HOST}.cache"));
    // Without a cached address it would ask the machine's resolver for the host.
    fs::write(cached, "192.0.2.1\n").expect("a cache file");
    let text = format!(
        "period = 300\nverify-address = false\nca-trust-file = \"{}\"\n\
         custom byname {{\n username = {HOST}\n password = \"{}\"\n ssl = true\n \
         checkip-command = \"echo 198.51.100.7\"\n ddns-server = {}\n \
         ddns-path = \"/nic/update?hostname=%h&myip=%i\"\n hostname = {{ \"{HOST}\" }}\n}}\n",
        encrypted.authority.certificate.display(),
        encrypted.token,
        encrypted.server(),
    );
    write_secret_file(&file, &text);
    let mut inadyn = program("inadyn");
    inadyn.args(["-1", "-n", "-l", "debug", "--no-pidfile", "-f"]).arg(&file);
    let done = Finished::run(inadyn.arg("--cache-dir").arg(folder.path()));
    assert_eq!(done.code, Some(0), "{done}");
    assert_eq!(encrypted.published(), ["198.51.100.7"], "{done}");
}

#[test]
fn byname_updates_over_https_and_checks_the_certificate() {
    let folder = new_folder();
    let encrypted = Encrypted::start(folder.path());
    let run = |address: &str, authorities: &Path| {
        let mut command = ours("byname");
        command.args(["update", "--server", &format!("https://{}", encrypted.server())]);
        command.args(["--host", HOST, "--token", &encrypted.token, "--ip", address]);
        // How a machine is told of an authority of its own.
        Finished::run(command.env("SSL_CERT_FILE", authorities))
    };
    let done = run("198.51.100.7", &encrypted.authority.certificate).ok();
    assert_eq!(encrypted.published(), ["198.51.100.7"], "{done}");
    let other = folder.path().join("other");
    fs::create_dir(&other).expect("a folder");
    let done = run("198.51.100.8", &Authority::new(&other).certificate);
    assert!(done.code.is_some_and(|code| code != 0), "{done}");
    assert!(done.said().contains("certificate"), "{done}");
    assert_eq!(encrypted.published(), ["198.51.100.7"], "{done}");
}
