//! The project's chores as one program: `cargo xtask tidy | test | soak | ci | tools`.
//!
//! # What
//! [`tidy`] judges the tree by the rules of the house; [`fast`] runs the fast tier, [`soak`] the
//! long one; [`tools`] unpacks the foreign programs that the end-to-end tests run.
//!
//! # Not here
//! Nothing that is shipped depends on this crate, and nothing here starts or enables a system
//! service.
//!
//! # Flow
//! `arguments → command → steps → exit code`; every step prints what it runs before it runs.
//!
//! # Start reading at
//! `fast.rs` for what a test run consists of, `tidy.rs` for the rules.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people at a terminal"
)]

mod fast;
mod run;
mod soak;
mod tidy;
mod tools;
mod workspace;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["tidy"] => tidy::run(),
        ["tidy", "--shrink"] => tidy::shrink(),
        ["test"] => fast::run(),
        ["soak", limits @ ..] => soak::run(limits),
        ["ci"] => fast::run_in_ci(),
        ["tools"] => tools::install(),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

const USAGE: &str = "\
usage: cargo xtask COMMAND

  tidy            judge the tree by the rules of the house (also a unit test of xtask)
  tidy --shrink   lower the length baseline to what the tree needs now
  test            the fast tier: tools, format, clippy, tidy, all tests, end to end
  soak            the long runs; `--rounds-only` leaves out fuzzing and cargo-deny,
                  `--fuzz-s N` sets the seconds per fuzz target, `--fuzz-only N` runs
                  these alone
  ci              what .ci/run calls: `test`, with the toolchain's versions in front
  tools           only unpack the foreign programs under target/tools
";
