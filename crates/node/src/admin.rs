//! What the operator can order: by a local socket from a running service, or directly on the data
//! directory of one that is stopped. Both run [`execute`].

mod command;
mod direct;
mod execute;
mod history;
mod keys;
mod listing;
mod show;
mod socket;
mod subject;
mod tokens;
mod webhooks;

pub use command::{
    Command, Expiry, HistoryOf, HistoryQuery, HostSettings, KeyAction, KeySettings, LimitOf,
    Quarantine, Scavenging, SecretText, Then, TokenRole, TokenSettings, UndoTarget,
    WebhookSettings, ZoneChange, ZoneSettings,
};
pub use direct::{DirectError, direct, restore};
pub(crate) use execute::text;
pub use execute::{Answer, Export, Follows, execute};
pub(crate) use keys::{algorithm_text, pattern_text};
pub use listing::{LIST_END_LINE, Listing};
pub use socket::{AdminSocket, CallError, Called, call, serve};

/// Why an order was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdminError {
    /// It makes no sense, names something that is not there, or the like.
    #[error("{0}")]
    Invalid(String),
    /// A rule forbids it.
    #[error("{0}")]
    Refused(String),
    /// It cannot be done now.
    #[error("{0}")]
    Unavailable(String),
}

impl AdminError {
    /// The exit code of the program that gave the order.
    pub fn exit_code(&self) -> u8 {
        match self {
            AdminError::Invalid(_) | AdminError::Unavailable(_) => 1,
            AdminError::Refused(_) => 3,
        }
    }
}
