//! A root served by NSD, our service below it, and unbound in front.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use e2e::dns::{WAYS, ask};
use e2e::{Background, DEADLINE, Service, admin, eventually, http, new_folder, program};

/// Resolves a host through unbound, changes it, and sees the change when the TTL has passed, not
/// later. With `ttl_s_max`, unbound keeps nothing longer than that.
pub(crate) fn follows_a_change(ttl_s_max: Option<u32>) {
    let folder = new_folder();
    let data = folder.path().join("data");
    admin(&data, &["zone", "add", ZONE, "--ns", NS]);
    let service = Service::serve_at(&data, SERVICE, "127.0.0.1:0");
    let _root = serve_root(folder.path());
    let resolver = start_unbound(folder.path(), ttl_s_max);
    let at: SocketAddr = RESOLVER.parse().expect("an address");
    let host = format!("home.{ZONE}");
    let (ns_token, token) = (service.add_host(NS), service.add_host(&host));
    let update = |host: &str, token: &str, address: &str| {
        let answer = http::update(service.http, host, token, address).expect("an answer");
        assert_eq!(answer, format!("good {address}"));
    };
    update(NS, &ns_token, &SERVICE.replace(":53", ""));
    let wait = Duration::from_secs(u64::from(ttl_s_max.unwrap_or(HOST_TTL_S))) + GRACE;
    for address in ["198.51.100.7", "198.51.100.8", "198.51.100.9"] {
        update(&host, &token, address);
        for way in WAYS {
            eventually(&format!("{address} through unbound"), wait, || {
                let answer = ask(at, &host, "A", way)?;
                let seen = answer == [address];
                if seen { Ok(()) } else { Err(format!("{answer:?}\n{}", resolver.talk())) }
            });
        }
    }
    // What does not exist is said to not exist through the resolver as well.
    let nothing = e2e::dns::run(at, &[&format!("nobody.{ZONE}"), "A"], WAYS[0]);
    assert!(nothing.out.contains("NXDOMAIN"), "{nothing}");
    let no_data = e2e::dns::run(at, &[&host, "AAAA"], WAYS[0]);
    assert!(no_data.out.contains("NOERROR") && no_data.out.contains("ANSWER: 0"), "{no_data}");
}

fn serve_root(folder: &Path) -> Background {
    let ip = ROOT.replace(":53", "");
    let service = SERVICE.replace(":53", "");
    let zone = format!(
        "$ORIGIN .\n$TTL 300\n@ SOA a.root. nobody.root. 1 3600 600 86400 5\n@ NS a.root.\n\
         a.root. A {ip}\n{ZONE}. NS {NS}.\n{NS}. A {service}\n"
    );
    let conf = format!(
        "server:\n  ip-address: {ip}\n  port: 53\n  username: \"\"\n  chroot: \"\"\n  \
         database: \"\"\n  zonesdir: \"{at}\"\n  zonelistfile: \"{at}/zone.list\"\n  \
         xfrdfile: \"{at}/xfrd.state\"\n  xfrdir: \"{at}\"\n  pidfile: \"\"\n  \
         server-count: 1\nremote-control:\n  control-enable: no\nzone:\n  name: \".\"\n  \
         zonefile: \"root.zone\"\n",
        at = folder.display()
    );
    fs::write(folder.join("root.zone"), zone).expect("a file");
    fs::write(folder.join("nsd.conf"), conf).expect("a file");
    let mut nsd = program("nsd");
    nsd.arg("-d").arg("-c").arg(folder.join("nsd.conf"));
    let root = Background::start(&mut nsd, &folder.join("nsd.log"));
    let at: SocketAddr = ROOT.parse().expect("an address");
    eventually("the root", DEADLINE, || {
        let answer = ask(at, ".", "NS", WAYS[0]).map_err(|e| format!("{e}\n{}", root.talk()))?;
        if answer == ["a.root."] { Ok(()) } else { Err(format!("{answer:?}\n{}", root.talk())) }
    });
    root
}

fn start_unbound(folder: &Path, ttl_s_max: Option<u32>) -> Background {
    let root = ROOT.replace(":53", "");
    let cap = ttl_s_max
        .map(|ttl_s| format!("  cache-max-ttl: {ttl_s}\n  cache-max-negative-ttl: {ttl_s}\n"));
    let conf = format!(
        "server:\n  interface: {ip}\n  port: 53\n  username: \"\"\n  chroot: \"\"\n  \
         directory: \"{at}\"\n  pidfile: \"\"\n  do-daemonize: no\n  use-syslog: no\n  \
         verbosity: 2\n  do-ip6: no\n  do-not-query-localhost: no\n  \
         access-control: 127.0.0.0/8 allow\n  module-config: \"iterator\"\n  \
         root-hints: \"root.hints\"\n{cap}remote-control:\n  control-enable: no\n",
        ip = RESOLVER.replace(":53", ""),
        at = folder.display(),
        cap = cap.unwrap_or_default()
    );
    fs::write(folder.join("root.hints"), format!(". 300 NS a.root.\na.root. 300 A {root}\n"))
        .expect("a file");
    fs::write(folder.join("unbound.conf"), conf).expect("a file");
    let mut unbound = program("unbound");
    unbound.args(["-d", "-p", "-c"]).arg(folder.join("unbound.conf"));
    Background::start(&mut unbound, &folder.join("unbound.log"))
}

const ROOT: &str = "127.53.0.1:53";
const SERVICE: &str = "127.53.0.2:53";
const RESOLVER: &str = "127.53.0.3:53";
const ZONE: &str = "dyn.example";
const NS: &str = "ns.dyn.example";
const HOST_TTL_S: u32 = 60;
/// For programs that share two cores with other tests.
const GRACE: Duration = Duration::from_secs(10);
