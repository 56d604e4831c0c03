//! The languages that are spoken here: a table of profiles, and which one a request is in.
//!
//! A profile is one file with both ends and a [`Spoken`] that says where it is met. To add one:
//! write the file below `profile/`, with its tables as tests, and add a row here. Which path and
//! which parameters it is told by is all that is looked at, as this happens before anybody is
//! authenticated.
//!
//! The members of the dyndns2 family share `/nic/update`, and nothing in a request tells them apart
//! for certain. Their differences decide what is deleted. So such a request is read in the careful
//! way of [`Profile::Dyndns2`], unless the host itself was set to another member, or something in it
//! that only one member knows asks for that one.

pub mod acme_dns;
mod changeip;
mod desec;
mod duckdns;
mod dyn_inc;
mod dyns;
mod dynv6;
mod easydns;
mod freedns;
mod freedns2;
mod google;
mod he;
mod hp;
mod httpreq;
mod ipv64;
mod noip;
mod nsupdate;
mod pubyun;
mod zoneedit;

use crate::ask::{Ask, Refusal};
use crate::http::{Credentials, Request, Response};
use crate::{Outcome, dyndns2};

/// Makes the enum out of its table: variant, number, name, and where its [`Spoken`] is.
macro_rules! profiles {
    ($($(#[doc = $doc:literal])* $variant:ident = $number:literal, $name:literal, $spoken:path;)+) => {
        /// A language for updates, as one provider speaks it. The numbers are kept on disk: they
        /// never change, and none is used again.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum Profile {
            $($(#[doc = $doc])* $variant = $number,)+
        }

        impl Profile {
            /// Every profile, in the order in which a request is tried against them.
            pub const ALL: &[Profile] = &[$(Profile::$variant,)+];

            /// The profile with this number.
            pub const fn from_number(number: u16) -> Option<Profile> {
                match number {
                    $($number => Some(Profile::$variant),)+
                    _ => None,
                }
            }

            /// Its name, for options and logs.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Profile::$variant => $name,)+
                }
            }

            const fn spoken(self) -> &'static Spoken {
                match self {
                    $(Profile::$variant => &$spoken,)+
                }
            }
        }
    };
}

profiles! {
    /// acme-dns: TXT for ACME, by JSON.
    AcmeDns = 20, "acme-dns", acme_dns::SPOKEN;
    /// lego's `httpreq`: TXT for ACME, by JSON.
    Httpreq = 21, "httpreq", httpreq::SPOKEN;
    /// DuckDNS: labels, `OK` or `KO`.
    DuckDns = 22, "duckdns", duckdns::SPOKEN;
    /// dynv6, with prefixes.
    Dynv6 = 23, "dynv6", dynv6::SPOKEN;
    /// FreeDNS of afraid.org, version 1.
    FreeDns = 24, "freedns", freedns::SPOKEN;
    /// FreeDNS of afraid.org, version 2.
    FreeDns2 = 25, "freedns2", freedns2::SPOKEN;
    /// ZoneEdit.
    ZoneEdit = 26, "zoneedit", zoneedit::SPOKEN;
    /// easyDNS.
    EasyDns = 27, "easydns", easydns::SPOKEN;
    /// DyNS.
    Dyns = 28, "dyns", dyns::SPOKEN;
    /// 3322.org, now pubyun.com.
    Pubyun = 29, "pubyun", pubyun::SPOKEN;
    /// HP's groups, of Comware routers.
    Hp = 30, "hp", hp::SPOKEN;
    /// ipv64.net.
    Ipv64 = 31, "ipv64", ipv64::SPOKEN;
    /// ChangeIP, with numbers for answers.
    ChangeIp = 32, "changeip", changeip::SPOKEN;
    /// Hurricane Electric: dyndns2, and TXT.
    He = 7, "he", he::SPOKEN;
    /// No-IP: groups, and keys for groups.
    NoIp = 3, "noip", noip::SPOKEN;
    /// Ours of the dyndns2 family: nothing is deleted but by an explicit word.
    Dyndns2 = 1, "dyndns2", dyndns2::SPOKEN;
    /// Dyn: dyndns2 as its inventor documents it.
    Dyn = 2, "dyn", dyn_inc::SPOKEN;
    /// Google Domains, which is gone while devices still speak it.
    Google = 4, "google", google::SPOKEN;
    /// deSEC: what is not mentioned, or empty, is deleted.
    Desec = 5, "desec", desec::SPOKEN;
    /// nsupdate.info: the address of a network deletes, and there is a path for deleting.
    Nsupdate = 6, "nsupdate", nsupdate::SPOKEN;
}

/// How a profile is spoken: where it is met, and its ends.
pub(crate) struct Spoken {
    /// Where it is met; may be empty for a member of the dyndns2 family, which a host chooses.
    pub(crate) paths: &'static [Path],
    /// Whether a request at one of its paths is one of it: by method and parameters, and at most
    /// whether there are credentials, as nobody has been authenticated yet.
    pub(crate) is_meant: fn(&Request) -> bool,
    /// Who asks.
    pub(crate) credentials: fn(&Request) -> Option<Credentials>,
    /// What is asked.
    pub(crate) parse: fn(&Request) -> Result<Ask, Refusal>,
    /// What is answered.
    pub(crate) render: fn(&Request, &[Outcome]) -> Response,
    /// Whether it is a member of the dyndns2 family: what a host may be set to.
    pub(crate) is_family: bool,
}

/// A path that a profile is met at, with single slashes and none at the end. Case does not matter.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Path {
    /// This one, with anything in front of it: devices and their owners put all sorts of things
    /// there. To be used only for what nothing else can end in.
    Loose(&'static str),
    /// Exactly this one.
    Exact(&'static str),
    /// Whatever lies below this one, such as a token.
    Below(&'static str),
}

impl Path {
    /// Whether a tidy path is this one.
    fn matches(self, path: &str) -> bool {
        match self {
            Path::Loose(known) | Path::Exact(known) => path.eq_ignore_ascii_case(known),
            Path::Below(top) => below(path, top).is_some(),
        }
    }
}

impl Profile {
    /// The profile that a request is in, by its path, method and parameters; `None`: it is no
    /// update. The members of the dyndns2 family are all [`Profile::Dyndns2`].
    pub fn detect(request: &Request) -> Option<Profile> {
        Profile::ALL.iter().copied().find(|profile| {
            let spoken = profile.spoken();
            spoken.paths.iter().any(|path| path.matches(&request.path))
                && (spoken.is_meant)(request)
        })
    }

    /// Its number, never 0.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The profile with this name, in any case.
    pub fn from_name(name: &str) -> Option<Profile> {
        Profile::ALL.iter().copied().find(|profile| profile.name().eq_ignore_ascii_case(name))
    }

    /// Whether a host may be set to it: it is a member of the dyndns2 family, and decides what a
    /// request means that is detected as [`Profile::Dyndns2`].
    pub fn is_choice(self) -> bool {
        self.spoken().is_family
    }

    /// Who asks, by what the profile takes as credentials.
    pub fn credentials(self, request: &Request) -> Option<Credentials> {
        (self.spoken().credentials)(request)
    }

    /// Reads what a request wants.
    ///
    /// # Errors
    /// A [`Refusal`] when no part of the request can be done.
    pub fn parse(self, request: &Request) -> Result<Ask, Refusal> {
        (self.spoken().parse)(request)
    }

    /// The answer, as this provider gives it: one outcome for each host in order, or one for the
    /// whole request.
    pub fn render(self, request: &Request, outcomes: &[Outcome]) -> Response {
        (self.spoken().render)(request, outcomes)
    }
}

/// The path of dyndns2 that nearly everybody uses.
pub(crate) const UPDATE: &str = "/nic/update";

/// What follows `top/` in a path.
fn below<'a>(path: &'a str, top: &str) -> Option<&'a str> {
    let (front, rest) = path.split_at_checked(top.len())?;
    if front.eq_ignore_ascii_case(top) { rest.strip_prefix('/') } else { None }
}

/// The known path that a path in lower case ends in, if it may have anything in front of it.
pub(crate) fn loose_path(lower: &[u8]) -> Option<&'static str> {
    let paths = Profile::ALL.iter().flat_map(|profile| profile.spoken().paths);
    let mut loose = paths.filter_map(|path| match path {
        Path::Loose(known) => Some(*known),
        Path::Exact(_) | Path::Below(_) => None,
    });
    loose.find(|known| lower.ends_with(known.as_bytes()))
}

#[cfg(test)]
pub(crate) mod check;
#[cfg(test)]
mod tests;
