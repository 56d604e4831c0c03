//! 3322.org, now pubyun.com: dyndns2 at a path of its own.
//!
//! `GET /dyndns/update?system=dyndns&hostname=<h>&myip=<a>` with Basic, from the command references
//! of H3C and HPE Comware routers (HPE 5200-4545, "url"), where it is the first template, and from
//! FreshTomato's source; its answers are those of dyndns2 there.

use crate::dyndns2::{answer, parse};
use crate::profile::{Path, Spoken};

/// How it is spoken.
pub(crate) const SPOKEN: Spoken = Spoken {
    paths: &[Path::Loose("/dyndns/update")],
    is_meant: |_| true,
    credentials: parse::credentials,
    parse: parse::parse,
    render: answer::render,
    is_family: false,
};
