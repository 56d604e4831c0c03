//! The platter as a mounted file system.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    BackgroundSession, BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem,
    FopenFlags, Generation, INodeNo, LockOwner, MountOption, OpenFlags, RenameFlags, ReplyAttr,
    ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyWrite, Request,
    TimeOrNow, WriteFlags,
};

use crate::platter::{Loss, Platter};

/// A mounted disk, served by this process. Unmounted when dropped.
#[derive(Debug)]
pub(crate) struct Mount {
    inside: Arc<Mutex<Inside>>,
    _session: BackgroundSession,
}

#[derive(Debug, Default)]
struct Inside {
    platter: Platter,
    is_cut: bool,
    refuses_syncs: bool,
}

impl Mount {
    /// Mounts a disk at a directory, with the files of another directory on it.
    pub(crate) fn new(at: &Path, from: &Path) -> io::Result<Mount> {
        let mut inside = Inside::default();
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let mode = entry.metadata()?.permissions().mode();
            inside.platter.load((entry.file_name(), mode & 0o7777, fs::read(entry.path())?));
        }
        inside.platter.sync_entries();
        let inside = Arc::new(Mutex::new(inside));
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("powercut".to_owned())];
        let session = fuser::spawn_mount(Mounted(Arc::clone(&inside)), at, &config)?;
        Ok(Mount { inside, _session: session })
    }

    pub(crate) fn cut(&self) {
        lock(&self.inside).is_cut = true;
    }

    pub(crate) fn refuse_syncs(&self, refuses: bool) {
        lock(&self.inside).refuses_syncs = refuses;
    }

    pub(crate) fn remains(&self, loss: Loss, to: &Path) -> io::Result<()> {
        for (name, mode, octets) in lock(&self.inside).platter.left(loss) {
            let path = to.join(name);
            let mut file = OpenOptions::new().create_new(true).write(true).mode(mode).open(path)?;
            file.write_all(&octets)?;
        }
        Ok(())
    }
}

struct Mounted(Arc<Mutex<Inside>>);

impl Mounted {
    /// Runs a call that changes something, while there is power.
    fn call<T>(&self, f: impl FnOnce(&mut Inside) -> Result<T, Errno>) -> Result<T, Errno> {
        let mut inside = lock(&self.0);
        if inside.is_cut { Err(Errno::EIO) } else { f(&mut inside) }
    }

    /// Runs a call that only looks. It goes well without power too: a program that has mapped a
    /// file would be killed otherwise, and it cannot learn anything that matters any more.
    fn look<T>(&self, f: impl FnOnce(&mut Inside) -> Result<T, Errno>) -> Result<T, Errno> {
        f(&mut lock(&self.0))
    }

    fn done(&self, reply: ReplyEmpty, f: impl FnOnce(&mut Inside) -> Result<(), Errno>) {
        match self.call(f) {
            Ok(()) => reply.ok(),
            Err(why) => reply.error(why),
        }
    }
}

impl Filesystem for Mounted {
    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let found = self.look(|inside| {
            let number = inside.platter.find(name).ok_or(Errno::ENOENT)?;
            file_attributes(&inside.platter, number)
        });
        match found {
            Ok(attributes) => reply.entry(&FOR_EVER, &attributes, Generation(0)),
            Err(why) => reply.error(why),
        }
    }

    fn getattr(&self, _: &Request, number: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.look(|inside| file_attributes(&inside.platter, number.0)) {
            Ok(attributes) => reply.attr(&FOR_EVER, &attributes),
            Err(why) => reply.error(why),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        number: INodeNo,
        mode: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        length: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let done = self.call(|inside| {
            if let Some(length) = length {
                inside.platter.set_length(number.0, length).ok_or(Errno::ENOENT)?;
            }
            if let Some(mode) = mode
                && number != INodeNo::ROOT
            {
                inside.platter.set_mode(number.0, mode & 0o7777).ok_or(Errno::ENOENT)?;
            }
            file_attributes(&inside.platter, number.0)
        });
        match done {
            Ok(attributes) => reply.attr(&FOR_EVER, &attributes),
            Err(why) => reply.error(why),
        }
    }

    fn create(
        &self,
        _: &Request,
        _: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        let made = self.call(|inside| {
            let number = inside.platter.create(name, mode & !umask & 0o7777);
            file_attributes(&inside.platter, number)
        });
        match made {
            Ok(attributes) => {
                let (handle, flags) = (FileHandle(0), FopenFlags::empty());
                reply.created(&FOR_EVER, &attributes, Generation(0), handle, flags);
            }
            Err(why) => reply.error(why),
        }
    }

    fn unlink(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.done(reply, |inside| inside.platter.unlink(name).ok_or(Errno::ENOENT));
    }

    fn rename(
        &self,
        _: &Request,
        _: INodeNo,
        from: &OsStr,
        _: INodeNo,
        to: &OsStr,
        _: RenameFlags,
        reply: ReplyEmpty,
    ) {
        self.done(reply, |inside| inside.platter.rename(from, to).ok_or(Errno::ENOENT));
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match self.look(|_| Ok(())) {
            Ok(()) => reply.opened(FileHandle(0), FopenFlags::empty()),
            Err(why) => reply.error(why),
        }
    }

    fn read(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        at: u64,
        length: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let read = self.look(|inside| {
            let octets = inside.platter.read(number.0, at, length).ok_or(Errno::ENOENT)?;
            Ok(octets.to_vec())
        });
        match read {
            Ok(octets) => reply.data(&octets),
            Err(why) => reply.error(why),
        }
    }

    fn write(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        at: u64,
        octets: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let write = |inside: &mut Inside| inside.platter.write(number.0, at, octets);
        match self.call(|inside| write(inside).ok_or(Errno::ENOENT)) {
            Ok(()) => reply.written(octets.len() as u32),
            Err(why) => reply.error(why),
        }
    }

    fn fsync(&self, _: &Request, number: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.done(reply, |inside| match inside.refuses_syncs {
            true => Err(Errno::EIO),
            false => inside.platter.sync(number.0).ok_or(Errno::ENOENT),
        });
    }

    fn fsyncdir(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.done(reply, |inside| match inside.refuses_syncs {
            true => Err(Errno::EIO),
            false => {
                inside.platter.sync_entries();
                Ok(())
            }
        });
    }

    fn readdir(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let listed = self.look(|inside| {
            let names = inside.platter.names().zip(1u64..).skip(offset as usize);
            for ((name, number), next) in names {
                if reply.add(INodeNo(number), next, FileType::RegularFile, name) {
                    break;
                }
            }
            Ok(())
        });
        match listed {
            Ok(()) => reply.ok(),
            Err(why) => reply.error(why),
        }
    }
}

fn file_attributes(platter: &Platter, number: u64) -> Result<FileAttr, Errno> {
    let (size, mode, kind) = if number == INodeNo::ROOT.0 {
        (0, 0o700, FileType::Directory)
    } else {
        let (size, mode) = platter.look(number).ok_or(Errno::ENOENT)?;
        (size, mode, FileType::RegularFile)
    };
    Ok(FileAttr {
        ino: INodeNo(number),
        size,
        blocks: size.div_ceil(512),
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind,
        perm: mode as u16,
        nlink: 1,
        uid: rustix::process::getuid().as_raw(),
        gid: rustix::process::getgid().as_raw(),
        rdev: 0,
        blksize: 4096,
        flags: 0,
    })
}

fn lock(inside: &Mutex<Inside>) -> MutexGuard<'_, Inside> {
    inside.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All changes go through the mount, so the kernel may remember what it has seen.
const FOR_EVER: Duration = Duration::from_secs(3600);
