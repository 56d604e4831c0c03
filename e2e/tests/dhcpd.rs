//! ISC's DHCP server and client at the two ends of a cable: a lease puts a host into our zones, its
//! release takes it away.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::dns::{serial, short};
use e2e::neighbour::{ITS_END, Neighbour, OUR_END};
use e2e::update::Key;
use e2e::{
    Background, DEADLINE, Finished, Service, admin, eventually, namespace, new_folder, program,
};

const FORWARD: &str = "corp.example";
const REVERSE: &str = "9.10.in-addr.arpa";
const LEASED: &str = "10.9.0.100";
const PTR: &str = "100.0.9.10.in-addr.arpa";
const HOST: &str = "laptop.corp.example";
/// dhcpd knows no other port than 53, which is free in a network of our own.
const SERVICE: &str = "127.53.0.2:53";

#[test]
fn rfc4703_5_isc_dhcpd_adds_renews_and_removes_a_host() {
    if namespace::enter("rfc4703_5_isc_dhcpd_adds_renews_and_removes_a_host") {
        follow_a_lease("standard", "DHCID");
    }
}

#[test]
fn isc_dhcpd_of_the_interim_style_adds_renews_and_removes_a_host() {
    if namespace::enter("isc_dhcpd_of_the_interim_style_adds_renews_and_removes_a_host") {
        follow_a_lease("interim", "TXT");
    }
}

/// From a lease to its end. `mark`: the type of the record that says whose the name is.
fn follow_a_lease(style: &str, mark: &str) {
    let folder = new_folder();
    let data = folder.path().join("data");
    for zone in [FORWARD, REVERSE] {
        admin(&data, &["zone", "add", zone]);
    }
    let rest = ["--zone", FORWARD, "--zone", REVERSE, "--allow", "update", "--type"];
    let types = ["A,AAAA,DHCID,TXT,PTR"];
    let key = Key::add(&data, "dhcpd.key", "hmac-sha256", &[&rest[..], &types].concat());
    let service = Service::serve_at(&data, SERVICE, "127.0.0.1:0");
    let neighbour = Neighbour::connect();
    let server = start_dhcpd(folder.path(), style, &key);
    let client = Client::new(folder.path());
    client.lease(&neighbour);
    let at: SocketAddr = service.dns;
    eventually("the host", DEADLINE, || {
        let seen = (short(at, HOST, "A"), short(at, PTR, "PTR"), short(at, HOST, mark).len());
        let wanted = (vec![LEASED.to_owned()], vec![format!("{HOST}.")], 1);
        if seen == wanted { Ok(()) } else { Err(format!("{seen:?}\n{}", server.talk())) }
    });
    // It asks again for the same: nothing changes.
    let before = [FORWARD, REVERSE].map(|zone| serial(at, zone));
    let acknowledged = server.talk().matches("DHCPACK").count();
    client.lease(&neighbour);
    assert!(server.talk().matches("DHCPACK").count() > acknowledged, "{}", server.talk());
    assert_eq!([FORWARD, REVERSE].map(|zone| serial(at, zone)), before);
    assert_eq!(short(at, HOST, "A"), [LEASED]);
    client.release(&neighbour);
    eventually("nothing", DEADLINE, || {
        let names = [(HOST, "A"), (HOST, mark), (PTR, "PTR")];
        let seen: Vec<String> = names.iter().flat_map(|(name, of)| short(at, name, of)).collect();
        if seen.is_empty() { Ok(()) } else { Err(format!("{seen:?}\n{}", server.talk())) }
    });
    // A name of the operator's is nobody's to take: the lease is given, the name is not.
    let token = service.add_host(HOST);
    let answer = e2e::http::update(service.http, HOST, &token, "198.51.100.7");
    assert_eq!(answer.expect("an answer"), "good 198.51.100.7");
    client.lease(&neighbour);
    eventually("a refusal", DEADLINE, || {
        let (talk, refusal) = (server.talk(), format!("{HOST}. to {LEASED} FAILED"));
        if talk.contains(&refusal) { Ok(()) } else { Err(talk) }
    });
    assert_eq!(short(at, HOST, "A"), ["198.51.100.7"]);
    assert!(short(at, PTR, "PTR").is_empty());
}

fn start_dhcpd(folder: &Path, style: &str, key: &Key) -> Background {
    let primary = SERVICE.replace(":53", "");
    let zone = |zone: &str| format!("zone {zone}. {{ primary {primary}; key {}; }}\n", key.name);
    let text = format!(
        "authoritative;\ndefault-lease-time 600;\nmax-lease-time 600;\nping-check false;\n\
         ddns-updates on;\nddns-update-style {style};\nddns-domainname \"{FORWARD}.\";\n\
         ddns-rev-domainname \"in-addr.arpa.\";\ndeny client-updates;\nupdate-optimization off;\n\
         key {} {{ algorithm hmac-sha256; secret \"{}\"; }};\n{}{}\
         subnet 10.9.0.0 netmask 255.255.255.0 {{ range {LEASED} {LEASED}; }}\n",
        key.name,
        key.secret,
        zone(FORWARD),
        zone(REVERSE)
    );
    let (file, leases) = (folder.join("dhcpd.conf"), folder.join("dhcpd.leases"));
    fs::write(&file, text).expect("a file");
    fs::write(&leases, "").expect("a file");
    let mut command = program("dhcpd");
    command.args(["-4", "-f", "-d", "--no-pid", "-cf"]).arg(&file).arg("-lf").arg(&leases);
    let server = Background::start(command.arg(OUR_END), &folder.join("dhcpd.log"));
    eventually("dhcpd", DEADLINE, || {
        let talk = server.talk();
        if talk.contains("Server starting service") { Ok(()) } else { Err(talk) }
    });
    server
}

/// ISC's client at the other end, with files of its own.
struct Client {
    folder: PathBuf,
}

impl Client {
    fn new(folder: &Path) -> Client {
        let folder = folder.to_path_buf();
        // What is leased is not put on the interface: what counts is what the server does.
        let script = folder.join("script");
        fs::write(&script, "#!/bin/sh\nexit 0\n").expect("a file");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("our own file");
        fs::write(folder.join("dhclient.conf"), "send host-name \"laptop\";\n").expect("a file");
        Client { folder }
    }

    /// Gets a lease and ends without a word, as a client that is switched off.
    fn lease(&self, neighbour: &Neighbour) {
        let mut command = self.command(neighbour, &["-d", "-1"]);
        let client = Background::start(&mut command, &self.folder.join("dhclient.log"));
        eventually("a lease", DEADLINE, || {
            let talk = client.talk();
            if talk.contains(&format!("bound to {LEASED}")) { Ok(()) } else { Err(talk) }
        });
    }

    fn release(&self, neighbour: &Neighbour) {
        Finished::run(&mut self.command(neighbour, &["-r"])).ok();
    }

    fn command(&self, neighbour: &Neighbour, arguments: &[&str]) -> Command {
        let file = |name: &str| self.folder.join(name);
        let mut command = neighbour.command("dhclient");
        command.args(["-4", "-v", "--no-pid"]).args(arguments);
        command.arg("-cf").arg(file("dhclient.conf")).arg("-lf").arg(file("dhclient.leases"));
        command.arg("-sf").arg(file("script")).arg(ITS_END);
        command
    }
}
