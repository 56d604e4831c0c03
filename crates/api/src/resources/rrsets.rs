//! RRsets of a zone.

use std::collections::{BinaryHeap, HashSet};
use std::sync::Arc;

use account::{Directory, NamePattern};
use axum::http::Method;
use engine::Operation;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Semaphore;
use utoipa::ToSchema;
use wire::{Name, Rdata, Rtype};
use zone::{Change, Edit, Prerequisite, View};

use super::zones::{Seen, missing};
use crate::answer::Answer;
use crate::call::Call;
use crate::caller::Caller;
use crate::endpoint::{Conditions, Endpoint, Needs, Parameter};
use crate::page::{CURSOR, LIMIT, Page, Wanted, malformed};
use crate::problem::{Kind, Problem};
use crate::refusal::{Done, unavailable};
use crate::tag::{self, Preconditions, Tags};
use crate::text;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let example = Rrset::example;
    let written = json!({ "ttl_s": 300, "records": ["192.0.2.1", "192.0.2.2"] });
    vec![
        Endpoint::new((Method::GET, "/v1/zones/{zone}/rrsets"), "listRrsets", Needs::Reader, list)
            .says(
                "List RRsets",
                "In canonical order of their names (RFC 4034 §6.1). With `name` it is cheap; without, \
                 the whole zone is gone through for each page.",
            )
            .query(&[&NAME, &UNDER, &TYPE, &CURSOR, &LIMIT])
            .gives_page::<Rrset>("One page of RRsets.", example())
            .fails(&[Kind::NotFound]),
        Endpoint::new((Method::GET, PATH), "showRrset", Needs::Token, show)
            .says("Show an RRset", "Its `ETag` is that of its records and its TTL.")
            .conditions(Conditions::Read)
            .gives::<Rrset>(200, "The RRset.", example())
            .tagged()
            .fails(&[Kind::NotFound]),
        Endpoint::new((Method::PUT, PATH), "putRrset", Needs::Token, put)
            .says(
                "Replace an RRset",
                "Exactly these records remain; the RRset is made when there is none. `If-Match` and \
                 `If-None-Match` are judged together with the change, so that nothing comes between.",
            )
            .conditions(Conditions::Write)
            .takes::<RrsetBody>(vec![
                ("addresses", written),
                ("text", json!({ "ttl_s": 60, "records": ["\"v=spf1 -all\""] })),
            ])
            .gives::<Rrset>(200, "The RRset as it is now.", example())
            .tagged()
            .fails(&[Kind::NotFound, Kind::Invalid, Kind::PreconditionFailed, Kind::Refused]),
        Endpoint::new((Method::DELETE, PATH), "deleteRrset", Needs::Token, delete)
            .says("Delete an RRset", "At the apex SOA and NS stay (RFC 2136 §3.4.2.3).")
            .conditions(Conditions::Write)
            .gives_nothing(204, "There is no such RRset any more.")
            .fails(&[Kind::NotFound, Kind::Invalid, Kind::PreconditionFailed, Kind::Refused]),
    ]
}

const PATH: &str = "/v1/zones/{zone}/rrsets/{name}/{type}";

/// The records of one name and type.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rrset {
    /// Their owner.
    #[schema(example = "www.example.org")]
    name: String,
    /// Their type: a mnemonic, or `TYPE` and a number (RFC 3597).
    #[serde(rename = "type")]
    #[schema(example = "A")]
    rtype: String,
    /// TTL of all of them, in seconds.
    ttl_s: u32,
    /// Data of each, in presentation form (RFC 1035 §5.1).
    #[schema(example = json!(["192.0.2.1"]))]
    records: Vec<String>,
}

/// The records that an RRset shall have.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RrsetContent)]
struct RrsetBody {
    /// TTL of all of them, in seconds.
    #[schema(maximum = 2_147_483_647)]
    ttl_s: u32,
    /// Data of each, in presentation form; domain names in it are absolute, with or without the final
    /// dot.
    #[schema(min_items = 1, max_items = 1000, example = json!(["192.0.2.1"]))]
    records: Vec<String>,
}

impl Rrset {
    pub(super) fn of(name: &Name, rtype: Rtype, rrset: &wire::Rrset) -> Rrset {
        let records = rrset.rdata.iter().map(|rdata| rdata.display(rtype).to_string());
        Rrset {
            name: text::name(name),
            rtype: rtype.to_string(),
            ttl_s: rrset.ttl_s,
            records: records.collect(),
        }
    }

    pub(super) fn example() -> serde_json::Value {
        json!({ "name": "www.example.org", "type": "A", "ttl_s": 300, "records": ["192.0.2.1"] })
    }
}

/// An RRset of the path, there or not.
struct Place {
    zone: Arc<zone::Zone>,
    name: Name,
    rtype: Rtype,
}

impl Place {
    /// The place that the path names, when who asks sees it.
    fn of(call: &Call) -> Result<Place, Problem> {
        let (apex, name) = (call.name("zone")?, call.name("name")?);
        let rtype = rtype_in_path(call.part("type"))?;
        let served = call.live().zones().get(&apex);
        let zone = served.filter(|_| sees(call, &apex, &name)).ok_or_else(|| missing(&apex))?;
        if !name.is_subdomain_of(&apex) {
            let detail = format!("no name `{}` in this zone", text::name(&name));
            return Err(Problem::new(Kind::NotFound, detail));
        }
        Ok(Place { zone, name, rtype })
    }

    fn rrset(&self) -> Option<wire::Rrset> {
        self.zone.rrset(&self.name, self.rtype)
    }

    fn tag(&self) -> Option<String> {
        self.rrset().map(|rrset| tag::of_rrset(self.rtype, &rrset))
    }

    fn missing(&self) -> Problem {
        let name = text::name(&self.name);
        Problem::new(Kind::NotFound, format!("no `{}` records at `{name}`", self.rtype))
    }

    fn answer(&self) -> Result<Answer, Problem> {
        let rrset = self.rrset().ok_or_else(|| self.missing())?;
        let answer = Answer::ok(&Rrset::of(&self.name, self.rtype, &rrset))?;
        Ok(answer.tagged(tag::of_rrset(self.rtype, &rrset)))
    }

    /// Has an edit made, under the preconditions of the request.
    async fn change(&self, call: &Call, edit: Edit) -> Result<Done, Problem> {
        let prerequisites = self.prerequisites(&call.preconditions)?;
        let change = Change { prerequisites, ..Change::new(self.zone.apex().clone(), vec![edit]) };
        call.operate(Operation::Change { change, lease: None }).await
    }

    /// The preconditions for the engine. What is wrong already is told at once; what holds now is
    /// judged again with the change.
    fn prerequisites(&self, wanted: &Preconditions) -> Result<Vec<Prerequisite>, Problem> {
        let (name, rtype) = (self.name.clone(), self.rtype);
        let rrset = self.rrset();
        let tag = rrset.as_ref().map(|rrset| tag::of_rrset(rtype, rrset));
        let as_it_is = |rrset: Option<wire::Rrset>| match rrset {
            Some(rrset) => Prerequisite::RrsetEquals(name.clone(), rtype, rrset.rdata),
            None => Prerequisite::RrsetDoesNotExist(name.clone(), rtype),
        };
        if wanted.matches.as_ref().is_some_and(|tags| !tags.hold(tag.as_deref())) {
            return Err(self.changed(tag.as_deref()));
        }
        if wanted.differs.as_ref().is_some_and(|tags| tags.hold(tag.as_deref())) {
            return Err(self.changed(tag.as_deref()));
        }
        Ok(match (&wanted.matches, &wanted.differs) {
            (None, None) => Vec::new(),
            (Some(Tags::Any), None) => vec![Prerequisite::RrsetExists(name, rtype)],
            (None, Some(Tags::Any)) => vec![Prerequisite::RrsetDoesNotExist(name, rtype)],
            (Some(_), _) | (_, Some(_)) => vec![as_it_is(rrset)],
        })
    }

    fn changed(&self, tag: Option<&str>) -> Problem {
        let detail = match tag {
            Some(tag) => format!("the RRset is there, with the tag {tag}"),
            None => "there is no such RRset".to_owned(),
        };
        Problem::new(Kind::PreconditionFailed, detail).hint("read it again, then decide again")
    }
}

/// Whether who asks sees a name of a zone: as the owner of the zone, or of a host at or above the name.
pub(super) fn sees(call: &Call, apex: &Name, name: &Name) -> bool {
    let Ok(caller) = call.caller() else { return false };
    let directory = call.directory();
    let Some(entry) = directory.zone(apex) else { return false };
    if caller.sees_zone(entry) || names(&directory, caller, name) {
        return true;
    }
    let above = std::iter::successors(Some(name.clone()), Name::parent);
    let mut hosts = above.take_while(|at| at != apex).filter_map(|at| directory.host(&at).cloned());
    hosts.any(|host| caller.sees_host(&host))
}

/// Whether a rule of the token is about a name. What it may do there is judged by the engine.
fn names(directory: &Directory, caller: &Caller, name: &Name) -> bool {
    let Some(token) = directory.token(caller.token.token()) else { return false };
    let is_own = || {
        let host = directory.host_over(name).map(|host| host.account);
        host.or(directory.zone_of(name).map(|zone| zone.account)) == Some(token.account)
    };
    let covers = |pattern: &NamePattern| match pattern {
        NamePattern::Exact(exact) => name == exact,
        NamePattern::Below(top) => name != top && name.is_subdomain_of(top),
        // Those are of keys, which have a name.
        NamePattern::SelfName | NamePattern::SelfSubtree => false,
    };
    let mut rules = token.rules().iter();
    rules.any(|rule| rule.names.is_empty() && is_own() || rule.names.iter().any(covers))
}

async fn show(call: Call) -> Result<Answer, Problem> {
    Place::of(&call)?.answer()
}

async fn put(call: Call) -> Result<Answer, Problem> {
    let place = Place::of(&call)?;
    let body: RrsetBody = call.read()?;
    if body.records.len() > RECORDS_MAX {
        return Err(Problem::invalid("an RRset has at most 1000 records here").at("/records"));
    }
    let rdata = records(place.rtype, &body.records, "/records")?;
    if rdata.is_empty() {
        let problem = Problem::invalid("an RRset has at least one record").at("/records");
        return Err(problem.hint("`DELETE` takes it away"));
    }
    let rrset = wire::Rrset { ttl_s: body.ttl_s, rdata };
    let wanted = tag::of_rrset(place.rtype, &rrset);
    let (owner, rtype) = (place.name.clone(), place.rtype);
    let done = place.change(&call, Edit::Replace { owner, rtype, rrset }).await?;
    if !done.changed && rtype == Rtype::SOA && place.tag().as_deref() != Some(&wanted) {
        // RFC 2136 §3.4.2.2 passes it over in silence.
        return Err(Problem::invalid("the serial of a new SOA must be newer").at("/records/0"));
    }
    place.answer()
}

async fn delete(call: Call) -> Result<Answer, Problem> {
    let place = Place::of(&call)?;
    if place.rrset().is_none() && call.preconditions == Preconditions::default() {
        return Err(place.missing());
    }
    let (owner, rtype) = (place.name.clone(), place.rtype);
    let done = place.change(&call, Edit::DeleteRrset { owner, rtype }).await?;
    if !done.changed && place.rrset().is_some() {
        let detail = "SOA and NS of the apex stay as long as the zone is served";
        return Err(Problem::invalid(detail).hint("`PUT` replaces them"));
    }
    Ok(Answer::nothing())
}

async fn list(call: Call) -> Result<Answer, Problem> {
    let seen = Seen::of(&call)?;
    let wanted = Wanted::of(&call)?;
    let filter = Filter::of(&call, &seen)?;
    let after =
        wanted.after.as_deref().map(|key| Key::read(key).ok_or_else(malformed)).transpose()?;
    let zone = seen.served;
    if let Some(name) = filter.name.clone() {
        let types = zone.types(&name).into_iter().filter(|rtype| filter.takes(&name, *rtype));
        let keys = types.map(|rtype| Key { name: name.clone(), rtype });
        let rest = keys.filter(|key| after.as_ref().is_none_or(|after| key > after));
        return answer(&zone, wanted.page(rest, Key::write));
    }
    let Ok(_one) = SCANS.try_acquire() else {
        return Err(unavailable("too many lists of whole zones are being made"));
    };
    let scan = move || {
        let keys = first_keys(&zone, &filter, after.as_ref(), wanted.limit.saturating_add(1));
        answer(&zone, wanted.page(keys.into_iter(), Key::write))
    };
    tokio::task::spawn_blocking(scan).await.map_err(|why| {
        tracing::error!(%why, "a list of RRsets failed");
        Problem::new(Kind::Internal, "the list could not be made")
    })?
}

fn answer(zone: &zone::Zone, page: Page<Key>) -> Result<Answer, Problem> {
    let shown =
        |key: &Key| Some(Rrset::of(&key.name, key.rtype, &zone.rrset(&key.name, key.rtype)?));
    let items: Vec<Rrset> = page.items.iter().filter_map(shown).collect();
    Answer::ok(&Page { items, next: page.next })
}

/// The first keys of a zone after one, in order; the whole zone is gone through, and only so many are
/// kept.
fn first_keys(zone: &zone::Zone, filter: &Filter, after: Option<&Key>, count: usize) -> Vec<Key> {
    let mut first: BinaryHeap<Key> = BinaryHeap::with_capacity(count.saturating_add(1));
    let snapshot = zone.snapshot();
    for (name, rtype, _) in snapshot.rrsets() {
        if !filter.takes(&name, rtype) {
            continue;
        }
        let key = Key { name, rtype };
        if after.is_some_and(|after| key <= *after) {
            continue;
        }
        if first.len() < count {
            first.push(key);
        } else if first.peek().is_some_and(|last| key < *last) {
            first.pop();
            first.push(key);
        }
    }
    let mut keys = first.into_vec();
    keys.sort();
    keys
}

/// What tells one RRset of a zone from another, in their order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    name: Name,
    rtype: Rtype,
}

impl Key {
    fn write(&self) -> String {
        format!("{} {}", self.rtype.0, self.name)
    }

    fn read(text: &str) -> Option<Key> {
        let (rtype, name) = text.split_once(' ')?;
        Some(Key { name: Name::parse(name).ok()?, rtype: Rtype(rtype.parse().ok()?) })
    }
}

/// Which RRsets are wanted.
struct Filter {
    name: Option<Name>,
    under: Option<Name>,
    rtype: Option<Rtype>,
}

impl Filter {
    fn of(call: &Call, seen: &Seen) -> Result<Filter, Problem> {
        let name = |parameter| call.query.value(parameter).map(text::name_in_path).transpose();
        let (name, under) = (name(&NAME)?, name(&UNDER)?);
        for name in [&name, &under].into_iter().flatten() {
            if !name.is_subdomain_of(&seen.entry.apex) {
                let detail = format!("`{}` lies outside the zone", text::name(name));
                return Err(Problem::new(Kind::BadRequest, detail));
            }
        }
        Ok(Filter { name, under, rtype: call.query.value(&TYPE).map(rtype_in_path).transpose()? })
    }

    fn takes(&self, name: &Name, rtype: Rtype) -> bool {
        self.rtype.is_none_or(|wanted| wanted == rtype)
            && self.under.as_ref().is_none_or(|under| name.is_subdomain_of(under))
    }
}

/// A type in a path or query.
fn rtype_in_path(text: &str) -> Result<Rtype, Problem> {
    text::rtype(text).ok_or_else(|| {
        let detail = format!("`{}` is not the type of a record", text::shown(text));
        Problem::new(Kind::BadRequest, detail).hint("write `A`, `TXT` or `TYPE65280`, say")
    })
}

/// Data of records. Domain names in it are absolute: whoever forgets the final dot means that.
pub(super) fn records(
    rtype: Rtype,
    texts: &[String],
    pointer: &str,
) -> Result<Vec<Rdata>, Problem> {
    let mut all: Vec<Rdata> = Vec::with_capacity(texts.len());
    let mut known = HashSet::new();
    for (at, record) in texts.iter().enumerate() {
        let rdata = Rdata::parse(rtype, record, &Name::root())
            .map_err(|why| Problem::invalid(why.to_string()).at(format!("{pointer}/{at}")))?;
        if known.insert(rdata.canonical(rtype)) {
            all.push(rdata);
        }
    }
    Ok(all)
}

const NAME: Parameter = Parameter {
    name: "name",
    about: "Only those of this name.",
    schema: || json!({ "type": "string", "maxLength": 1024 }),
};
const UNDER: Parameter = Parameter {
    name: "under",
    about: "Only those of this name and of names below it.",
    schema: || json!({ "type": "string", "maxLength": 1024 }),
};
const TYPE: Parameter = Parameter {
    name: "type",
    about: "Only those of this type.",
    schema: || json!({ "type": "string", "maxLength": 32 }),
};
/// Most records in one RRset.
pub(super) const RECORDS_MAX: usize = 1000;
/// Lists of whole zones that are made at the same time.
static SCANS: Semaphore = Semaphore::const_new(2);
