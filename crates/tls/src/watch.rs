//! Taking over what changes on the disk, without a restart.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::certificates::{Certificates, now_s};
use crate::files::{FileError, Files, Stamp};

/// Looks after the files of certificates. Dropping it ends that.
#[derive(Debug)]
pub struct Watcher {
    wake: Arc<Notify>,
    task: JoinHandle<()>,
}

/// Looks at the files every `pause`, and takes over a pair that changed. What is wrong with it is
/// told, and the one before stays. `files` are in the first places, in order, and were just read.
pub fn watch(
    files: Vec<Files>,
    certificates: Arc<Certificates>,
    pause: Duration,
    runtime: &Handle,
) -> Watcher {
    let wake = Arc::new(Notify::new());
    let asked = Arc::clone(&wake);
    let mut watched: Vec<Watched> = files.into_iter().map(Watched::new).collect();
    let task = runtime.spawn(async move {
        loop {
            let is_asked = tokio::select! {
                () = asked.notified() => true,
                () = tokio::time::sleep(pause) => false,
            };
            let certificates = Arc::clone(&certificates);
            // Files may lie where reading takes long.
            let looked = tokio::task::spawn_blocking(move || {
                for (place, files) in watched.iter_mut().enumerate() {
                    files.look(place, &certificates, is_asked);
                    remind(place, &certificates, &mut files.reminded_s);
                }
                watched
            });
            match looked.await {
                Ok(back) => watched = back,
                Err(_) => return,
            }
        }
    });
    Watcher { wake, task }
}

impl Watcher {
    /// Looks at once, and reads files that look unchanged too.
    pub fn look(&self) {
        self.wake.notify_one();
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Watched {
    files: Files,
    stamps: [Option<Stamp>; 2],
    /// Its pair was wrong last time: perhaps only one of its files had been replaced.
    doubted: bool,
    reminded_s: i64,
}

impl Watched {
    fn new(files: Files) -> Watched {
        Watched { stamps: files.stamps(), files, doubted: false, reminded_s: 0 }
    }

    fn look(&mut self, place: usize, certificates: &Certificates, is_asked: bool) {
        let stamps = self.files.stamps();
        let is_new = stamps != self.stamps;
        if !is_new && !self.doubted && !is_asked {
            return;
        }
        self.stamps = stamps;
        match self.files.read() {
            Ok(pair) => {
                self.doubted = false;
                let until_s = pair.not_after_s();
                tracing::info!(
                    certificate = %self.files.certificate.display(),
                    names = pair.names().join(" "),
                    days_left = (until_s - now_s()) / DAY_S,
                    "a certificate was taken over"
                );
                metrics::counter!("byname_certificate_reloads_total", "outcome" => "ok")
                    .increment(1);
                certificates.put(place, pair);
                self.reminded_s = 0;
            }
            // The second file may be replaced in a moment.
            Err(_) if is_new && !is_asked => self.doubted = true,
            Err(why) => {
                self.doubted = false;
                tell(&why);
            }
        }
    }
}

fn tell(why: &FileError) {
    metrics::counter!("byname_certificate_reloads_total", "outcome" => "failed").increment(1);
    let hint = why.hint().unwrap_or("the certificate before it stays in use");
    tracing::error!(%why, hint, "a certificate could not be taken over");
}

/// Warns once a day of a certificate that ends soon and that nobody has replaced.
fn remind(place: usize, certificates: &Certificates, reminded_s: &mut i64) {
    let Some(pair) = certificates.get(place) else { return };
    let now_s = now_s();
    let left_s = pair.not_after_s() - now_s;
    let is_due = left_s < soon_s(pair.not_after_s() - pair.not_before_s());
    if !is_due || now_s - *reminded_s < DAY_S {
        return;
    }
    *reminded_s = now_s;
    let names = pair.names().join(" ");
    let hint = "replace its files; they are taken over without a restart";
    if left_s <= 0 {
        tracing::error!(names, hint, "a certificate has expired");
    } else {
        tracing::warn!(names, days_left = left_s / DAY_S, hint, "a certificate expires soon");
    }
}

/// When the rest of a certificate's lifetime is short enough to warn: a sixth, at most two weeks.
fn soon_s(lifetime_s: i64) -> i64 {
    (lifetime_s / 6).min(14 * DAY_S)
}

const DAY_S: i64 = 86_400;
