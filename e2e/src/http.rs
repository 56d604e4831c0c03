//! Updates over HTTP by a client of a few lines, for tests that send many.
//!
//! One update in ten thousand tells nothing about how a real client writes it; those have tests
//! of their own with ddclient, inadyn and curl.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use data_encoding::BASE64;

/// One dyndns2 update; the first line of the answer's body, for example `good 10.0.0.1`.
///
/// An error means that we do not know whether the change was made.
pub fn update(server: SocketAddr, host: &str, token: &str, address: &str) -> io::Result<String> {
    let credentials = BASE64.encode(format!("{host}:{token}").as_bytes());
    let request = format!(
        "GET /nic/update?hostname={host}&myip={address} HTTP/1.1\r\nHost: {server}\r\n\
         Authorization: Basic {credentials}\r\nUser-Agent: e2e/1\r\nConnection: close\r\n\r\n"
    );
    let answer = exchange(server, &request)?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "no body"))?;
    // An answer that was cut off is no acknowledgement.
    let announced = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    if announced != Some(body.len()) {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the body was cut off"));
    }
    Ok(body.lines().next().unwrap_or("").to_owned())
}

/// The sum of the samples of a counter whose labels contain a text; 0 when there is none.
pub fn counter(server: SocketAddr, name: &str, label: &str) -> io::Result<u64> {
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    let answer = exchange(server, &request)?;
    let sample = |line: &str| {
        let (what, value) = line.rsplit_once(' ')?;
        let rest = what.strip_prefix(name)?;
        let fits = rest.is_empty() || rest.starts_with('{');
        (fits && rest.contains(label)).then(|| value.parse::<u64>().ok())?
    };
    Ok(answer.lines().filter_map(sample).sum())
}

fn exchange(server: SocketAddr, request: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&server, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.take(ANSWER_OCTETS_MAX).read_to_string(&mut answer)?;
    Ok(answer)
}

const TIMEOUT: Duration = Duration::from_secs(20);
const ANSWER_OCTETS_MAX: u64 = 65_536;
