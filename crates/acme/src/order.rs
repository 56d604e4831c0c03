//! One order, from the account to the certificate.

use std::time::Duration;

use gateway::Client;
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, CertificateIdentifier, ChallengeType,
    Identifier, NewAccount, NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use rustls::pki_types::Der;
use tls::Pair;

use crate::http::Http;
use crate::keeper::Settings;
use crate::kept::{Kept, KeptAccount, KeptError};
use crate::proof::{ProofError, Proofs};
use crate::schedule::Kind;

/// A chain and its key, both as PEM, and checked.
pub(crate) struct Issued {
    pub(crate) chain: String,
    pub(crate) key: String,
    pub(crate) pair: Pair,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OrderError {
    #[error("the authority cannot be reached or does not make sense: {}", told(.0))]
    Authority(#[source] instant_acme::Error),
    #[error("the authority refuses: {}", told(.0))]
    Refused(#[source] instant_acme::Error),
    #[error("the proof of `{name}` was not accepted: {why}")]
    NotProven { name: String, why: String },
    #[error("the authority offers no proof by DNS for `{0}`")]
    NoChallenge(String),
    #[error("the certificate that came is of no use: {0}")]
    Useless(String),
    #[error("not complete within {} minutes", TIME.as_secs() / 60)]
    Late,
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error(transparent)]
    Kept(#[from] KeptError),
    #[error("{0}")]
    File(std::io::Error),
}

impl OrderError {
    /// What it means for the next attempt; `ordered`: an order had been made.
    pub(crate) fn kind(&self, ordered: bool) -> Kind {
        match self {
            OrderError::Refused(instant_acme::Error::Api(problem))
                if problem.r#type.as_deref().is_some_and(|kind| kind.ends_with(RATE_LIMITED)) =>
            {
                Kind::Limited
            }
            OrderError::Refused(_) => Kind::Order,
            _ if ordered => Kind::Order,
            _ => Kind::Outside,
        }
    }

    /// Whether the authority does not know the account.
    pub(crate) fn is_unknown_account(&self) -> bool {
        matches!(
            self,
            OrderError::Refused(instant_acme::Error::Api(problem))
                if problem.r#type.as_deref().is_some_and(|kind| kind.ends_with(NO_ACCOUNT))
        )
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            OrderError::Authority(_) => {
                "look whether this machine reaches the address in `acme_directory`, and whether \
                 `acme_ca_file` is right if it is a private authority"
            }
            OrderError::NotProven { .. } => {
                "the authority asks through the public DNS: the parent zone must delegate to this \
                 service, and port 53 must be open to the world"
            }
            OrderError::Proof(ProofError::NotServed(_)) => {
                "add the zone with `bynamed zone add`, or take the name out of `acme_names`"
            }
            OrderError::Proof(ProofError::Hidden(_)) => {
                "take the CNAME away; names are proven by records of this service only"
            }
            _ => "it is tried again later; SIGHUP tries at once",
        }
    }
}

impl From<instant_acme::Error> for OrderError {
    fn from(error: instant_acme::Error) -> OrderError {
        match error {
            instant_acme::Error::Api(_) => OrderError::Refused(error),
            error => OrderError::Authority(error),
        }
    }
}

/// The account with the authority: the one that is kept, or a new one.
pub(crate) async fn account(
    settings: &Settings,
    kept: &Kept,
    http: &Http,
) -> Result<Account, OrderError> {
    let builder = Account::builder_with_http(Box::new(http.clone()));
    let contact: Vec<&str> = settings.contact.iter().map(String::as_str).collect();
    let known = kept.account()?.filter(|known| known.directory == settings.directory);
    if let Some(mut known) = known {
        let damaged = |why: serde_json::Error| OrderError::Authority(why.into());
        let credentials: AccountCredentials =
            serde_json::from_value(known.credentials.clone()).map_err(damaged)?;
        let account = builder.from_credentials(credentials).await?;
        if known.contact != settings.contact {
            account.update_contacts(&contact).await?;
            known.contact.clone_from(&settings.contact);
            kept.keep_account(&known)?;
        }
        return Ok(account);
    }
    let new = NewAccount {
        contact: &contact,
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let (account, credentials) = builder.create(&new, settings.directory.clone(), None).await?;
    let credentials =
        serde_json::to_value(&credentials).map_err(|why| OrderError::Authority(why.into()))?;
    kept.keep_account(&KeptAccount {
        directory: settings.directory.clone(),
        contact: settings.contact.clone(),
        credentials,
    })?;
    tracing::info!(directory = settings.directory, "an account with the authority was made");
    Ok(account)
}

/// Orders a certificate, and proves its names meanwhile. `replaces`: the one before it.
pub(crate) async fn obtain(
    account: &Account,
    client: &Client,
    names: &[String],
    replaces: Option<&Pair>,
) -> Result<Issued, OrderError> {
    let mut proofs = Proofs::new(client);
    let ordered = tokio::time::timeout(TIME, async {
        let identifiers: Vec<Identifier> = names.iter().cloned().map(Identifier::Dns).collect();
        let mut new = NewOrder::new(&identifiers);
        if let Some(identifier) = replaces.and_then(identifier) {
            new = new.replaces(identifier);
        }
        let mut order = account.new_order(&new).await?;
        prove(&mut order, &mut proofs).await?;
        finish(&mut order, names).await
    });
    let ordered = ordered.await.unwrap_or(Err(OrderError::Late));
    proofs.withdraw().await;
    ordered
}

/// How the authority calls a certificate (RFC 9773 §4.1).
pub(crate) fn identifier(pair: &Pair) -> Option<CertificateIdentifier<'static>> {
    let authority = pair.authority()?;
    let made =
        CertificateIdentifier::new(Der::from_slice(authority), Der::from_slice(pair.serial()));
    Some(made.into_owned())
}

/// Proves all names of an order: first all records, then the word that they are there, as a name
/// and its wildcard share an owner.
async fn prove(order: &mut Order, proofs: &mut Proofs<'_>) -> Result<(), OrderError> {
    for is_added in [false, true] {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            // What this account has proven a while ago it need not prove again.
            if authorization.status != AuthorizationStatus::Pending {
                continue;
            }
            let name = authorization.identifier().to_string();
            let challenge = authorization.challenge(ChallengeType::Dns01);
            let mut challenge = challenge.ok_or_else(|| OrderError::NoChallenge(name.clone()))?;
            if is_added {
                challenge.set_ready().await?;
            } else {
                proofs.add(&name, &challenge.key_authorization().dns_value()).await?;
            }
        }
    }
    match order.poll_ready(&POLL).await? {
        OrderStatus::Invalid => Err(unproven(order).await),
        _ => Ok(()),
    }
}

/// Which proof was not accepted, and why.
async fn unproven(order: &mut Order) -> OrderError {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let Ok(state) = authorization.refresh().await else { continue };
        let name = state.identifier().to_string();
        let why = state.challenges.iter().find_map(|challenge| challenge.error.as_ref());
        if let Some(why) = why {
            return OrderError::NotProven { name, why: shortened(&why.to_string()) };
        }
    }
    let (name, why) = ("one of the names".to_owned(), "no reason was given".to_owned());
    OrderError::NotProven { name, why }
}

/// Takes the certificate of an order whose names are proven, with a key of its own.
async fn finish(order: &mut Order, names: &[String]) -> Result<Issued, OrderError> {
    let useless = |why: &dyn std::fmt::Display| OrderError::Useless(why.to_string());
    let key = KeyPair::generate().map_err(|why| useless(&why))?;
    let mut request = CertificateParams::new(names).map_err(|why| useless(&why))?;
    request.distinguished_name = DistinguishedName::new();
    let request = request.serialize_request(&key).map_err(|why| useless(&why))?;
    order.finalize_csr(request.der()).await?;
    let chain = order.poll_certificate(&POLL).await?;
    let key = key.serialize_pem();
    let pair = Pair::from_pem(chain.as_bytes(), key.as_bytes()).map_err(|why| useless(&why))?;
    match names.iter().find(|name| !pair.names().contains(name)) {
        Some(missing) => Err(OrderError::Useless(format!("it is not for `{missing}`"))),
        None => Ok(Issued { chain, key, pair }),
    }
}

/// The whole chain of reasons, which the library's errors do not all show.
fn told(error: &instant_acme::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(why) = source {
        let why_text = why.to_string();
        if !text.contains(&why_text) {
            text.push_str(": ");
            text.push_str(&why_text);
        }
        source = why.source();
    }
    shortened(&text)
}

/// What an authority says may be long, and goes into the log.
fn shortened(text: &str) -> String {
    let printable = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    printable.take(SAID_CHARS_MAX).collect()
}

const RATE_LIMITED: &str = ":rateLimited";
const NO_ACCOUNT: &str = ":accountDoesNotExist";
const SAID_CHARS_MAX: usize = 500;
/// How long an order may take.
const TIME: Duration = Duration::from_secs(600);
/// How often the authority is asked whether it has come so far.
const POLL: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(500))
    .backoff(1.5)
    .timeout(Duration::from_secs(180));
