//! Running one outside command and saying so.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// What went wrong, in words for people.
pub(crate) type Failure = String;

/// One named step of a run: a command with its environment.
pub(crate) struct Step {
    command: Command,
    line: String,
}

impl Step {
    /// A step that runs `program` with `arguments` in the folder `at`.
    pub(crate) fn new(at: &Path, program: &str, arguments: &[&str]) -> Step {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(at).stdin(Stdio::null());
        let shown = if program == CARGO { "cargo" } else { program };
        Step { command, line: format!("{shown} {}", arguments.join(" ")) }
    }

    /// A step that runs cargo, the same one that runs us.
    pub(crate) fn cargo(at: &Path, arguments: &[&str]) -> Step {
        Step::new(at, CARGO, arguments)
    }

    /// The same step with one more environment variable.
    pub(crate) fn env(mut self, key: &str, value: &str) -> Step {
        self.command.env(key, value);
        self.line = format!("{key}={value} {}", self.line);
        self
    }

    /// Runs it with our own output; an exit code other than 0 is a failure.
    pub(crate) fn run(mut self) -> Result<(), Failure> {
        eprintln!("\n── {}", self.line);
        let begun = Instant::now();
        let status = self
            .command
            .status()
            .map_err(|error| format!("could not run `{}`: {error}", self.line))?;
        eprintln!("── {:.0} s", begun.elapsed().as_secs_f64());
        if status.success() { Ok(()) } else { Err(format!("`{}` failed: {status}", self.line)) }
    }

    /// Runs it quietly and hands back its standard output.
    pub(crate) fn output(mut self) -> Result<String, Failure> {
        let output = self
            .command
            .output()
            .map_err(|error| format!("could not run `{}`: {error}", self.line))?;
        if !output.status.success() {
            let talk = String::from_utf8_lossy(&output.stderr);
            return Err(format!("`{}` failed: {}\n{}", self.line, output.status, talk.trim_end()));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Whether it can be run at all and ends well; says nothing.
    pub(crate) fn works(mut self) -> bool {
        self.command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}

const CARGO: &str = env!("CARGO");
