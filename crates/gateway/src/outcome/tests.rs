use account::Timestamp;
use store::Pos;

use super::*;

/// One row: an outcome and the word for it.
fn check(outcome: Result<Outcome, SubmitError>, expected: &str) {
    let told = format!("{outcome:?}");
    let (code, why) = self::code(outcome);
    assert_eq!(code.word(), expected, "{told}");
    let says_why = why.is_some_and(|why| !why.is_empty());
    assert_eq!(says_why, !code.is_success(), "{told} says why");
}

fn refused(refused: impl Into<Refused>) -> Result<Outcome, SubmitError> {
    Ok(Outcome::Refused(refused.into()))
}

#[test]
fn outcomes_have_their_codes() {
    let done = Outcome::Done { pos: Pos(7), at: Timestamp(1), serial: None, made: None };
    check(Ok(done), "good");
    check(Ok(Outcome::Unchanged), "nochg");
    check(Ok(Outcome::Unavailable), "911");
    check(Err(SubmitError::Busy), "911");
    check(Err(SubmitError::Stopping), "911");
}

#[test]
fn unconfirmed_is_never_good() {
    check(Err(SubmitError::Unconfirmed), "911");
}

#[test]
fn denials_have_their_codes() {
    for why in [AuthError::Unknown, AuthError::Revoked, AuthError::Frozen] {
        check(refused(Denied::Token(why)), "badauth");
    }
    check(refused(Denied::NotCovered), "nohost");
    check(refused(Denied::Frozen), "abuse");
    check(refused(Denied::ExposedTooSoon), "911");
    check(refused(Denied::Type), "dnserr");
    check(refused(Denied::OperatorOnly), "dnserr");
    for why in [
        AddressRefusal::NotPublic("private"),
        AddressRefusal::Rebinding,
        AddressRefusal::Unusable("multicast"),
    ] {
        check(refused(Denied::Address(why)), "dnserr");
    }
}

#[test]
fn refusals_have_their_codes() {
    check(refused(zone::Refusal::NoSuchZone), "nohost");
    for why in [
        zone::Refusal::NameExists,
        zone::Refusal::RrsetExists,
        zone::Refusal::RrsetMissing,
        zone::Refusal::NameMissing,
        zone::Refusal::OutsideZone,
        zone::Refusal::Malformed("CNAME and other data at one name"),
    ] {
        check(refused(why), "dnserr");
    }
    check(refused(Refused::Missing("host")), "nohost");
    check(refused(Refused::Exists("host")), "dnserr");
    check(refused(Refused::Invalid("nonsense")), "dnserr");
    check(refused(Refused::Limit("edits")), "dnserr");
}
