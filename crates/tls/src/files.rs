//! A pair on the disk.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::pair::{Pair, PairError};

/// Where a pair is. Links are followed, as certbot and Kubernetes have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The chain, the server's own certificate first (PEM).
    pub certificate: PathBuf,
    /// Its private key (PEM).
    pub key: PathBuf,
}

/// Why files are no pair.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// A file cannot be read.
    #[error("{}: {why}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// What is in them is no pair.
    #[error("{}: {why}", path.display())]
    Pair {
        /// The file that is wrong.
        path: PathBuf,
        /// Why.
        why: PairError,
    },
}

/// What tells that a file is another one than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    octets: u64,
    /// Time of the last change of the content and of the file, in seconds and nanoseconds.
    changed: [i64; 4],
}

impl Files {
    /// Reads and checks the pair.
    ///
    /// # Errors
    /// [`FileError`] names the file and says what is wrong with it.
    pub fn read(&self) -> Result<Pair, FileError> {
        let chain = read(&self.certificate)?;
        let key = read(&self.key)?;
        Pair::from_pem(&chain, &key).map_err(|why| {
            let path = match why {
                PairError::NoCertificate | PairError::Certificate(_) | PairError::NoNames => {
                    self.certificate.clone()
                }
                PairError::NoKey
                | PairError::KeyEncrypted
                | PairError::Key(_)
                | PairError::KeyMismatch => self.key.clone(),
            };
            FileError::Pair { path, why }
        })
    }

    /// Whether everybody on this machine can read the key.
    pub fn is_key_open(&self) -> bool {
        fs::metadata(&self.key).is_ok_and(|file| file.mode() & READABLE_BY_OTHERS != 0)
    }

    /// What the files look like now; `None` for one that is not there.
    pub(crate) fn stamps(&self) -> [Option<Stamp>; 2] {
        [&self.certificate, &self.key].map(|path| fs::metadata(path).ok().map(|file| stamp(&file)))
    }
}

impl FileError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            FileError::Read { why, .. } if why.kind() == io::ErrorKind::PermissionDenied => Some(
                "let the user that the service runs as read it, for example by its group; the \
                 folders above it count too",
            ),
            FileError::Read { .. } => None,
            FileError::Pair { why: PairError::KeyMismatch, .. } => {
                Some("the server's own certificate must come first, those of its issuers after it")
            }
            FileError::Pair { .. } => None,
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let mut octets = Vec::new();
    let read = File::open(path).and_then(|file| file.take(OCTETS_MAX + 1).read_to_end(&mut octets));
    let refuse = |why| FileError::Read { path: path.to_owned(), why };
    match read {
        Ok(count) if count as u64 > OCTETS_MAX => {
            Err(refuse(io::Error::other("it is larger than 1 MiB, so it is no certificate or key")))
        }
        Ok(_) => Ok(octets),
        Err(why) => Err(refuse(why)),
    }
}

fn stamp(file: &Metadata) -> Stamp {
    Stamp {
        device: file.dev(),
        inode: file.ino(),
        octets: file.len(),
        changed: [file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()],
    }
}

const OCTETS_MAX: u64 = 1024 * 1024;
const READABLE_BY_OTHERS: u32 = 0o004;

#[cfg(test)]
mod tests;
