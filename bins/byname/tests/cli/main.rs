//! The program as people and scripts see it: exit codes, stdout, stderr, state.

#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

mod daemon;
mod peer;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use peer::Peer;

const TOKEN: &str = "byn_sesame";
const HOST: &str = "nas.dyn.example";

struct Home {
    folder: TempDir,
}

impl Home {
    fn new() -> Home {
        Home { folder: TempDir::new().expect("a folder") }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state.json")
    }

    fn write(&self, text: &str) -> PathBuf {
        let path = self.folder.path().join("byname.toml");
        fs::write(&path, text).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode");
        path
    }

    /// A configuration that asks the peer for everything.
    fn configure(&self, peer: &Peer, more: &str) {
        let (url, host, token) = (peer.url(), HOST, TOKEN);
        self.write(&format!(
            "server = '{url}'\nhost = '{host}'\ntoken = '{token}'\nipv6_sources = []\n\
             timeout_s = 5\ntrust = 'bundled'\n{more}"
        ));
    }

    fn once(&self, more: &[&str]) -> Done {
        self.with_files("once", more)
    }

    fn with_files(&self, command: &str, more: &[&str]) -> Done {
        let config = self.folder.path().join("byname.toml");
        let mut byname = byname(&[command]);
        byname.arg("--config").arg(config).arg("--state").arg(self.state()).args(more);
        Done::of(&mut byname)
    }
}

struct Done {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Done {
    fn of(command: &mut Command) -> Done {
        let Output { status, stdout, stderr } = command.output().expect("the program runs");
        let text = |octets| String::from_utf8(octets).expect("UTF-8");
        let done = Done { code: status.code(), out: text(stdout), err: text(stderr) };
        assert!(!done.out.contains(TOKEN) && !done.err.contains(TOKEN), "the token was printed");
        done
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.out).expect("JSON and nothing else on stdout")
    }
}

/// The program, in an environment without any of our variables.
fn byname(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_byname"));
    command.env_clear().args(arguments);
    command
}

fn update(server: &str) -> Command {
    let mut command = byname(&["update", "--server", server, "--host", HOST]);
    command.env("BYNAME_TOKEN", TOKEN).args(["--ip", "9.0.0.1"]);
    command
}

#[test]
fn update_prints_its_result_on_stdout_and_nothing_on_stderr() {
    let peer = Peer::start("good 9.0.0.1");
    let done = Done::of(&mut update(&peer.url()));
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""));
    assert_eq!(done.out, format!("changed {HOST} 9.0.0.1\n"));
    peer.answer("nochg 9.0.0.1");
    let told = Done::of(update(&peer.url()).arg("--json")).json();
    assert_eq!((&told["outcome"], &told["host"]), (&"unchanged".into(), &HOST.into()));
    assert_eq!(told["addresses"], serde_json::json!(["9.0.0.1"]));
}

#[test]
fn update_takes_the_token_from_a_file_and_an_argument_too() {
    let home = Home::new();
    let file = home.folder.path().join("token");
    fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let peer = Peer::start("good");
    let basic = data_encoding::BASE64.encode(format!("{HOST}:{TOKEN}").as_bytes());
    let url = peer.url();
    for by in [["--token-file", file.to_str().unwrap()], ["--token", TOKEN]] {
        let mut command = byname(&["update", "--server", &url, "--host", HOST]);
        assert_eq!(Done::of(command.args(by)).code, Some(0), "{by:?}");
        assert!(peer.request().contains(&basic), "{by:?}");
    }
}

#[test]
fn exit_codes_say_whose_fault_it_was() {
    let peer = Peer::start("good");
    for (answer, code, outcome) in [
        ("badauth", 3, "stopped"),
        ("nohost", 3, "stopped"),
        ("abuse", 3, "stopped"),
        ("911", 1, "unavailable"),
        ("dnserr", 1, "unavailable"),
        ("<html>", 1, "unconfirmed"),
    ] {
        peer.answer(answer);
        let done = Done::of(update(&peer.url()).arg("--json"));
        assert_eq!(done.code, Some(code), "{answer}");
        assert_eq!(done.json()["outcome"], outcome, "{answer}");
        assert!(done.err.starts_with("error: "), "{}", done.err);
    }
    let gone = peer.stop();
    let done = Done::of(update(&gone).arg("--json"));
    assert_eq!((done.code, &done.json()["outcome"]), (Some(4), &"unreachable".into()));
}

#[test]
fn wrong_usage_is_exit_2_with_an_empty_stdout() {
    for arguments in [
        &["update", "--no-such-flag"][..],
        &["update", "--server", "http://127.0.0.1:1", "--host", HOST],
        &["update", "--server", "ftp://x", "--host", HOST, "--token", "t"],
        &["update", "--server", "http://127.0.0.1:1", "--host", HOST, "--token", " "],
        &["update", "--server", "http://127.0.0.1:1", "--host", HOST, "--ip", "x"],
        &["once", "--config", "/no/such/file"],
        &["plan"],
        &[],
    ] {
        let done = Done::of(&mut byname(arguments));
        assert_eq!((done.code, done.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(!done.err.is_empty(), "{arguments:?}");
    }
}

#[test]
fn help_names_every_command_and_the_danger_of_the_token_argument() {
    let help = Done::of(&mut byname(&["--help"]));
    assert_eq!(help.code, Some(0));
    for command in ["run", "once", "update", "detect", "status"] {
        assert!(help.out.contains(&format!("\n  {command}")), "{command}");
    }
    for absent in ["plan", "doctor", "import", "providers"] {
        assert!(!help.out.contains(&format!("\n  {absent}")), "{absent} is not built");
    }
    let update = Done::of(&mut byname(&["update", "--help"]));
    assert!(update.out.contains("`ps`") && update.out.contains("BYNAME_TOKEN"), "{}", update.out);
}

#[test]
fn once_publishes_and_then_leaves_the_service_alone() {
    let (home, peer) = (Home::new(), Peer::start("good"));
    home.configure(&peer, "");
    let done = home.once(&["--json"]);
    assert_eq!(done.code, Some(0), "{}", done.err);
    let told = done.json();
    assert_eq!(told["hosts"][0]["outcome"], "changed");
    assert_eq!(told["ipv4"]["addresses"][0], "127.0.0.1");
    assert!(peer.request().starts_with("GET /nic/update?hostname=nas.dyn.example&myip=127.0.0.1 "));
    for _ in 0..3 {
        assert_eq!(home.once(&["--json"]).json()["hosts"][0]["outcome"], "current");
    }
    assert_eq!(peer.updates(), 1, "no flood of `nochg`");
    let status = home.with_files("status", &["--json"]).json();
    assert_eq!(status["hosts"][0]["ipv4"]["addresses"][0], "127.0.0.1");
    assert_eq!(status["hosts"][0]["state"], "free");
}

#[test]
fn a_stop_lasts_until_the_token_changes_or_a_person_says_so() {
    let (home, peer) = (Home::new(), Peer::start("badauth"));
    home.configure(&peer, "");
    for _ in 0..3 {
        let done = home.once(&["--json"]);
        assert_eq!(done.code, Some(3));
        assert_eq!(done.json()["hosts"][0]["code"], "badauth");
        assert!(done.err.contains("hint: "), "{}", done.err);
    }
    assert_eq!(peer.updates(), 1, "it was asked once");
    let status = home.with_files("status", &[]);
    assert!(status.out.contains("badauth"), "{}", status.out);
    assert_eq!(home.once(&["--retry"]).code, Some(3));
    assert_eq!(peer.updates(), 2);
    peer.answer("good");
    let path = home.folder.path().join("byname.toml");
    let text = fs::read_to_string(&path).unwrap().replace(TOKEN, "byn_other");
    home.write(&text);
    assert_eq!(home.once(&[]).code, Some(0), "another token");
    assert_eq!(peer.updates(), 3);
}

#[test]
fn one_host_that_is_stopped_does_not_hold_up_another() {
    let (home, peer) = (Home::new(), Peer::start("good"));
    peer.answer_for("bad.dyn.example", "nohost");
    let url = peer.url();
    home.write(&format!(
        "server = '{url}'\nhosts = ['bad.dyn.example', 'nas.dyn.example']\ntoken = 't'\n\
         ipv6_sources = []\n"
    ));
    let done = home.once(&["--json"]);
    assert_eq!(done.code, Some(3));
    let hosts = &done.json()["hosts"];
    assert_eq!(
        (&hosts[0]["outcome"], &hosts[1]["outcome"]),
        (&"stopped".into(), &"changed".into())
    );
}

#[test]
fn a_service_that_says_911_is_left_alone() {
    let (home, peer) = (Home::new(), Peer::start("911"));
    home.configure(&peer, "");
    assert_eq!(home.once(&[]).code, Some(1));
    let done = home.once(&["--json"]);
    assert_eq!((done.code, &done.json()["hosts"][0]["outcome"]), (Some(1), &"waiting".into()));
    assert_eq!(peer.updates(), 1);
}

#[test]
fn once_says_that_nobody_answers() {
    let (home, peer) = (Home::new(), Peer::start("good"));
    home.configure(&peer, "");
    peer.stop();
    let done = home.once(&["--json"]);
    assert_eq!((done.code, &done.json()["hosts"][0]["outcome"]), (Some(4), &"unknown".into()));
}

#[test]
fn programs_find_a_fault_on_stdout_too() {
    let done = Done::of(&mut byname(&["once", "--json", "--config", "/no/such/file"]));
    let told = done.json();
    assert_eq!((done.code, &told["exit"]), (Some(2), &2.into()));
    assert!(told["error"].as_str().unwrap().contains("/no/such/file"), "{told}");
}

#[test]
fn a_token_or_an_echo_in_clear_is_a_warning_unless_it_is_as_it_should_be() {
    let home = Home::new();
    // Nothing is asked there: there are no sources.
    let clear = "server = 'http://192.0.2.1'\nhost = 'nas.dyn.example'\ntoken = 't'\n\
                 ipv4_sources = []\nipv6_sources = []\n";
    home.write(clear);
    assert!(home.once(&[]).err.contains("goes to `http://192.0.2.1` in clear"));
    home.write(&format!("{clear}allow_http = true\n"));
    assert!(!home.once(&[]).err.contains("in clear"));
    let echo = "server = 'https://dyn.example'\necho = ['http://e.example/ip?a=b']\n";
    home.write(&clear.replace("server = 'http://192.0.2.1'\n", echo));
    assert!(home.once(&[]).err.contains("forge"));
}

#[test]
fn an_unknown_address_sends_nothing_at_all() {
    let (home, peer) = (Home::new(), Peer::start("good"));
    home.configure(&peer, "when_gone = 'remove'\n");
    for echo in ["<html>log in</html>", "", "192.168.1.2", "2a00::1"] {
        peer.echo(echo);
        let done = home.once(&["--json"]);
        assert_eq!(done.code, Some(1), "{echo}");
        assert_eq!(done.json()["hosts"][0]["outcome"], "unknown", "{echo}");
    }
    assert_eq!(peer.updates(), 0);
}

#[test]
fn a_damaged_state_is_a_warning_and_a_fresh_start() {
    let (home, peer) = (Home::new(), Peer::start("good"));
    home.configure(&peer, "");
    fs::write(home.state(), "{\"version\":1,\"hosts\":[{").unwrap();
    assert_eq!(home.with_files("status", &[]).code, Some(1));
    let done = home.once(&[]);
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(done.err.contains("warning: the state file"), "{}", done.err);
    assert_eq!(home.once(&["--json"]).json()["hosts"][0]["outcome"], "current");
}

#[test]
fn without_a_state_that_can_be_kept_nothing_is_published() {
    let (home, peer) = (Home::new(), Peer::start("good"));
    home.configure(&peer, "");
    let config = home.folder.path().join("byname.toml");
    let mut command = byname(&["once", "--state", "/proc/no/state.json", "--config"]);
    let done = Done::of(command.arg(config));
    assert_eq!(done.code, Some(1), "{}", done.err);
    assert!(done.err.contains("hint: name another file with `--state`"), "{}", done.err);
    assert_eq!(peer.updates(), 0);
}

#[test]
fn detect_shows_sources_and_verdict_and_publishes_nothing() {
    let (home, peer) = (Home::new(), Peer::start("good"));
    home.configure(&peer, "");
    let done = home.with_files("detect", &[]);
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(done.out.contains("verdict") && done.out.contains("127.0.0.1"), "{}", done.out);
    let told = home.with_files("detect", &["--json"]).json();
    assert_eq!(told["ipv4"]["observed"], "known");
    assert_eq!(told["ipv4"]["agree"], 1);
    assert_eq!(told["ipv6"]["observed"], "unknown");
    assert_eq!(told["sources"][0]["family"], "IPv4");
    assert_eq!(peer.updates(), 0);
}

#[test]
fn detect_works_without_any_configuration() {
    let home = Home::new();
    let done = Done::of(byname(&["detect", "--json"]).env("HOME", home.folder.path()));
    assert!([Some(0), Some(1)].contains(&done.code), "{}", done.err);
    assert_eq!(done.json()["sources"][0]["source"], "interface");
}

#[test]
fn the_environment_is_a_configuration() {
    let (home, peer) = (Home::new(), Peer::start("good"));
    let mut command = byname(&["once", "--json"]);
    command.env("BYNAME_SERVER", peer.url()).env("BYNAME_HOST", HOST);
    command.env("BYNAME_TOKEN", TOKEN).env("BYNAME_IPV6_SOURCES", "");
    command.env("BYNAME_STATE", home.state()).env("HOME", home.folder.path());
    let done = Done::of(&mut command);
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert_eq!(done.json()["hosts"][0]["outcome"], "changed");
    assert!(Path::new(&home.state()).exists());
}

#[test]
fn a_configuration_that_others_can_read_is_refused_with_the_remedy() {
    let (home, peer) = (Home::new(), Peer::start("good"));
    home.configure(&peer, "");
    let path = home.folder.path().join("byname.toml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let done = home.once(&[]);
    assert_eq!(done.code, Some(2));
    assert!(done.err.contains("hint: chmod 600 "), "{}", done.err);
    assert_eq!(peer.updates(), 0);
}
