//! Why the program ends without having done what it was told to.

use std::fmt;

/// A failure with what to do about it and the exit code that tells whose fault it is.
#[derive(Debug)]
pub(crate) struct Fault {
    /// Exit code.
    pub(crate) exit: Exit,
    /// What went wrong.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: Option<String>,
    /// The flag whose address another program has, when that is why.
    pub(crate) taken: Option<&'static str>,
}

/// Exit codes other than 0; scripts rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It could not be done.
    Failed,
    /// The command line makes no sense.
    Usage,
    /// A rule forbids it.
    Refused,
    /// The service that should do it does not answer.
    Unreachable,
}

impl Exit {
    /// The code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Refused => 3,
            Exit::Unreachable => 4,
        }
    }

    /// The meaning of a code that a running service gave.
    pub(crate) fn of(code: u8) -> Exit {
        match code {
            2 => Exit::Usage,
            3 => Exit::Refused,
            4 => Exit::Unreachable,
            _ => Exit::Failed,
        }
    }
}

impl Fault {
    /// It could not be done.
    pub(crate) fn failed(why: impl fmt::Display) -> Fault {
        Fault { exit: Exit::Failed, message: why.to_string(), hint: None, taken: None }
    }

    /// The same with what to do about it.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Fault {
        Fault { hint: Some(hint.into()), ..self }
    }
}
