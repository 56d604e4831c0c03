//! DNS UPDATE messages through BIND's `nsupdate` and Knot DNS's `knsupdate`, and keys for them.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::dns::Over;
use crate::{Finished, Service, admin, http, program, write_secret_file};

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// BIND's.
    Nsupdate,
    /// Knot DNS's.
    Knsupdate,
}

/// The four ways that every update has to agree in.
pub const WAYS: [(Sender, Over); 4] = [
    (Sender::Nsupdate, Over::Udp),
    (Sender::Nsupdate, Over::Tcp),
    (Sender::Knsupdate, Over::Udp),
    (Sender::Knsupdate, Over::Tcp),
];

/// A shared key as it was added, with the files that the programs read.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: String,
    /// Its secret in base64.
    pub secret: String,
    /// What `nsupdate -k` and `dig -k` read.
    pub bind: PathBuf,
    /// What `knsupdate -k` reads.
    pub knot: PathBuf,
}

impl Key {
    /// Adds a key with a secret that is made. `rest`: its zones and what it may.
    pub fn add(data: &Path, name: &str, algorithm: &str, rest: &[&str]) -> Key {
        let add = ["key", "add", name, "--algorithm", algorithm, "--generate"];
        let made = admin(data, &[&add[..], rest].concat());
        let text = |member: &str| {
            let value = made[member].as_str();
            value.unwrap_or_else(|| panic!("no `{member}` of key {name}")).to_owned()
        };
        let files = (text("nsupdate"), text("knsupdate"));
        Key::write(data, (name, algorithm), &text("secret"), files)
    }

    /// The files of a key of the caller's that no service needs to know.
    pub fn foreign(data: &Path, name: &str, algorithm: &str, secret: &str) -> Key {
        let bind = format!(r#"key "{name}" {{ algorithm {algorithm}; secret "{secret}"; }};"#);
        let files = (bind, format!("{algorithm}:{name}:{secret}"));
        Key::write(data, (name, algorithm), secret, files)
    }

    /// Files lie beside the data directory and are those of one test.
    fn write(
        data: &Path,
        (name, algorithm): (&str, &str),
        secret: &str,
        (bind, knot): (String, String),
    ) -> Key {
        let folder = data.parent().expect("a folder around the data directory");
        let stem = |tool: &str| {
            let mark: String = secret.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
            folder.join(format!("{name}.{algorithm}.{mark}.{tool}"))
        };
        let key = Key {
            name: name.to_owned(),
            secret: secret.to_owned(),
            bind: stem("bind"),
            knot: stem("knot"),
        };
        write_secret_file(&key.bind, &format!("{bind}\n"));
        write_secret_file(&key.knot, &format!("{knot}\n"));
        key
    }
}

/// What signs.
#[derive(Debug, Clone, Copy)]
pub enum Signed<'a> {
    /// Nothing.
    No,
    /// A shared key.
    Tsig(&'a Key),
    /// The file of a private key, which `nsupdate` alone reads.
    Sig0(&'a Path),
}

/// Sends one message: `lines` are commands of the programs, from `zone` to the last `update`. The
/// response code in capital letters as the program shows it, and all that it said.
pub fn send(
    server: SocketAddr,
    lines: &[&str],
    signed: Signed<'_>,
    (sender, over): (Sender, Over),
) -> (String, Finished) {
    let said = run(server, lines, signed, (sender, over));
    let answer = said.out.lines().filter(|line| line.contains("opcode: UPDATE"));
    let status = answer.filter_map(|line| line.split_once("status: ")).next_back();
    let status = status.and_then(|(_, rest)| rest.split([',', ';']).next());
    (status.unwrap_or("no answer").to_owned(), said)
}

/// Updates that have had this outcome so far, as the metrics of the service tell.
pub fn counted(service: &Service, outcome: &str) -> u64 {
    let label = format!("outcome=\"{outcome}\"");
    let counted = http::counter(service.http, "byname_dns_updates_total", &label);
    counted.unwrap_or_else(|error| panic!("no metrics: {error}"))
}

fn run(
    server: SocketAddr,
    lines: &[&str],
    signed: Signed<'_>,
    (sender, over): (Sender, Over),
) -> Finished {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let (ip, port) = (server.ip(), server.port());
    let text = format!("server {ip} {port}\n{}\nsend\nanswer\n", lines.join("\n"));
    fs::write(file.path(), text).expect("a file");
    let mut command = match sender {
        Sender::Nsupdate => program("nsupdate"),
        Sender::Knsupdate => program("knsupdate"),
    };
    command.args(["-t", "20"]);
    if over == Over::Tcp {
        command.arg("-v");
    }
    match signed {
        Signed::No => &mut command,
        Signed::Tsig(key) if sender == Sender::Nsupdate => command.arg("-k").arg(&key.bind),
        Signed::Tsig(key) => command.arg("-k").arg(&key.knot),
        Signed::Sig0(file) => command.arg("-k").arg(file),
    };
    Finished::run(command.arg(file.path()))
}
