//! The shape on disk, format 1.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Entry, StateError, VERSION};
use crate::address::{Addresses, Family, PerFamily};
use crate::desired::Want;
use crate::outcome::{Pausing, Stop};
use crate::plan::{Hold, Pause, Published, Record, Target, Update};

/// Reads the hosts of a file.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, StateError> {
    let version: Version = serde_json::from_str(text)?;
    if version.version != VERSION {
        return Err(StateError::Version(version.version));
    }
    let file: FileV1 = serde_json::from_str(text)?;
    file.hosts.into_iter().map(entry).collect()
}

/// Writes the hosts of a file.
pub(super) fn to_text<'a>(entries: impl Iterator<Item = &'a Entry>) -> String {
    let file = FileV1 { version: VERSION, hosts: entries.map(host).collect() };
    // Strings, numbers and lists: there is nothing that JSON cannot hold.
    serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Serialize, Deserialize)]
struct FileV1 {
    version: u32,
    hosts: Vec<HostV1>,
}

#[derive(Serialize, Deserialize)]
struct HostV1 {
    host: String,
    server: String,
    target: String,
    ipv4: Option<PublishedV1>,
    ipv6: Option<PublishedV1>,
    stopped: Option<StoppedV1>,
    paused: Option<PausedV1>,
}

#[derive(Serialize, Deserialize)]
struct PublishedV1 {
    addresses: Vec<IpAddr>,
    at_ms: u64,
    changed: bool,
}

#[derive(Serialize, Deserialize)]
struct StoppedV1 {
    code: String,
    at_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct PausedV1 {
    /// `unreachable`, `unconfirmed`, or the code of the service.
    why: String,
    text: Option<String>,
    for_s: Option<u32>,
    at_ms: u64,
    delay_ms: u64,
    tried: TriedV1,
}

/// Missing: the family was not mentioned; empty: it was to be removed.
#[derive(Serialize, Deserialize)]
struct TriedV1 {
    ipv4: Option<Vec<IpAddr>>,
    ipv6: Option<Vec<IpAddr>>,
}

fn host(entry: &Entry) -> HostV1 {
    let record = &entry.record;
    let (stopped, paused) = match &record.hold {
        Hold::Free => (None, None),
        Hold::Stopped { stop, at_ms } => {
            (Some(StoppedV1 { code: stop.code().to_owned(), at_ms: *at_ms }), None)
        }
        Hold::Paused(pause) => (None, Some(paused(pause))),
    };
    HostV1 {
        host: entry.host.clone(),
        server: entry.server.clone(),
        target: record.target.0.clone(),
        ipv4: record.published.ipv4.as_ref().map(published),
        ipv6: record.published.ipv6.as_ref().map(published),
        stopped,
        paused,
    }
}

fn published(published: &Published) -> PublishedV1 {
    let Published { addresses, at_ms, changed } = published.clone();
    PublishedV1 { addresses, at_ms, changed }
}

fn paused(pause: &Pause) -> PausedV1 {
    let (why, text, for_s) = match &pause.why {
        Pausing::Unreachable(text) => ("unreachable", Some(text.clone()), None),
        Pausing::Unconfirmed(text) => ("unconfirmed", Some(text.clone()), None),
        Pausing::Unavailable { code, for_s } => (*code, None, *for_s),
    };
    let tried = |want: &Want| match want {
        Want::Keep => None,
        Want::Hold(addresses) => Some(addresses.as_slice().to_vec()),
        Want::Remove => Some(Vec::new()),
    };
    PausedV1 {
        why: why.to_owned(),
        text,
        for_s,
        at_ms: pause.at_ms,
        delay_ms: pause.delay_ms,
        tried: TriedV1 { ipv4: tried(&pause.tried.ipv4), ipv6: tried(&pause.tried.ipv6) },
    }
}

fn entry(host: HostV1) -> Result<Entry, StateError> {
    let hold = match (host.stopped, host.paused) {
        (Some(stopped), _) => {
            let stop = Stop::ALL.into_iter().find(|stop| stop.code() == stopped.code);
            let stop = stop.ok_or(StateError::Word(stopped.code))?;
            Hold::Stopped { stop, at_ms: stopped.at_ms }
        }
        (None, Some(paused)) => Hold::Paused(pause(paused)?),
        (None, None) => Hold::Free,
    };
    let published = |own: Option<PublishedV1>| {
        own.map(|PublishedV1 { addresses, at_ms, changed }| Published { addresses, at_ms, changed })
    };
    let published = PerFamily { ipv4: published(host.ipv4), ipv6: published(host.ipv6) };
    let record = Record { target: Target(host.target), published, hold };
    Ok(Entry { host: host.host, server: host.server, record })
}

fn pause(paused: PausedV1) -> Result<Pause, StateError> {
    let text = paused.text.unwrap_or_default();
    let why = match paused.why.as_str() {
        "unreachable" => Pausing::Unreachable(text),
        "unconfirmed" => Pausing::Unconfirmed(text),
        code => {
            let code = Pausing::CODES.into_iter().find(|known| *known == code);
            let code = code.ok_or(StateError::Word(paused.why))?;
            Pausing::Unavailable { code, for_s: paused.for_s }
        }
    };
    let want = |family, tried: Option<Vec<IpAddr>>| match tried {
        None => Want::Keep,
        Some(list) => Addresses::of_family(family, &list).map_or(Want::Remove, Want::Hold),
    };
    let ipv4 = want(Family::V4, paused.tried.ipv4);
    let ipv6 = want(Family::V6, paused.tried.ipv6);
    let tried = Update { ipv4, ipv6 };
    Ok(Pause { why, at_ms: paused.at_ms, delay_ms: paused.delay_ms, tried })
}
