//! A disk in a process of its own, and the orders to it.
//!
//! The process that uses a disk must not serve it: the kernel waits for the disk while it holds the
//! lock of the user's memory (SQLite maps a file), and whoever serves needs that memory.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::mount::Mount;
use crate::namespace;
use crate::platter::Loss;

/// A mounted disk. Its files must be closed before it is dropped.
#[derive(Debug)]
pub struct Disk {
    process: Child,
    /// `None` once it is being dropped.
    orders: Mutex<Option<(ChildStdin, BufReader<ChildStdout>)>>,
}

impl Disk {
    /// Mounts a disk at a directory, with the files of another directory on it. Only in a test that
    /// has called [`crate::enter`], which takes the right to mount and serves the disk.
    pub fn mount(at: &Path, from: &Path) -> io::Result<Disk> {
        let mut command = namespace::again()?;
        command.env(AT, at).env(FROM, from).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let pipes = process.stdin.take().zip(process.stdout.take());
        let orders = pipes.map(|(orders, told)| (orders, BufReader::new(told)));
        let disk = Disk { process, orders: Mutex::new(orders) };
        disk.order("ready")?;
        Ok(disk)
    }

    /// Takes the power away: from now on nothing can be written and nothing becomes safe any more.
    pub fn cut(&self) -> io::Result<()> {
        self.order("cut")
    }

    /// From now on `fsync` fails (or works again), and what is not synced stays so.
    pub fn refuse_syncs(&self, refuses: bool) -> io::Result<()> {
        self.order(if refuses { "refuse" } else { "obey" })
    }

    /// Writes what is there when the power is back into a directory.
    pub fn remains(&self, loss: Loss, to: &Path) -> io::Result<()> {
        let (how, seed) = match loss {
            Loss::All => ("all", 0),
            Loss::Nothing => ("nothing", 0),
            Loss::Some(seed) => ("some", seed),
        };
        self.order(&format!("{how} {seed} {}", to.display()))
    }

    fn order(&self, order: &str) -> io::Result<()> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let (orders, told) = orders.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        writeln!(orders, "{order}")?;
        let mut line = String::new();
        while told.read_line(&mut line)? > 0 {
            // The harness of the tests says something as well, perhaps on the same line.
            match line.trim_end().split_once(ANSWER) {
                Some((_, "done")) => return Ok(()),
                Some((_, why)) => return Err(io::Error::other(why.to_owned())),
                None => line.clear(),
            }
        }
        Err(io::Error::other(format!("the disk ended at `{order}`")))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Nobody can be told here; a disk that does not end keeps its caller waiting, and is seen.
        let _ = self.process.wait();
    }
}

/// Serves a disk when this process was started for that; whether it was.
#[expect(clippy::disallowed_methods, reason = "the places come from ourselves, one process above")]
pub(crate) fn serve() -> io::Result<bool> {
    let (Some(at), Some(from)) = (std::env::var_os(AT), std::env::var_os(FROM)) else {
        return Ok(false);
    };
    let mount = Mount::new(Path::new(&at), Path::new(&from))?;
    let mut out = io::stdout();
    for order in io::stdin().lines() {
        match obey(&mount, &order?) {
            Ok(()) => writeln!(out, "{ANSWER}done")?,
            Err(why) => writeln!(out, "{ANSWER}{why}")?,
        }
        out.flush()?;
    }
    Ok(true)
}

fn obey(mount: &Mount, order: &str) -> io::Result<()> {
    let mut words = order.splitn(3, ' ');
    let (what, seed, to) = (words.next(), words.next(), words.next());
    let seed = seed.and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let to = Path::new(to.unwrap_or(""));
    match what {
        Some("ready") => {}
        Some("cut") => mount.cut(),
        Some("refuse") => mount.refuse_syncs(true),
        Some("obey") => mount.refuse_syncs(false),
        Some("all") => return mount.remains(Loss::All, to),
        Some("nothing") => return mount.remains(Loss::Nothing, to),
        Some("some") => return mount.remains(Loss::Some(seed), to),
        other => return Err(io::Error::other(format!("no such order: {other:?}"))),
    }
    Ok(())
}

const AT: &str = "BYNAME_POWERCUT_AT";
const FROM: &str = "BYNAME_POWERCUT_FROM";
/// What an answer begins with.
const ANSWER: &str = "disk: ";
