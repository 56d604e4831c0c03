//! HP's own, of Comware routers: one group instead of names.
//!
//! `GET /nic/update?group=<group>&myip=<a>` with Basic, from the command reference of HPE Comware
//! routers (HPE 5200-4545, "url"). It says nothing of answers; they are those of dyndns2. The name of
//! the group does not matter here: the hosts of the token are the group.

use crate::address::Mention;
use crate::ask::{Ask, Hosts, Refusal};
use crate::dyndns2::{answer, parse};
use crate::http::Request;
use crate::profile::{Path, Spoken};

/// How it is spoken.
pub(crate) const SPOKEN: Spoken = Spoken {
    paths: &[Path::Loose("/nic/update")],
    is_meant: |request| request.parameter(&["group"]).is_some() && !request.has(&["hostname"]),
    credentials: parse::credentials,
    parse,
    render: answer::render,
    is_family: false,
};

fn parse(request: &Request) -> Result<Ask, Refusal> {
    let mut hints = Vec::new();
    match Mention::parse(&request.values(&["myip"]), &[], &[], &mut hints) {
        Ok(mention) => {
            Ok(Ask { ipv4: mention.ipv4(), ipv6: mention.ipv6(), hints, ..Ask::of(Hosts::Group) })
        }
        Err(code) => Err(Refusal { code, hints }),
    }
}

#[cfg(test)]
mod tests;
