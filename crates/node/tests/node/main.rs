//! A whole node over a data directory of its own: restarts, orders, backups, retention.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

mod admin;
mod backup;
mod feed;
mod history;
mod playground;
mod readonly;
mod restart;
mod retention;
mod updates;
mod versions;
mod webhooks;
