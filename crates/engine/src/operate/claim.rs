//! Which names may become hosts.

use account::policy::Standing;
use account::{AccountId, Directory, Timestamp, ZoneEntry, is_reserved};
use wire::{Name, Rtype};
use zone::{View, Zone};

use crate::judge::{HIDDEN, is_hidden};
use crate::request::Refused;

/// A name that somebody wants as a host.
pub(crate) struct Claim<'a> {
    pub(crate) name: &'a Name,
    pub(crate) account: AccountId,
    pub(crate) entry: &'a ZoneEntry,
    pub(crate) zone: &'a Zone,
    pub(crate) at: Timestamp,
}

impl Claim<'_> {
    /// Judges the name; whether the host exists already and the account may have more is judged
    /// elsewhere.
    pub(crate) fn check(&self, directory: &Directory, standing: Standing) -> Result<(), Refused> {
        if self.entry.account != self.account && !self.entry.suffix {
            return Err(Refused::Invalid("the zone belongs to another account"));
        }
        self.check_answered()?;
        self.check_released(directory)?;
        if self.entry.account == self.account {
            return Ok(());
        }
        self.check_label()?;
        if standing != Standing::Operator && is_reserved(self.name, self.entry) {
            return Err(Refused::Invalid("the name is reserved: only the operator gives it away"));
        }
        // A stranger gets neither the name server's name nor any other that is in use.
        if !self.zone.types(self.name).is_empty() {
            return Err(Refused::Exists("a record at this name"));
        }
        self.check_neighbours(directory)
    }

    /// What belonged to another account lately may still be trusted as its own by others.
    fn check_released(&self, directory: &Directory) -> Result<(), Refused> {
        let mut kept = directory.released_around(self.name);
        if kept.any(|kept| kept.account != self.account && kept.until > self.at) {
            return Err(Refused::Invalid(
                "the name was given up lately, and is kept from others for a while",
            ));
        }
        Ok(())
    }

    /// An address at this name must be what queries are answered with.
    fn check_answered(&self) -> Result<(), Refused> {
        if self.zone.rrset(self.name, Rtype::CNAME).is_some() {
            return Err(Refused::Invalid("the name is an alias (CNAME)"));
        }
        if is_hidden(self.zone, &self.entry.apex, self.name) {
            return Err(Refused::Invalid(HIDDEN));
        }
        Ok(())
    }

    /// Strangers get host names only: no apex, no wildcard, nothing like `_acme-challenge`.
    fn check_label(&self) -> Result<(), Refused> {
        let is_host_label = |label: &[u8]| {
            let inner = |octet: &u8| octet.is_ascii_alphanumeric() || *octet == b'-';
            label.iter().all(inner) && !label.starts_with(b"-") && !label.ends_with(b"-")
        };
        let below_apex = self.name.label_count().saturating_sub(self.entry.apex.label_count());
        if below_apex > 0 && self.name.labels().take(below_apex).all(is_host_label) {
            return Ok(());
        }
        Err(Refused::Invalid(
            "under a suffix a host's name has labels of letters, digits and inner hyphens",
        ))
    }

    /// Names below a host are its owner's.
    fn check_neighbours(&self, directory: &Directory) -> Result<(), Refused> {
        let is_other = |account: AccountId| account != self.account;
        let above = self.up_to_apex().filter_map(|name| directory.host(&name));
        let mut hosts = above.chain(directory.hosts(Some(self.name), None));
        if hosts.any(|host| is_other(host.account)) {
            return Err(Refused::Invalid("the name lies above or below another account's host"));
        }
        Ok(())
    }

    /// The name and those above it, without the apex.
    fn up_to_apex(&self) -> impl Iterator<Item = Name> {
        let apex = &self.entry.apex;
        std::iter::successors(Some(self.name.clone()), Name::parent)
            .take_while(move |name| name != apex)
    }
}
