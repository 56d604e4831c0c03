//! Google Domains: dyndns2 with one word of its own, as documented at support.google.com (answer
//! 6147083) until 2023.
//!
//! | documented | here |
//! |---|---|
//! | `/nic/update`, GET or POST, HTTPS, Basic with credentials of the record | the same; HTTP too |
//! | `hostname`; `myip`, absent: the source address | the same; lists as well |
//! | `offline=yes` | the addresses are deleted |
//! | `good IP`, `nochg IP`, `nohost`, `badauth`, `notfqdn`, `badagent`, `abuse`, `911` | the same |
//! | `conflict A`, `conflict AAAA`: a record that somebody else keeps is in the way | never: our hosts have both families, each on its own |
//!
//! What has no word there is told by the nearest: clients wait 5 minutes after `911`.

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
    answer::render_as(request, outcomes, text)
}

fn text(outcome: &Outcome) -> String {
    let word = match outcome.code {
        Code::Good | Code::Nochg => return answer::text(outcome),
        Code::Dnserr | Code::Unavailable => "911",
        Code::Numhost | Code::Notfqdn => "notfqdn",
        Code::Abuse | Code::Donator => "abuse",
        Code::Badauth => "badauth",
        Code::Nohost => "nohost",
        Code::Badagent => "badagent",
    };
    word.to_owned()
}
