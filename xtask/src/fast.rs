//! The fast tier: everything that a change must pass, in at most 15 minutes on two cores.

use std::fs;
use std::path::Path;

use crate::run::{Failure, Step};
use crate::{tidy, tools, workspace};

/// Tools, format, clippy, tidy, models, then all tests. The tests come last, so that the last lines of
/// the run are the test runner's own.
pub(crate) fn run() -> Result<(), Failure> {
    let root = workspace::root();
    tools::install()?;
    Step::cargo(&root, &["fmt", "--all", "--check"]).run()?;
    Step::cargo(&root, CLIPPY).run()?;
    // Long runs are no default test targets; clippy has to be told about them.
    Step::cargo(&root, CLIPPY_SOAK).run()?;
    tidy::run()?;
    models(&root)?;
    // With the tests, so that nothing is built twice; the end-to-end tests run the programs.
    Step::cargo(&root, &["build", "--workspace", "--bins", "--tests"]).run()?;
    if Step::cargo(&root, &["nextest", "--version"]).works() {
        Step::cargo(&root, &["test", "--workspace", "--doc", "--quiet"]).run()?;
        return Step::cargo(&root, &["nextest", "run", "--workspace", "--no-fail-fast"]).run();
    }
    Step::cargo(&root, &["test", "--workspace", "--no-fail-fast"]).run()
}

/// The concurrent core of `zone` under loom, which has its own build of it.
pub(crate) fn models(root: &Path) -> Result<(), Failure> {
    let arguments = ["test", "-p", "zone", "--lib", "--target-dir", "target/loom", "models"];
    Step::cargo(root, &arguments).env("RUSTFLAGS", "--cfg loom").run()
}

/// What the project's own CI does, run here.
pub(crate) fn run_in_ci() -> Result<(), Failure> {
    Step::new(&workspace::root(), ".ci/run", &[]).run()
}

/// Writes a file whole.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

const CLIPPY: &[&str] =
    &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
const CLIPPY_SOAK: &[&str] =
    &["clippy", "--workspace", "--test", "soak", "--quiet", "--", "-D", "warnings"];
