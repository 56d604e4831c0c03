//! All sources of a configuration, asked.

use std::fmt;

use crate::address::{Allowed, Family, PerFamily};
use crate::config::{Source, Sources};
use crate::echo;
use crate::http::{Http, HttpSettings};
use crate::netlink;
use crate::observe::{self, Observation, Observed};

/// The sources, ready to be asked.
#[derive(Debug)]
pub struct Asker {
    sources: Sources,
    /// A client for each family: an echo sees the family that it is asked over.
    http: PerFamily<Http>,
}

/// What one source says of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The family.
    pub family: Family,
    /// Who was asked.
    pub place: Place,
    /// What it said.
    pub observed: Observed,
}

/// Who was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The echo of this URL.
    Echo(String),
    /// The kernel, about this interface or that of the default route.
    Interface(Option<String>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Echo(url) => write!(f, "echo {url}"),
            Place::Interface(Some(name)) => write!(f, "interface {name}"),
            Place::Interface(None) => f.write_str("interface"),
        }
    }
}

impl Asker {
    /// Makes the sources of a configuration ready.
    pub fn new(sources: Sources, http: HttpSettings) -> Asker {
        Asker { sources, http: PerFamily::each(|family| Http::new(http, Some(family))) }
    }

    /// Asks in order of preference until one knows.
    pub fn observe(&self) -> Observation {
        PerFamily::each(|family| {
            let mut said = Vec::new();
            for place in self.places(family) {
                said.push(self.ask(family, &place));
                if matches!(said.last(), Some(Observed::Known(_))) {
                    break;
                }
            }
            observe::verdict(&said)
        })
    }

    /// Asks all of them, in order of preference.
    pub fn readings(&self) -> Vec<Reading> {
        let of = |family| {
            self.places(family).into_iter().map(move |place| {
                let observed = self.ask(family, &place);
                Reading { family, place, observed }
            })
        };
        Family::BOTH.into_iter().flat_map(of).collect()
    }

    fn places(&self, family: Family) -> Vec<Place> {
        let sources = match family {
            Family::V4 => &self.sources.ipv4,
            Family::V6 => &self.sources.ipv6,
        };
        let places = sources.iter().flat_map(|source| match source {
            Source::Echo => self.sources.echo.iter().cloned().map(Place::Echo).collect(),
            Source::Interface => vec![Place::Interface(self.sources.interface.clone())],
        });
        places.collect()
    }

    fn ask(&self, family: Family, place: &Place) -> Observed {
        let allowed = Allowed { private: self.sources.allow_private, loopback: false };
        match place {
            Place::Echo(url) => echo::ask(self.http.of(family), url, family, allowed),
            Place::Interface(name) => netlink::ask(name.as_deref(), family, allowed),
        }
    }
}

/// What the readings say together.
pub fn verdict(readings: &[Reading]) -> Observation {
    PerFamily::each(|family| {
        let own = readings.iter().filter(|reading| reading.family == family);
        observe::verdict(own.map(|reading| &reading.observed))
    })
}
