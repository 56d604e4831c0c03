//! Counters of what happens with nearly every request: a look-up by name and labels costs more than
//! the counting, so these are looked up once.

use std::time::Duration;

use dialect::Code;
use metrics::{Counter, Histogram};

/// The counters of one door.
pub(crate) struct Tally {
    good: Counter,
    nochg: Counter,
    /// Requests for updates that were answered with 200.
    updates: Counter,
    update_seconds: Histogram,
}

impl Tally {
    /// Looks them up. What is not recorded at this moment never is.
    pub(crate) fn new() -> Tally {
        let labels = [("path", UPDATE), ("status", "200")];
        Tally {
            good: metrics::counter!("byname_updates_total", "outcome" => "good"),
            nochg: metrics::counter!("byname_updates_total", "outcome" => "nochg"),
            updates: metrics::counter!("byname_http_requests_total", &labels),
            update_seconds: metrics::histogram!("byname_http_request_seconds", "path" => UPDATE),
        }
    }

    /// Counts an update of one host.
    pub(crate) fn count(&self, code: Code) {
        match code {
            Code::Good => self.good.increment(1),
            Code::Nochg => self.nochg.increment(1),
            other => {
                let word = other.word();
                metrics::counter!("byname_updates_total", "outcome" => word).increment(1);
            }
        }
    }

    /// Counts one answered request.
    pub(crate) fn answered(&self, path: &'static str, status: u16, took: Duration) {
        let seconds = took.as_secs_f64();
        if path == UPDATE && status == 200 {
            self.updates.increment(1);
            self.update_seconds.record(seconds);
            return;
        }
        let labels = [("path", path.to_owned()), ("status", status.to_string())];
        metrics::counter!("byname_http_requests_total", &labels).increment(1);
        metrics::histogram!("byname_http_request_seconds", "path" => path).record(seconds);
    }
}

/// The place of updates, as `route` calls it.
pub(crate) const UPDATE: &str = "update";
