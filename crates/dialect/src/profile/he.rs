//! Hurricane Electric (dns.he.net): dyndns2 with the key in the form, and TXT.
//!
//! | seen | here |
//! |---|---|
//! | `/nic/update`, GET or POST; Basic `host:key`, or `hostname=` and `password=` | the same |
//! | `myip`: IPv4 or IPv6; absent: the source address | the same; lists as well |
//! | `txt=`: the one value of the TXT record at `hostname` | replaces all values there |
//! | `good IP`, `nochg IP`, `badauth`; a bare `good` for TXT | the same; a bare `nochg` for TXT |
//!
//! There is no document of theirs about it: this is what their clients rely on (acme.sh, lexicon,
//! OpenWrt). A request with `txt` changes no address, whatever else it says. A value is never empty:
//! that would delete without a word for it.

use crate::ask::{Ask, Refusal, TXT_OCTETS_MAX, TxtAction, TxtEdit, Wanted};
use crate::dyndns2::{answer, parse};
use crate::hint::note;
use crate::http::{Request, Response};
use crate::profile::{Path, Spoken, UPDATE};
use crate::{Code, Hint, Outcome};

/// How it is spoken.
pub(crate) const SPOKEN: Spoken = Spoken {
    paths: &[Path::Loose(UPDATE)],
    is_meant: |request| request.has(&TXT),
    credentials: parse::credentials,
    parse,
    render,
    is_family: true,
};

fn parse(request: &Request) -> Result<Ask, Refusal> {
    let ask = parse::parse(request)?;
    let Some(value) = request.values(&TXT).pop() else { return Ok(ask) };
    let mut hints = ask.hints;
    if !(1..=TXT_OCTETS_MAX).contains(&value.len()) {
        note(&mut hints, Hint::TextUnusable);
        return Err(Refusal { code: Code::Dnserr, hints });
    }
    let txt = vec![TxtEdit { below: "", action: TxtAction::Replace(value.to_owned()) }];
    let (ipv4, ipv6) = (Wanted::Preserve, Wanted::Preserve);
    Ok(Ask { ipv4, ipv6, prefix: None, txt, hints, ..ask })
}

fn render(request: &Request, outcomes: &[Outcome]) -> Response {
    let text = if request.has(&TXT) { bare } else { answer::text };
    answer::render_as(request, outcomes, text)
}

fn bare(outcome: &Outcome) -> String {
    outcome.code.word().to_owned()
}

const TXT: [&str; 1] = ["txt"];
