//! A whole state as one stream of octets: the body of a snapshot.
//!
//! Layout: [`MAGIC`], one octet of version, frames of four octets of length (big-endian) and one
//! item, a frame of length 0, and SHA-256 of everything before it.

use std::io::{self, Read, Write};

use ring::digest::{Context, SHA256};

use super::{CodecError, VERSION, decode_item, encode_item, finish};
use crate::api::StoreError;
use crate::item::Item;

/// Writes items into a stream.
pub struct StateWriter<W> {
    to: W,
    sum: Context,
    frame: Vec<u8>,
}

impl<W: Write> StateWriter<W> {
    /// Opens a stream.
    pub fn new(to: W) -> io::Result<StateWriter<W>> {
        let mut writer = StateWriter { to, sum: Context::new(&SHA256), frame: Vec::new() };
        writer.put(MAGIC)?;
        writer.put(&[VERSION])?;
        Ok(writer)
    }

    /// Appends one item.
    pub fn push(&mut self, item: &Item) -> io::Result<()> {
        let mut frame = std::mem::take(&mut self.frame);
        frame.clear();
        encode_item(item, &mut frame);
        let length = u32::try_from(frame.len()).map_err(io::Error::other)?;
        self.put(&length.to_be_bytes())?;
        self.put(&frame)?;
        self.frame = frame;
        Ok(())
    }

    /// Closes the stream.
    pub fn finish(mut self) -> io::Result<W> {
        self.put(&[0; 4])?;
        let sum = finish(self.sum);
        self.to.write_all(&sum)?;
        Ok(self.to)
    }

    fn put(&mut self, octets: &[u8]) -> io::Result<()> {
        self.sum.update(octets);
        self.to.write_all(octets)
    }
}

/// Reads the items of a stream. The checksum is known only at its end: whoever reads must throw
/// everything away when an error comes.
pub struct StateReader<R> {
    from: R,
    sum: Context,
    version: u8,
    frame: Vec<u8>,
    done: bool,
}

impl<R: Read> StateReader<R> {
    /// Opens a stream.
    pub fn new(mut from: R) -> Result<StateReader<R>, StoreError> {
        let mut head = [0; MAGIC.len() + 1];
        from.read_exact(&mut head).map_err(damaged)?;
        let mut sum = Context::new(&SHA256);
        sum.update(&head);
        match head.split_last() {
            Some((&version, magic)) if magic == MAGIC && version > VERSION => {
                Err(damaged(CodecError::Version(version)))
            }
            Some((&version, magic)) if magic == MAGIC => {
                Ok(StateReader { from, sum, version, frame: Vec::new(), done: false })
            }
            _ => Err(StoreError::Damaged("not a snapshot of byname".to_owned())),
        }
    }

    fn read(&mut self) -> Result<Option<Item>, StoreError> {
        let mut length = [0; 4];
        self.from.read_exact(&mut length).map_err(damaged)?;
        self.sum.update(&length);
        let length = u32::from_be_bytes(length);
        if length == 0 {
            return self.check().map(|()| None);
        }
        if length > FRAME_OCTETS_MAX {
            return Err(StoreError::Damaged("a frame of a snapshot is too long".to_owned()));
        }
        self.frame.clear();
        let read = (&mut self.from).take(u64::from(length)).read_to_end(&mut self.frame);
        if read.map_err(damaged)? < length as usize {
            return Err(StoreError::Damaged("a snapshot ends early".to_owned()));
        }
        self.sum.update(&self.frame);
        decode_item(self.version, &self.frame).map(Some).map_err(damaged)
    }

    fn check(&mut self) -> Result<(), StoreError> {
        let mut kept = [0; 32];
        self.from.read_exact(&mut kept).map_err(damaged)?;
        let sum = std::mem::replace(&mut self.sum, Context::new(&SHA256));
        if finish(sum) == kept {
            Ok(())
        } else {
            Err(StoreError::Damaged("the checksum of a snapshot does not fit".to_owned()))
        }
    }
}

impl<R: Read> Iterator for StateReader<R> {
    type Item = Result<Item, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let read = self.read();
        self.done = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}

fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(error.to_string())
}

const MAGIC: &[u8] = b"byname state\n";
/// Longest item, in octets: a full part of an import with long names stays well below.
const FRAME_OCTETS_MAX: u32 = 64 * 1024 * 1024;
