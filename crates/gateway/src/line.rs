//! One end of a connection: reading and writing within the times that the door allows.

use std::io;
use std::time::Duration;

use tls::Failure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::task::unconstrained;
use tokio::time::{Instant, timeout, timeout_at};

use crate::handshake::Handshakes;
use crate::stream::Stream;

/// A connection with its limits.
pub(crate) struct Line {
    pub(crate) stream: Stream,
    /// When the connection must have ended, once the door closes.
    stop: watch::Receiver<Option<Instant>>,
    buffer: Vec<u8>,
}

/// What came of reading.
pub(crate) enum Read {
    /// So many octets, to be found in [`Line::octets`].
    Octets(usize),
    /// The other side sends no more.
    End,
    /// Nothing in time.
    Late,
    /// The door is closing and nothing was begun.
    Stopping,
}

impl Line {
    pub(crate) fn new(stream: Stream, stop: watch::Receiver<Option<Instant>>) -> Line {
        Line { stream, stop, buffer: vec![0; READ_OCTETS] }
    }

    /// The connection without its limits, and when it must have ended once the door closes.
    pub(crate) fn into_parts(self) -> (Stream, watch::Receiver<Option<Instant>>) {
        (self.stream, self.stop)
    }

    /// The same connection over TLS. When the door closes meanwhile, nothing was begun.
    pub(crate) async fn encrypt(
        mut self,
        handshakes: &Handshakes,
    ) -> Result<Line, Option<Failure>> {
        let closing = async {
            // An error: the door is gone altogether.
            let _ = self.stop.wait_for(Option::is_some).await;
        };
        let stream = tokio::select! {
            made = handshakes.make(self.stream) => made?,
            () = closing => return Err(None),
        };
        Ok(Line { stream, stop: self.stop, buffer: self.buffer })
    }

    /// The octets that were read last.
    pub(crate) fn octets(&self, count: usize) -> &[u8] {
        self.buffer.get(..count).unwrap_or_default()
    }

    /// Whether the door is closing.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.borrow().is_some()
    }

    /// Reads some octets, at most `room`, until a deadline, or until the door closes: then at once
    /// when the connection is idle.
    pub(crate) async fn read(
        &mut self,
        deadline: Instant,
        idle: bool,
        room: usize,
    ) -> io::Result<Read> {
        let length = room.clamp(1, READ_OCTETS);
        loop {
            let closing = *self.stop.borrow_and_update();
            let until = closing.map_or(deadline, |until| deadline.min(until));
            let buffer = self.buffer.get_mut(..length).unwrap_or_default();
            if closing.is_some() && idle {
                // What has arrived by now is answered.
                return match arrived(&mut self.stream, buffer).await {
                    Some(Ok(0)) => Ok(Read::End),
                    Some(Ok(count)) => Ok(Read::Octets(count)),
                    Some(Err(why)) => Err(why),
                    None => Ok(Read::Stopping),
                };
            }
            tokio::select! {
                read = timeout_at(until, self.stream.read(buffer)) => return match read {
                    Ok(Ok(0)) => Ok(Read::End),
                    Ok(Ok(count)) => Ok(Read::Octets(count)),
                    Ok(Err(why)) => Err(why),
                    Err(_) => Ok(Read::Late),
                },
                _ = self.stop.changed(), if closing.is_none() => {}
            }
        }
    }

    /// Writes octets, which the other side must take within `time`.
    pub(crate) async fn write(&mut self, octets: &[u8], time: Duration) -> io::Result<()> {
        let write = async {
            self.stream.write_all(octets).await?;
            self.stream.flush().await
        };
        timeout(time, write).await?
    }

    /// Ends a connection so that the answer arrives: closing with octets unread would make the
    /// system reset it (RFC 9112 §9.6).
    pub(crate) async fn finish(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + LINGER;
        timeout_at(deadline, self.stream.shutdown()).await??;
        let mut left = LINGER_OCTETS_MAX;
        while left > 0 {
            match self.read(deadline, false, READ_OCTETS).await? {
                Read::Octets(count) => left = left.saturating_sub(count),
                Read::End | Read::Late | Read::Stopping => break,
            }
        }
        Ok(())
    }
}

/// Reads what is there; `None` when nothing is.
async fn arrived(stream: &mut Stream, buffer: &mut [u8]) -> Option<io::Result<usize>> {
    // Without the runtime's turns, which would make it look as if nothing were there.
    unconstrained(async {
        tokio::select! {
            biased;
            read = stream.read(buffer) => Some(read),
            () = std::future::ready(()) => None,
        }
    })
    .await
}

/// Octets that a connection reads at once.
pub(crate) const READ_OCTETS: usize = 4096;
/// How long a connection waits for the other side to take the last answer.
const LINGER: Duration = Duration::from_secs(1);
/// Most octets that are read and thrown away meanwhile.
const LINGER_OCTETS_MAX: usize = 64 * 1024;
