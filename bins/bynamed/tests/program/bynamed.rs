//! Running the program over a data directory of its own.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// A folder with a data directory to be.
pub(crate) struct Place {
    folder: TempDir,
}

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A service that is ready. Dropping it kills it.
pub(crate) struct Service {
    child: Child,
    log: PathBuf,
    /// What it said when it was ready.
    pub(crate) ready: Value,
}

impl Place {
    pub(crate) fn new() -> Place {
        Place { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.beside("data")
    }

    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program with arguments and this data directory.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare(arguments);
        command.arg("--data").arg(self.data());
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        end(&mut self.command(arguments))
    }

    /// Runs a command that has to succeed, and returns its JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let ended = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
        serde_json::from_str(&ended.out).expect("JSON")
    }

    /// A data directory with a zone and a host; the host's token.
    pub(crate) fn with_host() -> (Place, String) {
        let place = Place::new();
        place.json(&["zone", "add", ZONE]);
        let token = place.json(&["host", "add", HOST])["token"].as_str().map(str::to_owned);
        (place, token.expect("a token"))
    }

    /// Serves on ports that the system chooses.
    pub(crate) fn serve(&self, arguments: &[&str]) -> Service {
        let doors = ["serve", "--json", "--dns", "127.0.0.1:0", "--http", "127.0.0.1:0"];
        self.start(self.command(&[&doors, arguments].concat()))
    }

    /// Starts a command that serves, and waits for its first line.
    pub(crate) fn start(&self, mut command: Command) -> Service {
        let log = self.beside("log");
        let file = File::options().create(true).append(true).open(&log).expect("a log");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file);
        let mut child = command.spawn().expect("the program");
        let out = child.stdout.take().expect("a pipe");
        let (send, receive) = sync_channel(1);
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = BufReader::new(out).read_line(&mut line);
            // Nobody listens when the test has given up.
            let _ = send.send(read.map(|_| line));
        });
        let line = receive.recv_timeout(DEADLINE).expect("a line in time").expect("a line");
        let ready = serde_json::from_str(&line);
        let ready = ready.unwrap_or_else(|_| serde_json::json!({ "said": line }));
        Service { child, log, ready }
    }
}

impl Service {
    pub(crate) fn dns(&self) -> SocketAddr {
        address(&self.ready["dns"])
    }

    pub(crate) fn http(&self) -> SocketAddr {
        address(&self.ready["http"])
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("a log")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("a process id");
        kill_process(Pid::from_raw(id).expect("a process id"), signal).expect("our own child");
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let until = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().expect("our own child") {
                return status;
            }
            assert!(Instant::now() < until, "it does not end\n{}", self.log());
            std::thread::yield_now();
        }
    }

    /// Asks it to end and waits.
    pub(crate) fn stop(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Waits until the log says something.
    pub(crate) fn wait_for_log(&self, words: &str) {
        let until = Instant::now() + DEADLINE;
        while !self.log().contains(words) {
            assert!(Instant::now() < until, "no `{words}` in\n{}", self.log());
            std::thread::yield_now();
        }
    }

    /// One request over HTTP: the status line and the body.
    pub(crate) fn get(&self, path: &str, user: Option<(&str, &str)>) -> (String, String) {
        let mut stream = TcpStream::connect(self.http()).expect("a connection");
        stream.set_read_timeout(Some(DEADLINE)).expect("a socket");
        let credentials = user.map_or_else(String::new, |(name, token)| {
            let pair = data_encoding::BASE64.encode(format!("{name}:{token}").as_bytes());
            format!("Authorization: Basic {pair}\r\n")
        });
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: x\r\n{credentials}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("a socket that takes octets");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        (head.lines().next().unwrap_or_default().to_owned(), body.to_owned())
    }

    /// One update; the first line of the answer.
    pub(crate) fn update(&self, token: &str, address: &str) -> String {
        let path = format!("/nic/update?hostname={HOST}&myip={address}");
        let (_, body) = self.get(&path, Some((HOST, token)));
        body.lines().next().unwrap_or_default().to_owned()
    }

    /// Asks for the SOA of a zone over UDP: the RCODE.
    pub(crate) fn rcode(&self, zone: &str) -> u8 {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.set_read_timeout(Some(DEADLINE)).expect("a socket");
        let mut query = vec![0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in zone.split('.') {
            query.push(u8::try_from(label.len()).expect("a short label"));
            query.extend_from_slice(label.as_bytes());
        }
        query.extend_from_slice(&[0, 0, 6, 0, 1]);
        socket.send_to(&query, self.dns()).expect("a socket that sends");
        let mut answer = [0; 512];
        let length = socket.recv(&mut answer).expect("an answer");
        assert!(length >= 12);
        answer[3] & 0x0f
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program without our environment, so that nobody's settings are in the way.
pub(crate) fn bare(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bynamed"));
    command.env_clear().args(arguments);
    command
}

/// Runs a command to its end.
pub(crate) fn end(command: &mut Command) -> Ended {
    let output = command.stdin(Stdio::null()).output().expect("the program");
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

/// Writes a file.
pub(crate) fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("a file");
}

fn address(value: &Value) -> SocketAddr {
    let text = value[0].as_str().or(value.as_str()).expect("an address");
    text.parse().expect("an address and port")
}

pub(crate) const ZONE: &str = "dyn.example";
pub(crate) const HOST: &str = "nas.dyn.example";
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
