//! One request, understood: what an operation works with.

use std::sync::{Arc, RwLockReadGuard};
use std::time::Duration;

use account::{Actor, Directory, Timestamp};
use bytes::Bytes;
use engine::{Live, Operation, Request};
use gateway::{Client, Random, Source, SubmitError, Visit};
use node::Node;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use wire::Name;

use crate::body;
use crate::caller::Caller;
use crate::problem::{Kind, Problem};
use crate::query::Query;
use crate::refusal::{self, Done};
use crate::tag::Preconditions;
use crate::text;

/// A request of which it is known who asks, and that it has the form that its operation takes.
pub(crate) struct Call {
    pub(crate) visit: Arc<Visit>,
    /// `None` until the state is loaded.
    pub(crate) node: Option<Arc<Node>>,
    /// `None` where no token is needed.
    pub(crate) caller: Option<Caller>,
    pub(crate) source: Source,
    /// The variable parts of the path, decoded.
    pub(crate) path: Vec<(String, String)>,
    pub(crate) query: Query,
    pub(crate) preconditions: Preconditions,
    pub(crate) body: Bytes,
    /// `Last-Event-ID`, of who listened before.
    pub(crate) last_event: Option<String>,
}

impl Call {
    /// Who asks.
    pub(crate) fn caller(&self) -> Result<&Caller, Problem> {
        // An operation that asks for it where nobody has to say is a fault of ours; it fails closed.
        self.caller.as_ref().ok_or_else(|| Problem::new(Kind::Unauthenticated, "no token"))
    }

    /// The node, for its history.
    pub(crate) fn node(&self) -> Result<Arc<Node>, Problem> {
        let node = self.node.clone();
        node.ok_or_else(|| refusal::unavailable("the history is not there yet"))
    }

    pub(crate) fn client(&self) -> &Client {
        self.visit.client()
    }

    /// The visible state.
    pub(crate) fn live(&self) -> &Arc<Live> {
        self.visit.client().live()
    }

    /// The directory; hold it for a few lines only.
    pub(crate) fn directory(&self) -> RwLockReadGuard<'_, Directory> {
        self.live().directory()
    }

    /// A variable part of the path.
    pub(crate) fn part(&self, name: &str) -> &str {
        let found = self.path.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// A variable part of the path that is a name.
    pub(crate) fn name(&self, part: &str) -> Result<Name, Problem> {
        text::name_in_path(self.part(part))
    }

    /// A variable part of the path that is a number; whatever is none names nothing.
    pub(crate) fn number(&self, part: &'static str) -> Result<u64, Problem> {
        let text = self.part(part);
        let number = text.parse().ok().filter(|number: &u64| number.to_string() == text);
        number.ok_or_else(|| Problem::new(Kind::BadRequest, format!("`{part}` is not a number")))
    }

    /// The body.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        body::read(&self.body)
    }

    /// Has the engine carry out an operation for who asks, and waits until it is durable.
    pub(crate) async fn operate(&self, operation: Operation) -> Result<Done, Problem> {
        let actor = self.caller()?.actor();
        refusal::of(self.submit(actor, operation).await)
    }

    async fn submit(
        &self,
        actor: Actor,
        operation: Operation,
    ) -> Result<engine::Outcome, SubmitError> {
        let origin = self.client().origin(self.source.nearest);
        let outcome = self.client().submit(Request { actor, origin, operation })?;
        match timeout(CONFIRM, outcome).await {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(_)) | Err(_) => Err(SubmitError::Unconfirmed),
        }
    }
}

/// The moment, by the system's clock.
pub(crate) fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_millisecond())
}

/// Random octets for a new secret.
pub(crate) fn random() -> Result<[u8; 16], Problem> {
    Random::new().octets().map_err(|why| {
        tracing::error!(%why, "no random octets");
        refusal::unavailable("the system gives no random octets now")
    })
}

/// How long a request waits for the confirmation of its change.
const CONFIRM: Duration = Duration::from_secs(30);
