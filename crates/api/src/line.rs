//! A connection within the times that the door allows: idle, for a request, for an answer.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use gateway::{Stream, Visit};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// The octets of a connection.
pub(crate) struct Line {
    stream: Stream,
    visit: Arc<Visit>,
    working: Working,
    /// When the first octet of a request came that is not understood yet.
    begun: Option<Instant>,
    /// When the connection fell idle; `None`: it has not been looked at since an answer was given.
    idle_since: Option<Instant>,
    reading: Option<Pin<Box<Sleep>>>,
    writing: Option<Pin<Box<Sleep>>>,
}

/// Whether a request of the connection is being worked on: it has times of its own then.
#[derive(Clone, Debug, Default)]
pub(crate) struct Working(Arc<AtomicBool>);

impl Working {
    pub(crate) fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn end(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Line {
    pub(crate) fn new(stream: Stream, visit: Arc<Visit>, working: Working) -> Line {
        let now = Instant::now();
        // It was handed over because of what has come of a request.
        let (begun, idle_since) = (Some(now), Some(now));
        Line { stream, visit, working, begun, idle_since, reading: None, writing: None }
    }

    /// When reading has taken too long; `None` while an answer is being worked on.
    fn read_deadline(&mut self) -> Option<Instant> {
        if self.working.is_on() {
            (self.begun, self.idle_since) = (None, None);
            return None;
        }
        let idle_since = *self.idle_since.get_or_insert_with(Instant::now);
        Some(match self.begun {
            Some(begun) => after(begun, self.visit.request()),
            None => after(idle_since, self.visit.idle()),
        })
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let line = &mut *self;
        let before = buffer.filled().len();
        match Pin::new(&mut line.stream).poll_read(context, buffer) {
            Poll::Ready(read) => {
                line.reading = None;
                if buffer.filled().len() > before && !line.working.is_on() {
                    line.begun.get_or_insert_with(Instant::now);
                }
                Poll::Ready(read)
            }
            Poll::Pending => {
                let Some(deadline) = line.read_deadline() else {
                    // It is looked at again when the answer has been given: hyper reads then.
                    line.reading = None;
                    return Poll::Pending;
                };
                late(&mut line.reading, deadline, context)
            }
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let line = &mut *self;
        match Pin::new(&mut line.stream).poll_write(context, octets) {
            Poll::Ready(written) => {
                line.writing = None;
                Poll::Ready(written)
            }
            Poll::Pending => {
                let deadline = after(Instant::now(), line.visit.write());
                ready!(late(&mut line.writing, deadline, context))?;
                Poll::Pending
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let line = &mut *self;
        match Pin::new(&mut line.stream).poll_flush(context) {
            Poll::Ready(flushed) => {
                line.writing = None;
                Poll::Ready(flushed)
            }
            Poll::Pending => {
                let deadline = after(Instant::now(), line.visit.write());
                late(&mut line.writing, deadline, context)
            }
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// An error once a deadline has passed. The deadline that was set first counts, until something moves.
fn late(
    timer: &mut Option<Pin<Box<Sleep>>>,
    deadline: Instant,
    context: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
    timer.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
}

fn after(start: Instant, wait: std::time::Duration) -> Instant {
    start.checked_add(wait).unwrap_or_else(|| start + FAR)
}

/// 30 years.
const FAR: std::time::Duration = std::time::Duration::from_secs(30 * 365 * 24 * 60 * 60);
