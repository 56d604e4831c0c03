//! Keys of different policies, as the operator adds them and as the model reads them.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tsig::{Client, Key};
use wire::{Name, TsigAlgorithm};

use crate::bynamed::{Place, ZONE};
use crate::model::{A, Names, Policy, TXT};

/// A key at both ends.
#[derive(Clone)]
pub(crate) struct Signer {
    key: Arc<Key>,
    pub(crate) policy: Policy,
}

impl Signer {
    /// Adds a key to a service with these options.
    fn add(
        place: &Place,
        (key, algorithm): (&str, TsigAlgorithm),
        options: &[&str],
        policy: Policy,
    ) -> Signer {
        let secret = format!("secret of {key}");
        let encoded = data_encoding::BASE64.encode(secret.as_bytes());
        let add = ["key", "add", key, "--zone", ZONE, "--allow", "update", "--algorithm"];
        let (word, source) = (word(algorithm), ["--secret", &encoded]);
        place.json(&[&add[..], &[word], &source[..], options].concat());
        Signer { key: Arc::new(ready(key, algorithm, secret.as_bytes())), policy }
    }

    /// One that may do everything, and those that may not.
    pub(crate) fn add_all(place: &Place) -> Vec<Signer> {
        use TsigAlgorithm::{HmacSha1, HmacSha224, HmacSha256, HmacSha384, HmacSha512};
        let all = || Policy { names: vec![], types: vec![], add: true, delete: true };
        let names = |names: &[Names]| Policy { names: names.to_vec(), ..all() };
        vec![
            Signer::add(place, ("all", HmacSha256), &[], all()),
            Signer::add(
                place,
                ("a.dyn.example", HmacSha512),
                &["--name", "self-subtree", "--name", "b.dyn.example"],
                names(&[Names::Under("a.dyn.example."), Names::At("b.dyn.example.")]),
            ),
            Signer::add(
                place,
                ("below", HmacSha224),
                &["--name", "*.dyn.example"],
                names(&[Names::Below("dyn.example.")]),
            ),
            Signer::add(
                place,
                ("types", HmacSha1),
                &["--type", "A,TXT"],
                Policy { types: vec![A, TXT], ..all() },
            ),
            Signer::add(
                place,
                ("adds", HmacSha384),
                &["--action", "add"],
                Policy { delete: false, ..all() },
            ),
            Signer::add(
                place,
                ("deletes", HmacSha256),
                &["--action", "delete"],
                Policy { add: false, ..all() },
            ),
        ]
    }

    /// The same key with another secret: nobody believes it.
    pub(crate) fn forged(&self) -> Signer {
        let name = self.key.name().to_string();
        let key = Arc::new(ready(&name, self.key.algorithm(), b"a guess"));
        Signer { key, policy: self.policy.clone() }
    }

    /// Signs a message; what its answer is checked with.
    pub(crate) fn sign(&self, message: &mut Vec<u8>) -> Client {
        Client::sign(&self.key, message, now_s())
    }
}

/// Seconds since 1970-01-01 00:00 UTC.
pub(crate) fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

fn ready(name: &str, algorithm: TsigAlgorithm, secret: &[u8]) -> Key {
    Key::new(Name::parse(name).expect("a name"), algorithm, secret, false)
}

fn word(algorithm: TsigAlgorithm) -> &'static str {
    match algorithm {
        TsigAlgorithm::HmacMd5 => "hmac-md5",
        TsigAlgorithm::HmacSha1 => "hmac-sha1",
        TsigAlgorithm::HmacSha224 => "hmac-sha224",
        TsigAlgorithm::HmacSha256 => "hmac-sha256",
        TsigAlgorithm::HmacSha384 => "hmac-sha384",
        TsigAlgorithm::HmacSha512 => "hmac-sha512",
    }
}
