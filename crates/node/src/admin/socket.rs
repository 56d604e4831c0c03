//! The admin socket: `admin.sock` in the data directory, for its owner only.
//!
//! The service greets, so that a caller whose order can not have been read knows it. A caller writes
//! one line of JSON, what follows the order, and shuts its side down. The service
//! writes one line of JSON, `{"ok":…}` or `{"error":…,"exit":…}`, then a zone file or the rows of a
//! list, one value a line.

use std::fmt;
use std::fs::Permissions;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use super::{AdminError, Answer, Command, execute};
use crate::node::Node;

/// The open admin socket of a running service.
#[derive(Debug)]
pub struct AdminSocket {
    path: PathBuf,
    /// The listening socket, to be shut down: its path may be gone by then.
    listening: UnixStream,
    stopping: Arc<AtomicBool>,
    calls: Arc<Calls>,
    thread: Option<JoinHandle<()>>,
}

/// The callers of the moment.
#[derive(Debug, Default)]
struct Calls {
    open: AtomicUsize,
    /// Orders that are read and not answered.
    working: Mutex<usize>,
    done: Condvar,
}

/// What a service answered to a call. `Debug` hides the value: a new token may be in it.
pub struct Called {
    /// The value.
    pub value: Value,
    /// What follows it: the zone file of an export, or the rows of a list.
    pub body: BufReader<UnixStream>,
}

impl fmt::Debug for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Called").finish_non_exhaustive()
    }
}

/// Why a call got no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No service runs on this data directory.
    #[error("no service is running on this data directory")]
    NotRunning,
    /// The service is stopping; it has read the order and not carried it out.
    #[error("the service is stopping")]
    Stopping,
    /// The service answered with an error: the message and the exit code for it.
    #[error("{message}")]
    Answered {
        /// What went wrong.
        message: String,
        /// Exit code.
        exit: u8,
    },
    /// The connection broke after the order was sent, or it was not our service.
    #[error("could not confirm that the order was carried out: {0}")]
    Broken(#[from] io::Error),
}

/// Opens the socket in the data directory of a node and answers callers until dropped.
pub fn serve(node: Arc<Node>) -> io::Result<AdminSocket> {
    let path = path(node.data());
    // The data directory is locked for us: whatever lies there is of a service that is gone.
    match std::fs::remove_file(&path) {
        Ok(()) => {}
        Err(why) if why.kind() == io::ErrorKind::NotFound => {}
        Err(why) => return Err(why),
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    // The standard library shuts down streams only; below it they are all sockets.
    let listening = UnixStream::from(OwnedFd::from(listener.try_clone()?));
    let stopping = Arc::new(AtomicBool::new(false));
    let calls = Arc::new(Calls::default());
    let (stop, own) = (Arc::clone(&stopping), Arc::clone(&calls));
    let accept = move || accept(&listener, &node, &stop, &own);
    let thread = std::thread::Builder::new().name("admin".to_owned()).spawn(accept)?;
    Ok(AdminSocket { path, listening, stopping, calls, thread: Some(thread) })
}

/// Gives an order to the service that runs on a data directory.
pub fn call(data: &Path, command: &Command, body: &mut dyn Read) -> Result<Called, CallError> {
    // Whatever keeps us from being greeted, the order was not read: it may be given again.
    let (mut stream, mut reader) = connect(data)?;
    let mut line = serde_json::to_vec(command).map_err(io::Error::other)?;
    line.push(b'\n');
    let sent = stream.write_all(&line).and_then(|()| io::copy(body, &mut stream)).map(drop);
    let sent = sent.and_then(|()| stream.shutdown(Shutdown::Write));
    // The service may have refused the order before it had read everything: that is its answer.
    match sent {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => return Err(why.into()),
        Ok(()) | Err(_) => {}
    }
    let patience = if command.may_take_long() { LONG } else { IDLE };
    stream.set_read_timeout(Some(patience))?;
    let mut line = String::new();
    reader.by_ref().take(ANSWER_OCTETS_MAX).read_line(&mut line)?;
    if line.is_empty() {
        let ended = "the service ended before it answered";
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, ended).into());
    }
    let mut answer: Value = serde_json::from_str(&line).map_err(io::Error::other)?;
    refused(&answer)?;
    let value = answer.get_mut("ok").map(Value::take).unwrap_or_default();
    Ok(Called { value, body: reader })
}

/// A connection to a service that has greeted.
fn connect(data: &Path) -> Result<(UnixStream, BufReader<UnixStream>), CallError> {
    let not_running = |_: io::Error| CallError::NotRunning;
    let stream = UnixStream::connect(path(data)).map_err(not_running)?;
    stream.set_write_timeout(Some(IDLE)).map_err(not_running)?;
    stream.set_read_timeout(Some(IDLE)).map_err(not_running)?;
    let mut reader = BufReader::new(stream.try_clone().map_err(not_running)?);
    let mut line = String::new();
    reader.by_ref().take(ORDER_OCTETS_MAX).read_line(&mut line).map_err(not_running)?;
    if line != GREETING {
        refused(&serde_json::from_str(&line).unwrap_or_default())?;
        return Err(CallError::NotRunning);
    }
    Ok((stream, reader))
}

fn refused(answer: &Value) -> Result<(), CallError> {
    if answer.get("stopping").is_some() {
        return Err(CallError::Stopping);
    }
    let Some(message) = answer.get("error").and_then(Value::as_str) else { return Ok(()) };
    let exit = answer.get("exit").and_then(Value::as_u64);
    let exit = exit.and_then(|exit| u8::try_from(exit).ok()).unwrap_or(1);
    Err(CallError::Answered { message: message.to_owned(), exit })
}

impl Drop for AdminSocket {
    /// Takes no more orders; those that were read are answered.
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Wakes the accepting thread, on Linux also when somebody has removed the socket's file. A
        // thread that nothing wakes is not waited for: it takes no orders any more.
        let woken = self.listening.shutdown(Shutdown::Both).is_ok()
            || UnixStream::connect(&self.path).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            let _ = thread.join();
        }
        self.calls.wait(GRACE);
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Calls {
    /// Waits until every order that was read is answered, for so long at most.
    fn wait(&self, most: Duration) {
        let working = self.working.lock().unwrap_or_else(PoisonError::into_inner);
        // Late ones are cut off: their callers cannot confirm what came of them, and say so.
        let _ = self.done.wait_timeout_while(working, most, |working| *working > 0);
    }

    fn work<T>(&self, work: impl FnOnce() -> T) -> T {
        *self.working.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        let done = work();
        *self.working.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.done.notify_all();
        done
    }
}

fn accept(
    listener: &UnixListener,
    node: &Arc<Node>,
    stopping: &Arc<AtomicBool>,
    calls: &Arc<Calls>,
) {
    for stream in listener.incoming() {
        if stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else {
            // For example: out of file descriptors. Waiting lets some be closed.
            std::thread::park_timeout(PAUSE);
            continue;
        };
        if calls.open.fetch_add(1, Ordering::SeqCst) >= CALLERS_MAX {
            calls.open.fetch_sub(1, Ordering::SeqCst);
            turn_away(&stream);
            continue;
        }
        let (node, own, stopping) = (Arc::clone(node), Arc::clone(calls), Arc::clone(stopping));
        let answer = move || {
            if let Err(why) = answer(&node, &stream, &own, &stopping) {
                tracing::debug!(%why, "a caller of the admin socket went away");
            }
            own.open.fetch_sub(1, Ordering::SeqCst);
        };
        let spawned = std::thread::Builder::new().name("admin-call".to_owned()).spawn(answer);
        if spawned.is_err() {
            calls.open.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// Tells a caller that there are too many. Nothing is waited for: a full socket is its own fault.
fn turn_away(mut stream: &UnixStream) {
    let busy = AdminError::Unavailable("too many orders at once; try again later".to_owned());
    let line = json!({ "error": busy.to_string(), "exit": busy.exit_code() });
    let _ = stream.set_nonblocking(true).and_then(|()| writeln!(stream, "{line}"));
}

fn answer(
    node: &Node,
    stream: &UnixStream,
    calls: &Calls,
    stopping: &AtomicBool,
) -> io::Result<()> {
    stream.set_read_timeout(Some(IDLE))?;
    stream.set_write_timeout(Some(IDLE))?;
    let mut writer = stream;
    writer.write_all(GREETING.as_bytes())?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.by_ref().take(ORDER_OCTETS_MAX).read_line(&mut line)?;
    calls.work(|| {
        if stopping.load(Ordering::SeqCst) {
            return writeln!(writer, "{}", json!({ "stopping": true }));
        }
        let answered = serde_json::from_str::<Command>(&line)
            .map_err(|why| AdminError::Invalid(format!("the order is malformed: {why}")))
            .and_then(|command| execute(node, &command, &mut reader));
        write_answer(answered, stream)
    })
}

fn write_answer(answered: Result<Answer, AdminError>, stream: &UnixStream) -> io::Result<()> {
    let mut writer = io::BufWriter::new(stream);
    match answered {
        Ok(answer) => {
            writeln!(writer, "{}", json!({ "ok": answer.value }))?;
            if let Some(follows) = answer.follows {
                follows.write(&mut writer)?;
            }
        }
        Err(why) => {
            let exit = why.exit_code();
            writeln!(writer, "{}", json!({ "error": why.to_string(), "exit": exit }))?;
        }
    }
    writer.flush()
}

fn path(data: &Path) -> PathBuf {
    data.join("admin.sock")
}

/// What the service says first; the number is that of the protocol.
const GREETING: &str = "byname admin 1\n";
/// How long orders that were read may take when the service stops.
const GRACE: Duration = Duration::from_secs(10);
/// Pause after a caller could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);
/// Longest line of an order, in octets: room for a token of a thousand hosts.
const ORDER_OCTETS_MAX: u64 = 1024 * 1024;
/// Longest first line of an answer, in octets; what can be long follows it.
const ANSWER_OCTETS_MAX: u64 = 4 * 1024 * 1024;
/// How long a caller waits for an order that goes through all data.
const LONG: Duration = Duration::from_secs(6 * 3600);
/// Most callers at once.
const CALLERS_MAX: usize = 32;
/// A caller that neither sends nor takes for so long is gone.
const IDLE: Duration = Duration::from_secs(60);
