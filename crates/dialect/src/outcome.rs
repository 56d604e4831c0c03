//! What came of a request for one host, before it is put into words.

use std::net::IpAddr;

/// What came of a request for one host. Each profile puts it into its words, in one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The host as it was named, or its full name when it was not; empty when the outcome is that of
    /// the request as a whole.
    pub host: String,
    /// What came of it.
    pub code: Code,
    /// With [`Code::Good`] and [`Code::Nochg`]: what the request has published, or what stands.
    pub addresses: Vec<IpAddr>,
    /// With [`Code::Good`]: what stood before.
    pub before: Vec<IpAddr>,
    /// With [`Code::Good`] and [`Code::Nochg`]: what was deleted, or was to be and not there.
    pub deleted: Deleted,
}

impl Outcome {
    /// One without addresses.
    pub fn bare(host: impl Into<String>, code: Code) -> Outcome {
        Outcome {
            host: host.into(),
            code,
            addresses: Vec::new(),
            before: Vec::new(),
            deleted: Deleted::default(),
        }
    }

    /// One of the request as a whole.
    pub fn whole(code: Code) -> Outcome {
        Outcome::bare("", code)
    }
}

/// What a request has deleted of a host, by its own words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Its A.
    pub ipv4: bool,
    /// Its AAAA.
    pub ipv6: bool,
}

/// What came of it: named after the codes of dyndns2, which most languages can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// Done.
    Good,
    /// It was so already.
    Nochg,
    /// No or wrong credentials.
    Badauth,
    /// The host name is missing or not a domain name.
    Notfqdn,
    /// No such host, or not one of this token.
    Nohost,
    /// More than [`crate::HOSTS_MAX`] hosts.
    Numhost,
    /// Blocked for abuse.
    Abuse,
    /// It cannot be published; later it may.
    Dnserr,
    /// `911`: we cannot, for now.
    Unavailable,
    /// The program that asks is blocked.
    Badagent,
    /// `!donator`: not part of what the account may use.
    Donator,
}

impl Code {
    /// Every code.
    pub const ALL: [Code; 11] = [
        Code::Good,
        Code::Nochg,
        Code::Badauth,
        Code::Notfqdn,
        Code::Nohost,
        Code::Numhost,
        Code::Abuse,
        Code::Dnserr,
        Code::Unavailable,
        Code::Badagent,
        Code::Donator,
    ];

    /// Its word in dyndns2, also for logs and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Code::Good => "good",
            Code::Nochg => "nochg",
            Code::Badauth => "badauth",
            Code::Notfqdn => "notfqdn",
            Code::Nohost => "nohost",
            Code::Numhost => "numhost",
            Code::Abuse => "abuse",
            Code::Dnserr => "dnserr",
            Code::Unavailable => "911",
            Code::Badagent => "badagent",
            Code::Donator => "!donator",
        }
    }

    /// Whether the request was carried out for this host, or need not be.
    pub const fn is_success(self) -> bool {
        matches!(self, Code::Good | Code::Nochg)
    }
}
