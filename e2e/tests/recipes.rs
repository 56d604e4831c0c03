//! The scripts of docs/recipes, fed with what a running service tells its webhooks.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use e2e::{
    Background, DEADLINE, Finished, Service, admin, eventually, http, namespace, new_folder,
    program, tools_path,
};

#[test]
fn recipe_fills_an_nftables_set_with_the_addresses_of_a_host() {
    if !namespace::enter("recipe_fills_an_nftables_set_with_the_addresses_of_a_host") {
        return;
    }
    let table = "add table inet byname; \
        add set inet byname home4 { type ipv4_addr; }; add set inet byname home6 { type ipv6_addr; }";
    Finished::run(program("nft").arg(table)).ok();
    let told = told(&["198.51.100.7", "2001:db8::7", "198.51.100.8"]);
    run("nft-set.sh", &[HOST, "byname", "home4", "home6"], &told);
    let set = |name: &str| {
        Finished::run(program("nft").args(["list", "set", "inet", "byname", name])).ok().out
    };
    assert!(set("home4").contains("elements = { 198.51.100.8 }"), "{}", set("home4"));
    assert!(set("home6").contains("elements = { 2001:db8::7 }"), "{}", set("home6"));
    // As server-sent events, and a host whose addresses went; others are passed over.
    let gone = told[0].replace("\"after\":{\"A\":[\"198.51.100.7\"]}", "\"after\":{\"A\":null}");
    assert_ne!(gone, told[0]);
    let other = told[0].replace(HOST, "other.dyn.example");
    let events = ["id: 9".to_owned(), format!("data: {gone}"), String::new(), other];
    run("nft-set.sh", &[HOST, "byname", "home4", "home6"], &events);
    assert!(!set("home4").contains("elements"), "{}", set("home4"));
    assert!(set("home6").contains("2001:db8::7"));
}

#[test]
fn recipe_moves_the_endpoint_of_a_wireguard_peer() {
    if !namespace::enter("recipe_moves_the_endpoint_of_a_wireguard_peer") {
        return;
    }
    let folder = new_folder();
    // WireGuard in a program of its own: not every kernel has it.
    let interface = format!("byn{}", std::process::id());
    let mut tunnel = program("wireguard-go");
    tunnel.args(["-f", &interface]);
    let tunnel = Background::start(&mut tunnel, &folder.path().join("wireguard.log"));
    let wg = |arguments: &[&str]| Finished::run(program("wg").args(arguments));
    eventually("an interface", DEADLINE, || {
        let shown = wg(&["show", &interface]);
        if shown.code == Some(0) { Ok(()) } else { Err(format!("{shown}\n{}", tunnel.talk())) }
    });
    let peer = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
    wg(&["set", &interface, "peer", peer, "endpoint", "192.0.2.1:51820"]).ok();
    let endpoint = || wg(&["show", &interface, "endpoints"]).ok().out;
    let told = told(&["198.51.100.7", "2001:db8::7"]);
    run("wireguard-endpoint.sh", &[HOST, &interface, peer, "51820"], &told[..1]);
    assert_eq!(endpoint(), format!("{peer}\t198.51.100.7:51820\n"));
    run("wireguard-endpoint.sh", &[HOST, &interface, peer, "51820"], &told[1..]);
    assert_eq!(endpoint(), format!("{peer}\t[2001:db8::7]:51820\n"));
}

/// What a webhook is told when a host takes these addresses, one after the other.
fn told(addresses: &[&str]) -> Vec<String> {
    let folder = new_folder();
    let data = folder.path().join("data");
    admin(&data, &["zone", "add", "dyn.example"]);
    let service = Service::serve(&data);
    let token = service.add_host(HOST);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    service.admin(&[
        "webhook",
        "add",
        &url,
        "--allow-private",
        "--host",
        HOST,
        "--event",
        "change",
    ]);
    let mut told = Vec::new();
    for address in addresses {
        let answer = http::update(service.http, HOST, &token, address).expect("an answer");
        assert_eq!(answer, format!("good {address}"));
        told.push(call(&listener));
    }
    told
}

/// The body of the next call.
fn call(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().expect("a call");
    stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line).expect("a line") > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().expect("a length");
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let answer = b"HTTP/1.1 204 taken\r\nconnection: close\r\n\r\n";
    stream.write_all(answer).expect("an answer");
    String::from_utf8(body).expect("text")
}

/// Runs a recipe on lines.
fn run(script: &str, arguments: &[&str], lines: &[String]) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/recipes").join(script);
    let mut command = Command::new("sh");
    tools_path(&mut command);
    command.arg(path).args(arguments).stdin(Stdio::piped());
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("sh");
    let mut input = process.stdin.take().expect("its input");
    lines.iter().for_each(|line| writeln!(input, "{line}").expect("a pipe"));
    drop(input);
    Finished::of(script.to_owned(), &process.wait_with_output().expect("its end")).ok();
}

const HOST: &str = "home.dyn.example";
