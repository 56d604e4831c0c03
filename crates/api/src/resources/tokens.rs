//! Tokens: credentials for programs.

use account::secret::Secret;
use account::{AccountId, Directory, NamePattern, Network, Role, Rule, Terms, TokenId};
use axum::http::Method;
use engine::{NewToken, Operation};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use wire::{Name, Rtype};

use super::hosts::{MadeToken, OVERLAP, overlap};
use super::keys::Action;
use crate::answer::Answer;
use crate::call::{Call, random};
use crate::endpoint::{Endpoint, Needs};
use crate::page::{CURSOR, LIMIT, Wanted, malformed};
use crate::problem::{Kind, Problem};
use crate::text;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let example = Token::example;
    let made = json!({ "id": 42, "token": "byn_0123456789ABCDEFGHIJKLMNOPQR" });
    vec![
        Endpoint::new((Method::GET, "/v1/tokens"), "listTokens", Needs::Reader, list)
            .says("List tokens", "By number, without their secrets: those are not kept.")
            .query(&[&CURSOR, &LIMIT])
            .gives_page::<Token>("One page of tokens.", example()),
        Endpoint::new((Method::POST, "/v1/tokens"), "addToken", Needs::Owner, add)
            .says("Add a token", "Its secret is shown once, here.")
            .takes::<NewTokenBody>(vec![
                ("router", json!({ "hosts": ["camera.dyn.example.org"], "label": "router" })),
                (
                    "certificates",
                    json!({
                        "label": "certbot", "expires": "2027-01-01T00:00:00Z",
                        "rules": [{ "names": ["_acme-challenge.camera.dyn.example.org"], "types": ["TXT"] }],
                    }),
                ),
                ("owner", json!({ "role": "owner", "networks": ["192.0.2.0/24"] })),
            ])
            .gives::<MadeToken>(201, "The token.", made.clone())
            .fails(&[Kind::Invalid, Kind::LimitReached, Kind::Refused]),
        Endpoint::new((Method::GET, "/v1/tokens/{token}"), "showToken", Needs::Reader, show)
            .says("Show a token", "Without its secret, which is not kept.")
            .gives::<Token>(200, "The token.", example())
            .fails(&[Kind::NotFound]),
        Endpoint::new(
            (Method::POST, "/v1/tokens/{token}/rotate"),
            "rotateToken",
            Needs::Owner,
            rotate,
        )
        .says(
            "Rotate a token",
            "A new token for the same and on the same terms, in place of this one. It is shown once, here.",
        )
        .query(&[&OVERLAP])
        .gives::<MadeToken>(201, "The new token.", made.clone())
        .fails(&[Kind::NotFound, Kind::Invalid, Kind::LimitReached, Kind::Refused]),
        Endpoint::new((Method::DELETE, "/v1/tokens/{token}"), "revokeToken", Needs::Owner, revoke)
            .says("Revoke a token", "It is not accepted any more, from now on and for good.")
            .gives_nothing(204, "The token is revoked.")
            .fails(&[Kind::NotFound]),
    ]
}

/// A credential for programs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Token {
    /// Its number.
    id: u64,
    /// Number of the account that owns it.
    account: u64,
    /// What it is for.
    label: String,
    /// The hosts whose addresses it may change.
    hosts: Vec<String>,
    /// What it may do beside changing records; null: nothing.
    role: Option<RoleBody>,
    /// What it may change beside the addresses of its hosts.
    rules: Vec<RuleBody>,
    /// Networks that it is accepted from; none: all.
    networks: Vec<String>,
    /// From when on it is not accepted any more; null: no such moment.
    #[schema(format = "date-time")]
    expires: Option<String>,
    /// It is not accepted any more when it was not used for so many seconds; null: it always is.
    unused_s: Option<u32>,
    /// When it was last accepted, to the hour; null: never.
    #[schema(format = "date-time")]
    last_used: Option<String>,
    /// When it was made.
    #[schema(format = "date-time")]
    created: String,
    /// When it was revoked; null: it is accepted.
    #[schema(format = "date-time")]
    revoked: Option<String>,
    /// When it was first sent in clear over a network that is not trusted; null: never.
    #[schema(format = "date-time")]
    exposed: Option<String>,
}

/// A token to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewToken)]
struct NewTokenBody {
    /// The hosts whose addresses it may change.
    #[serde(default)]
    #[schema(max_items = 1000, example = json!(["camera.dyn.example.org"]))]
    hosts: Vec<String>,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 128)]
    label: String,
    /// Number of the account that owns it; that of its hosts, or that of the token that asks, when not
    /// given.
    account: Option<u64>,
    /// What it may do beside changing records.
    role: Option<RoleBody>,
    /// What it may change beside the addresses of its hosts.
    #[serde(default)]
    #[schema(max_items = 100)]
    rules: Vec<RuleBody>,
    /// Networks that it is accepted from; none: all.
    #[serde(default)]
    #[schema(max_items = 100, example = json!(["192.0.2.0/24"]))]
    networks: Vec<String>,
    /// From when on it is not accepted any more.
    #[schema(format = "date-time")]
    expires: Option<String>,
    /// It is not accepted any more when it was not used for so many seconds.
    unused_s: Option<u32>,
}

/// What a token may do beside changing records. Of account 0, which is the operator's, that holds for
/// the whole service.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = TokenRole)]
enum RoleBody {
    /// See what belongs to the account, and change nothing.
    Reader,
    /// Everything that the owner of the account may.
    Owner,
}

/// Some records that a token may change.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Rule)]
struct RuleBody {
    /// Their names: a name, or `*.` and a name for all below it; none: every name of the account.
    #[serde(default)]
    #[schema(max_items = 100, example = json!(["_acme-challenge.camera.dyn.example.org"]))]
    names: Vec<String>,
    /// Their types.
    #[schema(min_items = 1, max_items = 100, example = json!(["TXT"]))]
    types: Vec<String>,
    /// What it may do with them; none: everything.
    #[serde(default)]
    #[schema(max_items = 2)]
    actions: Vec<Action>,
    /// Networks that their addresses must lie in; none: any address.
    #[serde(default)]
    #[schema(max_items = 100)]
    values: Vec<String>,
}

impl Token {
    /// One that a lockdown has made void counts as revoked then.
    fn of(directory: &Directory, token: &account::Token) -> Token {
        let void = directory.account(token.account).and_then(|account| account.tokens_void_until);
        let revoked = token.revoked.or(void.filter(|until| token.created <= *until));
        Token {
            id: token.id.0,
            account: token.account.0,
            label: token.label.clone(),
            hosts: token.hosts.iter().map(text::name).collect(),
            role: token.role().map(|role| match role {
                Role::Reader => RoleBody::Reader,
                Role::Owner => RoleBody::Owner,
            }),
            rules: token.rules().iter().map(RuleBody::of).collect(),
            networks: token.networks().iter().map(Network::to_string).collect(),
            expires: token.terms.as_ref().and_then(|terms| terms.expires).map(text::moment),
            unused_s: token.terms.as_ref().and_then(|terms| terms.unused_s),
            last_used: token.last_used.map(text::moment),
            created: text::moment(token.created),
            revoked: revoked.map(text::moment),
            exposed: token.exposed.map(text::moment),
        }
    }

    fn example() -> serde_json::Value {
        json!({
            "id": 42, "account": 7, "label": "router", "hosts": ["camera.dyn.example.org"],
            "role": null, "rules": [], "networks": [], "expires": null, "unused_s": null,
            "last_used": "2026-02-03T04:00:00Z", "created": "2026-01-02T03:04:05Z", "revoked": null, "exposed": null,
        })
    }
}

impl RuleBody {
    fn of(rule: &Rule) -> RuleBody {
        RuleBody {
            names: rule.names.iter().map(NamePattern::to_string).collect(),
            types: rule.types.iter().map(Rtype::to_string).collect(),
            actions: Action::of(rule.actions),
            values: rule.values.iter().map(Network::to_string).collect(),
        }
    }

    fn read(&self, pointer: &str) -> Result<Rule, Problem> {
        Ok(Rule {
            names: text::patterns(&self.names, &format!("{pointer}/names"))?,
            types: text::rtypes(&self.types, &format!("{pointer}/types"))?,
            actions: Action::read(&self.actions),
            values: text::networks(&self.values, &format!("{pointer}/values"))?,
        })
    }
}

impl NewTokenBody {
    fn terms(&self) -> Result<Terms, Problem> {
        let rules = self.rules.iter().enumerate();
        let rules = rules.map(|(at, rule)| rule.read(&format!("/rules/{at}")));
        Ok(Terms {
            rules: rules.collect::<Result<_, _>>()?,
            networks: text::networks(&self.networks, "/networks")?,
            expires: self.expires.as_deref().map(text::read_moment).transpose()?,
            unused_s: self.unused_s,
            role: self.role.map(|role| match role {
                RoleBody::Reader => Role::Reader,
                RoleBody::Owner => Role::Owner,
            }),
        })
    }
}

fn seen(call: &Call) -> Result<Token, Problem> {
    let id = call.number("token")?;
    let caller = call.caller()?;
    let directory = call.directory();
    let token = directory.token(TokenId(id)).filter(|token| caller.sees(token.account));
    let token = token.map(|token| Token::of(&directory, token));
    token.ok_or_else(|| Problem::missing("token", id))
}

async fn list(call: Call) -> Result<Answer, Problem> {
    let wanted = Wanted::of(&call)?;
    let after = wanted.after.as_deref().map(str::parse::<u64>).transpose();
    let after = after.map_err(|_| malformed())?.map(TokenId);
    let caller = call.caller()?;
    let directory = call.directory();
    let tokens = directory.tokens().into_iter();
    let seen = tokens.filter(|token| caller.sees(token.account) && Some(token.id) > after);
    let shown = seen.map(|token| Token::of(&directory, token));
    Answer::ok(&wanted.page(shown, |token| token.id.to_string()))
}

async fn add(call: Call) -> Result<Answer, Problem> {
    let body: NewTokenBody = call.read()?;
    let named = body.hosts.iter().enumerate().map(|(at, host)| {
        let pointer = format!("/hosts/{at}");
        let name = text::name_in_body(host, &pointer)?;
        let is_seen = {
            let caller = call.caller()?;
            call.directory().host(&name).is_some_and(|host| caller.sees_host(host))
        };
        if is_seen {
            return Ok(name);
        }
        Err(Problem::invalid(format!("no host `{}`, or it is not yours", text::name(&name)))
            .at(pointer))
    });
    let hosts = named.collect::<Result<Vec<Name>, Problem>>()?;
    let terms = body.terms()?;
    let account = match body.account {
        Some(account) => Some(AccountId(account)),
        None if hosts.is_empty() => Some(call.caller()?.account()),
        None => None,
    };
    let secret = Secret::from_random(random()?);
    let token = NewToken { terms, ..NewToken::of(&secret, &body.label) };
    let done = call.operate(Operation::AddToken { hosts, account, token }).await?;
    let id = done.made.unwrap_or_default();
    let made = MadeToken { id, token: secret.reveal().to_owned() };
    Answer::created(&made, &format!("/v1/tokens/{id}"))
}

async fn show(call: Call) -> Result<Answer, Problem> {
    Answer::ok(&seen(&call)?)
}

async fn rotate(call: Call) -> Result<Answer, Problem> {
    let old = seen(&call)?;
    if old.revoked.is_some() {
        return Err(Problem::invalid("the token is revoked").hint("make a new one"));
    }
    let old = TokenId(old.id);
    let secret = Secret::from_random(random()?);
    let (token, overlap_s) = (NewToken::of(&secret, ""), overlap(&call)?);
    let done = call.operate(Operation::RotateToken { id: old, token, overlap_s }).await?;
    let id = done.made.unwrap_or_default();
    let made = MadeToken { id, token: secret.reveal().to_owned() };
    Answer::created(&made, &format!("/v1/tokens/{id}"))
}

async fn revoke(call: Call) -> Result<Answer, Problem> {
    let token = seen(&call)?;
    call.operate(Operation::RevokeToken(TokenId(token.id))).await?;
    Ok(Answer::nothing())
}
