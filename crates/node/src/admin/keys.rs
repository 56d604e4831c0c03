//! Keys: what an order says of one, and what is told of it once.

use account::{Actions, Credential, KeyPolicy, NamePattern, TsigAlgorithm};
use data_encoding::BASE64;
use engine::{NewKey, Operation};
use serde_json::{Value, json};
use wire::{Name, Rtype};

use super::AdminError;
use super::command::{Command, KeyAction, KeySettings, SecretText};
use super::execute::{Orders, name, text};

impl Orders<'_> {
    pub(super) fn key_add(&self, command: &Command) -> Result<Value, AdminError> {
        let Command::KeyAdd { key, algorithm, secret, zones, update, transfer, settings } = command
        else {
            return Err(AdminError::Invalid("not an order for a key".to_owned()));
        };
        let key = name(key)?;
        let credential = self.credential(algorithm, secret.as_ref(), settings)?;
        let mut value = json!({ "key": text(&key), "algorithm": algorithm });
        // A secret that was given is known already, and is not repeated.
        if let (Credential::Shared { secret: made, .. }, None) = (&credential, secret) {
            tell(&mut value, &key, algorithm, &BASE64.encode(made));
        }
        self.operate(Operation::AddKey(NewKey {
            name: key,
            credential,
            zones: zones.iter().map(|zone| name(zone)).collect::<Result<_, _>>()?,
            update: *update,
            transfer: *transfer,
            policy: policy(settings)?,
            truncated_ok: settings.truncated_ok,
        }))?;
        Ok(value)
    }

    fn credential(
        &self,
        algorithm: &str,
        given: Option<&SecretText>,
        settings: &KeySettings,
    ) -> Result<Credential, AdminError> {
        let invalid = |why: &str| AdminError::Invalid(why.to_owned());
        if algorithm == SIG0 {
            return match given {
                None => Ok(Credential::Sig0),
                Some(_) => {
                    Err(invalid("a SIG(0) key has no secret here: its KEY record is public"))
                }
            };
        }
        let found = ALGORITHMS.iter().find(|(text, ..)| *text == algorithm);
        let (_, algorithm, octets) = *found.ok_or_else(|| {
            invalid(&format!("unknown algorithm `{algorithm}`; hmac-sha256 is the usual one"))
        })?;
        if algorithm == TsigAlgorithm::HmacMd5 && !settings.md5_ok {
            return Err(invalid(
                "HMAC-MD5 is for devices that have nothing better; say `--allow-md5` for those",
            ));
        }
        let secret = match given {
            Some(given) => BASE64
                .decode(given.0.as_bytes())
                .map_err(|_| invalid("the secret is not base64"))?,
            None => self.octets(octets)?,
        };
        Ok(Credential::Shared { algorithm, secret })
    }

    /// Random octets.
    fn octets(&self, count: usize) -> Result<Vec<u8>, AdminError> {
        let mut octets = Vec::with_capacity(count);
        while octets.len() < count {
            octets.extend(self.random()?);
        }
        octets.truncate(count);
        Ok(octets)
    }
}

/// The text of an algorithm, as orders name it.
pub(crate) fn algorithm_text(credential: &Credential) -> &'static str {
    let Credential::Shared { algorithm, .. } = credential else { return SIG0 };
    let found = ALGORITHMS.iter().find(|(_, known, _)| known == algorithm);
    found.map_or("unknown", |(text, ..)| text)
}

/// A pattern for people, as it may be given in an order: no final dot.
pub(crate) fn pattern_text(pattern: &NamePattern) -> String {
    let whole = pattern.to_string();
    let short = whole.strip_suffix('.').unwrap_or(&whole);
    let is_same = NamePattern::parse(short).is_ok_and(|read| read == *pattern);
    if is_same { short.to_owned() } else { whole }
}

/// What the other end needs: the secret, and what to write into a file for `nsupdate -k` and for
/// `knsupdate -k`.
fn tell(value: &mut Value, key: &Name, algorithm: &str, secret: &str) {
    let key = text(key);
    value["nsupdate"] =
        format!(r#"key "{key}" {{ algorithm {algorithm}; secret "{secret}"; }};"#).into();
    value["knsupdate"] = format!("{algorithm}:{key}:{secret}").into();
    value["secret"] = secret.into();
}

fn policy(settings: &KeySettings) -> Result<KeyPolicy, AdminError> {
    let pattern = |text: &String| {
        NamePattern::parse(text)
            .map_err(|why| AdminError::Invalid(format!("`{text}` is not a name or pattern: {why}")))
    };
    let rtype = |text: &String| {
        text.parse::<Rtype>()
            .map_err(|_| AdminError::Invalid(format!("`{text}` is not the type of a record")))
    };
    let may = |action| settings.actions.is_empty() || settings.actions.contains(&action);
    Ok(KeyPolicy {
        names: settings.names.iter().map(pattern).collect::<Result<_, _>>()?,
        types: settings.types.iter().map(rtype).collect::<Result<_, _>>()?,
        actions: Actions { add: may(KeyAction::Add), delete: may(KeyAction::Delete) },
    })
}

/// What is said in place of an algorithm for a key whose public part is a KEY record.
const SIG0: &str = "sig0";
/// Names of algorithms, and octets of a secret that is made: as many as the hash has.
const ALGORITHMS: &[(&str, TsigAlgorithm, usize)] = &[
    ("hmac-md5", TsigAlgorithm::HmacMd5, 16),
    ("hmac-sha1", TsigAlgorithm::HmacSha1, 20),
    ("hmac-sha224", TsigAlgorithm::HmacSha224, 28),
    ("hmac-sha256", TsigAlgorithm::HmacSha256, 32),
    ("hmac-sha384", TsigAlgorithm::HmacSha384, 48),
    ("hmac-sha512", TsigAlgorithm::HmacSha512, 64),
];
