//! Questions through Debian's `dig` and `kdig`.

use std::net::SocketAddr;

use crate::{Finished, program};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// BIND's.
    Dig,
    /// Knot DNS's.
    Kdig,
}

/// How it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Without falling back to TCP.
    Udp,
    /// From the first octet.
    Tcp,
}

/// The four ways that every answer has to agree in.
pub const WAYS: [(Asker, Over); 4] = [
    (Asker::Dig, Over::Udp),
    (Asker::Dig, Over::Tcp),
    (Asker::Kdig, Over::Udp),
    (Asker::Kdig, Over::Tcp),
];

/// The short form of the answer, one rdata a line, sorted; or why there is none.
pub fn ask(
    server: SocketAddr,
    name: &str,
    rtype: &str,
    way: (Asker, Over),
) -> Result<Vec<String>, String> {
    let full = run(server, &[name, rtype, "+short"], way);
    if full.code != Some(0) {
        return Err(full.to_string());
    }
    // Both print problems as comments, even with +short.
    if let Some(problem) = full.out.lines().find(|line| line.starts_with(';')) {
        return Err(problem.to_owned());
    }
    let mut lines: Vec<String> = full.out.lines().map(str::to_owned).collect();
    lines.sort();
    Ok(lines)
}

/// The short answer through `dig` over UDP; panics when the server does not answer.
pub fn short(server: SocketAddr, name: &str, rtype: &str) -> Vec<String> {
    ask(server, name, rtype, WAYS[0]).unwrap_or_else(|reason| panic!("{name} {rtype}: {reason}"))
}

/// The serial of a zone as its SOA record shows it.
pub fn serial(server: SocketAddr, zone: &str) -> u32 {
    let soa = short(server, zone, "SOA");
    let field = soa.first().and_then(|soa| soa.split(' ').nth(2));
    let serial = field.and_then(|serial| serial.parse().ok());
    serial.unwrap_or_else(|| panic!("no serial of {zone} in {soa:?}"))
}

/// The whole output for arguments of the caller's.
pub fn run(server: SocketAddr, arguments: &[&str], way: (Asker, Over)) -> Finished {
    let (asker, over) = way;
    let mut command = match asker {
        Asker::Dig => program("dig"),
        Asker::Kdig => program("kdig"),
    };
    command.args(["-p", &server.port().to_string(), &format!("@{}", server.ip())]);
    command.args(match over {
        Over::Udp => ["+notcp", "+ignore"],
        Over::Tcp => ["+tcp", "+retry=0"],
    });
    Finished::run(command.args(arguments).args(["+timeout=5"]))
}
