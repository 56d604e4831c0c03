//! What a token asks for, as far as it may.

use std::borrow::Cow;
use std::collections::HashSet;
use std::net::IpAddr;

use account::address::{self, Verdict};
use account::policy::{self, Denied, Owner, TokenEdit};
use account::{Host, TokenActor, ZoneEntry};
use wire::{Name, Rdata};
use zone::{Change, Edit, Prerequisite, Zone};

use super::{Judge, actions, address_of, addresses, deletable};

impl Judge<'_> {
    /// The change without what a token need not be told that it may not.
    pub(super) fn authorize_token<'c>(
        &self,
        token: &TokenActor,
        zone: &Zone,
        change: &'c Change,
    ) -> Result<Cow<'c, Change>, Denied> {
        let directory = self.live.directory();
        policy::usable_token(&directory, token, self.at)?;
        let asked = change.prerequisites.iter().map(Prerequisite::name);
        asked
            .into_iter()
            .try_for_each(|name| policy::authorize_name(&directory, token, name, self.at))?;
        let mut dummies = HashSet::new();
        for edit in &change.edits {
            let published = addresses(edit);
            let rtype = edit.rtype();
            let all;
            let types = match &rtype {
                Some(rtype) => std::slice::from_ref(rtype),
                None => {
                    all = deletable(&self.overlay.over(zone), zone.apex(), edit.owner());
                    &all
                }
            };
            let may = TokenEdit {
                owner: edit.owner(),
                types,
                actions: actions(edit),
                addresses: &published,
            };
            let owner = policy::authorize_edit(&directory, token, may, self.at)?;
            if owner.zone.apex != change.zone {
                return Err(Denied::NotCovered);
            }
            check_ttl(edit, owner.zone)?;
            self.sort_out(&owner, edit.owner(), published, &mut dummies)?;
        }
        if dummies.is_empty() {
            return Ok(Cow::Borrowed(change));
        }
        // Doors sort out dummies as well, but only here is it known what the host published last.
        let edits = change.edits.iter().filter_map(|edit| without(edit, &dummies)).collect();
        Ok(Cow::Owned(Change { edits, ..change.clone() }))
    }

    /// Whether addresses may be published at a name; dummies are noted.
    fn sort_out<'e>(
        &self,
        owner: &Owner<'_>,
        name: &'e Name,
        published: Vec<IpAddr>,
        dummies: &mut HashSet<(&'e Name, IpAddr)>,
    ) -> Result<(), Denied> {
        if published.is_empty() {
            return Ok(());
        }
        let stand_in;
        let host = match owner.host {
            Some(host) => self.overlay.host(&host.name).unwrap_or(host),
            None => {
                // A name of the zone itself has no history and no opt-in.
                let apex = owner.zone.apex.clone();
                stand_in = Host::new(name.clone(), apex, owner.account, owner.since);
                &stand_in
            }
        };
        for address in published {
            match address::verdict(address, host, owner.zone, self.at) {
                Verdict::Publish => {}
                Verdict::Dummy => {
                    dummies.insert((name, address));
                }
                Verdict::Refuse(why) => return Err(why.into()),
            }
        }
        Ok(())
    }
}

/// What lives shorter than its zone wants costs resolvers and us too much.
fn check_ttl(edit: &Edit, zone: &ZoneEntry) -> Result<(), Denied> {
    let ttl_s = match edit {
        Edit::Add { ttl_s, .. } => *ttl_s,
        Edit::Replace { rrset, .. } => rrset.ttl_s,
        Edit::DeleteRrset { .. } | Edit::DeleteName { .. } | Edit::DeleteRecord { .. } => {
            return Ok(());
        }
    };
    if ttl_s < zone.ttl_min_s { Err(Denied::Ttl(zone.ttl_min_s)) } else { Ok(()) }
}

/// An edit without the addresses that are not to be published; `None` when nothing is left.
fn without(edit: &Edit, dummies: &HashSet<(&Name, IpAddr)>) -> Option<Edit> {
    let is_dummy = |rtype, rdata: &Rdata| {
        address_of(rtype, rdata).is_some_and(|address| dummies.contains(&(edit.owner(), address)))
    };
    match edit {
        Edit::Add { rtype, rdata, .. } => (!is_dummy(*rtype, rdata)).then(|| edit.clone()),
        Edit::Replace { owner, rtype, rrset } => {
            let mut rrset = rrset.clone();
            rrset.rdata.retain(|rdata| !is_dummy(*rtype, rdata));
            let (owner, rtype) = (owner.clone(), *rtype);
            (!rrset.rdata.is_empty()).then_some(Edit::Replace { owner, rtype, rrset })
        }
        Edit::DeleteRrset { .. } | Edit::DeleteName { .. } | Edit::DeleteRecord { .. } => {
            Some(edit.clone())
        }
    }
}
