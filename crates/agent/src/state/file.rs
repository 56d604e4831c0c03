//! The state on disk: one agent at a time, replaced as a whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{State, StateError};

/// A state file that nobody else uses while this lives.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    /// Holds the lock.
    _lock: File,
}

/// Why the state cannot be kept. Without a memory every run would ask the service anew, so this is
/// an error and no warning.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the state file `{path}`: {source}")]
pub struct StateFileError {
    path: PathBuf,
    source: io::Error,
}

/// What was found in a state file.
#[derive(Debug)]
pub struct Opened {
    /// The file, to save to.
    pub file: StateFile,
    /// What it holds; empty, when it was not there or could not be read.
    pub state: State,
    /// Why it could not be read.
    pub damaged: Option<StateError>,
}

impl StateFile {
    /// Opens the file of this path; makes its folder when it is missing, waits while another agent
    /// uses it.
    ///
    /// # Errors
    /// [`StateFileError`] when it cannot be read or its folder cannot be written to.
    pub fn open(path: &Path) -> Result<Opened, StateFileError> {
        open(path).map_err(|source| StateFileError { path: path.to_owned(), source })
    }

    /// Replaces what the file holds. After a power cut it is the old or the new.
    ///
    /// # Errors
    /// [`StateFileError`]; the file is then as it was.
    pub fn save(&self, state: &State) -> Result<(), StateFileError> {
        replace(&self.path, &state.to_text())
            .map_err(|source| StateFileError { path: self.path.clone(), source })
    }
}

/// Reads a state file without using it.
///
/// # Errors
/// [`StateFileError`] when it is there and cannot be read.
pub fn peek(path: &Path) -> Result<(State, Option<StateError>), StateFileError> {
    match read(path) {
        Ok(found) => Ok(found),
        Err(source) => Err(StateFileError { path: path.to_owned(), source }),
    }
}

fn open(path: &Path) -> io::Result<Opened> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let lock = private().truncate(false).open(beside(path, "lock"))?;
    lock.lock()?;
    let (state, damaged) = read(path)?;
    Ok(Opened { file: StateFile { path: path.to_owned(), _lock: lock }, state, damaged })
}

fn read(path: &Path) -> io::Result<(State, Option<StateError>)> {
    let mut text = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(FILE_OCTETS_MAX).read_to_end(&mut text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(<_>::default()),
        Err(error) => return Err(error),
    };
    match State::parse(&String::from_utf8_lossy(&text)) {
        Ok(state) => Ok((state, None)),
        Err(error) => Ok((State::default(), Some(error))),
    }
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let new = beside(path, "new");
    let mut file = private().truncate(true).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        Some(_) | None => File::open(".")?.sync_all(),
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}

fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}

const FILE_OCTETS_MAX: u64 = 4 * 1024 * 1024;
