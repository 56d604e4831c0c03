//! A running `bynamed` with its own data directory.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::{DEADLINE, Finished, eventually, ours};

/// A process of `bynamed` that answers. Dropping it kills it.
pub struct Service {
    child: Child,
    lines: Receiver<String>,
    data: PathBuf,
    /// Where it answers queries over UDP and TCP.
    pub dns: SocketAddr,
    /// Where it takes updates.
    pub http: SocketAddr,
    /// Where it takes updates over HTTPS.
    pub https: Option<SocketAddr>,
}

/// What `bynamed demo --json` says about itself.
#[derive(Debug, Clone)]
pub struct Demo {
    /// The fresh zone.
    pub zone: String,
    /// The host in it.
    pub host: String,
    /// The host's token.
    pub token: String,
}

impl Service {
    /// Serves the data directory on loopback ports that the system chooses, and waits until it
    /// answers.
    pub fn serve(data: &Path) -> Service {
        Service::serve_at(data, "127.0.0.1:0", "127.0.0.1:0")
    }

    /// The same on given addresses.
    pub fn serve_at(data: &Path, dns: &str, http: &str) -> Service {
        Service::serve_with(ours("bynamed"), data, &["--dns", dns, "--http", http])
    }

    /// The same with arguments of the caller's, and by a command that ends in that of `bynamed`.
    pub fn serve_with(command: Command, data: &Path, arguments: &[&str]) -> Service {
        let arguments = [&["serve", "--json"], arguments].concat();
        let (child, lines) = start(command, data, &arguments);
        let first = first_line(&lines, data);
        let ready: Value =
            serde_json::from_str(&first).unwrap_or_else(|e| panic!("no JSON ({e}): {first}"));
        assert_eq!(ready["ready"], Value::Bool(true), "{first}");
        let (dns, http) = (address(&ready["dns"][0]), address(&ready["http"][0]));
        let https = ready["https"].get(0).map(address);
        Service { child, lines, data: data.to_path_buf(), dns, http, https }
    }

    /// A demo with its host and token, on ports that the system chooses.
    pub fn demo(data: &Path) -> (Service, Demo) {
        Service::demo_with(data, &["--dns", "127.0.0.1:0", "--http", "127.0.0.1:0"])
    }

    /// A demo with arguments of the caller's.
    pub fn demo_with(data: &Path, arguments: &[&str]) -> (Service, Demo) {
        let (child, lines) =
            start(ours("bynamed"), data, &[&["demo", "--json"], arguments].concat());
        let first = first_line(&lines, data);
        let told: Value =
            serde_json::from_str(&first).unwrap_or_else(|e| panic!("no JSON ({e}): {first}"));
        let text = |key: &str| {
            let value = told[key].as_str();
            value.unwrap_or_else(|| panic!("no `{key}` in {first}")).to_owned()
        };
        let demo = Demo { zone: text("zone"), host: text("host"), token: text("token") };
        let (dns, http) = (address(&told["dns"]), address(&told["http"]));
        (Service { child, lines, data: data.to_path_buf(), dns, http, https: None }, demo)
    }

    /// A demo as people see it: it talks in lines. Returns it with the lines that it printed up
    /// to the one that `is_last` accepts.
    pub fn demo_for_people(
        data: &Path,
        mut is_last: impl FnMut(&str) -> bool,
    ) -> (Self, Vec<String>) {
        let (child, lines) = start(
            ours("bynamed"),
            data,
            &["demo", "--dns", "127.0.0.1:0", "--http", "127.0.0.1:0"],
        );
        let mut said = Vec::new();
        loop {
            let line = lines
                .recv_timeout(DEADLINE)
                .unwrap_or_else(|e| panic!("{e} after {said:?}\n{}", talk(data)));
            let last = is_last(&line);
            said.push(line);
            if last {
                break;
            }
        }
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let data = data.to_path_buf();
        (Service { child, lines, data, dns: nowhere, http: nowhere, https: None }, said)
    }

    /// Runs a command of `bynamed` on the data directory of this service and returns its JSON.
    pub fn admin(&self, arguments: &[&str]) -> Value {
        admin(&self.data, arguments)
    }

    /// Adds a host and returns its token.
    pub fn add_host(&self, host: &str) -> String {
        let added = self.admin(&["host", "add", host]);
        let token = added["token"].as_str();
        token.unwrap_or_else(|| panic!("no token in {added}")).to_owned()
    }

    /// Kills it as a power failure would, with no chance to say goodbye, and waits for its end.
    pub fn kill_hard(mut self) {
        self.child.kill().expect("our own child");
        self.child.wait().expect("our own child");
    }

    /// Where it takes updates over HTTPS; panics when nowhere.
    pub fn https(&self) -> SocketAddr {
        self.https.expect("a service with `--https`")
    }

    /// Asks it to look at its certificates (SIGHUP).
    pub fn hang_up(&self) {
        let pid =
            i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, Signal::HUP).expect("our own child");
    }

    /// Asks it to end (SIGTERM) and returns how it did.
    pub fn stop(mut self) -> ExitStatus {
        let pid =
            i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, Signal::TERM).expect("our own child");
        eventually("end after SIGTERM", Duration::from_secs(30), || {
            let status = self.child.try_wait().map_err(|error| error.to_string())?;
            status.ok_or_else(|| "it still runs".to_owned())
        })
    }

    /// What it has printed on standard output since it was ready.
    pub fn printed(&self) -> Vec<String> {
        self.lines.try_iter().collect()
    }

    /// What it has printed on standard error.
    pub fn talk(&self) -> String {
        talk(&self.data)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command of `bynamed` on a data directory, running or not, and returns its JSON.
pub fn admin(data: &Path, arguments: &[&str]) -> Value {
    let mut command = ours("bynamed");
    command.args(arguments).arg("--json").arg("--data").arg(data);
    Finished::run(&mut command).ok().json()
}

/// An empty folder that is deleted when dropped.
pub fn new_folder() -> TempDir {
    tempfile::Builder::new().prefix("byname-e2e-").tempdir().expect("a temporary folder")
}

/// Writes a file that only its owner can read, as update clients want it.
pub fn write_secret_file(path: &Path, text: &str) {
    let opened =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    opened
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

fn start(mut command: Command, data: &Path, arguments: &[&str]) -> (Child, Receiver<String>) {
    let log = fs::OpenOptions::new().create(true).append(true).open(log_path(data));
    command.args(arguments).arg("--data").arg(data);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log.expect("a log file"));
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let out = child.stdout.take().expect("a pipe");
    (child, lines_of(out))
}

/// The lines of a child, read as they come so that it never waits for us.
fn lines_of(out: ChildStdout) -> Receiver<String> {
    let (send, receive) = sync_channel(LINES_MAX);
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            // Lines beyond the limit and after the end of the test are nobody's.
            let _ = send.try_send(line);
        }
    });
    receive
}

fn first_line(lines: &Receiver<String>, data: &Path) -> String {
    lines.recv_timeout(DEADLINE).unwrap_or_else(|error| {
        panic!("`bynamed` did not get ready ({error}); it said:\n{}", talk(data))
    })
}

fn address(value: &Value) -> SocketAddr {
    let parsed = value.as_str().and_then(|text| text.parse().ok());
    parsed.unwrap_or_else(|| panic!("no address and port: {value}"))
}

fn talk(data: &Path) -> String {
    fs::read_to_string(log_path(data)).unwrap_or_default()
}

/// Beside the data directory, not in it: what is in there is the service's.
fn log_path(data: &Path) -> PathBuf {
    data.with_extension("log")
}

const LINES_MAX: usize = 10_000;
