//! Strangers who take all that they can get.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use socket2::{Domain, Protocol, Socket, Type};

use crate::bynamed::{DEADLINE, Place, bare};

#[test]
fn http_connections_cannot_take_the_files_that_dns_and_the_store_need() {
    let (place, _) = Place::with_host();
    let service = place.start(with_few_files(&place));
    let mut held = Vec::new();
    for source in 2..=5_u8 {
        for _ in 0..60 {
            let mut stream = connect(service.http(), source);
            // Refused ones are closed: then writing may fail.
            let _ = stream.write_all(b"G");
            held.push(stream);
        }
    }
    let mut dns = connect(service.dns(), 9);
    dns.write_all(b"\0\x11\x12\x34\0\0\0\x01\0\0\0\0\0\0\0\0\x06\0\x01").expect("a query sent");
    dns.read_exact(&mut [0; 14]).expect("an answer over TCP");
    let copy = place.beside("copy");
    place.json(&["backup", &copy.to_string_lossy()]);
    drop(held);
    assert!(!service.log().contains("could not be accepted"), "{}", service.log());
}

/// The program where 256 files may be open.
fn with_few_files(place: &Place) -> Command {
    let program = bare(&[]);
    let mut command = Command::new("/bin/sh");
    command.env_clear().args(["-c", "ulimit -n 256; exec \"$0\" \"$@\""]);
    command.arg(program.get_program());
    command.args(["serve", "--json", "--dns", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data"]);
    command.arg(place.data());
    command
}

fn connect(to: SocketAddr, source: u8) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).expect("a socket");
    let from = SocketAddr::from(([127, 0, 3, source], 0));
    socket.bind(&from.into()).expect("an address to call from");
    socket.connect(&to.into()).expect("a connection");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    stream
}
