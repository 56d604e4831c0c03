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
    describe();
    metrics::gauge!("byname_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    metrics::gauge!("process_start_time_seconds").set(now.as_secs_f64());
    Ok(handle)
}

/// What the metrics mean, for those who read them.
fn describe() {
    for (name, help) in COUNTERS {
        metrics::describe_counter!(*name, *help);
    }
    for (name, help) in GAUGES {
        metrics::describe_gauge!(*name, *help);
    }
    for (name, help) in HISTOGRAMS {
        metrics::describe_histogram!(*name, *help);
    }
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

const COUNTERS: &[(&str, &str)] = &[
    ("byname_acme_attempts_total", "Attempts to obtain a certificate, by what came of them"),
    (
        "byname_api_idempotency_forgotten_total",
        "Answers to requests with a key that were forgotten early",
    ),
    ("byname_api_requests_total", "Requests of the REST API, by operation and status"),
    ("byname_auth_failures_total", "Requests with a token that is unknown, revoked or frozen"),
    ("byname_auth_paused_total", "Requests not looked at because their source failed too often"),
    ("byname_auth_sources_untracked_total", "Failures of sources that there was no room to note"),
    ("byname_changes_put_off_total", "Changes that were asked for too often, by what was counted"),
    (
        "byname_certificate_reloads_total",
        "Certificates that changed on the disk, by whether they are of use",
    ),
    ("byname_commit_failures_total", "Batches of changes that could not be written"),
    ("byname_commits_total", "Batches of changes that were written"),
    ("byname_dns_answers_total", "Answers to queries, by transport and RCODE"),
    ("byname_dns_connections_total", "Connections for DNS over TCP that were accepted"),
    ("byname_dns_failed_sends_total", "Answers that the system did not take"),
    (
        "byname_dns_udp_dropped_total",
        "Datagrams that were lost because nobody took them from the socket in time",
    ),
    ("byname_dns_queries_total", "Queries, by type"),
    ("byname_dns_refused_connections_total", "Connections for DNS over TCP beyond a limit"),
    ("byname_dns_silenced_total", "Messages that get no answer, such as answers"),
    ("byname_dns_updates_total", "DNS updates, by what came of them"),
    ("byname_dns_xdp_answers_total", "Answers to queries that were sent by AF_XDP"),
    ("byname_dns_xdp_dropped_total", "Packets by AF_XDP that got no answer"),
    ("byname_dns_xdp_lost_total", "Packets by AF_XDP that came faster than they were taken"),
    ("byname_events_total", "Changes that were written"),
    ("byname_feed_cut_off_total", "Listeners to changes that were too slow and were cut off"),
    (
        "byname_feed_refused_total",
        "Listeners to changes that were refused because there were too many",
    ),
    ("byname_fold_failures_total", "Attempts to fold the log into tables that failed"),
    ("byname_hosts_expired_total", "Hosts whose addresses went because nothing was heard of them"),
    ("byname_http_hints_total", "Oddities in requests of update clients, by kind"),
    ("byname_http_malformed_total", "Requests over HTTP that make no sense"),
    ("byname_http_refused_connections_total", "Connections for HTTP beyond a limit"),
    ("byname_http_requests_total", "Requests over HTTP, by place and status"),
    ("byname_leases_ended_total", "Records that went because nobody refreshed their lease"),
    (
        "byname_notices_dropped_total",
        "Refusals that nobody was told of because there were too many",
    ),
    (
        "byname_rates_untracked_total",
        "Changes that were not counted against a limit, as too many others were",
    ),
    ("byname_sources_erased_total", "Source addresses erased from the history on demand"),
    ("byname_submit_refused_total", "Changes refused before they were judged, by reason"),
    ("byname_tls_handshakes_total", "TLS handshakes, by what came of them"),
    ("byname_updates_total", "Outcomes of updates, one for each host"),
    ("byname_webhook_calls_total", "Calls of webhooks, by what came of them"),
    ("byname_webhook_dropped_total", "Refusals that a webhook was not told of: too many waited"),
    ("byname_webhook_paused_total", "Webhooks that were paused because they took nothing"),
];
const GAUGES: &[(&str, &str)] = &[
    (
        "byname_acme_next_attempt_timestamp_seconds",
        "When a certificate is ordered next, or that is thought about, in seconds since 1970",
    ),
    ("byname_build_info", "1, with the version of the program"),
    (
        "byname_certificate_not_after_timestamp_seconds",
        "When a certificate expires, in seconds since 1970",
    ),
    ("byname_feed_listeners", "Listeners to changes"),
    ("byname_fold_lag_events", "Changes in the log that are not folded into tables"),
    ("byname_hosts", "Hosts"),
    ("byname_log_octets", "Size of the log on the disk"),
    ("byname_store_writable", "Whether the last write succeeded: 1 or 0"),
    ("byname_zones", "Zones that are served"),
    ("process_open_fds", "Open files of the process"),
    ("process_resident_memory_bytes", "Memory of the process that is in RAM"),
    ("process_start_time_seconds", "When the process was started, in seconds since 1970"),
];
const HISTOGRAMS: &[(&str, &str)] = &[
    ("byname_api_request_seconds", "Time to answer a request of the REST API, by operation"),
    ("byname_commit_seconds", "Time until a batch of changes is on the disk"),
    ("byname_fold_seconds", "Time to fold a part of the log into tables"),
    ("byname_http_request_seconds", "Time from a whole request over HTTP to its answer"),
    ("byname_tls_handshake_seconds", "Time of a TLS handshake, the client's part included"),
    ("byname_webhook_seconds", "Time that a call of a webhook takes"),
];
/// How often what histograms have gathered is summed up.
pub(crate) const UPKEEP: Duration = Duration::from_secs(5);
/// Upper ends of the buckets for times, in seconds.
const BUCKETS_S: &[f64] =
    &[0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
