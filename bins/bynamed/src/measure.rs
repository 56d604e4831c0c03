//! Metrics: the recorder behind `/metrics`, and what is known of the process.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use engine::Live;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::fault::Fault;

/// Starts recording; there is one recorder in a process.
pub(crate) fn start() -> Result<PrometheusHandle, Fault> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), BUCKETS_S)
        .map_err(Fault::failed)?;
    let handle = builder.install_recorder().map_err(Fault::failed)?;
    metrics::gauge!("byname_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    metrics::gauge!("process_start_time_seconds").set(now.as_secs_f64());
    Ok(handle)
}

/// Brings up to date what is only looked at when somebody asks.
pub(crate) fn refresh(live: &Arc<Live>) {
    let (zones, hosts) = {
        let directory = live.directory();
        (directory.zones().len(), directory.host_count())
    };
    metrics::gauge!("byname_zones").set(count(zones));
    metrics::gauge!("byname_hosts").set(count(hosts));
    if let Some(octets) = resident_octets() {
        metrics::gauge!("process_resident_memory_bytes").set(octets);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        metrics::gauge!("process_open_fds").set(count(open.count()));
    }
}

/// statm(5): the second field is the resident set, in pages.
fn resident_octets() -> Option<f64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: f64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * count(rustix::param::page_size()))
}

#[expect(clippy::cast_precision_loss, reason = "a gauge has 53 bits, and no count comes near")]
fn count(number: usize) -> f64 {
    number as f64
}

/// How often what histograms have gathered is summed up.
pub(crate) const UPKEEP: Duration = Duration::from_secs(5);
/// Upper ends of the buckets for times, in seconds.
const BUCKETS_S: &[f64] =
    &[0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
