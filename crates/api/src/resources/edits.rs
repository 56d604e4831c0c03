//! Several edits of a zone at once: all of them or none.

use std::collections::HashSet;

use axum::http::Method;
use engine::Operation;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use wire::{Name, Rtype};
use zone::{Change, Edit, Prerequisite, View};

use super::rrsets::{RECORDS_MAX, records, sees};
use super::zones::missing;
use crate::answer::Answer;
use crate::call::Call;
use crate::caller::Right;
use crate::endpoint::{Conditions, Endpoint, Needs};
use crate::problem::{Kind, Problem};
use crate::{tag, text};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let moved = json!({
        "prerequisites": [
            { "is": "rrset-equals", "name": "www.example.org", "type": "A", "records": ["192.0.2.1"] },
        ],
        "edits": [
            { "do": "replace", "name": "www.example.org", "type": "A", "ttl_s": 300,
              "records": ["192.0.2.2"] },
            { "do": "delete-rrset", "name": "old.example.org", "type": "A" },
        ],
    });
    let challenge = json!({
        "edits": [
            { "do": "add", "name": "_acme-challenge.www.example.org", "type": "TXT", "ttl_s": 60,
              "records": ["\"gfj9Xq...Rg85nM\""] },
        ],
    });
    vec![
        Endpoint::new(
            (Method::PATCH, "/v1/zones/{zone}/rrsets"),
            "editRrsets",
            Needs::Token,
            edit,
        )
        .says(
            "Make several edits",
            "All edits take effect at once, or none does: no query ever sees some of them. \
             Prerequisites are judged together with them, as those of RFC 2136 §2.4. `If-Match` names \
             the serial of the zone, as `\"s\"` and the number in quotes.",
        )
        .conditions(Conditions::Write)
        .takes::<Edits>(vec![("move", moved), ("challenge", challenge)])
        .gives::<Edited>(200, "It is done, or was so already.", Edited::example())
        .tagged()
        .fails(&[Kind::NotFound, Kind::Invalid, Kind::PreconditionFailed, Kind::Refused]),
    ]
}

/// Edits, and what must hold before them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Edits {
    /// All of them must hold.
    #[serde(default)]
    #[schema(max_items = 1000)]
    prerequisites: Vec<If>,
    /// In order; each sees the result of those before it.
    #[schema(min_items = 1, max_items = 1000)]
    edits: Vec<Do>,
}

/// A condition on the zone before the edits (RFC 2136 §2.4).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
#[schema(as = Prerequisite)]
enum If {
    /// The name owns at least one record.
    NameInUse {
        /// The name.
        name: String,
    },
    /// The name owns no record.
    NameNotInUse {
        /// The name.
        name: String,
    },
    /// The RRset exists, whatever its records.
    RrsetExists {
        /// Its owner.
        name: String,
        /// Its type.
        r#type: String,
    },
    /// The RRset does not exist.
    RrsetDoesNotExist {
        /// Its owner.
        name: String,
        /// Its type.
        r#type: String,
    },
    /// The RRset has exactly these records, in any order; its TTL does not count.
    RrsetEquals {
        /// Its owner.
        name: String,
        /// Its type.
        r#type: String,
        /// Its records, in presentation form.
        #[schema(min_items = 1, max_items = 1000)]
        records: Vec<String>,
    },
}

/// One edit (RFC 2136 §2.5).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
#[schema(as = Edit)]
enum Do {
    /// Adds records; those that are there only take the new TTL.
    Add {
        /// Their owner.
        name: String,
        /// Their type.
        r#type: String,
        /// TTL of the whole RRset from now on, in seconds.
        #[schema(maximum = 2_147_483_647)]
        ttl_s: u32,
        /// The records, in presentation form.
        #[schema(min_items = 1, max_items = 1000)]
        records: Vec<String>,
    },
    /// Replaces an RRset: exactly these records remain.
    Replace {
        /// Its owner.
        name: String,
        /// Its type.
        r#type: String,
        /// Its TTL, in seconds.
        #[schema(maximum = 2_147_483_647)]
        ttl_s: u32,
        /// The records, in presentation form.
        #[schema(min_items = 1, max_items = 1000)]
        records: Vec<String>,
    },
    /// Deletes some records of an RRset.
    DeleteRecords {
        /// Their owner.
        name: String,
        /// Their type.
        r#type: String,
        /// The records, in presentation form.
        #[schema(min_items = 1, max_items = 1000)]
        records: Vec<String>,
    },
    /// Deletes an RRset.
    DeleteRrset {
        /// Its owner.
        name: String,
        /// Its type.
        r#type: String,
    },
    /// Deletes all RRsets of a name.
    DeleteName {
        /// The name.
        name: String,
    },
}

/// What came of edits.
#[derive(Debug, Serialize, ToSchema)]
struct Edited {
    /// Whether anything changed.
    changed: bool,
    /// Serial of the zone from which on all of it is visible.
    serial: u32,
}

impl Edited {
    fn example() -> serde_json::Value {
        json!({ "changed": true, "serial": 1_767_323_046 })
    }
}

async fn edit(call: Call) -> Result<Answer, Problem> {
    let apex = call.name("zone")?;
    let zone = call.live().zones().get(&apex).filter(|_| sees_any(&call, &apex));
    let zone = zone.ok_or_else(|| missing(&apex))?;
    let body: Edits = call.read()?;
    if body.edits.is_empty() {
        return Err(Problem::invalid("there is no edit").at("/edits"));
    }
    let lines = body.edits.len().max(body.prerequisites.len());
    if lines > RECORDS_MAX {
        return Err(Problem::invalid("1000 edits and 1000 prerequisites at most"));
    }
    let mut edits = Vec::with_capacity(body.edits.len());
    for (at, line) in body.edits.iter().enumerate() {
        line.read(&Line { call: &call, apex: &apex, pointer: format!("/edits/{at}") }, &mut edits)?;
    }
    let mut prerequisites = at_serial(&call, &zone)?;
    for (at, line) in body.prerequisites.iter().enumerate() {
        let pointer = format!("/prerequisites/{at}");
        prerequisites.push(line.read(&Line { call: &call, apex: &apex, pointer })?);
    }
    if call.caller()?.right != Right::Names {
        prerequisites.extend(without_aliases(&edits));
    }
    let change = Change { prerequisites, ..Change::new(apex, edits) };
    let done = call.operate(Operation::Change { change, lease: None }).await?;
    let serial = done.serial.unwrap_or_else(|| zone.serial());
    let answer = Answer::ok(&Edited { changed: done.changed, serial: serial.0 })?;
    Ok(answer.tagged(tag::of_serial(serial)))
}

/// RFC 2136 §3.4.2.2 passes records in silence that are added beside an alias. Here that would be
/// acknowledged and never seen, so there must be none, unless an earlier edit takes it away. Those who may
/// not state prerequisites may change addresses of hosts only, where none stands.
fn without_aliases(edits: &[Edit]) -> Vec<Prerequisite> {
    let mut touched: HashSet<&Name> = HashSet::new();
    let mut all = Vec::new();
    for edit in edits {
        let is_new = touched.insert(edit.owner());
        let Edit::Add { owner, rtype, .. } = edit else { continue };
        if is_new && *rtype != Rtype::CNAME {
            all.push(Prerequisite::RrsetDoesNotExist(owner.clone(), Rtype::CNAME));
        }
    }
    all
}

/// Whether who asks may see anything in the zone: as its owner, as that of a host in it, or by a name of
/// the token. Of each name it is judged whether it is there for them.
fn sees_any(call: &Call, apex: &Name) -> bool {
    let Ok(caller) = call.caller() else { return false };
    let directory = call.directory();
    let (Some(entry), Some(token)) = (directory.zone(apex), directory.token(caller.token.token()))
    else {
        return false;
    };
    let is_nameless = token.rules().iter().any(|rule| rule.names.is_empty());
    let has_part = || {
        let mut hosts = directory.hosts_of(token.account, None);
        entry.account == token.account || hosts.any(|host| host.zone == *apex)
    };
    caller.sees_zone(entry)
        || token.names().any(|name| name.is_subdomain_of(apex))
        || (caller.right != Right::Names || is_nameless) && has_part()
}

/// `If-Match` names the serial that the zone has.
fn at_serial(call: &Call, zone: &zone::Zone) -> Result<Vec<Prerequisite>, Problem> {
    let soa = zone.rrset(zone.apex(), Rtype::SOA);
    let serial = soa.as_ref().and_then(|soa| soa.rdata.first()?.soa_fields());
    let tag = serial.map(|soa| tag::of_serial(wire::Serial(soa.serial)));
    let wanted = &call.preconditions;
    let holds = wanted.matches.as_ref().is_none_or(|tags| tags.hold(tag.as_deref()))
        && wanted.differs.as_ref().is_none_or(|tags| !tags.hold(tag.as_deref()));
    if !holds {
        let tag = tag.unwrap_or_default();
        let problem = Problem::new(Kind::PreconditionFailed, format!("the zone has the tag {tag}"));
        return Err(problem.hint("read it again, then decide again"));
    }
    match (&wanted.matches, soa) {
        // Judged with the change: the serial is part of the SOA.
        (Some(_), Some(soa)) => {
            Ok(vec![Prerequisite::RrsetEquals(zone.apex().clone(), Rtype::SOA, soa.rdata)])
        }
        (Some(_), None) | (None, _) => Ok(Vec::new()),
    }
}

/// One line of a body, and what it is read with.
struct Line<'a> {
    call: &'a Call,
    apex: &'a Name,
    pointer: String,
}

impl Line<'_> {
    /// A name that who asks sees. Prerequisites tell what is there, so this holds for them as well.
    fn name(&self, text: &str) -> Result<Name, Problem> {
        let pointer = format!("{}/name", self.pointer);
        let name = text::name_in_body(text, &pointer)?;
        if !name.is_subdomain_of(self.apex) {
            let detail = format!("`{}` lies outside the zone", text::name(&name));
            return Err(Problem::invalid(detail).at(pointer));
        }
        if !sees(self.call, self.apex, &name) {
            let detail = format!("no name `{}`, or it is not yours", text::name(&name));
            return Err(Problem::new(Kind::NotFound, detail).at(pointer));
        }
        Ok(name)
    }

    fn rtype(&self, text: &str) -> Result<Rtype, Problem> {
        text::rtype(text).ok_or_else(|| {
            let detail = format!("`{}` is not the type of a record", text::shown(text));
            Problem::invalid(detail).at(format!("{}/type", self.pointer))
        })
    }

    fn records(&self, rtype: Rtype, texts: &[String]) -> Result<Vec<wire::Rdata>, Problem> {
        let pointer = format!("{}/records", self.pointer);
        if texts.is_empty() || texts.len() > RECORDS_MAX {
            return Err(Problem::invalid("1 to 1000 records").at(pointer));
        }
        records(rtype, texts, &pointer)
    }
}

impl If {
    fn read(&self, line: &Line<'_>) -> Result<Prerequisite, Problem> {
        Ok(match self {
            If::NameInUse { name } => Prerequisite::NameInUse(line.name(name)?),
            If::NameNotInUse { name } => Prerequisite::NameNotInUse(line.name(name)?),
            If::RrsetExists { name, r#type } => {
                Prerequisite::RrsetExists(line.name(name)?, line.rtype(r#type)?)
            }
            If::RrsetDoesNotExist { name, r#type } => {
                Prerequisite::RrsetDoesNotExist(line.name(name)?, line.rtype(r#type)?)
            }
            If::RrsetEquals { name, r#type, records } => {
                let rtype = line.rtype(r#type)?;
                let records = line.records(rtype, records)?;
                Prerequisite::RrsetEquals(line.name(name)?, rtype, records)
            }
        })
    }
}

impl Do {
    fn read(&self, line: &Line<'_>, edits: &mut Vec<Edit>) -> Result<(), Problem> {
        match self {
            Do::Add { name, r#type, ttl_s, records } => {
                let (owner, rtype) = (line.name(name)?, line.rtype(r#type)?);
                let records = line.records(rtype, records)?;
                if rtype == Rtype::CNAME {
                    // It stands alone, and what stands beside it is told so.
                    let rrset = wire::Rrset { ttl_s: *ttl_s, rdata: records };
                    edits.push(Edit::Replace { owner, rtype, rrset });
                    return Ok(());
                }
                for rdata in records {
                    edits.push(Edit::Add { owner: owner.clone(), rtype, ttl_s: *ttl_s, rdata });
                }
            }
            Do::Replace { name, r#type, ttl_s, records } => {
                let (owner, rtype) = (line.name(name)?, line.rtype(r#type)?);
                let rrset = wire::Rrset { ttl_s: *ttl_s, rdata: line.records(rtype, records)? };
                edits.push(Edit::Replace { owner, rtype, rrset });
            }
            Do::DeleteRecords { name, r#type, records } => {
                let (owner, rtype) = (line.name(name)?, line.rtype(r#type)?);
                for rdata in line.records(rtype, records)? {
                    edits.push(Edit::DeleteRecord { owner: owner.clone(), rtype, rdata });
                }
            }
            Do::DeleteRrset { name, r#type } => {
                let (owner, rtype) = (line.name(name)?, line.rtype(r#type)?);
                edits.push(Edit::DeleteRrset { owner, rtype });
            }
            Do::DeleteName { name } => edits.push(Edit::DeleteName { owner: line.name(name)? }),
        }
        Ok(())
    }
}
