//! The long runs: what finds rare faults and has no place in the fast tier.
//!
//! A long run is a test in `tests/soak.rs` of its crate. The manifest declares that target with
//! `test = false`, so `cargo test` leaves it out and `cargo test --test soak` runs it; there is no
//! switch, feature or variable beside that.

use std::fs;
use std::path::Path;

use crate::run::{Failure, Step};
use crate::tools;
use crate::workspace::{self, Workspace};

/// Long tests of every crate, property tests with many cases, then fuzzing and the dependency
/// rules. `limits` are the words behind `soak` on the command line.
pub(crate) fn run(limits: &[&str]) -> Result<(), Failure> {
    let limits = Limits::parse(limits)?;
    let workspace = workspace::load()?;
    let root = &workspace.root;
    if limits.fuzz_only {
        return fuzz(&workspace, limits.fuzz_s);
    }
    tools::install()?;
    Step::cargo(root, &["build", "--release", "--workspace", "--bins"]).run()?;
    for package in workspace.packages.iter().filter(|p| p.tests.iter().any(|t| t == "soak")) {
        let arguments = ["test", "--release", "-p", &package.name, "--test", "soak"];
        Step::cargo(root, &[&arguments[..], &["--", "--nocapture", "--test-threads=1"]].concat())
            .run()?;
    }
    // Timings of the end-to-end tests do not get better with more cases.
    Step::cargo(root, &["test", "--release", "--workspace", "--exclude", "e2e", "--no-fail-fast"])
        .env("PROPTEST_CASES", PROPTEST_CASES)
        .run()?;
    if limits.fuzz_s > 0 {
        fuzz(&workspace, limits.fuzz_s)?;
        deny(&workspace)?;
    }
    println!("soak: all long runs passed");
    Ok(())
}

struct Limits {
    /// Seconds per fuzz target; 0 leaves out what has to be installed first.
    fuzz_s: u32,
    /// Nothing but the fuzz targets.
    fuzz_only: bool,
}

impl Limits {
    fn parse(words: &[&str]) -> Result<Limits, Failure> {
        let (word, seconds) = match words {
            [] => return Ok(Limits { fuzz_s: FUZZ_S, fuzz_only: false }),
            ["--rounds-only"] => return Ok(Limits { fuzz_s: 0, fuzz_only: false }),
            [word @ ("--fuzz-s" | "--fuzz-only"), seconds] => (*word, *seconds),
            _ => {
                let takes = "`--rounds-only`, `--fuzz-s SECONDS` or `--fuzz-only SECONDS`";
                return Err(format!("soak takes {takes}"));
            }
        };
        let fuzz_s = seconds.parse().map_err(|_| format!("`{seconds}` is no number"))?;
        Ok(Limits { fuzz_s, fuzz_only: word == "--fuzz-only" })
    }
}

/// Every fuzz target for a while; installs the nightly toolchain and cargo-fuzz when missing.
fn fuzz(workspace: &Workspace, seconds: u32) -> Result<(), Failure> {
    let folder = workspace.root.join("fuzz");
    let manifest = folder.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(|e| format!("{}: {e}", manifest.display()))?;
    let targets = fuzz_targets(&text)?;
    if !Step::new(&folder, "rustup", &["run", "nightly", "cargo", "--version"]).works() {
        Step::new(&folder, "rustup", &["toolchain", "install", "nightly", "--profile", "minimal"])
            .run()?;
    }
    let cargo_fuzz = installed(workspace, "cargo-fuzz")?;
    for target in targets {
        let time = format!("-max_total_time={seconds}");
        let (corpus, seeds) = (format!("corpus/{target}"), format!("seeds/{target}"));
        let mut arguments =
            vec!["run", "nightly", &cargo_fuzz, "run", "--fuzz-dir", ".", &target, &corpus];
        for made in [&corpus, &seeds] {
            fs::create_dir_all(folder.join(made)).map_err(|e| format!("{made}: {e}"))?;
        }
        arguments.extend([seeds.as_str(), "--", time.as_str()]);
        Step::new(&folder, "rustup", &arguments).run()?;
    }
    Ok(())
}

fn fuzz_targets(manifest: &str) -> Result<Vec<String>, Failure> {
    let manifest: toml::Table = manifest.parse().map_err(|e| format!("fuzz/Cargo.toml: {e}"))?;
    let bins = manifest.get("bin").and_then(toml::Value::as_array).into_iter().flatten();
    Ok(bins.filter_map(|bin| Some(bin.get("name")?.as_str()?.to_owned())).collect())
}

/// Licences, bans, sources and duplicates by `deny.toml`; advisories when their list can be had.
fn deny(workspace: &Workspace) -> Result<(), Failure> {
    let deny = installed(workspace, "cargo-deny")?;
    let root = &workspace.root;
    Step::new(root, &deny, &["check", "bans", "licenses", "sources"]).run()?;
    if Step::new(root, &deny, &["fetch", "db"]).works() {
        return Step::new(root, &deny, &["check", "advisories"]).run();
    }
    println!("soak: advisories were not checked: their list cannot be fetched from here");
    Ok(())
}

/// The path of a cargo subcommand: the user's, or one built below the target directory.
fn installed(workspace: &Workspace, name: &str) -> Result<String, Failure> {
    if Step::new(&workspace.root, name, &["--version"]).works() {
        return Ok(name.to_owned());
    }
    let own = workspace.target.join("tools/cargo");
    let program = own.join("bin").join(name);
    if !program.is_file() {
        let to = own.to_string_lossy();
        Step::cargo(&workspace.root, &["install", name, "--locked", "--root", &to]).run()?;
    }
    Ok(path_text(&program))
}

fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

const PROPTEST_CASES: &str = "20000";
const FUZZ_S: u32 = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuzz_targets_are_read_from_their_manifest() {
        let manifest =
            "[package]\nname = \"f\"\n[[bin]]\nname = \"query\"\n[[bin]]\nname = \"rdata\"\n";
        assert_eq!(fuzz_targets(manifest).expect("well-formed"), ["query", "rdata"]);
    }

    #[test]
    fn limits_are_read_from_the_command_line() {
        assert_eq!(Limits::parse(&[]).map(|l| l.fuzz_s), Ok(FUZZ_S));
        assert_eq!(Limits::parse(&["--rounds-only"]).map(|l| l.fuzz_s), Ok(0));
        assert_eq!(Limits::parse(&["--fuzz-s", "7"]).map(|l| l.fuzz_s), Ok(7));
        assert_eq!(Limits::parse(&["--fuzz-only", "7"]).map(|l| l.fuzz_only), Ok(true));
        assert!(Limits::parse(&["--fuzz-s", "x"]).is_err());
        assert!(Limits::parse(&["now"]).is_err());
    }
}
