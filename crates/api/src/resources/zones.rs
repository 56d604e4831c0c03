//! Zones and their settings.

use std::sync::Arc;

use account::{AccountId, ZoneEntry};
use axum::http::Method;
use engine::{NewZone, Operation, ZonePatch};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use wire::Name;

use crate::answer::Answer;
use crate::body::three_ways;
use crate::call::Call;
use crate::endpoint::{Conditions, Endpoint, Needs};
use crate::page::{CURSOR, LIMIT, Wanted, malformed};
use crate::problem::{Kind, Problem};
use crate::{tag, text};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let example = Zone::example;
    vec![
        Endpoint::new((Method::GET, "/v1/zones"), "listZones", Needs::Reader, list)
            .says("List zones", "The zones that the token sees, by name.")
            .query(&[&CURSOR, &LIMIT])
            .gives_page::<Zone>("One page of zones.", example()),
        Endpoint::new((Method::POST, "/v1/zones"), "addZone", Needs::Operator, add)
            .says(
                "Add a zone",
                "Serves a new zone with a SOA and NS records. A zone file goes to \
                 `PUT /v1/zones/{zone}/file`.",
            )
            .takes::<NewZoneBody>(vec![
                ("own", json!({ "name": "example.org" })),
                (
                    "suffix",
                    json!({ "name": "dyn.example.org", "suffix": true, "ns": ["ns1.example.net"] }),
                ),
            ])
            .gives::<Zone>(201, "The zone is served.", example())
            .fails(&[Kind::Exists, Kind::Invalid]),
        Endpoint::new((Method::GET, "/v1/zones/{zone}"), "showZone", Needs::Reader, show)
            .says("Show a zone", "Its `ETag` is that of its content and its settings.")
            .conditions(Conditions::Read)
            .gives::<Zone>(200, "The zone.", example())
            .tagged()
            .fails(&[Kind::NotFound]),
        Endpoint::new((Method::PATCH, "/v1/zones/{zone}"), "setZone", Needs::Owner, set)
            .says(
                "Change settings of a zone",
                "What is left out stays as it is; `null` is the default.",
            )
            .takes::<ZonePatchBody>(vec![
                (
                    "scavenge",
                    json!({ "scavenge": { "no_refresh_s": 604_800, "refresh_s": 604_800 } }),
                ),
                ("keep", json!({ "scavenge": null })),
            ])
            .gives::<Zone>(200, "The zone as it is now.", example())
            .fails(&[Kind::NotFound, Kind::Invalid]),
        Endpoint::new((Method::DELETE, "/v1/zones/{zone}"), "removeZone", Needs::Operator, remove)
            .says("Remove a zone", "It is not served any more, and its hosts go with it.")
            .gives_nothing(204, "The zone is gone.")
            .fails(&[Kind::NotFound]),
    ]
}

/// A zone that is served.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Zone {
    /// Its apex.
    #[schema(example = "example.org")]
    pub(crate) name: String,
    /// Its serial (RFC 1035 §3.3.13).
    serial: u32,
    /// Number of its RRsets.
    rrsets: usize,
    /// Number of the account that owns it.
    account: u64,
    /// Other accounts may claim hosts in it.
    suffix: bool,
    /// TTL of addresses of hosts that set none, in seconds.
    host_ttl_s: u32,
    /// How long records stay that keys add without a lease; null: for ever.
    scavenge: Option<ScavengeBody>,
    /// Labels that only the operator gives to a host, beside those that always are reserved on a suffix.
    reserved: Vec<String>,
    /// For how long nobody else gets the name of a host that was given up, in seconds.
    quarantine_s: u32,
    /// Least TTL of records that tokens write, in seconds.
    ttl_min_s: u32,
    /// When it was made.
    #[schema(format = "date-time", example = "2026-01-02T03:04:05Z")]
    created: String,
}

/// How long records stay that keys add without a lease and that nobody repeats.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Scavenge)]
pub(crate) struct ScavengeBody {
    /// For so many seconds repetitions are not written.
    no_refresh_s: u32,
    /// For so many seconds after that one is waited for.
    #[schema(minimum = 1)]
    refresh_s: u32,
}

/// A zone to be served.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewZone)]
struct NewZoneBody {
    /// Its apex.
    #[schema(example = "example.org")]
    name: String,
    /// Its name servers; `ns1` below the apex when none is given.
    #[serde(default)]
    #[schema(max_items = 16, example = json!(["ns1.example.org"]))]
    ns: Vec<String>,
    /// Number of the account that owns it; that of the token when not given.
    account: Option<u64>,
    /// Other accounts may claim hosts in it.
    #[serde(default)]
    suffix: bool,
    /// TTL of addresses of hosts that set none, in seconds.
    #[schema(maximum = 86400)]
    host_ttl_s: Option<u32>,
}

/// Settings of a zone; what is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ZonePatch)]
struct ZonePatchBody {
    /// How long records stay that keys add without a lease; `null`: for ever.
    #[serde(default, deserialize_with = "three_ways")]
    #[schema(value_type = Option<ScavengeBody>)]
    scavenge: Option<Option<ScavengeBody>>,
    /// Labels that only the operator gives to a host, beside those that always are reserved.
    #[schema(max_items = 1000)]
    reserved: Option<Vec<String>>,
    /// For how long nobody else gets the name of a host that was given up, in seconds; `null`: what is
    /// usual.
    #[serde(default, deserialize_with = "three_ways")]
    #[schema(value_type = Option<u32>)]
    quarantine_s: Option<Option<u32>>,
    /// Least TTL of records that tokens write, in seconds.
    ttl_min_s: Option<u32>,
}

impl Zone {
    fn of(entry: &ZoneEntry, served: &zone::Zone) -> Zone {
        let scavenge = entry.scavenge.map(|scavenge| ScavengeBody {
            no_refresh_s: scavenge.no_refresh_s,
            refresh_s: scavenge.refresh_s,
        });
        Zone {
            name: text::name(&entry.apex),
            serial: served.serial().0,
            rrsets: served.rrset_count(),
            account: entry.account.0,
            suffix: entry.suffix,
            host_ttl_s: entry.host_ttl_s,
            scavenge,
            reserved: entry.reserved.clone(),
            quarantine_s: entry.quarantine_s(),
            ttl_min_s: entry.ttl_min_s,
            created: text::moment(entry.created),
        }
    }

    fn example() -> serde_json::Value {
        json!({
            "name": "example.org", "serial": 1_767_323_045, "rrsets": 7, "account": 0,
            "suffix": false, "host_ttl_s": 60, "scavenge": null,
            "reserved": [], "quarantine_s": 0, "ttl_min_s": 0, "created": "2026-01-02T03:04:05Z",
        })
    }
}

/// A zone that who asks sees, as it is in the path.
pub(super) struct Seen {
    pub(super) entry: ZoneEntry,
    pub(super) served: Arc<zone::Zone>,
}

impl Seen {
    /// The zone of the path. One that is not seen is as one that is not there.
    pub(super) fn of(call: &Call) -> Result<Seen, Problem> {
        let apex = call.name("zone")?;
        let entry = call.directory().zone(&apex).cloned();
        let served = call.live().zones().get(&apex);
        let caller = call.caller()?;
        let seen = entry.zip(served).filter(|(entry, _)| caller.sees_zone(entry));
        let (entry, served) = seen.ok_or_else(|| missing(&apex))?;
        Ok(Seen { entry, served })
    }

    fn answer(&self) -> Result<Answer, Problem> {
        let zone = Zone::of(&self.entry, &self.served);
        Answer::ok(&zone)
    }
}

pub(super) fn missing(apex: &Name) -> Problem {
    Problem::missing("zone", text::name(apex))
        .hint("`GET /v1/zones` lists the zones that this token sees")
}

async fn list(call: Call) -> Result<Answer, Problem> {
    let wanted = Wanted::of(&call)?;
    let after = wanted.after.as_deref().map(Name::parse).transpose().map_err(|_| malformed())?;
    let caller = call.caller()?;
    let page = {
        let directory = call.directory();
        let zones = directory.zones().into_iter();
        let seen = zones.filter(|zone| caller.sees_zone(zone));
        let rest = seen.filter(|zone| after.as_ref().is_none_or(|after| zone.apex > *after));
        wanted.page(rest.cloned(), |zone| zone.apex.to_string())
    };
    let zones = call.live().zones();
    let shown = |entry: &ZoneEntry| Some(Zone::of(entry, &*zones.get(&entry.apex)?));
    let items: Vec<Zone> = page.items.iter().filter_map(shown).collect();
    Answer::ok(&crate::page::Page { items, next: page.next })
}

async fn add(call: Call) -> Result<Answer, Problem> {
    let body: NewZoneBody = call.read()?;
    let apex = text::name_in_body(&body.name, "/name")?;
    if body.ns.len() > SERVERS_MAX {
        return Err(Problem::invalid("a zone has at most 16 name servers here").at("/ns"));
    }
    let servers = body.ns.iter().map(|name| text::name_in_body(name, "/ns"));
    let servers = servers.collect::<Result<Vec<Name>, Problem>>()?;
    let account = body.account.map_or(call.caller()?.account(), AccountId);
    let fresh = NewZone { account, suffix: body.suffix, ..node::fresh_zone(&apex, &servers) };
    let zone = NewZone { host_ttl_s: body.host_ttl_s.unwrap_or(fresh.host_ttl_s), ..fresh };
    call.operate(Operation::AddZone(zone)).await?;
    let entry = call.directory().zone(&apex).cloned();
    let served = call.live().zones().get(&apex);
    let (entry, served) = entry.zip(served).ok_or_else(|| missing(&apex))?;
    let path = format!("/v1/zones/{}", text::name(&apex));
    Answer::created(&Zone::of(&entry, &served), &path)
}

async fn show(call: Call) -> Result<Answer, Problem> {
    let seen = Seen::of(&call)?;
    let answer = seen.answer()?;
    let content = tag::of_serial(seen.served.serial());
    let settings = tag::of_settings(&format!("{:?}", seen.entry));
    Ok(answer.tagged(format!("{}.{settings}\"", content.trim_end_matches('"'))))
}

async fn set(call: Call) -> Result<Answer, Problem> {
    let seen = Seen::of(&call)?;
    let body: ZonePatchBody = call.read()?;
    let scavenge = body.scavenge.map(|scavenge| {
        scavenge.map(|ScavengeBody { no_refresh_s, refresh_s }| account::Scavenge {
            no_refresh_s,
            refresh_s,
        })
    });
    let apex = seen.entry.apex;
    let ZonePatchBody { reserved, quarantine_s, ttl_min_s, .. } = body;
    let policy = ZonePatch { scavenge, reserved, quarantine_s, ttl_min_s };
    call.operate(Operation::SetZone { apex, policy }).await?;
    Seen::of(&call)?.answer()
}

async fn remove(call: Call) -> Result<Answer, Problem> {
    let seen = Seen::of(&call)?;
    call.operate(Operation::RemoveZone(seen.entry.apex)).await?;
    Ok(Answer::nothing())
}

/// Most name servers of a new zone.
const SERVERS_MAX: usize = 16;
