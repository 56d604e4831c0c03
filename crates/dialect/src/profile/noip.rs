//! No-IP: dyndns2 with groups and with keys for groups, as documented at noip.com/integrate
//! ("Request Method", "Response Codes") and for its keys.
//!
//! | documented | here |
//! |---|---|
//! | `/nic/update`; Basic with a DDNS key's user and password | the same; any token is such a key |
//! | `hostname`: hosts or groups, with commas | what is not a full name is a group: all hosts of the token |
//! | `hostname=all.ddnskey.com`: all hosts of the key | all hosts of the token, wherever it is asked |
//! | `myip`: IPv4, IPv6 or both with a comma; absent: the source address | the same |
//! | `offline=YES` | the addresses are deleted |
//! | `good IP,IP6`, `nochg IP,IP6`, `nohost`, `badauth`, `badagent`, `!donator`, `abuse`, `911` | the same |
//!
//! Some routers leave the host out altogether and mean all of them. A group is answered by one line,
//! which is the worst of its hosts'; how No-IP does this is not documented, and clients take one line
//! for all that they asked for.

use crate::ask::{Ask, Hosts, Refusal};
use crate::dyndns2::{answer, parse};
use crate::http::{Request, Response};
use crate::profile::{Path, Spoken, UPDATE};
use crate::{Code, Outcome, dyndns2, hosts};

/// How it is spoken.
pub(crate) const SPOKEN: Spoken = Spoken {
    paths: &[Path::Loose(UPDATE)],
    is_meant,
    credentials: parse::credentials,
    parse,
    render,
    is_family: true,
};

/// What asks for all hosts of a key.
fn is_meant(request: &Request) -> bool {
    request.parameter(&HOSTNAME).is_some_and(|name| name.eq_ignore_ascii_case(ALL))
}

fn parse(request: &Request) -> Result<Ask, Refusal> {
    let ask = parse::parse(request)?;
    let hosts = if is_group(request) { Hosts::Group } else { ask.hosts };
    Ok(Ask { hosts, ..ask })
}

/// Whether a request names no host, or anything that is a group.
fn is_group(request: &Request) -> bool {
    match dyndns2::hosts(request) {
        Hosts::Named(named) => {
            named.iter().any(|name| !hosts::is_fqdn(name) || name.eq_ignore_ascii_case(ALL))
        }
        Hosts::Labels(_) | Hosts::Group | Hosts::Only => true,
    }
}

fn render(request: &Request, outcomes: &[Outcome]) -> Response {
    let of_all = if is_group(request) { worst(outcomes) } else { None };
    match of_all {
        Some(outcome) => answer::render(request, std::slice::from_ref(outcome)),
        None => answer::render(request, outcomes),
    }
}

/// The first failure, else the first change, else the first.
fn worst(outcomes: &[Outcome]) -> Option<&Outcome> {
    let failed = outcomes.iter().find(|outcome| !outcome.code.is_success());
    let changed = outcomes.iter().find(|outcome| outcome.code == Code::Good);
    failed.or(changed).or(outcomes.first())
}

/// The host that stands for all of a key.
const ALL: &str = "all.ddnskey.com";
const HOSTNAME: [&str; 1] = ["hostname"];
