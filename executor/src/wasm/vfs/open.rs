//! Opening files and folders.

use std::os::fd::OwnedFd;
use std::rc::Rc;

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::handle::File;
use super::host::open_beneath;
use super::walk::{Below, Dir, HostDir, Target};
use super::{FsResult, Vfs};

/// What is asked of an opening.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct OpenHow {
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) append: bool,
    pub(crate) synchronous: bool,
    pub(crate) create: bool,
    pub(crate) exclusive: bool,
    pub(crate) truncate: bool,
    pub(crate) directory: bool,
    pub(crate) follow: bool,
}

impl OpenHow {
    fn flags(self) -> OFlags {
        let mut flags = match (self.read, self.write) {
            (_, _) if self.directory => OFlags::RDONLY | OFlags::DIRECTORY,
            (true, true) => OFlags::RDWR,
            (false, true) => OFlags::WRONLY,
            (_, false) => OFlags::RDONLY,
        };
        // A pipe or a device among the inputs must not block; it is refused once it is open.
        flags |= OFlags::NONBLOCK | OFlags::NOCTTY;
        for (asked, flag) in [
            (self.append, OFlags::APPEND),
            (self.synchronous, OFlags::SYNC),
            (self.create, OFlags::CREATE),
            (self.exclusive, OFlags::EXCL),
            (self.truncate, OFlags::TRUNC),
            (!self.follow, OFlags::NOFOLLOW),
        ] {
            if asked {
                flags |= flag;
            }
        }
        flags
    }
}

/// What was opened.
#[derive(Debug)]
pub(crate) enum Opened {
    Dir(Dir),
    File(File),
}

impl Vfs {
    /// Opens, or creates, what lies at `path`.
    pub(crate) fn open(&self, start: &Dir, path: &[u8], how: OpenHow) -> FsResult<Opened> {
        match self.tree.resolve(start, path, how.follow)? {
            Target::Dir(_) if how.create && how.exclusive => Err(Errno::EXIST),
            Target::Dir(_) if how.truncate || (how.create && !how.directory) => Err(Errno::ISDIR),
            Target::Dir(_) if how.write && !how.directory => Err(Errno::ISDIR),
            Target::Dir(dir) => Ok(Opened::Dir(dir)),
            Target::File(_) if how.create && how.exclusive => Err(Errno::EXIST),
            Target::File(_) if how.directory => Err(Errno::NOTDIR),
            Target::File(mount) => {
                let writable = self.tree.mounted(mount).writable;
                if (how.write || how.truncate) && !writable {
                    return Err(Errno::ROFS);
                }
                let flags = how.flags() - OFlags::CREATE - OFlags::EXCL - OFlags::NOFOLLOW;
                let fd = self.tree.open_file(mount, flags)?;
                self.opened(fd, how, writable)
            }
            Target::Below(below) => self.open_below(&below, how),
        }
    }

    fn open_below(&self, below: &Below<'_>, mut how: OpenHow) -> FsResult<Opened> {
        if below.resolved {
            how.follow = false;
        }
        let writable = below.dir.writable;
        let create = how.create;
        if !writable {
            if how.write || how.truncate {
                return Err(Errno::ROFS);
            }
            // What is there already may be opened; nothing new can be made.
            (how.create, how.exclusive) = (false, false);
        }
        let mode = if how.create { Mode::from_raw_mode(0o666) } else { Mode::empty() };
        match open_beneath(below.dir.fd(), &below.path, how.flags(), mode) {
            Ok(fd) => self.opened(fd, how, writable),
            Err(Errno::NOENT) if create && !writable => Err(Errno::ROFS),
            Err(error) => Err(error),
        }
    }

    fn opened(&self, fd: OwnedFd, how: OpenHow, writable: bool) -> FsResult<Opened> {
        let stat = rustix::fs::fstat(&fd)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                Ok(Opened::Dir(Dir { node: None, host: Some(HostDir { fd: Rc::new(fd), writable }) }))
            }
            FileType::RegularFile => {
                let ino = self.inodes.as_ref().map(|inodes| inodes.of_file(stat.st_dev, stat.st_ino));
                Ok(Opened::File(File { fd, ino, read: how.read, write: how.write, writable }))
            }
            _ => Err(Errno::OPNOTSUPP),
        }
    }
}
