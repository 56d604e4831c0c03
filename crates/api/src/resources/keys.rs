//! Keys that sign DNS messages.

use account::{Actions, Credential, KeyPolicy, NamePattern, TsigKey};
use axum::http::Method;
use data_encoding::BASE64;
use engine::{NewKey, Operation};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use wire::{Name, Rtype, TsigAlgorithm};

use crate::answer::Answer;
use crate::call::{Call, random};
use crate::endpoint::{Endpoint, Needs};
use crate::page::{CURSOR, LIMIT, Wanted, malformed};
use crate::problem::{Kind, Problem};
use crate::text;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let example = Key::example;
    let made =
        json!({ "key": example(), "secret": "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3I=" });
    vec![
        Endpoint::new((Method::GET, "/v1/keys"), "listKeys", Needs::ServiceReader, list)
            .says("List keys", "By name, without their secrets.")
            .query(&[&CURSOR, &LIMIT])
            .gives_page::<Key>("One page of keys.", example()),
        Endpoint::new((Method::POST, "/v1/keys"), "addKey", Needs::Operator, add)
            .says("Add a key", "A secret that is made here is shown once, here.")
            .takes::<NewKeyBody>(vec![(
                "usual",
                json!({
                    "name": "dhcp.example.org", "algorithm": "hmac-sha256",
                    "zones": ["example.org"], "update": true,
                }),
            )])
            .gives::<MadeKey>(201, "The key.", made)
            .fails(&[Kind::Exists, Kind::Invalid, Kind::LimitReached]),
        Endpoint::new((Method::GET, "/v1/keys/{key}"), "showKey", Needs::ServiceReader, show)
            .says("Show a key", "Without its secret.")
            .gives::<Key>(200, "The key.", example())
            .fails(&[Kind::NotFound]),
        Endpoint::new((Method::DELETE, "/v1/keys/{key}"), "removeKey", Needs::Operator, remove)
            .says("Remove a key", "Nothing that is signed with it is accepted any more.")
            .gives_nothing(204, "The key is gone.")
            .fails(&[Kind::NotFound]),
    ]
}

/// A key that signs DNS messages, with TSIG (RFC 8945) or SIG(0) (RFC 2931).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Key {
    /// Its name.
    #[schema(example = "dhcp.example.org")]
    name: String,
    /// How its signatures are made.
    algorithm: Algorithm,
    /// The zones that it may act on.
    zones: Vec<String>,
    /// It may send UPDATE.
    update: bool,
    /// It may transfer.
    transfer: bool,
    /// The names that it may change, as patterns; none: every name of its zones.
    names: Vec<String>,
    /// The types that it may change; none: all.
    types: Vec<String>,
    /// What it may do with records.
    actions: Vec<Action>,
    /// A MAC that was truncated is accepted.
    truncated_ok: bool,
    /// When it was made.
    #[schema(format = "date-time")]
    created: String,
}

/// How signatures are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
enum Algorithm {
    #[serde(rename = "hmac-md5")]
    HmacMd5,
    #[serde(rename = "hmac-sha1")]
    HmacSha1,
    #[serde(rename = "hmac-sha224")]
    HmacSha224,
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
    #[serde(rename = "hmac-sha384")]
    HmacSha384,
    #[serde(rename = "hmac-sha512")]
    HmacSha512,
    #[serde(rename = "sig0")]
    Sig0,
}

/// What may be done with records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Action {
    /// Add them.
    Add,
    /// Delete them.
    Delete,
}

/// A key to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewKey)]
struct NewKeyBody {
    /// Its name.
    #[schema(example = "dhcp.example.org")]
    name: String,
    /// How its signatures are made.
    algorithm: Algorithm,
    /// The shared secret in base64; made here when not given. A SIG(0) key has none.
    secret: Option<String>,
    /// The zones that it may act on.
    #[schema(min_items = 1, max_items = 1000, example = json!(["example.org"]))]
    zones: Vec<String>,
    /// It may send UPDATE.
    #[serde(default)]
    update: bool,
    /// It may transfer.
    #[serde(default)]
    transfer: bool,
    /// The names that it may change: a name, `*.` and a name for all below it, `self`, or
    /// `self-subtree`; none: every name of its zones.
    #[serde(default)]
    #[schema(max_items = 100)]
    names: Vec<String>,
    /// The types that it may change; none: all.
    #[serde(default)]
    #[schema(max_items = 100)]
    types: Vec<String>,
    /// What it may do with records; none: everything.
    #[serde(default)]
    #[schema(max_items = 2)]
    actions: Vec<Action>,
    /// A MAC that was truncated is accepted.
    #[serde(default)]
    truncated_ok: bool,
    /// HMAC-MD5 is for devices that have nothing better; this says that the key is for one.
    #[serde(default)]
    md5_ok: bool,
}

/// A key that was made.
#[derive(Serialize, ToSchema)]
struct MadeKey {
    /// The key.
    key: Key,
    /// Its secret in base64 when it was made here: it is not shown again.
    secret: Option<String>,
}

impl Algorithm {
    fn shared(self) -> Option<TsigAlgorithm> {
        Some(match self {
            Algorithm::HmacMd5 => TsigAlgorithm::HmacMd5,
            Algorithm::HmacSha1 => TsigAlgorithm::HmacSha1,
            Algorithm::HmacSha224 => TsigAlgorithm::HmacSha224,
            Algorithm::HmacSha256 => TsigAlgorithm::HmacSha256,
            Algorithm::HmacSha384 => TsigAlgorithm::HmacSha384,
            Algorithm::HmacSha512 => TsigAlgorithm::HmacSha512,
            Algorithm::Sig0 => return None,
        })
    }

    fn of(credential: &Credential) -> Algorithm {
        let Credential::Shared { algorithm, .. } = credential else { return Algorithm::Sig0 };
        match algorithm {
            TsigAlgorithm::HmacMd5 => Algorithm::HmacMd5,
            TsigAlgorithm::HmacSha1 => Algorithm::HmacSha1,
            TsigAlgorithm::HmacSha224 => Algorithm::HmacSha224,
            TsigAlgorithm::HmacSha256 => Algorithm::HmacSha256,
            TsigAlgorithm::HmacSha384 => Algorithm::HmacSha384,
            TsigAlgorithm::HmacSha512 => Algorithm::HmacSha512,
        }
    }
}

impl Action {
    pub(super) fn of(actions: Actions) -> Vec<Action> {
        let may = [(Action::Add, actions.add), (Action::Delete, actions.delete)];
        may.into_iter().filter(|(_, may)| *may).map(|(action, _)| action).collect()
    }

    /// None is everything.
    pub(super) fn read(actions: &[Action]) -> Actions {
        let may = |action| actions.is_empty() || actions.contains(&action);
        Actions { add: may(Action::Add), delete: may(Action::Delete) }
    }
}

impl Key {
    fn of(key: &TsigKey) -> Key {
        let KeyPolicy { names, types, actions } = &key.policy;
        Key {
            name: text::name(&key.name),
            algorithm: Algorithm::of(&key.credential),
            zones: key.zones.iter().map(text::name).collect(),
            update: key.update,
            transfer: key.transfer,
            names: names.iter().map(NamePattern::to_string).collect(),
            types: types.iter().map(Rtype::to_string).collect(),
            actions: Action::of(*actions),
            truncated_ok: key.truncated_ok,
            created: text::moment(key.created),
        }
    }

    fn example() -> serde_json::Value {
        json!({
            "name": "dhcp.example.org", "algorithm": "hmac-sha256", "zones": ["example.org"],
            "update": true, "transfer": false, "names": [], "types": [],
            "actions": ["add", "delete"], "truncated_ok": false,
            "created": "2026-01-02T03:04:05Z",
        })
    }
}

impl NewKeyBody {
    /// How signatures are checked, and the secret when it is made here.
    fn credential(&self) -> Result<(Credential, Option<String>), Problem> {
        let Some(algorithm) = self.algorithm.shared() else {
            return match self.secret {
                None => Ok((Credential::Sig0, None)),
                Some(_) => Err(Problem::invalid("a SIG(0) key has no secret here").at("/secret")),
            };
        };
        if algorithm == TsigAlgorithm::HmacMd5 && !self.md5_ok {
            let problem = Problem::invalid("HMAC-MD5 is for devices that have nothing better");
            return Err(problem.at("/algorithm").hint("say `\"md5_ok\": true` for those"));
        }
        if let Some(given) = &self.secret {
            let secret = BASE64.decode(given.as_bytes());
            let secret = secret.map_err(|_| Problem::invalid("not base64").at("/secret"))?;
            return Ok((Credential::Shared { algorithm, secret }, None));
        }
        let mut secret = Vec::new();
        // RFC 8945 §8: as long as the hash.
        while secret.len() < algorithm.mac_octets() {
            secret.extend(random()?);
        }
        secret.truncate(algorithm.mac_octets());
        let shown = BASE64.encode(&secret);
        Ok((Credential::Shared { algorithm, secret }, Some(shown)))
    }

    fn policy(&self) -> Result<KeyPolicy, Problem> {
        Ok(KeyPolicy {
            names: text::patterns(&self.names, "/names")?,
            types: text::rtypes(&self.types, "/types")?,
            actions: Action::read(&self.actions),
        })
    }
}

fn seen(call: &Call) -> Result<TsigKey, Problem> {
    let name = call.name("key")?;
    let key = call.directory().key(&name).cloned();
    key.ok_or_else(|| Problem::missing("key", text::name(&name)))
}

async fn list(call: Call) -> Result<Answer, Problem> {
    let wanted = Wanted::of(&call)?;
    let after = wanted.after.as_deref().map(Name::parse).transpose().map_err(|_| malformed())?;
    let directory = call.directory();
    let keys = directory.keys().into_iter();
    let rest = keys.filter(|key| after.as_ref().is_none_or(|after| key.name > *after));
    let page = wanted.page(rest, |key| key.name.to_string());
    let items: Vec<Key> = page.items.iter().map(|key| Key::of(key)).collect();
    Answer::ok(&crate::page::Page { items, next: page.next })
}

async fn add(call: Call) -> Result<Answer, Problem> {
    let body: NewKeyBody = call.read()?;
    let name = text::name_in_body(&body.name, "/name")?;
    let (credential, secret) = body.credential()?;
    let zones = body.zones.iter().map(|zone| text::name_in_body(zone, "/zones"));
    let key = NewKey {
        name: name.clone(),
        credential,
        zones: zones.collect::<Result<_, _>>()?,
        update: body.update,
        transfer: body.transfer,
        policy: body.policy()?,
        truncated_ok: body.truncated_ok,
    };
    call.operate(Operation::AddKey(key)).await?;
    let key = call.directory().key(&name).map(Key::of);
    let key = key.ok_or_else(|| Problem::missing("key", text::name(&name)))?;
    let path = format!("/v1/keys/{}", text::name(&name));
    Answer::created(&MadeKey { key, secret }, &path)
}

async fn show(call: Call) -> Result<Answer, Problem> {
    Answer::ok(&Key::of(&seen(&call)?))
}

async fn remove(call: Call) -> Result<Answer, Problem> {
    let key = seen(&call)?;
    call.operate(Operation::RemoveKey(key.name)).await?;
    Ok(Answer::nothing())
}
