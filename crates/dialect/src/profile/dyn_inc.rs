//! Dyn: dyndns2 as documented at help.dyn.com ("Perform Update", "Return Codes").
//!
//! | documented | here |
//! |---|---|
//! | `/v3/update`, `/nic/update`; Basic with password or updater client key | the same; any token |
//! | `hostname`: up to 20, each with a line in the order of the request | the same |
//! | `myip`: addresses of both families with commas; absent: the source address | the same |
//! | `offline=YES`: the host goes offline | its addresses are deleted |
//! | `wildcard`, `mx`, `backmx` (and `system` of old): of no effect any more | ignored |
//! | codes about the account or the system are given once | the same |
//!
//! Which status goes with which code is not documented; ours are those of [`dyndns2`]. A request
//! without a user agent is taken, although Dyn asks for one.

use crate::dyndns2::{answer, parse};
use crate::http::{Request, Response};
use crate::profile::Spoken;
use crate::{Code, Outcome};

/// How it is spoken.
pub(crate) const SPOKEN: Spoken = Spoken {
    paths: &[],
    is_meant: |_| false,
    credentials: parse::credentials,
    parse: parse::parse,
    render,
    is_family: true,
};

fn render(request: &Request, outcomes: &[Outcome]) -> Response {
    match outcomes {
        [first, rest @ ..]
            if is_of_all(first.code) && rest.iter().all(|o| o.code == first.code) =>
        {
            answer::render(request, std::slice::from_ref(first))
        }
        _ => answer::render(request, outcomes),
    }
}

/// Whether a code says something about the account or the system, not about a host.
fn is_of_all(code: Code) -> bool {
    match code {
        Code::Badauth | Code::Badagent | Code::Donator | Code::Numhost => true,
        Code::Dnserr | Code::Unavailable => true,
        Code::Good | Code::Nochg | Code::Notfqdn | Code::Nohost | Code::Abuse => false,
    }
}
