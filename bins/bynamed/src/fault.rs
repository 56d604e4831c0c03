//! Why the program ends without having done what it was told to.

use std::fs::File;
use std::path::Path;
use std::{fmt, io};

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

/// Opens a file that somebody named. A directory is refused here: it opens, and only reading fails.
pub(crate) fn open(path: &Path) -> Result<File, Fault> {
    let opened = File::open(path).and_then(|file| {
        if file.metadata()?.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(file) }
    });
    opened.map_err(|why| of_file(path, &why))
}

/// A file that cannot be used.
pub(crate) fn of_file(path: &Path, why: &io::Error) -> Fault {
    Fault::failed(format!("{}: {why}", path.display()))
}
