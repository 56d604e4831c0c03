//! The thread that waits for the disk, so that the writer can judge meanwhile what comes next.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use engine::Batch;
use store::{AppendError, BatchId, Store, Writer as Fence};

/// Appends batches, one at a time. Dropping it waits for the thread: it holds the store, and with it
/// the data directory, which somebody else may open next.
#[derive(Debug)]
pub(crate) struct Appender {
    /// `None` once it ends.
    jobs: Option<SyncSender<Job>>,
    results: Receiver<Result<(), AppendError>>,
    thread: Option<JoinHandle<()>>,
}

/// A batch to append.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) fence: Fence,
    pub(crate) id: BatchId,
    pub(crate) batch: Batch,
}

impl Appender {
    /// Starts the thread.
    pub(crate) fn start(store: Arc<dyn Store>) -> io::Result<Appender> {
        let (jobs, waiting) = sync_channel::<Job>(1);
        let (done, results) = sync_channel(1);
        let run = move || {
            while let Ok(job) = waiting.recv() {
                // Nobody waits for it any more only when the node is going down.
                if done.send(append(&*store, &job)).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("appender".to_owned()).spawn(run)?;
        Ok(Appender { jobs: Some(jobs), results, thread: Some(thread) })
    }

    /// Begins to append a batch. [`Appender::end`] belongs to it.
    pub(crate) fn begin(&self, job: Job) {
        // The thread has ended: `end` tells.
        let _ = self.jobs.as_ref().map(|jobs| jobs.send(job));
    }

    /// Waits for what came of it.
    pub(crate) fn end(&self) -> Result<(), AppendError> {
        let ended = || AppendError::Unknown("the thread that appends has ended".to_owned());
        self.results.recv().unwrap_or_else(|_| Err(ended()))
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        self.jobs = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that appends panicked");
        }
    }
}

/// Appends a batch: when this returns, it is on the disk, or not in the log, or nobody knows.
pub(crate) fn append(store: &dyn Store, job: &Job) -> Result<(), AppendError> {
    let Job { fence, id, batch } = job;
    store.append(fence, batch.expect_head, *id, &batch.events).map(drop)
}
