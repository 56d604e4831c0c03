//! The program as its users see it: exit codes, JSON, configuration, files, signals, logs.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

mod bynamed;
mod configuration;
mod demo;
mod exit_codes;
mod files;
mod keys;
mod orders;
mod shapes;
mod siege;
mod signals;
mod talk;
