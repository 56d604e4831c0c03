//! Long work, seen on a terminal: how much was sent, and for how long it has been going on.

use std::io::{self, IsTerminal, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Reads on behalf of an order, and shows on standard error how far it is, until dropped.
///
/// Nothing is shown when standard error is no terminal, nor of work that is done in a moment.
pub(crate) struct Progress<R> {
    from: R,
    sent: Arc<Sent>,
    shown: Option<Shown>,
}

#[derive(Default)]
struct Sent {
    octets: AtomicU64,
    all: AtomicBool,
}

/// The thread that shows.
struct Shown {
    /// Dropped to end it.
    end: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl<R: Read> Progress<R> {
    /// Starts to show what is read from here.
    pub(crate) fn of(from: R) -> Progress<R> {
        let sent = Arc::new(Sent::default());
        let shown = if io::stderr().is_terminal() {
            show(Arc::clone(&sent), io::stderr(), PERIOD)
        } else {
            None
        };
        Progress { from, sent, shown }
    }
}

impl<R: Read> Read for Progress<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.sent.octets.fetch_add(count as u64, Ordering::Relaxed);
        self.sent.all.store(count == 0, Ordering::Relaxed);
        Ok(count)
    }
}

impl<R> Drop for Progress<R> {
    fn drop(&mut self) {
        if let Some(Shown { end, thread }) = self.shown.take() {
            drop(end);
            // What the work itself has come to is not ours to tell.
            let _ = thread.join();
        }
    }
}

/// Writes a line every period over the one before, and wipes it at the end. `None` when there is no
/// thread for it: the work goes on unseen.
fn show(sent: Arc<Sent>, mut out: impl Write + Send + 'static, period: Duration) -> Option<Shown> {
    let (end, ended) = sync_channel(0);
    let began = Instant::now();
    let write = move || {
        let mut written = false;
        while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(period) {
            let line = line(&sent, began.elapsed());
            // Nothing can be shown when standard error is gone.
            let _ = out.write_all(format!("{WIPE}{line}").as_bytes()).and_then(|()| out.flush());
            written = true;
        }
        if written {
            let _ = out.write_all(WIPE.as_bytes()).and_then(|()| out.flush());
        }
    };
    let thread = std::thread::Builder::new().name("progress".to_owned()).spawn(write).ok()?;
    Some(Shown { end, thread })
}

fn line(sent: &Sent, elapsed: Duration) -> String {
    let (octets, seconds) = (sent.octets.load(Ordering::Relaxed), elapsed.as_secs());
    let mb = octets / 1_000_000;
    if sent.all.load(Ordering::Relaxed) {
        format!("{mb} MB read; checking and writing the zone, {seconds} s")
    } else {
        format!("reading the zone file: {mb} MB, {seconds} s")
    }
}

/// How often, and the shortest work that is shown.
const PERIOD: Duration = Duration::from_secs(1);
/// Back to the beginning of the line, and clear it (ECMA-48, EL).
const WIPE: &str = "\r\x1b[K";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_tells_what_is_done_and_what_is_under_way() {
        let mut progress = Progress::of(&[b'x'; 2_500_000][..]);
        let mut buffer = vec![0; 2_000_000];
        progress.read_exact(&mut buffer).unwrap();
        let seconds = Duration::from_secs(7);
        assert_eq!(line(&progress.sent, seconds), "reading the zone file: 2 MB, 7 s");
        progress.read_to_end(&mut buffer).unwrap();
        let told = "2 MB read; checking and writing the zone, 7 s";
        assert_eq!(line(&progress.sent, seconds), told);
    }

    #[test]
    fn progress_is_wiped_away_at_the_end() {
        let (out, lines) = sync_channel(1);
        let shown = show(Arc::default(), Lines(out), Duration::from_millis(1)).unwrap();
        let first = lines.recv().unwrap();
        assert!(first.starts_with(WIPE) && first.len() > WIPE.len(), "{first:?}");
        let progress = Progress { from: io::empty(), sent: Arc::default(), shown: Some(shown) };
        let ending = std::thread::spawn(move || drop(progress));
        assert_eq!(lines.iter().last().unwrap(), WIPE);
        ending.join().unwrap();
    }

    /// One text for each line shown.
    struct Lines(SyncSender<String>);

    impl Write for Lines {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.send(String::from_utf8_lossy(octets).into_owned()).unwrap();
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
