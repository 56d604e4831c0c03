//! The newest snapshot: one file beside the log.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use store::Pos;

use crate::connection;

/// Opens a snapshot file: the position that it stands at, and the file at the start of the body.
pub(crate) fn open(path: &Path) -> io::Result<Option<(Pos, File)>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(why),
    };
    let mut at = [0; 8];
    file.read_exact(&mut at)?;
    Ok(Some((Pos(u64::from_be_bytes(at)), file)))
}

/// Puts a snapshot in place of an older one once it is durable.
pub(crate) fn write(directory: &Path, at: Pos, body: &mut dyn Read) -> io::Result<()> {
    let at = at.0.to_be_bytes();
    replace(directory, &mut at.as_slice().chain(body))
}

/// Puts a whole file, position and body, in place of an older one once it is durable.
pub(crate) fn replace(directory: &Path, octets: &mut dyn Read) -> io::Result<()> {
    let new = directory.join(NEW);
    // A file that was left behind may have any mode.
    remove(&new)?;
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&new)?;
    let written = io::copy(octets, &mut file).and_then(|_| file.flush());
    let written = written.and_then(|()| file.sync_all());
    if let Err(why) = written {
        // Best effort: it would be removed when the store is opened.
        let _ = std::fs::remove_file(&new);
        return Err(why);
    }
    std::fs::rename(&new, directory.join(NAME))?;
    connection::sync_directory(&new)
}

/// Removes a file; fine when it is not there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => Err(why),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Name of the snapshot's file: eight octets of position, then the body.
pub(crate) const NAME: &str = "snapshot";
/// Name of one that is being written.
const NEW: &str = "snapshot.new";
