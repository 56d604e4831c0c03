//! Programs that know a provider and nothing of us: by their names for its servers they are led here,
//! as a home network's own resolver would do.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use std::fs;
use std::path::Path;

use e2e::dns::short;
use e2e::{Demo, Finished, Service, namespace, new_folder, program, write_secret_file};

/// A `provider` section of inadyn: its name, who it takes for the user and for the password, and the
/// address that is published at the end, or none for the one that it comes from.
type Provider<'a> = (&'a str, &'a str, &'a str, Option<&'a str>);

#[test]
fn inadyn_speaks_with_each_provider_that_it_knows() {
    if !namespace::enter("inadyn_speaks_with_each_provider_that_it_knows") {
        return;
    }
    let folder = new_folder();
    let (service, demo) = at_port_80(folder.path());
    let token = demo.token.clone();
    let providers: [Provider<'_>; 6] = [
        ("default@duckdns.org", &token, "none", Some("198.51.100.1")),
        ("default@ipv4.dynv6.com", &token, "none", None),
        ("default@zoneedit.com", "somebody", &token, Some("198.51.100.3")),
        ("default@easydns.com", "somebody", &token, Some("198.51.100.4")),
        ("default@dyndns.org", "somebody", &token, Some("198.51.100.5")),
        ("default@no-ip.com", "somebody", &token, Some("198.51.100.6")),
    ];
    for provider in providers {
        let done = inadyn(folder.path(), &demo, provider);
        assert_eq!(done.code, Some(0), "{provider:?} {done}");
        let published = provider.3.unwrap_or("127.0.0.1");
        assert_eq!(short(service.dns, &demo.host, "A"), [published], "{provider:?} {done}");
    }
}

#[test]
fn inadyn_stops_at_ko_and_at_noaccess() {
    if !namespace::enter("inadyn_stops_at_ko_and_at_noaccess") {
        return;
    }
    let folder = new_folder();
    let (service, demo) = at_port_80(folder.path());
    for provider in [
        ("default@duckdns.org", "byn_wrong", "none", Some("198.51.100.1")),
        ("default@ipv4.dynv6.com", "byn_wrong", "none", None),
        ("default@zoneedit.com", "somebody", "byn_wrong", Some("198.51.100.3")),
        ("default@easydns.com", "somebody", "byn_wrong", Some("198.51.100.4")),
    ] {
        let done = inadyn(folder.path(), &demo, provider);
        assert!(done.code.is_some_and(|code| code != 0), "{provider:?} {done}");
        assert!(short(service.dns, &demo.host, "A").is_empty(), "{provider:?} {done}");
    }
    // Here it lists records by a hash of user and password, which is nobody's token.
    let freedns =
        ("default@freedns.afraid.org", "somebody", demo.token.as_str(), Some("198.51.100.5"));
    let done = inadyn(folder.path(), &demo, freedns);
    assert!(done.said().contains("ERROR: Could not authenticate."), "{done}");
    assert!(short(service.dns, &demo.host, "A").is_empty(), "{done}");
}

/// As docs/dialects.md has it.
#[test]
fn inadyn_updates_freedns_by_its_direct_url() {
    let folder = new_folder();
    let (service, demo) = Service::demo(&folder.path().join("data"));
    for address in ["198.51.100.7", "198.51.100.7", "198.51.100.8"] {
        let section = format!(
            "custom freedns {{\n username = none\n password = none\n ssl = false\n \
             checkip-command = \"echo {address}\"\n ddns-server = {}\n \
             ddns-path = \"/dynamic/update.php?{}&address=%i\"\n \
             ddns-response = {{ \"Updated\", \"has not changed\" }}\n hostname = {{ \"{}\" }}\n}}\n",
            service.http, demo.token, demo.host
        );
        let done = run(folder.path(), &demo, &section);
        assert_eq!(done.code, Some(0), "{done}");
        assert_eq!(short(service.dns, &demo.host, "A"), [address], "{done}");
    }
}

/// The lines that the providers give out for cron.
#[test]
fn curl_lines_of_providers_work() {
    let folder = new_folder();
    let (service, demo) = Service::demo(&folder.path().join("data"));
    let Demo { token, host, .. } = &demo;
    let credentials = format!("somebody:{token}");
    for (arguments, target, said) in [
        (&[][..], format!("/update?domains={host}&token={token}&ip=198.51.100.1"), "OK".to_owned()),
        (&[], format!("/update/{host}/{token}/198.51.100.2"), "OK".to_owned()),
        (
            &[],
            format!("/u/{token}/?address=198.51.100.3"),
            format!("Updated {host} from 198.51.100.2 to 198.51.100.3\n"),
        ),
        (
            &[],
            format!("/api/update?zone={host}&token={token}&ipv4=198.51.100.4"),
            "addresses updated".to_owned(),
        ),
        (&[], format!("/update.php?key={token}&ip=198.51.100.5"), "good 198.51.100.5\n".to_owned()),
        (
            &["--anyauth", "--user", &credentials][..],
            format!("/auth/dynamic.html?host={host}&dnsto=198.51.100.6"),
            format!(
                "<SUCCESS CODE=\"200\" TEXT=\"Update succeeded.\" ZONE=\"{}\" HOST=\"{host}\" \
                 IP=\"198.51.100.6\">\n",
                demo.zone
            ),
        ),
    ] {
        let mut curl = program("curl");
        curl.args(["--silent", "--fail"]).args(arguments);
        let done = Finished::run(curl.arg(format!("http://{}{target}", service.http))).ok();
        assert_eq!(done.out, said, "{target}");
    }
    assert_eq!(short(service.dns, host, "A"), ["198.51.100.6"]);
}

/// A demo at the port that the names of all providers lead to.
fn at_port_80(folder: &Path) -> (Service, Demo) {
    let hosts = folder.join("hosts");
    let lines: Vec<String> = SERVERS.iter().map(|name| format!("127.0.0.1 {name}\n")).collect();
    fs::write(&hosts, format!("127.0.0.1 localhost\n{}", lines.concat())).expect("a file of hosts");
    let mut mount = program("mount");
    Finished::run(mount.args(["--bind"]).arg(&hosts).arg("/etc/hosts")).ok();
    Service::demo_with(&folder.join("data"), &["--dns", "127.0.0.1:0", "--http", "127.0.0.1:80"])
}

/// One run with a provider's own section.
fn inadyn(folder: &Path, demo: &Demo, provider: Provider<'_>) -> Finished {
    let (name, user, password, address) = provider;
    let find = address
        .map_or("iface = lo".to_owned(), |address| format!("checkip-command = \"echo {address}\""));
    let section = format!(
        "provider {name} {{\n username = \"{user}\"\n password = \"{password}\"\n ssl = false\n \
         {find}\n hostname = {{ \"{}\" }}\n}}\n",
        demo.host
    );
    run(folder, demo, &section)
}

/// One run (`-1`) with a fresh cache.
fn run(folder: &Path, demo: &Demo, section: &str) -> Finished {
    let cache = tempfile::tempdir_in(folder).expect("a cache folder");
    // Without a cached address it would ask the machine's resolver for the host.
    let cached = cache.path().join(format!("{}.cache", demo.host));
    fs::write(cached, "192.0.2.1\n").expect("a cache file");
    let file = folder.join("inadyn.conf");
    write_secret_file(&file, &format!("period = 300\nverify-address = false\n{section}"));
    let mut inadyn = program("inadyn");
    inadyn.args(["-1", "-n", "-l", "debug", "--no-pidfile", "-f"]).arg(&file);
    Finished::run(inadyn.arg("--cache-dir").arg(cache.path()))
}

/// Where the providers' sections lead to.
const SERVERS: [&str; 9] = [
    "www.duckdns.org",
    "ipv4.dynv6.com",
    "dynv6.com",
    "dynamic.zoneedit.com",
    "api.cp.easydns.com",
    "members.dyndns.org",
    "dynupdate.no-ip.com",
    "freedns.afraid.org",
    "checkip.dyndns.org",
];
