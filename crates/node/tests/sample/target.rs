//! Somebody who is called by webhooks: a real socket that takes requests and answers as it is told.
#![allow(dead_code, reason = "not every test uses all of it")]
#![allow(clippy::expect_used, reason = "a step that fails is a failed test")]

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// A target.
pub(crate) struct Target {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    came: Condvar,
}

#[derive(Default)]
struct State {
    status: u16,
    location: Option<String>,
    got: VecDeque<Got>,
    count: usize,
}

/// A request.
pub(crate) struct Got {
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(of, _)| of.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).expect("the header")
    }
}

impl Target {
    /// One that takes everything.
    pub(crate) fn open() -> Target {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&own);
                std::thread::spawn(move || take(&shared, &stream));
            }
        });
        let target = Target { address, shared };
        target.answer(200);
        target
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// From now on it answers with this status.
    pub(crate) fn answer(&self, status: u16) {
        let mut state = self.shared.state.lock().expect("a state");
        (state.status, state.location) = (status, None);
    }

    /// From now on it leads elsewhere.
    pub(crate) fn lead_to(&self, url: &str) {
        let mut state = self.shared.state.lock().expect("a state");
        (state.status, state.location) = (302, Some(url.to_owned()));
    }

    /// How many requests have come.
    pub(crate) fn count(&self) -> usize {
        self.shared.state.lock().expect("a state").count
    }

    /// The next request that was not looked at.
    pub(crate) fn next(&mut self) -> Got {
        let state = self.shared.state.lock().expect("a state");
        let waited = self.shared.came.wait_timeout_while(state, PATIENCE, |s| s.got.is_empty());
        let (mut state, _) = waited.expect("a state");
        state.got.pop_front().expect("it is called in time")
    }

    /// Waits until something holds.
    pub(crate) fn until(&self, mut holds: impl FnMut() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds() {
            assert!(Instant::now() < end, "it does not come to hold");
            std::thread::yield_now();
        }
    }
}

fn take(shared: &Shared, stream: &TcpStream) {
    let mut reader = BufReader::new(stream);
    let mut headers = Vec::new();
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        if let Some((name, value)) = line.trim_end().split_once(": ") {
            headers.push((name.to_owned(), value.to_owned()));
        }
        line.clear();
    }
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let body = String::from_utf8(body).expect("text");
    let mut state = shared.state.lock().expect("a state");
    state.count += 1;
    state.got.push_back(Got { headers, body });
    let location = state.location.as_ref().map(|to| format!("location: {to}\r\n"));
    let answer = format!(
        "HTTP/1.1 {} x\r\n{}content-length: 0\r\nconnection: close\r\n\r\n",
        state.status,
        location.unwrap_or_default()
    );
    drop(state);
    shared.came.notify_all();
    let mut stream = stream;
    // Whoever called may be gone.
    let _ = stream.write_all(answer.as_bytes());
}

const PATIENCE: Duration = Duration::from_secs(60);
