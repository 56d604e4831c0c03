//! What lies on the disk: the account, the certificate, and what is remembered of orders.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tls::Pair;

use crate::schedule::Past;

/// A folder of its own in the data directory. Files in it are replaced as a whole, are durable when
/// they have been written, and only their owner can read them.
#[derive(Clone, Debug)]
pub struct Kept {
    folder: PathBuf,
}

/// Why something could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct KeptError {
    path: PathBuf,
    why: io::Error,
}

/// An account with an authority.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeptAccount {
    /// The authority's directory.
    pub(crate) directory: String,
    /// How the authority may reach the operator.
    pub(crate) contact: Vec<String>,
    /// Number and key of the account, in the library's form.
    pub(crate) credentials: serde_json::Value,
}

impl Kept {
    /// In the data directory; nothing is made yet.
    pub fn below(data: &Path) -> Kept {
        Kept { folder: data.join("acme") }
    }

    /// The certificate with its key, if there is one.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn certificate(&self) -> Result<Option<Pair>, KeptError> {
        let Some(text) = self.read(CERTIFICATE)? else { return Ok(None) };
        let pair = Pair::from_pem(&text, &text);
        pair.map(Some).map_err(|why| self.refuse(CERTIFICATE, io::Error::other(why)))
    }

    /// Keeps chain and key in one file, so that they are never of two orders.
    pub(crate) fn keep_certificate(&self, chain: &str, key: &str) -> Result<(), KeptError> {
        self.write(CERTIFICATE, format!("{key}{chain}").as_bytes())
    }

    pub(crate) fn account(&self) -> Result<Option<KeptAccount>, KeptError> {
        self.read_json(ACCOUNT)
    }

    pub(crate) fn keep_account(&self, account: &KeptAccount) -> Result<(), KeptError> {
        self.write_json(ACCOUNT, account)
    }

    /// Forgets the account; the authority does not know it.
    pub(crate) fn forget_account(&self) -> Result<(), KeptError> {
        match fs::remove_file(self.folder.join(ACCOUNT)) {
            Ok(()) => Ok(()),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(why) => Err(self.refuse(ACCOUNT, why)),
        }
    }

    pub(crate) fn past(&self) -> Result<Past, KeptError> {
        Ok(self.read_json(PAST)?.unwrap_or_default())
    }

    pub(crate) fn keep_past(&self, past: &Past) -> Result<(), KeptError> {
        self.write_json(PAST, past)
    }

    fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, KeptError> {
        let Some(text) = self.read(name)? else { return Ok(None) };
        // What the error shows may be a part of a key.
        let damaged = |_| self.refuse(name, io::Error::other("the file is damaged; delete it"));
        serde_json::from_slice(&text).map(Some).map_err(damaged)
    }

    fn write_json<T: Serialize>(&self, name: &str, value: &T) -> Result<(), KeptError> {
        let text = serde_json::to_vec(value).map_err(|why| self.refuse(name, why.into()))?;
        self.write(name, &text)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, KeptError> {
        let mut text = Vec::new();
        let opened = File::open(self.folder.join(name));
        match opened.and_then(|file| file.take(OCTETS_MAX).read_to_end(&mut text)) {
            Ok(_) => Ok(Some(text)),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(why) => Err(self.refuse(name, why)),
        }
    }

    fn write(&self, name: &str, octets: &[u8]) -> Result<(), KeptError> {
        let replace = || {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
            let new = self.folder.join(format!("{name}.new"));
            // One that a crash left might have other permissions.
            match fs::remove_file(&new) {
                Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
                Ok(()) | Err(_) => {}
            }
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
            file.write_all(octets)?;
            file.sync_all()?;
            fs::rename(&new, self.folder.join(name))?;
            File::open(&self.folder)?.sync_all()
        };
        replace().map_err(|why| self.refuse(name, why))
    }

    fn refuse(&self, name: &str, why: io::Error) -> KeptError {
        KeptError { path: self.folder.join(name), why }
    }
}

const ACCOUNT: &str = "account.json";
const CERTIFICATE: &str = "certificate.pem";
const PAST: &str = "orders.json";
const OCTETS_MAX: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_kept_is_private_and_comes_back() {
        let data = tempfile::tempdir().unwrap();
        let kept = Kept::below(data.path());
        assert_eq!(kept.past().unwrap(), Past::default());
        assert!(kept.certificate().unwrap().is_none() && kept.account().unwrap().is_none());
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["home.example".to_owned()]).unwrap();
        let chain = params.self_signed(&key).unwrap().pem();
        // As after a crash in the middle of writing.
        fs::create_dir_all(data.path().join("acme")).unwrap();
        fs::write(data.path().join("acme/certificate.pem.new"), "half").unwrap();
        kept.keep_certificate(&chain, &key.serialize_pem()).unwrap();
        let past = Past { failures: 3, ..Past::default() };
        kept.keep_past(&past).unwrap();
        assert_eq!(kept.past().unwrap(), past);
        assert_eq!(kept.certificate().unwrap().unwrap().names(), ["home.example"]);
        for name in ["certificate.pem", "orders.json"] {
            let mode = fs::metadata(data.path().join("acme").join(name)).unwrap().permissions();
            assert_eq!(mode.mode() & 0o777, 0o600, "{name}");
        }
        fs::write(data.path().join("acme/account.json"), "{\"key\":\"secret").unwrap();
        let told = kept.account().err().unwrap().to_string();
        assert!(told.contains("account.json") && !told.contains("secret"), "{told}");
        kept.forget_account().unwrap();
        kept.forget_account().unwrap();
        assert!(kept.account().unwrap().is_none());
    }
}
