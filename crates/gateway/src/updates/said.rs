//! What comes of an update, in the codes of DNS: one table.

use account::policy::Denied;
use engine::{Outcome, Refused};
use update::Verdict;
use wire::Rcode;

use super::signature::Unsigned;
use crate::client::SubmitError;

/// What is said, and a word for it in metrics and the log.
pub(super) struct Said {
    pub(super) verdict: Verdict,
    pub(super) word: &'static str,
    /// It will be the same when the same message comes again.
    pub(super) is_final: bool,
}

/// How often what came of updates, not yet told to the metrics: they take longer for one than we do
/// for many.
#[derive(Default)]
pub(super) struct Counts(Vec<(&'static str, u64)>);

impl Counts {
    /// Counts what came of an update.
    pub(super) fn note(&mut self, said: &Said) {
        match self.0.iter_mut().find(|(word, _)| *word == said.word) {
            Some((_, count)) => *count += 1,
            // There are few words.
            None => self.0.push((said.word, 1)),
        }
    }

    /// Tells the metrics.
    pub(super) fn tell(&mut self) {
        for (word, count) in self.0.iter_mut().filter(|(_, count)| *count > 0) {
            let count = std::mem::take(count);
            metrics::counter!("byname_dns_updates_total", "outcome" => *word).increment(count);
        }
    }
}

impl Said {
    fn new(verdict: Verdict, word: &'static str) -> Said {
        Said { verdict, word, is_final: true }
    }

    fn refused(code: u16, text: &'static str, word: &'static str) -> Said {
        Said::new(Verdict::refused(Rcode::REFUSED, code, text), word)
    }

    fn later(text: &'static str, word: &'static str) -> Said {
        let verdict = Verdict::refused(Rcode::SERVFAIL, OTHER, text);
        Said { verdict, word, is_final: false }
    }

    /// The zones are not loaded yet.
    pub(super) fn not_ready() -> Said {
        let verdict = Verdict::refused(Rcode::SERVFAIL, NOT_READY, "zones are being loaded");
        Said { verdict, word: "not-ready", is_final: false }
    }

    /// The network or the listener takes no updates.
    pub(super) fn closed_here() -> Said {
        Said::refused(PROHIBITED, "updates are not taken from here", "network")
    }

    /// The message is malformed.
    pub(super) fn malformed(rcode: Rcode, why: Option<wire::Ede>) -> Said {
        Said::new(Verdict { rcode, why, lease: None }, "malformed")
    }

    /// Nobody has decided in time.
    pub(super) fn unconfirmed() -> Said {
        Said::later("the change could not be confirmed: try again", "unconfirmed")
    }

    /// A signature that is not accepted.
    pub(super) fn unsigned(why: &Unsigned) -> Said {
        match why {
            Unsigned::Malformed => Said::malformed(Rcode::FORMERR, None),
            Unsigned::Nobody => Said::refused(PROHIBITED, "updates must be signed", "unsigned"),
            Unsigned::Tsig(fault) | Unsigned::Late(fault) => {
                let verdict = Verdict { rcode: tsig::Problem::RCODE, why: None, lease: None };
                Said::new(verdict, fault.problem().word())
            }
            Unsigned::Sig0(why) => {
                let (text, word) = match why {
                    tsig::sig0::Sig0Fault::NoKey => ("SIG(0): no such key", "badkey"),
                    tsig::sig0::Sig0Fault::BadSig => {
                        ("SIG(0): the signature does not fit", "badsig")
                    }
                    tsig::sig0::Sig0Fault::BadTime => {
                        ("SIG(0): not valid now, or for more than an hour", "badtime")
                    }
                };
                Said::new(Verdict::refused(Rcode::NOTAUTH, OTHER, text), word)
            }
            Unsigned::Paused => Said::later("too many signatures did not fit", "paused"),
        }
    }

    /// What the engine decided.
    pub(super) fn outcome(outcome: &Outcome) -> Said {
        let done =
            |word| Said::new(Verdict { rcode: Rcode::NOERROR, why: None, lease: None }, word);
        match outcome {
            Outcome::Done { .. } => done("done"),
            Outcome::Unchanged => done("unchanged"),
            Outcome::Unavailable => Said::later("the store cannot write now", "unavailable"),
            Outcome::Refused(Refused::Change(refusal)) => {
                let verdict = update::refusal(*refusal);
                Said::new(verdict, word(verdict.rcode))
            }
            Outcome::Refused(Refused::Denied(denied)) => {
                Said::refused(PROHIBITED, denial(denied), "denied")
            }
            Outcome::Refused(Refused::Limit(_)) => {
                Said::refused(OTHER, "the change is too large", "limit")
            }
            Outcome::Refused(
                Refused::Exists(text) | Refused::Missing(text) | Refused::Invalid(text),
            ) => Said::refused(OTHER, text, "invalid"),
        }
    }

    /// Its key has its share under way.
    pub(super) fn key_busy() -> Said {
        Said::later("too many updates of this key are under way", "key-busy")
    }

    /// It did not come so far.
    pub(super) fn not_submitted(why: SubmitError) -> Said {
        match why {
            SubmitError::Busy => Said::later("too many changes are waiting", "busy"),
            SubmitError::Stopping => Said::later("the service is stopping", "stopping"),
            SubmitError::Unconfirmed => Said::unconfirmed(),
        }
    }
}

/// Why a key may not, for people.
fn denial(denied: &Denied) -> &'static str {
    match denied {
        Denied::NotCovered => "the key does not cover this zone or name",
        Denied::KeyType => "the key may not change records of this type",
        Denied::KeyAction("add") => "the key may not add records",
        Denied::KeyAction(_) => "the key may not delete records",
        Denied::Frozen => "the account of this name is frozen",
        Denied::Address(_) => "the address may not be published",
        Denied::Token(_)
        | Denied::Type
        | Denied::Action(_)
        | Denied::Value
        | Denied::Ttl(_)
        | Denied::ExposedTooSoon
        | Denied::OperatorOnly => "the key may not do this",
    }
}

fn word(rcode: Rcode) -> &'static str {
    match rcode {
        Rcode::YXDOMAIN => "yxdomain",
        Rcode::YXRRSET => "yxrrset",
        Rcode::NXRRSET => "nxrrset",
        Rcode::NXDOMAIN => "nxdomain",
        Rcode::NOTZONE => "notzone",
        Rcode::NOTAUTH => "notauth",
        Rcode::FORMERR => "malformed",
        _ => "refused",
    }
}

// RFC 8914 §4.
const OTHER: u16 = 0;
const NOT_READY: u16 = 14;
const PROHIBITED: u16 = 18;
