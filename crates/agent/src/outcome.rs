//! What came of an update: the last step of the flow.

use dialect::dyndns2::Answer;

/// What came of one update of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The service holds what was sent.
    Confirmed {
        /// `false` when it had held it before.
        changed: bool,
    },
    /// Asking again changes nothing until somebody does something.
    Stopped(Stop),
    /// To be asked again later.
    Paused(Pausing),
}

/// Why a host is not updated any more. Each is the code of dyndns2 of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The token is wrong.
    Badauth,
    /// The host is blocked for abuse.
    Abuse,
    /// The host is not there, or not this token's.
    Nohost,
    /// The host is not a full name.
    Notfqdn,
    /// Too many hosts, or one that stands for several.
    Numhost,
    /// The service does not want this program.
    Badagent,
    /// The service wants to be paid for it.
    Donator,
}

impl Stop {
    /// All of them, in the order above.
    pub const ALL: [Stop; 7] = [
        Stop::Badauth,
        Stop::Abuse,
        Stop::Nohost,
        Stop::Notfqdn,
        Stop::Numhost,
        Stop::Badagent,
        Stop::Donator,
    ];

    /// The word of dyndns2.
    pub fn code(self) -> &'static str {
        match self {
            Stop::Badauth => "badauth",
            Stop::Abuse => "abuse",
            Stop::Nohost => "nohost",
            Stop::Notfqdn => "notfqdn",
            Stop::Numhost => "numhost",
            Stop::Badagent => "badagent",
            Stop::Donator => "!donator",
        }
    }

    /// What it means.
    pub fn meaning(self) -> &'static str {
        match self {
            Stop::Badauth => "the service does not accept the token",
            Stop::Abuse => "the service has blocked the host for abuse",
            Stop::Nohost => "the service has no such host for this token",
            Stop::Notfqdn => "the service does not take the host for a full name",
            Stop::Numhost => "the service does not take the host for a single one",
            Stop::Badagent => "the service refuses this program",
            Stop::Donator => "the service does this only for those who pay",
        }
    }

    /// What to do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Stop::Badauth => "check the token, or make a new one at the service",
            Stop::Abuse => "ask the people who run the service to lift the block",
            Stop::Nohost => "check the spelling of the host, and that the token is this host's",
            Stop::Notfqdn => "write the whole name, such as `nas.dyn.example`",
            Stop::Numhost => "write one host for each name",
            Stop::Badagent => "update this program, or ask the people who run the service",
            Stop::Donator => "look at the account at the service",
        }
    }
}

/// Why to wait, and what is known meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Pausing {
    /// The update has certainly not arrived.
    #[error("could not be reached: {0}")]
    Unreachable(String),
    /// The service has refused it for now.
    #[error("the service cannot do it now (`{code}`)")]
    Unavailable {
        /// The service's own word.
        code: &'static str,
        /// How long it asks to be left alone, in seconds, when it says so.
        for_s: Option<u32>,
    },
    /// It may have been carried out or not.
    #[error("could not confirm: {0}")]
    Unconfirmed(String),
}

impl Pausing {
    /// The codes that [`Pausing::Unavailable`] can have.
    pub const CODES: [&'static str; 3] = ["911", "dnserr", "wait"];
}

/// The rules of outcomes, for the answers of dyndns2. `retry_after_s` is what the HTTP header of
/// that name says.
pub fn outcome(answer: &Answer, retry_after_s: Option<u32>) -> Outcome {
    let unavailable = |code, for_s| Outcome::Paused(Pausing::Unavailable { code, for_s });
    match answer {
        Answer::Good => Outcome::Confirmed { changed: true },
        Answer::Nochg => Outcome::Confirmed { changed: false },
        Answer::Badauth => Outcome::Stopped(Stop::Badauth),
        Answer::Nohost => Outcome::Stopped(Stop::Nohost),
        Answer::Notfqdn => Outcome::Stopped(Stop::Notfqdn),
        Answer::Numhost => Outcome::Stopped(Stop::Numhost),
        Answer::Abuse => Outcome::Stopped(Stop::Abuse),
        Answer::Badagent => Outcome::Stopped(Stop::Badagent),
        Answer::Donator => Outcome::Stopped(Stop::Donator),
        Answer::Dnserr => unavailable("dnserr", retry_after_s),
        Answer::Unavailable => unavailable("911", retry_after_s),
        Answer::Wait(seconds) => unavailable("wait", retry_after_s.or(Some(*seconds))),
        Answer::Unintelligible(what) => Outcome::Paused(Pausing::Unconfirmed(format!(
            "the answer is not one of an update service: {what}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_its_rule() {
        let unavailable = |code, for_s| Outcome::Paused(Pausing::Unavailable { code, for_s });
        for (answer, retry_after_s, expected) in [
            (Answer::Good, None, Outcome::Confirmed { changed: true }),
            (Answer::Nochg, None, Outcome::Confirmed { changed: false }),
            (Answer::Badauth, None, Outcome::Stopped(Stop::Badauth)),
            (Answer::Abuse, None, Outcome::Stopped(Stop::Abuse)),
            (Answer::Nohost, None, Outcome::Stopped(Stop::Nohost)),
            (Answer::Notfqdn, None, Outcome::Stopped(Stop::Notfqdn)),
            (Answer::Numhost, None, Outcome::Stopped(Stop::Numhost)),
            (Answer::Badagent, None, Outcome::Stopped(Stop::Badagent)),
            (Answer::Donator, None, Outcome::Stopped(Stop::Donator)),
            (Answer::Unavailable, None, unavailable("911", None)),
            (Answer::Unavailable, Some(30), unavailable("911", Some(30))),
            (Answer::Dnserr, None, unavailable("dnserr", None)),
            (Answer::Wait(60), None, unavailable("wait", Some(60))),
            (Answer::Wait(300), Some(30), unavailable("wait", Some(30))),
        ] {
            assert_eq!(outcome(&answer, retry_after_s), expected, "{answer:?}");
        }
    }

    #[test]
    fn what_cannot_be_understood_is_not_called_failed() {
        let outcome = outcome(&Answer::Unintelligible("<html>".to_owned()), None);
        assert!(matches!(outcome, Outcome::Paused(Pausing::Unconfirmed(_))), "{outcome:?}");
    }
}
