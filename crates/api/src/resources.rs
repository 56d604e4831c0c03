//! What there is: one file for each kind of thing, with its shapes, its operations and what they do.

mod accounts;
mod edits;
mod events;
mod files;
mod history;
mod hosts;
mod keys;
mod rrsets;
mod service;
mod tokens;
mod zones;

use crate::endpoint::Endpoint;

/// All operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let all = [
        service::endpoints(),
        zones::endpoints(),
        files::endpoints(),
        rrsets::endpoints(),
        edits::endpoints(),
        hosts::endpoints(),
        tokens::endpoints(),
        accounts::endpoints(),
        keys::endpoints(),
        history::endpoints(),
        events::endpoints(),
    ];
    all.into_iter().flatten().collect()
}
