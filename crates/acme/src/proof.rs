//! The records that prove names: added for an order, and taken away after it.

use std::sync::Arc;

use account::Actor;
use engine::{Lease, Operation, Outcome, Request};
use gateway::{Client, SubmitError};
use wire::{Name, NameError, Rdata, Rtype};
use zone::{Change, Edit, View, Zone};

/// Records of one order. Should nobody take them away, their leases end.
pub(crate) struct Proofs<'a> {
    client: &'a Client,
    added: Vec<Record>,
}

struct Record {
    zone: Name,
    owner: Name,
    rdata: Rdata,
}

/// Why a name cannot be proven from here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProofError {
    #[error("`{0}` is not a name: {1}")]
    Name(String, NameError),
    #[error("`{0}` lies in no zone that is served here")]
    NotServed(String),
    #[error("no TXT record can be at `{0}`; a CNAME may be there")]
    Hidden(String),
    #[error("the record at `{0}` was refused: {1}")]
    Refused(String, String),
    #[error("the store cannot write now")]
    Unavailable,
    #[error(transparent)]
    Submit(#[from] SubmitError),
}

impl<'a> Proofs<'a> {
    pub(crate) fn new(client: &'a Client) -> Proofs<'a> {
        Proofs { client, added: Vec::new() }
    }

    /// Adds the record that proves a name, beside others that may be there (RFC 8555 §8.4).
    pub(crate) async fn add(&mut self, name: &str, value: &str) -> Result<(), ProofError> {
        let (zone, owner) = place(self.client, name)?;
        let shown = || owner.to_string();
        let rdata = Rdata::txt(&[value.as_bytes()])
            .map_err(|why| ProofError::Refused(shown(), why.to_string()))?;
        let edit = Edit::Add {
            owner: owner.clone(),
            rtype: Rtype::TXT,
            ttl_s: TTL_S,
            rdata: rdata.clone(),
        };
        let apex = zone.apex().clone();
        // From here on it may be there.
        self.added.push(Record { zone: apex.clone(), owner: owner.clone(), rdata: rdata.clone() });
        let lease = Lease { lease_s: LEASE_S, key_lease_s: None };
        match submit(self.client, Change::new(apex, vec![edit]), Some(lease)).await? {
            Outcome::Done { .. } | Outcome::Unchanged => {}
            Outcome::Refused(why) => return Err(ProofError::Refused(shown(), why.to_string())),
            Outcome::Unavailable => return Err(ProofError::Unavailable),
        }
        // RFC 2136 §3.4.2.2: beside a CNAME nothing is added, and that is no error.
        let there = zone.rrset(&owner, Rtype::TXT).is_some_and(|set| set.rdata.contains(&rdata));
        if there { Ok(()) } else { Err(ProofError::Hidden(shown())) }
    }

    /// Takes all away.
    pub(crate) async fn withdraw(self) {
        for Record { zone, owner, rdata } in self.added {
            let shown = owner.to_string();
            let edit = Edit::DeleteRecord { owner, rtype: Rtype::TXT, rdata };
            let done = submit(self.client, Change::new(zone, vec![edit]), None).await;
            if !matches!(done, Ok(Outcome::Done { .. } | Outcome::Unchanged)) {
                tracing::warn!(
                    name = shown,
                    "the record of a proof could not be taken away; its lease ends soon"
                );
            }
        }
    }
}

/// The zone and the name of the record that proves a name, or a wildcard of it.
pub(crate) fn place(client: &Client, name: &str) -> Result<(Arc<Zone>, Name), ProofError> {
    let bare = name.strip_prefix("*.").unwrap_or(name);
    let refuse = |why| ProofError::Name(name.to_owned(), why);
    let owner = Name::parse(bare).and_then(|name| name.child(LABEL)).map_err(refuse)?;
    let zones = client.live().zones().all();
    let holds = zones.into_iter().filter(|zone| owner.is_subdomain_of(zone.apex()));
    let closest = holds.max_by_key(|zone| zone.apex().label_count());
    let zone = closest.ok_or_else(|| ProofError::NotServed(name.to_owned()))?;
    Ok((zone, owner))
}

async fn submit(
    client: &Client,
    change: Change,
    lease: Option<Lease>,
) -> Result<Outcome, ProofError> {
    let operation = Operation::Change { change, lease };
    let outcome = client.submit(Request { actor: Actor::System, origin: None, operation })?;
    outcome.await.map_err(|_| SubmitError::Unconfirmed.into())
}

/// RFC 8555 §8.4.
const LABEL: &[u8] = b"_acme-challenge";
/// Short: the next order has other records.
const TTL_S: u32 = 1;
/// Longer than any order may take.
pub(crate) const LEASE_S: u32 = 1200;
