//! Accounts: who owns zones, hosts and tokens.

use account::AccountId;
use axum::http::Method;
use engine::{AccountPatch, Operation};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::answer::Answer;
use crate::body::three_ways;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs};
use crate::page::{CURSOR, LIMIT, Wanted, malformed};
use crate::problem::{Kind, Problem};
use crate::text;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let example = Account::example;
    vec![
        Endpoint::new((Method::GET, "/v1/accounts"), "listAccounts", Needs::Reader, list)
            .says("List accounts", "The accounts that the token sees, by number.")
            .query(&[&CURSOR, &LIMIT])
            .gives_page::<Account>("One page of accounts.", example()),
        Endpoint::new((Method::POST, "/v1/accounts"), "addAccount", Needs::Operator, add)
            .says("Add an account", "It owns nothing yet.")
            .takes::<NewAccount>(vec![("usual", json!({ "name": "alice" }))])
            .gives::<Account>(201, "The account.", example())
            .fails(&[Kind::Exists, Kind::Invalid]),
        Endpoint::new((Method::GET, "/v1/accounts/{account}"), "showAccount", Needs::Reader, show)
            .says("Show an account", "Its name, and whether it is locked down.")
            .gives::<Account>(200, "The account.", example())
            .fails(&[Kind::NotFound]),
        Endpoint::new((Method::PATCH, "/v1/accounts/{account}"), "setAccount", Needs::Operator, set)
            .says(
                "Change an account",
                "Its limits, or a lockdown: then its names stay as they are, and all tokens that it has \
                 are revoked for good.",
            )
            .takes::<AccountSettings>(vec![
                ("lockdown", json!({ "frozen": true })),
                ("end", json!({ "frozen": false })),
                ("limits", json!({ "limits": { "hosts": 100, "tokens": null } })),
            ])
            .gives::<Account>(200, "The account as it is now.", example())
            .fails(&[Kind::NotFound, Kind::Invalid]),
    ]
}

/// Who owns zones, hosts and tokens.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Account {
    /// Its number; 0 is the operator's own.
    id: u64,
    /// Its name.
    name: String,
    /// It is locked down.
    frozen: bool,
    /// Tokens made until then are revoked by a lockdown.
    #[schema(format = "date-time")]
    tokens_void_until: Option<String>,
    /// How much it may have and do.
    limits: LimitsBody,
    /// When it was made; null for the operator's own, which always was there.
    #[schema(format = "date-time")]
    created: Option<String>,
}

/// How much an account may have and do; null or left out: what is usual.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
#[schema(as = Limits)]
struct LimitsBody {
    /// Hosts.
    hosts: Option<u32>,
    /// Tokens that are accepted.
    tokens: Option<u32>,
    /// Webhooks.
    webhooks: Option<u32>,
    /// Updates an hour that change something, of all its tokens together.
    changes_per_hour: Option<u32>,
}

/// Limits of an account; what is left out stays as it is, `null` is what is usual.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct LimitsPatch {
    /// Hosts.
    #[serde(deserialize_with = "three_ways")]
    #[schema(value_type = Option<u32>)]
    hosts: Option<Option<u32>>,
    /// Tokens that are accepted.
    #[serde(deserialize_with = "three_ways")]
    #[schema(value_type = Option<u32>)]
    tokens: Option<Option<u32>>,
    /// Webhooks.
    #[serde(deserialize_with = "three_ways")]
    #[schema(value_type = Option<u32>)]
    webhooks: Option<Option<u32>>,
    /// Updates an hour that change something.
    #[serde(deserialize_with = "three_ways")]
    #[schema(value_type = Option<u32>)]
    changes_per_hour: Option<Option<u32>>,
}

/// An account to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    /// Its name: 1 to 64 printable characters.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
}

/// Settings of an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AccountSettings {
    /// Whether it is locked down.
    frozen: Option<bool>,
    /// How much it may have and do.
    limits: Option<LimitsPatch>,
}

impl Account {
    fn of(account: &account::Account) -> Account {
        Account {
            id: account.id.0,
            name: account.name.clone(),
            frozen: account.frozen,
            tokens_void_until: account.tokens_void_until.map(text::moment),
            limits: LimitsBody {
                hosts: account.limits.hosts,
                tokens: account.limits.tokens,
                webhooks: account.limits.webhooks,
                changes_per_hour: account.limits.changes_per_hour,
            },
            created: (account.created.0 != 0).then(|| text::moment(account.created)),
        }
    }

    fn example() -> serde_json::Value {
        json!({
            "id": 7, "name": "alice", "frozen": false, "tokens_void_until": null,
            "limits": { "hosts": 100, "tokens": null, "webhooks": null, "changes_per_hour": null },
            "created": "2026-01-02T03:04:05Z",
        })
    }
}

fn seen(call: &Call) -> Result<Account, Problem> {
    let id = call.number("account")?;
    let caller = call.caller()?;
    let directory = call.directory();
    let account = directory.account(AccountId(id)).filter(|account| caller.sees(account.id));
    account.map(Account::of).ok_or_else(|| Problem::missing("account", id))
}

async fn list(call: Call) -> Result<Answer, Problem> {
    let wanted = Wanted::of(&call)?;
    let after = wanted.after.as_deref().map(str::parse::<u64>).transpose();
    let after = after.map_err(|_| malformed())?.map(AccountId);
    let caller = call.caller()?;
    let directory = call.directory();
    let accounts = directory.accounts().into_iter();
    let seen = accounts.filter(|account| caller.sees(account.id) && Some(account.id) > after);
    Answer::ok(&wanted.page(seen.map(Account::of), |account| account.id.to_string()))
}

async fn add(call: Call) -> Result<Answer, Problem> {
    let body: NewAccount = call.read()?;
    let done = call.operate(Operation::AddAccount(body.name)).await?;
    let id = AccountId(done.made.unwrap_or_default());
    let account = call.directory().account(id).map(Account::of);
    let account = account.ok_or_else(|| Problem::missing("account", id.0))?;
    Answer::created(&account, &format!("/v1/accounts/{}", id.0))
}

async fn show(call: Call) -> Result<Answer, Problem> {
    Answer::ok(&seen(&call)?)
}

async fn set(call: Call) -> Result<Answer, Problem> {
    let id = AccountId(seen(&call)?.id);
    let body: AccountSettings = call.read()?;
    if let Some(limits) = body.limits {
        let LimitsPatch { hosts, tokens, webhooks, changes_per_hour } = limits;
        let policy = AccountPatch { hosts, tokens, webhooks, changes_per_hour };
        call.operate(Operation::SetAccount { id, policy }).await?;
    }
    if let Some(frozen) = body.frozen {
        let operation = if frozen { Operation::Lockdown(id) } else { Operation::Unlock(id) };
        call.operate(operation).await?;
    }
    show(call).await
}
