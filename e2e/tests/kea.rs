//! Kea's DHCP-DDNS daemon (D2) between a DHCP server and us: we send it what a DHCP server would.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;

use e2e::dns::{serial, short};
use e2e::update::Key;
use e2e::{Background, DEADLINE, Service, admin, eventually, namespace, new_folder, program};
use serde_json::{Value, json};

const FORWARD: &str = "corp.example";
const REVERSE: &str = "99.10.in-addr.arpa";
const REVERSE6: &str = "8.b.d.0.1.0.0.2.ip6.arpa";
const D2: &str = "127.0.0.1:53001";
const HOST: &str = "laptop.corp.example";
/// Identifier type 1 (client identifier), digest type 1, and a digest (RFC 4701 §3.3).
const OWNER: &str = "00010160946079027DB03EC6B302FB72779E80C4505D1016726ACE5C52F0EDD6FB4F4E";
const ANOTHER: &str = "000101A0946079027DB03EC6B302FB72779E80C4505D1016726ACE5C52F0EDD6FB4F4E";
/// The record of [`OWNER`] as `dig` shows it.
const OWNER_TEXT: &str = "AAEBYJRgeQJ9sD7GswL7cneegMRQXRAWcmrOXFLw7db7T04=";

/// D2 with our service behind it.
struct Site {
    service: Service,
    d2: Background,
    socket: UdpSocket,
}

impl Site {
    fn start(folder: &Path) -> Site {
        let data = folder.join("data");
        for zone in [FORWARD, REVERSE, REVERSE6] {
            admin(&data, &["zone", "add", zone]);
        }
        let zones = [FORWARD, REVERSE, REVERSE6].map(|zone| ["--zone", zone]).concat();
        let types = ["--allow", "update", "--type", "A,AAAA,DHCID,PTR"];
        let key = Key::add(&data, "d2.key", "hmac-sha256", &[&zones[..], &types].concat());
        let service = Service::serve(&data);
        let configuration = folder.join("d2.json");
        fs::write(&configuration, configure(&key, service.dns).to_string()).expect("a file");
        let mut command = program("kea-dhcp-ddns");
        command.env("KEA_PIDFILE_DIR", folder).env("KEA_LOCKFILE_DIR", "none");
        command.args(["-d", "-c"]).arg(&configuration);
        let d2 = Background::start(&mut command, &folder.join("d2.log"));
        eventually("D2", DEADLINE, || {
            let talk = d2.talk();
            if talk.contains("DHCP_DDNS_QUEUE_MGR_STARTED") { Ok(()) } else { Err(talk) }
        });
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        Site { service, d2, socket }
    }

    /// What a DHCP server tells D2: an octet pair with the length, and JSON.
    fn tell(&self, change_type: u32, (address, dhcid): (&str, &str)) {
        let request = json!({
            "change-type": change_type,
            "forward-change": true,
            "reverse-change": true,
            "fqdn": format!("{HOST}."),
            "ip-address": address,
            "dhcid": dhcid,
            "lease-expires-on": "20361122075108",
            "lease-length": 600,
            "use-conflict-resolution": true,
        });
        let text = request.to_string();
        let length = u16::try_from(text.len()).expect("a short request");
        let datagram = [&length.to_be_bytes()[..], text.as_bytes()].concat();
        self.socket.send_to(&datagram, D2).expect("D2 on the same machine");
    }

    /// Tells it, and waits until D2 has brought it to an end of this kind.
    fn tell_until(&self, change_type: u32, what: (&str, &str), end: &str) {
        let said = |talk: &str| talk.lines().filter(|line| line.contains(end)).count();
        let before = said(&self.d2.talk());
        self.tell(change_type, what);
        eventually(end, DEADLINE, || {
            let talk = self.d2.talk();
            if said(&talk) > before { Ok(()) } else { Err(talk) }
        });
    }

    fn sees(&self, name: &str, rtype: &str) -> Vec<String> {
        short(self.service.dns, name, rtype)
    }

    fn serials(&self) -> [u32; 3] {
        [FORWARD, REVERSE, REVERSE6].map(|zone| serial(self.service.dns, zone))
    }
}

fn configure(key: &Key, dns: SocketAddr) -> Value {
    let domain = |zone: &str| {
        json!({
            "name": format!("{zone}."),
            "key-name": key.name,
            "dns-servers": [{ "ip-address": dns.ip().to_string(), "port": dns.port() }],
        })
    };
    json!({ "DhcpDdns": {
        "ip-address": "127.0.0.1",
        "port": 53001,
        // Long enough for a busy machine; the usual 500 ms are a matter of benchmarks.
        "dns-server-timeout": 5000,
        "tsig-keys": [{ "name": key.name, "algorithm": "HMAC-SHA256", "secret": key.secret }],
        "forward-ddns": { "ddns-domains": [domain(FORWARD)] },
        "reverse-ddns": { "ddns-domains": [domain(REVERSE), domain(REVERSE6)] },
        "loggers": [{
            "name": "kea-dhcp-ddns",
            "output_options": [{ "output": "stdout" }],
            "severity": "DEBUG",
            "debuglevel": 50,
        }],
    }})
}

const ADD: u32 = 0;
const REMOVE: u32 = 1;
const ADDED: &str = "DHCP_DDNS_ADD_SUCCEEDED";
const ADD_FAILED: &str = "DHCP_DDNS_ADD_FAILED";
const REMOVED: &str = "DHCP_DDNS_REMOVE_SUCCEEDED";
const REMOVE_FAILED: &str = "DHCP_DDNS_REMOVE_FAILED";

#[test]
fn rfc4703_5_kea_adds_renews_moves_and_removes_a_host() {
    if !namespace::enter("rfc4703_5_kea_adds_renews_moves_and_removes_a_host") {
        return;
    }
    let folder = new_folder();
    let site = Site::start(folder.path());
    // The lease begins.
    site.tell_until(ADD, ("10.99.0.100", OWNER), ADDED);
    assert_eq!(site.sees(HOST, "A"), ["10.99.0.100"]);
    assert_eq!(site.sees(HOST, "DHCID").concat().replace(' ', ""), OWNER_TEXT);
    assert_eq!(site.sees("100.0.99.10.in-addr.arpa", "PTR"), [format!("{HOST}.")]);
    // It is renewed: nothing changes.
    let before = site.serials();
    site.tell_until(ADD, ("10.99.0.100", OWNER), ADDED);
    assert_eq!(site.serials(), before);
    // Another client with the same name gets nothing, and takes nothing away.
    site.tell_until(ADD, ("10.99.0.66", ANOTHER), ADD_FAILED);
    site.tell_until(REMOVE, ("10.99.0.66", ANOTHER), REMOVE_FAILED);
    assert_eq!(site.sees(HOST, "A"), ["10.99.0.100"]);
    assert!(site.sees("66.0.99.10.in-addr.arpa", "PTR").is_empty());
    assert_eq!(site.serials(), before);
    // The client moves to another address.
    site.tell_until(ADD, ("10.99.0.101", OWNER), ADDED);
    assert_eq!(site.sees(HOST, "A"), ["10.99.0.101"]);
    assert_eq!(site.sees("101.0.99.10.in-addr.arpa", "PTR"), [format!("{HOST}.")]);
    // The lease ends.
    site.tell_until(REMOVE, ("10.99.0.101", OWNER), REMOVED);
    for rtype in ["A", "DHCID"] {
        assert!(site.sees(HOST, rtype).is_empty(), "{rtype}");
    }
    assert!(site.sees("101.0.99.10.in-addr.arpa", "PTR").is_empty());
    // Now the name is free for the other.
    site.tell_until(ADD, ("10.99.0.66", ANOTHER), ADDED);
    assert_eq!(site.sees(HOST, "A"), ["10.99.0.66"]);
}

#[test]
fn rfc4703_5_kea_adds_the_other_family_beside_and_a_name_without_dhcid_is_left_alone() {
    let test = "rfc4703_5_kea_adds_the_other_family_beside_and_a_name_without_dhcid_is_left_alone";
    if !namespace::enter(test) {
        return;
    }
    let folder = new_folder();
    let site = Site::start(folder.path());
    site.tell_until(ADD, ("10.99.0.100", OWNER), ADDED);
    site.tell_until(ADD, ("2001:db8::100", OWNER), ADDED);
    assert_eq!(site.sees(HOST, "A"), ["10.99.0.100"]);
    assert_eq!(site.sees(HOST, "AAAA"), ["2001:db8::100"]);
    let six = format!("0.0.1.0.{}{REVERSE6}", "0.".repeat(20));
    assert_eq!(site.sees(&six, "PTR"), [format!("{HOST}.")]);
    // D2 2.2 takes our YXRRSET (the other family is still there) for a failure; the records are
    // right in any case.
    site.tell_until(REMOVE, ("10.99.0.100", OWNER), REMOVE_FAILED);
    assert!(site.sees(HOST, "A").is_empty());
    assert_eq!(site.sees(HOST, "AAAA"), ["2001:db8::100"]);
    site.tell_until(REMOVE, ("2001:db8::100", OWNER), REMOVED);
    for rtype in ["AAAA", "DHCID"] {
        assert!(site.sees(HOST, rtype).is_empty(), "{rtype}");
    }
    assert!(site.sees(&six, "PTR").is_empty());
    // A host that the operator has put there is nobody's to take.
    let token = site.service.add_host(HOST);
    let answer = e2e::http::update(site.service.http, HOST, &token, "198.51.100.7");
    assert_eq!(answer.expect("an answer"), "good 198.51.100.7");
    let before = serial(site.service.dns, FORWARD);
    site.tell_until(ADD, ("10.99.0.100", OWNER), ADD_FAILED);
    assert_eq!(site.sees(HOST, "A"), ["198.51.100.7"]);
    assert_eq!(serial(site.service.dns, FORWARD), before);
}
