//! What a request wants, whatever its language: the one thing that all profiles parse into.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::http::Request;
use crate::{Code, Hint};

/// Hosts in one request; with more the whole request is refused with [`Code::Numhost`].
pub const HOSTS_MAX: usize = 20;

/// What a request wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// To change something, or to be told.
    pub verb: Verb,
    /// Of which hosts.
    pub hosts: Hosts,
    /// Whether it is done for all of them or for none, and all of them lie in one zone.
    pub together: bool,
    /// What to do with A.
    pub ipv4: Wanted<Ipv4Addr>,
    /// What to do with AAAA.
    pub ipv6: Wanted<Ipv6Addr>,
    /// What single hosts of the request get instead (deSEC).
    pub own: Vec<Own>,
    /// The prefix of the network that the hosts lie in, which renumbers what is behind it; `None`
    /// when the request says nothing about one.
    pub prefix: Option<Wanted<Prefix>>,
    /// What to do with TXT; at most [`TXT_MAX`].
    pub txt: Vec<TxtEdit>,
    /// What was odd about the meaning; the oddities of the HTTP request are in
    /// [`crate::http::Request::hints`].
    pub hints: Vec<Hint>,
}

/// TXT edits in one request.
pub const TXT_MAX: usize = 4;

impl Ask {
    /// Reads a request by a function that notes what was odd.
    pub(crate) fn read(
        request: &Request,
        read: fn(&Request, &mut Vec<Hint>) -> Result<Ask, Code>,
    ) -> Result<Ask, Refusal> {
        let mut hints = Vec::new();
        match read(request, &mut hints) {
            Ok(ask) => Ok(Ask { hints, ..ask }),
            Err(code) => Err(Refusal { code, hints }),
        }
    }

    /// An update of these hosts that leaves everything as it is.
    pub fn of(hosts: Hosts) -> Ask {
        Ask {
            verb: Verb::Update,
            hosts,
            together: false,
            ipv4: Wanted::Preserve,
            ipv6: Wanted::Preserve,
            own: Vec::new(),
            prefix: None,
            txt: Vec::new(),
            hints: Vec::new(),
        }
    }
}

/// Whether something is to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// The rest of the request is carried out.
    Update,
    /// The hosts are told with what they have, as [`Code::Nochg`]; nothing else is looked at.
    List,
}

/// Which hosts are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// These: full names as sent, in order, without a final dot; 1 to [`HOSTS_MAX`]. One that
    /// [`crate::is_fqdn`] does not take gets [`Code::Notfqdn`] while the others go on.
    Named(Vec<String>),
    /// These: full names, or first labels of hosts of the token; 1 to [`HOSTS_MAX`].
    Labels(Vec<String>),
    /// All hosts of the token, by one word of the request: a group, the user of a key.
    Group,
    /// The token's only host; [`Code::Notfqdn`] if it has several.
    Only,
}

/// What a request wants of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted<A> {
    /// Leave what is there.
    Preserve,
    /// Publish the source address of the connection when it is of this family, else preserve.
    Source,
    /// The same, but delete what is there when the source is of the other family. Only where a host
    /// has chosen a language that says so; never of a source that is unknown.
    SourceElseDelete,
    /// Publish exactly these, at least one, without duplicates.
    Addresses(Vec<A>),
    /// Put the first so many bits of this address in place of those of each that is there.
    Renumber(A, u8),
    /// Delete what is there. Comes of an explicit word of the language only.
    Delete,
    /// Delete what is there when the source is of this family, else preserve.
    DeleteIfSource,
}

/// What one host of a request gets, instead of what the request wants of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// The host: a full name, lower-cased, without a final dot.
    pub host: String,
    /// What to do with A; `None`: as all.
    pub ipv4: Option<Wanted<Ipv4Addr>>,
    /// What to do with AAAA; `None`: as all.
    pub ipv6: Option<Wanted<Ipv6Addr>>,
}

/// A network of IPv6 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// Its first address: no bit after the length is set.
    pub address: Ipv6Addr,
    /// How many bits all its addresses share, 1 to 128.
    pub length: u8,
}

/// What a request wants of the TXT records of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxtEdit {
    /// Labels in front of the host's name, such as `_acme-challenge`; empty: the host itself.
    pub below: &'static str,
    /// What to do.
    pub action: TxtAction,
}

/// One change of a set of TXT values. A value is text of 1 to [`TXT_OCTETS_MAX`] octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TxtAction {
    /// This value in place of all others.
    Replace(String),
    /// This one beside others; of more than `keep` the oldest go.
    Add {
        /// The value.
        value: String,
        /// How many values there are at most afterwards.
        keep: usize,
    },
    /// Without this value.
    Remove(String),
    /// Without any value.
    Clear,
}

/// Where ACME looks for challenges (RFC 8555 §8.4).
pub(crate) const ACME_CHALLENGE: &str = "_acme-challenge";

/// Octets of a TXT value: what every language that has them takes, in at most four strings.
pub const TXT_OCTETS_MAX: usize = 1020;

/// A request that is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The one answer.
    pub code: Code,
    /// Why, for the owner.
    pub hints: Vec<Hint>,
}
