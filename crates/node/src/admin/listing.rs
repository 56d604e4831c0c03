//! Lists for the operator: as long as the state is large, so they are written row by row.

use std::io::{self, Write};
use std::sync::Arc;

use account::{AccountId, Host, TokenId};
use engine::Live;
use serde_json::Value;
use wire::Name;

use super::{AdminError, show, webhooks};
use crate::admin::execute::missing;

/// A list that follows an answer: one JSON value a line, and [`LIST_END_LINE`] after the last.
#[derive(Debug)]
pub struct Listing {
    live: Arc<Live>,
    rows: Rows,
}

/// What is listed; what comes in small pieces is named here, and looked up row by row.
#[derive(Debug)]
enum Rows {
    Zones(Vec<Name>),
    Hosts {
        under: Option<Name>,
    },
    Tokens(Vec<TokenId>),
    Accounts(Vec<AccountId>),
    Keys(Vec<Name>),
    /// Of a page that was read already.
    Values(Vec<Value>),
}

impl Listing {
    pub(super) fn zones(live: &Arc<Live>) -> Listing {
        let apexes = live.directory().zones().into_iter().map(|zone| zone.apex.clone()).collect();
        Listing { live: Arc::clone(live), rows: Rows::Zones(apexes) }
    }

    /// The hosts of all zones, or of one.
    pub(super) fn hosts(live: &Arc<Live>, zone: Option<Name>) -> Result<Listing, AdminError> {
        if let Some(apex) = &zone
            && live.directory().zone(apex).is_none()
        {
            return Err(missing("zone", apex));
        }
        Ok(Listing { live: Arc::clone(live), rows: Rows::Hosts { under: zone } })
    }

    pub(super) fn tokens(live: &Arc<Live>) -> Listing {
        let ids = live.directory().tokens().into_iter().map(|token| token.id).collect();
        Listing { live: Arc::clone(live), rows: Rows::Tokens(ids) }
    }

    pub(super) fn accounts(live: &Arc<Live>) -> Listing {
        let ids = live.directory().accounts().into_iter().map(|account| account.id).collect();
        Listing { live: Arc::clone(live), rows: Rows::Accounts(ids) }
    }

    pub(super) fn keys(live: &Arc<Live>) -> Listing {
        let names = live.directory().keys().into_iter().map(|key| key.name.clone()).collect();
        Listing { live: Arc::clone(live), rows: Rows::Keys(names) }
    }

    pub(super) fn webhooks(live: &Arc<Live>) -> Listing {
        let values = live.directory().webhooks().map(webhooks::shown).collect();
        Listing::values(live, values)
    }

    pub(super) fn values(live: &Arc<Live>, values: Vec<Value>) -> Listing {
        Listing { live: Arc::clone(live), rows: Rows::Values(values) }
    }

    /// Writes the rows. What is removed meanwhile is left out.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let live = &self.live;
        match &self.rows {
            Rows::Zones(apexes) => {
                for apex in apexes {
                    let found = live.zones().get(apex).map(|zone| show::zone_row(live, &zone));
                    found.iter().try_for_each(|value| row(out, value))?;
                }
            }
            Rows::Hosts { under } => self.hosts_of(under.as_ref(), out)?,
            Rows::Tokens(ids) => {
                for id in ids {
                    let found = {
                        let directory = live.directory();
                        directory.token(*id).map(|token| show::token(&directory, token))
                    };
                    found.iter().try_for_each(|value| row(out, value))?;
                }
            }
            Rows::Accounts(ids) => {
                for id in ids {
                    let found = live.directory().account(*id).map(show::account);
                    found.iter().try_for_each(|value| row(out, value))?;
                }
            }
            Rows::Values(values) => values.iter().try_for_each(|value| row(out, value))?,
            Rows::Keys(names) => {
                for name in names {
                    let found = live.directory().key(name).map(show::key);
                    found.iter().try_for_each(|value| row(out, value))?;
                }
            }
        }
        writeln!(out, "{LIST_END_LINE}")
    }

    fn hosts_of(&self, zone: Option<&Name>, out: &mut dyn Write) -> io::Result<()> {
        let mut after = None;
        loop {
            // The directory is held for a page only: writers wait for it.
            let page: Vec<Host> = {
                let directory = self.live.directory();
                directory.hosts(zone, after.as_ref()).take(PAGE_HOSTS).cloned().collect()
            };
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.name.clone());
            // A zone below this one has hosts of its own.
            for host in page.iter().filter(|host| zone.is_none_or(|apex| host.zone == *apex)) {
                row(out, &show::host_row(&self.live, host))?;
            }
        }
    }
}

fn row(out: &mut dyn Write, value: &Value) -> io::Result<()> {
    writeln!(out, "{value}")
}

/// The last line of a list, so that one that was cut off is known.
pub const LIST_END_LINE: &str = "\"end of list\"";
/// Hosts that are looked up at once.
const PAGE_HOSTS: usize = 1000;
