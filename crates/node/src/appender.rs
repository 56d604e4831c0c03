//! The thread that waits for the disk, so that the writer can judge meanwhile what comes next.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use engine::Batch;
use store::{AppendError, BatchId, Store, Writer as Fence};

/// Appends batches, one at a time.
#[derive(Debug)]
pub(crate) struct Appender {
    jobs: SyncSender<Job>,
    results: Receiver<Result<(), AppendError>>,
}

/// A batch to append.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) fence: Fence,
    pub(crate) id: BatchId,
    pub(crate) batch: Batch,
}

impl Appender {
    /// Starts the thread; it ends when this is dropped.
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
        std::thread::Builder::new().name("appender".to_owned()).spawn(run)?;
        Ok(Appender { jobs, results })
    }

    /// Begins to append a batch. [`Appender::end`] belongs to it.
    pub(crate) fn begin(&self, job: Job) {
        // The thread has ended: `end` tells.
        let _ = self.jobs.send(job);
    }

    /// Waits for what came of it.
    pub(crate) fn end(&self) -> Result<(), AppendError> {
        let ended = || AppendError::Unknown("the thread that appends has ended".to_owned());
        self.results.recv().unwrap_or_else(|_| Err(ended()))
    }
}

/// Appends a batch: when this returns, it is on the disk, or not in the log, or nobody knows.
pub(crate) fn append(store: &dyn Store, job: &Job) -> Result<(), AppendError> {
    let Job { fence, id, batch } = job;
    store.append(fence, batch.expect_head, *id, &batch.events).map(drop)
}
