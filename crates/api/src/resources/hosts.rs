//! Hosts and their first tokens.

use std::net::IpAddr;

use account::secret::Secret;
use account::{AccountId, HostExpiry, OnExpiry};
use axum::http::{Method, StatusCode};
use engine::{HostPatch, Live, NewToken, Operation};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use wire::{Name, Rtype};
use zone::View;

use crate::answer::Answer;
use crate::body::three_ways;
use crate::call::{Call, random};
use crate::endpoint::{Endpoint, Needs, Parameter};
use crate::page::{CURSOR, LIMIT, Page, Wanted, malformed};
use crate::problem::{Kind, Problem};
use crate::text;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let example = Host::example;
    let secret = json!({ "id": 42, "token": "byn_0123456789ABCDEFGHIJKLMNOPQR" });
    let made = json!({ "host": example(), "id": 42, "token": "byn_0123456789ABCDEFGHIJKLMNOPQR" });
    vec![
        Endpoint::new((Method::GET, "/v1/hosts"), "listHosts", Needs::Token, list)
            .says("List hosts", "The hosts that the token sees, in canonical order of their names.")
            .query(&[&ZONE, &CURSOR, &LIMIT])
            .gives_page::<Host>("One page of hosts.", example()),
        Endpoint::new((Method::POST, "/v1/hosts"), "addHost", Needs::Owner, add)
            .says(
                "Add a host",
                "Its token is shown once, here. It covers the addresses of the host.",
            )
            .takes::<NewHost>(vec![
                ("usual", json!({ "name": "camera.dyn.example.org" })),
                (
                    "expiring",
                    json!({
                        "name": "camera.dyn.example.org", "ttl_s": 30,
                        "expiry": { "after_s": 86_400, "then": { "do": "withdraw" } },
                    }),
                ),
            ])
            .gives::<MadeHost>(201, "The host, and its token.", made)
            .fails(&[Kind::Exists, Kind::Invalid, Kind::LimitReached, Kind::Refused]),
        Endpoint::new((Method::GET, "/v1/hosts/{host}"), "showHost", Needs::Token, show)
            .says("Show a host", "With its addresses, and when it was last seen.")
            .gives::<Host>(200, "The host.", example())
            .fails(&[Kind::NotFound]),
        Endpoint::new((Method::PATCH, "/v1/hosts/{host}"), "setHost", Needs::Owner, set)
            .says(
                "Change settings of a host",
                "What is left out stays as it is; `null` is the default.",
            )
            .takes::<HostSettings>(vec![
                ("ttl", json!({ "ttl_s": 30 })),
                ("usual", json!({ "ttl_s": null, "expiry": null, "private_ok": false })),
            ])
            .gives::<Host>(200, "The host as it is now.", example())
            .fails(&[Kind::NotFound, Kind::Invalid, Kind::Refused]),
        Endpoint::new((Method::DELETE, "/v1/hosts/{host}"), "removeHost", Needs::Owner, remove)
            .says("Remove a host", "Its addresses are withdrawn, and no token covers it any more.")
            .gives_nothing(204, "The host is gone.")
            .fails(&[Kind::NotFound, Kind::Refused]),
        Endpoint::new(
            (Method::POST, "/v1/hosts/{host}/rotate"),
            "rotateHost",
            Needs::Owner,
            rotate,
        )
        .says(
            "Rotate the token of a host",
            "A new token in place of those that cover this host only. It is shown once, here.",
        )
        .query(&[&OVERLAP])
        .gives::<MadeToken>(201, "The new token.", secret)
        .fails(&[Kind::NotFound, Kind::Refused, Kind::LimitReached]),
    ]
}

/// A name whose addresses follow a device.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Host {
    /// Its name.
    #[schema(example = "camera.dyn.example.org")]
    name: String,
    /// The zone that it lies in.
    #[schema(example = "dyn.example.org")]
    zone: String,
    /// Number of the account that owns it.
    account: u64,
    /// Its IPv4 addresses.
    a: Vec<String>,
    /// Its IPv6 addresses.
    aaaa: Vec<String>,
    /// TTL of its addresses, in seconds; null: that of the zone.
    ttl_s: Option<u32>,
    /// It may have private addresses.
    private_ok: bool,
    /// When it was made.
    #[schema(format = "date-time")]
    created: String,
    /// When it was last heard of; null: never.
    #[schema(format = "date-time")]
    last_seen: Option<String>,
    /// What becomes of its addresses when nothing is heard of it; null: they stay.
    expiry: Option<Expiry>,
    /// Since when it counts as gone; null: it does not.
    #[schema(format = "date-time")]
    parked: Option<String>,
}

/// When a host counts as gone.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Expiry {
    /// After so many seconds without a valid update.
    after_s: u32,
    /// What happens then.
    then: Then,
}

/// What stands in place of the addresses of a host that is gone.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
enum Then {
    /// Nothing.
    Withdraw {},
    /// These addresses.
    Park {
        /// The addresses.
        #[schema(value_type = Vec<String>, min_items = 1, max_items = 16)]
        addresses: Vec<IpAddr>,
    },
    /// An alias.
    Cname {
        /// The name that it leads to.
        target: String,
    },
}

/// A host to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewHost {
    /// Its name, in a zone of the account or under a suffix.
    #[schema(example = "camera.dyn.example.org")]
    name: String,
    /// Number of the account that owns it; that of the token when not given.
    account: Option<u64>,
    /// What its token is for.
    #[serde(default)]
    #[schema(max_length = 128)]
    label: String,
    /// TTL of its addresses, in seconds; null or left out: that of the zone.
    #[schema(maximum = 86400)]
    ttl_s: Option<u32>,
    /// It may have private addresses.
    #[serde(default)]
    private_ok: bool,
    /// What becomes of its addresses when nothing is heard of it.
    expiry: Option<Expiry>,
}

/// Settings of a host; what is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HostSettings {
    /// TTL of its addresses, in seconds; `null`: that of the zone.
    #[serde(default, deserialize_with = "three_ways")]
    #[schema(value_type = Option<u32>, maximum = 86400)]
    ttl_s: Option<Option<u32>>,
    /// It may have private addresses.
    private_ok: Option<bool>,
    /// What becomes of its addresses when nothing is heard of it; `null`: they stay.
    #[serde(default, deserialize_with = "three_ways")]
    #[schema(value_type = Option<Expiry>)]
    expiry: Option<Option<Expiry>>,
}

/// A host that was made.
#[derive(Serialize, ToSchema)]
struct MadeHost {
    /// The host.
    host: Host,
    /// Number of its token.
    id: u64,
    /// The secret of its token: it is not kept, and not shown again.
    token: String,
}

/// A token that was made.
#[derive(Serialize, ToSchema)]
pub(super) struct MadeToken {
    /// Its number.
    pub(super) id: u64,
    /// Its secret: it is not kept, and not shown again.
    pub(super) token: String,
}

impl Host {
    fn of(live: &Live, host: &account::Host) -> Host {
        let zone = live.zones().get(&host.zone);
        let addresses = |rtype| {
            let rrset = zone.as_ref().and_then(|zone| zone.rrset(&host.name, rtype));
            let rdata = rrset.map(|rrset| rrset.rdata).unwrap_or_default();
            rdata.iter().map(|rdata| rdata.display(rtype).to_string()).collect()
        };
        Host {
            name: text::name(&host.name),
            zone: text::name(&host.zone),
            account: host.account.0,
            a: addresses(Rtype::A),
            aaaa: addresses(Rtype::AAAA),
            ttl_s: host.ttl_s,
            private_ok: host.private_ok,
            created: text::moment(host.created),
            last_seen: live.last_seen(&host.name).map(text::moment),
            expiry: host.expiry.as_deref().map(Expiry::of),
            parked: host.parked.map(text::moment),
        }
    }

    fn example() -> serde_json::Value {
        json!({
            "name": "camera.dyn.example.org", "zone": "dyn.example.org", "account": 7,
            "a": ["198.51.100.7"], "aaaa": [], "ttl_s": null, "private_ok": false,
            "created": "2026-01-02T03:04:05Z", "last_seen": "2026-02-03T04:05:06Z",
            "expiry": null, "parked": null,
        })
    }
}

impl Expiry {
    fn of(expiry: &HostExpiry) -> Expiry {
        let then = match &expiry.then {
            OnExpiry::Withdraw => Then::Withdraw {},
            OnExpiry::Park(addresses) => Then::Park { addresses: addresses.clone() },
            OnExpiry::Cname(target) => Then::Cname { target: text::name(target) },
        };
        Expiry { after_s: expiry.after_s, then }
    }

    fn read(&self) -> Result<HostExpiry, Problem> {
        let then = match &self.then {
            Then::Withdraw {} => OnExpiry::Withdraw,
            Then::Park { addresses } => OnExpiry::Park(addresses.clone()),
            Then::Cname { target } => {
                OnExpiry::Cname(text::name_in_body(target, "/expiry/then/target")?)
            }
        };
        Ok(HostExpiry { after_s: self.after_s, then })
    }
}

/// The host of the path, when who asks sees it.
fn seen(call: &Call) -> Result<account::Host, Problem> {
    let name = call.name("host")?;
    let host = call.directory().host(&name).cloned();
    let caller = call.caller()?;
    host.filter(|host| caller.sees_host(host)).ok_or_else(|| missing(&name))
}

fn missing(name: &Name) -> Problem {
    Problem::missing("host", text::name(name))
        .hint("`GET /v1/hosts` lists the hosts that this token sees")
}

async fn list(call: Call) -> Result<Answer, Problem> {
    let wanted = Wanted::of(&call)?;
    let after = wanted.after.as_deref().map(Name::parse).transpose().map_err(|_| malformed())?;
    let zone = call.query.value(&ZONE).map(text::name_in_path).transpose()?;
    let caller = call.caller()?;
    let page = {
        let directory = call.directory();
        let hosts = directory.hosts(zone.as_ref(), after.as_ref());
        // A zone below this one has hosts of its own.
        let seen = hosts.filter(|host| {
            caller.sees_host(host) && zone.as_ref().is_none_or(|apex| host.zone == *apex)
        });
        wanted.page(seen.cloned(), |host| host.name.to_string())
    };
    let items: Vec<Host> = page.items.iter().map(|host| Host::of(call.live(), host)).collect();
    Answer::ok(&Page { items, next: page.next })
}

async fn add(call: Call) -> Result<Answer, Problem> {
    let body: NewHost = call.read()?;
    let name = text::name_in_body(&body.name, "/name")?;
    let account = body.account.map_or(call.caller()?.account(), AccountId);
    let expiry = body.expiry.as_ref().map(Expiry::read).transpose()?;
    let policy = HostPatch {
        ttl_s: Some(body.ttl_s),
        private_ok: Some(body.private_ok),
        expiry: Some(expiry),
        ..HostPatch::default()
    };
    let secret = Secret::from_random(random()?);
    let token = NewToken::of(&secret, &body.label);
    let operation = Operation::AddHost { name: name.clone(), account, policy, token };
    let done = call.operate(operation).await?;
    let host = call.directory().host(&name).cloned().ok_or_else(|| missing(&name))?;
    let (host, id) = (Host::of(call.live(), &host), done.made.unwrap_or_default());
    let path = format!("/v1/hosts/{}", text::name(&name));
    Answer::created(&MadeHost { host, id, token: secret.reveal().to_owned() }, &path)
}

async fn show(call: Call) -> Result<Answer, Problem> {
    let host = seen(&call)?;
    Answer::ok(&Host::of(call.live(), &host))
}

async fn set(call: Call) -> Result<Answer, Problem> {
    let host = seen(&call)?;
    let body: HostSettings = call.read()?;
    let expiry = match &body.expiry {
        None => None,
        Some(expiry) => Some(expiry.as_ref().map(Expiry::read).transpose()?),
    };
    let (ttl_s, private_ok) = (body.ttl_s, body.private_ok);
    let policy = HostPatch { ttl_s, private_ok, expiry, ..HostPatch::default() };
    call.operate(Operation::SetHost { name: host.name, policy }).await?;
    show(call).await
}

async fn remove(call: Call) -> Result<Answer, Problem> {
    let host = seen(&call)?;
    call.operate(Operation::RemoveHost(host.name)).await?;
    Ok(Answer::nothing())
}

async fn rotate(call: Call) -> Result<Answer, Problem> {
    let host = seen(&call)?;
    let secret = Secret::from_random(random()?);
    let token = NewToken::of(&secret, "");
    let overlap_s = overlap(&call)?;
    let done = call.operate(Operation::RotateHost { name: host.name, token, overlap_s }).await?;
    let (id, token) = (done.made.unwrap_or_default(), secret.reveal().to_owned());
    Answer::json(StatusCode::CREATED, &MadeToken { id, token })
}

/// For how long old tokens go on beside a new one, in seconds.
pub(super) fn overlap(call: &Call) -> Result<u32, Problem> {
    call.query.value(&OVERLAP).map_or(Ok(0), |text| {
        let seconds = text.parse().ok();
        let detail = "`overlap_s` is a number of seconds";
        seconds.ok_or_else(|| Problem::new(Kind::BadRequest, detail))
    })
}

pub(super) const OVERLAP: Parameter = Parameter {
    name: "overlap_s",
    about: "For so many seconds the old token goes on beside the new one.",
    schema: || json!({ "type": "integer", "minimum": 0, "maximum": 604_800, "default": 0 }),
};
const ZONE: Parameter = Parameter {
    name: "zone",
    about: "Only those of this zone.",
    schema: || json!({ "type": "string", "maxLength": 1024 }),
};
