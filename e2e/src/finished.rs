//! A program that has run to its end, with everything it said.

use std::fmt;
use std::process::{Command, Output};

/// Exit code and output of a program.
#[derive(Clone)]
pub struct Finished {
    line: String,
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Finished {
    /// Runs the command to its end; panics when it cannot be started.
    pub fn run(command: &mut Command) -> Finished {
        let line = format!("{command:?}");
        let output = command.output().unwrap_or_else(|error| panic!("{line}: {error}"));
        Finished::of(line, &output)
    }

    /// What an ended program left.
    pub fn of(line: String, output: &Output) -> Finished {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        Finished {
            line,
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// The same, after checking that it ended with exit code 0.
    pub fn ok(self) -> Finished {
        assert_eq!(self.code, Some(0), "{self}");
        self
    }

    /// Standard output as one JSON value; panics when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("no JSON ({error}): {self}"))
    }

    /// Standard output and error together, for programs that do not tell them apart.
    pub fn said(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nexit code {:?}\n{}\n{}", self.line, self.code, self.out, self.err)
    }
}

impl fmt::Debug for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
