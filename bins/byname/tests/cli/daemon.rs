//! The daemon in a network of our own: it follows the addresses and obeys signals.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::TOKEN;
use crate::peer::Peer;

#[test]
fn run_follows_the_kernel_at_once_and_obeys_signals() {
    if !enter("daemon::run_follows_the_kernel_at_once_and_obeys_signals") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let peer = Peer::start("good");
    let config = folder.path().join("byname.toml");
    write(&config, &peer, "nas.dyn.example");
    ip("link add d0 type veth peer name d1");
    ip("link set d0 up");
    ip("link set d1 up");
    ip("-6 route add default dev d0");
    ip("-6 addr add 2a00:1::1/64 dev d0 nodad");

    let daemon = run(&config, folder.path());
    peer.wait_for("hostname=nas.dyn.example&myip=2a00:1::1");
    // The next look would be in a day: what follows comes from the kernel. The old address has to
    // go, because the kernel may give both the same hundredth of a second as their age.
    ip("-6 addr add 2a00:2::1/64 dev d0 nodad");
    ip("-6 addr del 2a00:1::1/64 dev d0");
    peer.wait_for("myip=2a00:2::1");
    ip("-6 addr del 2a00:2::1/64 dev d0");
    ip("-6 addr add 2a00:3::1/64 dev d0 nodad");
    peer.wait_for("myip=2a00:3::1");
    assert_eq!(peer.updates(), 3, "one update for a swarm of changes, none for a farewell");

    write(&config, &peer, "other.dyn.example");
    signal(&daemon, Signal::HUP);
    peer.wait_for("hostname=other.dyn.example");
    signal(&daemon, Signal::TERM);
    let done = daemon.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(0));
    assert!(done.stdout.is_empty(), "a daemon has no result");
    let log = String::from_utf8(done.stderr).unwrap();
    assert!(!log.contains(TOKEN), "the token was logged");
    for line in log.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        assert!(event["message"].is_string(), "{line}");
    }
}

#[test]
fn run_stops_at_sigint_and_before_anything_is_known() {
    if !enter("daemon::run_stops_at_sigint_and_before_anything_is_known") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let peer = Peer::start("good");
    let config = folder.path().join("byname.toml");
    write(&config, &peer, "nas.dyn.example");
    let mut daemon = run(&config, folder.path());
    let mut first = [0; 1];
    std::io::Read::read_exact(daemon.stderr.as_mut().unwrap(), &mut first).unwrap();
    signal(&daemon, Signal::INT);
    assert_eq!(daemon.wait().unwrap().code(), Some(0));
    assert_eq!(peer.updates(), 0, "there is no address, and the default is to preserve");
}

#[test]
fn run_outlives_a_state_that_cannot_be_kept_for_a_while() {
    if !enter("daemon::run_outlives_a_state_that_cannot_be_kept_for_a_while") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let peer = Peer::start("good");
    let config = folder.path().join("byname.toml");
    write(&config, &peer, "nas.dyn.example");
    ip("link add d0 type veth peer name d1");
    ip("link set d0 up");
    ip("link set d1 up");
    ip("-6 route add default dev d0");
    ip("-6 addr add 2a00:1::1/64 dev d0 nodad");
    let mut daemon = run(&config, folder.path());
    peer.wait_for("myip=2a00:1::1");
    let mut log = BufReader::new(daemon.stderr.take().unwrap()).lines();
    let mut wait_for = |text: &str| log.find(|line| line.as_ref().unwrap().contains(text)).unwrap();
    wait_for(r#""message":"published""#).unwrap();

    let lock = folder.path().join("state.json.lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    ip("-6 addr add 2a00:2::1/64 dev d0 nodad");
    wait_for("nothing is published").unwrap();
    assert_eq!(peer.updates(), 1);
    fs::remove_dir(&lock).unwrap();
    ip("-6 addr add 2a00:3::1/64 dev d0 nodad");
    peer.wait_for("myip=2a00:3::1");
    signal(&daemon, Signal::TERM);
    assert_eq!(daemon.wait().unwrap().code(), Some(0));
}

fn write(path: &Path, peer: &Peer, host: &str) {
    let url = peer.url();
    let text = format!(
        "server = '{url}'\nhost = '{host}'\ntoken = '{TOKEN}'\ninterval_s = 86400\n\
         ipv4_sources = []\nipv6_sources = ['interface']\ntrust = 'bundled'\n"
    );
    fs::write(path, text).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("a mode");
}

fn run(config: &Path, folder: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_byname"));
    command.env_clear().args(["run", "--log-format", "json", "--config"]).arg(config);
    command.arg("--state").arg(folder.join("state.json"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the daemon starts")
}

fn signal(daemon: &Child, signal: Signal) {
    kill_process(Pid::from_child(daemon), signal).expect("a process that lives");
}

fn ip(arguments: &str) {
    let done = Command::new("ip").args(arguments.split(' ')).output().expect("`ip` runs");
    assert!(done.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Whether the caller already runs in a network of its own; otherwise runs the same test again in
/// one, checks that it passed, and says no.
#[expect(clippy::disallowed_methods, reason = "the mark comes from ourselves, one process above")]
fn enter(test: &str) -> bool {
    if std::env::var_os(MARK).is_some() {
        ip("link set lo up");
        return true;
    }
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--net", "--"]).arg(std::env::current_exe().expect("a path"));
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    let inner = command.env(MARK, "1").output().expect("`unshare` runs");
    let out = String::from_utf8_lossy(&inner.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&inner.stderr).into_owned();
    assert!(inner.status.success() && out.contains("1 passed"), "{out}\n{complaint}");
    false
}

const MARK: &str = "BYNAME_TEST_INSIDE";
