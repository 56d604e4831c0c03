//! A foreign server that runs while a test does.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running foreign program. Dropping it kills it.
pub struct Background {
    child: Child,
    log: PathBuf,
}

impl Background {
    /// Starts the command with its output in the file `log`.
    pub fn start(command: &mut Command, log: &Path) -> Background {
        let out = File::create(log).expect("a log file");
        let err = out.try_clone().expect("a log file");
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Background { child, log: log.to_path_buf() }
    }

    /// What it has said so far.
    pub fn talk(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
