//! What comes of an operation, as problems: one table.

use account::address::AddressRefusal;
use account::policy::{Denied, EXPOSED_CHANGE_MS};
use engine::{Outcome, Refused};
use gateway::SubmitError;
use wire::Serial;
use zone::Refusal;

use crate::problem::{Kind, Problem};

/// What an operation that went well came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    /// Number of what was made.
    pub(crate) made: Option<u64>,
    /// Serial of its zone, when records changed.
    pub(crate) serial: Option<Serial>,
    /// Whether anything changed.
    pub(crate) changed: bool,
}

/// The problem that an outcome is.
pub(crate) fn of(outcome: Result<Outcome, SubmitError>) -> Result<Done, Problem> {
    match outcome {
        Ok(Outcome::Done { made, serial, .. }) => Ok(Done { made, serial, changed: true }),
        Ok(Outcome::Unchanged) => Ok(Done::default()),
        Ok(Outcome::Refused(refused)) => Err(refusal(&refused)),
        Ok(Outcome::Unavailable) => {
            Err(unavailable("the store cannot write now; nothing was changed"))
        }
        Err(SubmitError::Busy) => {
            Err(unavailable("too many changes are waiting; nothing was done"))
        }
        Err(SubmitError::Stopping) => Err(unavailable("the service is stopping; nothing was done")),
        Err(SubmitError::Unconfirmed) => {
            let detail = "no confirmation came in time: it may have been done or not";
            let hint = "read it before you ask again; with the same `Idempotency-Key` nothing that \
                        was answered is done twice";
            Err(Problem::new(Kind::Unconfirmed, detail).hint(hint))
        }
    }
}

/// It cannot be done now.
pub(crate) fn unavailable(detail: impl Into<String>) -> Problem {
    Problem::new(Kind::Unavailable, detail).retry_after(RETRY_S)
}

/// The problem that a refusal is.
pub(crate) fn refusal(refused: &Refused) -> Problem {
    match refused {
        Refused::Denied(denied) => denial(denied),
        Refused::Change(why) => change(*why),
        // What a path names was looked up before: this is named in the body.
        Refused::Missing(_) | Refused::Invalid(_) => Problem::invalid(refused.to_string()),
        Refused::Exists(_) => Problem::new(Kind::Exists, refused.to_string()),
        Refused::Limit(_) => Problem::new(Kind::LimitReached, refused.to_string()),
    }
}

fn change(why: Refusal) -> Problem {
    match why {
        Refusal::NameExists
        | Refusal::RrsetExists
        | Refusal::RrsetMissing
        | Refusal::NameMissing => Problem::new(Kind::PreconditionFailed, why.to_string())
            .hint("read it again, then decide again"),
        Refusal::NoSuchZone => Problem::new(Kind::NotFound, why.to_string()),
        Refusal::OutsideZone | Refusal::Malformed(_) => Problem::invalid(why.to_string()),
    }
}

fn denial(denied: &Denied) -> Problem {
    let detail = denied.to_string();
    match denied {
        // Between the check of the token and the judging.
        Denied::Token(_) => {
            Problem::new(Kind::Unauthenticated, "the token is not accepted any more")
        }
        // As if there were no such name.
        Denied::NotCovered => Problem::new(Kind::NotFound, "no such name, or it is not yours"),
        Denied::Frozen => Problem::new(Kind::Refused, detail),
        Denied::ExposedTooSoon => {
            Problem::new(Kind::TooMany, detail).retry_after(EXPOSED_CHANGE_MS.div_ceil(1000))
        }
        Denied::Address(
            AddressRefusal::NotPublic(_) | AddressRefusal::Rebinding | AddressRefusal::Unusable(_),
        ) => Problem::new(Kind::Refused, detail),
        Denied::Ttl(_) => Problem::invalid(detail),
        Denied::Type
        | Denied::Action(_)
        | Denied::Value
        | Denied::KeyType
        | Denied::KeyAction(_)
        | Denied::OperatorOnly => Problem::new(Kind::Forbidden, detail),
    }
}

/// When to ask again that which cannot be done now, in seconds.
const RETRY_S: u64 = 5;
