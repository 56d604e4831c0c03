//! A foreign service that says what it is told to: `/ip` and `/nic/update` over real TCP.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The service. Dropping it stops it.
pub(crate) struct Peer {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    script: Mutex<Script>,
    came: Condvar,
    stopping: AtomicBool,
}

#[derive(Default)]
struct Script {
    echo: String,
    answer: String,
    /// Another answer for requests with this text in them.
    special: Option<(String, String)>,
    /// The heads of all updates.
    updates: Vec<String>,
}

impl Peer {
    /// A service that echoes `127.0.0.1` and answers updates like this.
    pub(crate) fn start(answer: &str) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let script =
            Script { echo: "127.0.0.1".into(), answer: answer.into(), ..Script::default() };
        let shared = Arc::new(Shared {
            script: Mutex::new(script),
            came: Condvar::new(),
            stopping: AtomicBool::new(false),
        });
        let own = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if own.stopping.load(Ordering::SeqCst) {
                    return;
                }
                own.serve(stream);
            }
        });
        Peer { address, shared, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn answer(&self, answer: &str) {
        self.script(|script| script.answer = answer.into());
    }

    pub(crate) fn answer_for(&self, host: &str, answer: &str) {
        self.script(|script| script.special = Some((host.into(), answer.into())));
    }

    pub(crate) fn echo(&self, echo: &str) {
        self.script(|script| script.echo = echo.into());
    }

    /// How many updates have come.
    pub(crate) fn updates(&self) -> usize {
        self.script(|script| script.updates.len())
    }

    /// The head of the last update.
    pub(crate) fn request(&self) -> String {
        self.script(|script| script.updates.last().cloned()).expect("an update")
    }

    /// Waits for an update with this text in it.
    pub(crate) fn wait_for(&self, text: &str) {
        let script = self.shared.script.lock().expect("a script");
        let has_come = |script: &mut Script| !script.updates.iter().any(|head| head.contains(text));
        let waited = self.shared.came.wait_timeout_while(script, PATIENCE, has_come);
        let (script, timeout) = waited.expect("a script");
        assert!(!timeout.timed_out(), "waited in vain for {text}: {:?}", script.updates);
    }

    /// Stops listening; returns the URL where nobody is any more.
    pub(crate) fn stop(self) -> String {
        self.url()
    }

    fn script<T>(&self, act: impl FnOnce(&mut Script) -> T) -> T {
        act(&mut self.shared.script.lock().expect("a script"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        let woken = TcpStream::connect(self.address).is_ok();
        if let (true, Some(thread)) = (woken, self.thread.take()) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) {
        let mut head = Vec::new();
        let mut octet = [0];
        while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut octet), Ok(1)) {
            head.extend(octet);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let body = self.body(head);
        let length = body.len();
        let reply = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
        // A client that has gone away shows in its own test.
        let _ = stream.write_all(reply.as_bytes());
    }

    fn body(&self, head: String) -> String {
        let mut script = self.script.lock().expect("a script");
        if head.starts_with("GET /ip ") {
            return script.echo.clone();
        }
        let special = script.special.clone().filter(|(host, _)| head.contains(host));
        script.updates.push(head);
        self.came.notify_all();
        special.map_or_else(|| script.answer.clone(), |(_, answer)| answer)
    }
}

const PATIENCE: Duration = Duration::from_secs(20);
