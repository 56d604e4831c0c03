//! What comes of a change, as a code that each dialect puts into its words: one table.

use account::policy::Denied;
use account::{AuthError, address::AddressRefusal};
use dialect::Code;
use engine::{Outcome, Refused};

use crate::client::SubmitError;

/// The code for one host, and why when it is not a success.
///
/// Clients stop at `abuse`, `badauth` and `nohost` until somebody looks after them, and try again
/// later after `dnserr` and `911`. So the first three are said only of what will not pass by
/// itself.
pub(crate) fn code(outcome: Result<Outcome, SubmitError>) -> (Code, Option<String>) {
    let refused = match outcome {
        Ok(Outcome::Done { .. }) => return (Code::Good, None),
        Ok(Outcome::Unchanged) => return (Code::Nochg, None),
        Ok(Outcome::Unavailable) => {
            return (Code::Unavailable, Some("the store cannot write now".to_owned()));
        }
        Ok(Outcome::Refused(refused)) => refused,
        // The client must not take for done what may not be: it asks again.
        Err(why @ (SubmitError::Busy | SubmitError::Stopping | SubmitError::Unconfirmed)) => {
            return (Code::Unavailable, Some(why.to_string()));
        }
    };
    (refusal(&refused), Some(refused.to_string()))
}

/// The code of a refusal.
pub(crate) fn refusal(refused: &Refused) -> Code {
    match refused {
        Refused::Denied(denied) => denial(denied),
        Refused::Change(refusal) => match refusal {
            zone::Refusal::NoSuchZone => Code::Nohost,
            zone::Refusal::NameExists
            | zone::Refusal::RrsetExists
            | zone::Refusal::RrsetMissing
            | zone::Refusal::NameMissing
            | zone::Refusal::OutsideZone
            | zone::Refusal::Malformed(_) => Code::Dnserr,
        },
        Refused::Missing(_) => Code::Nohost,
        Refused::Exists(_) | Refused::Invalid(_) | Refused::Limit(_) => Code::Dnserr,
    }
}

fn denial(denied: &Denied) -> Code {
    match denied {
        // Between the check of the token and the judging it was revoked.
        Denied::Token(
            AuthError::Unknown
            | AuthError::Revoked
            | AuthError::Frozen
            | AuthError::Expired
            | AuthError::Unused
            | AuthError::Source,
        ) => Code::Badauth,
        Denied::NotCovered => Code::Nohost,
        Denied::Frozen => Code::Abuse,
        // Over in a minute: a client that stopped for good would not come back.
        Denied::ExposedTooSoon => Code::Unavailable,
        // Of this address only: the client's next one may be fine.
        Denied::Address(
            AddressRefusal::NotPublic(_) | AddressRefusal::Rebinding | AddressRefusal::Unusable(_),
        ) => Code::Dnserr,
        Denied::Action(_) | Denied::Value | Denied::Ttl(_) => Code::Dnserr,
        Denied::Type | Denied::KeyType | Denied::KeyAction(_) | Denied::OperatorOnly => {
            Code::Dnserr
        }
    }
}

#[cfg(test)]
mod tests;
