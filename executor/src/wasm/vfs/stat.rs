//! What files look like.

use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, FileType, Timespec, Timestamps};
use rustix::io::Errno;

use super::host::locate;
use super::inode::Inodes;
use super::walk::{Below, Dir, Target};
use super::{FsResult, Vfs};

/// What kind of file something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    Dir,
    Regular,
    Link,
    Block,
    Character,
    Socket,
    Unknown,
}

impl From<FileType> for FileKind {
    fn from(file_type: FileType) -> Self {
        match file_type {
            FileType::Directory => Self::Dir,
            FileType::RegularFile => Self::Regular,
            FileType::Symlink => Self::Link,
            FileType::BlockDevice => Self::Block,
            FileType::CharacterDevice => Self::Character,
            FileType::Socket => Self::Socket,
            FileType::Fifo | FileType::Unknown => Self::Unknown,
        }
    }
}

/// A file's properties; times in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) dev: u64,
    pub(crate) ino: u64,
    pub(crate) kind: FileKind,
    pub(crate) links: u64,
    pub(crate) size: u64,
    pub(crate) atime_ns: u64,
    pub(crate) mtime_ns: u64,
    pub(crate) ctime_ns: u64,
}

/// What to set a file's times to; `None` leaves one alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileTimes {
    pub(crate) accessed: Option<SetTime>,
    pub(crate) modified: Option<SetTime>,
}

/// One time to set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetTime {
    Now,
    /// Nanoseconds since 1970.
    At(u64),
}

impl FileTimes {
    fn to_host(self) -> Timestamps {
        let one = |time: Option<SetTime>| match time {
            None => Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT },
            Some(SetTime::Now) => Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW },
            // A u64 of nanoseconds is less than 2^35 seconds.
            Some(SetTime::At(ns)) => Timespec {
                tv_sec: i64::try_from(ns / 1_000_000_000).unwrap_or(i64::MAX),
                tv_nsec: i64::try_from(ns % 1_000_000_000).unwrap_or(0),
            },
        };
        Timestamps { last_access: one(self.accessed), last_modification: one(self.modified) }
    }
}

fn nanoseconds(s: i64, ns: u64) -> u64 {
    u64::try_from(s).unwrap_or(0).saturating_mul(1_000_000_000).saturating_add(ns)
}

impl Vfs {
    /// The device number that every file shows in a deterministic run.
    const SYNTHETIC_DEV: u64 = 1;

    pub(super) fn show(&self, stat: &rustix::fs::Stat) -> Stat {
        let ino = self.inodes.as_ref().map_or(stat.st_ino, |inodes| inodes.of_file(stat.st_dev, stat.st_ino));
        self.show_as(stat, ino)
    }

    pub(super) fn show_as(&self, stat: &rustix::fs::Stat, ino: u64) -> Stat {
        let kind = FileKind::from(FileType::from_raw_mode(stat.st_mode));
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        if self.inodes.is_some() {
            // A folder's size and link count depend on the host's file system.
            let is_dir = kind == FileKind::Dir;
            return Stat {
                dev: Self::SYNTHETIC_DEV,
                ino,
                kind,
                links: if is_dir { 1 } else { stat.st_nlink },
                size: if is_dir { 0 } else { size },
                atime_ns: 0,
                mtime_ns: 0,
                ctime_ns: 0,
            };
        }
        Stat {
            dev: stat.st_dev,
            ino,
            kind,
            links: stat.st_nlink,
            size,
            atime_ns: nanoseconds(stat.st_atime, stat.st_atime_nsec),
            mtime_ns: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
            ctime_ns: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
        }
    }

    /// The properties of an open folder.
    pub(crate) fn stat_dir(&self, dir: &Dir) -> FsResult<Stat> {
        let shown = match &dir.host {
            Some(host) => Some(self.show(&rustix::fs::fstat(host.fd())?)),
            None => None,
        };
        let made_up = |node| Stat {
            dev: Self::SYNTHETIC_DEV,
            ino: Inodes::of_node(node),
            kind: FileKind::Dir,
            links: 1,
            size: 0,
            atime_ns: 0,
            mtime_ns: 0,
            ctime_ns: 0,
        };
        match (shown, dir.node) {
            (Some(stat), None) => Ok(stat),
            (Some(stat), Some(_)) if self.inodes.is_none() => Ok(stat),
            (_, Some(node)) => Ok(made_up(node)),
            (None, None) => Err(Errno::NOENT),
        }
    }

    /// The properties of what lies at `path`; a link at its end is followed if asked.
    pub(crate) fn stat(&self, start: &Dir, path: &[u8], follow: bool) -> FsResult<Stat> {
        match self.tree.resolve(start, path, follow)? {
            Target::Dir(dir) => self.stat_dir(&dir),
            Target::File(mount) => Ok(self.show(&rustix::fs::stat(self.tree.source(mount))?)),
            Target::Below(below) => Ok(self.show(&stat_below(&below, follow)?)),
        }
    }

    /// Sets the times of what lies at `path`.
    pub(crate) fn set_times(&self, start: &Dir, path: &[u8], follow: bool, times: FileTimes) -> FsResult<()> {
        match self.tree.resolve(start, path, follow)? {
            Target::Dir(dir) => self.set_dir_times(&dir, times),
            Target::File(mount) => {
                if !self.tree.mounted(mount).writable {
                    return Err(Errno::ROFS);
                }
                let fd = self.tree.open_file(mount, rustix::fs::OFlags::PATH)?;
                set_times_of(std::os::fd::AsFd::as_fd(&fd), times)
            }
            Target::Below(below) => {
                let fd = locate(below.dir.fd(), &below.path, follow && !below.resolved)?;
                if !below.dir.writable {
                    return Err(Errno::ROFS);
                }
                set_times_of(std::os::fd::AsFd::as_fd(&fd), times)
            }
        }
    }

    /// Sets the times of an open folder.
    #[allow(clippy::unused_self, reason = "one of the operations of a file system")]
    pub(crate) fn set_dir_times(&self, dir: &Dir, times: FileTimes) -> FsResult<()> {
        match &dir.host {
            Some(host) if host.writable => set_times_of(host.fd(), times),
            _ => Err(Errno::ROFS),
        }
    }
}

pub(super) fn set_times_of(fd: BorrowedFd<'_>, times: FileTimes) -> FsResult<()> {
    rustix::fs::utimensat(fd, "", &times.to_host(), AtFlags::EMPTY_PATH)
}

fn stat_below(below: &Below<'_>, follow: bool) -> FsResult<rustix::fs::Stat> {
    let follow = follow && !below.resolved;
    // A single name that is no link needs no descriptor of its own.
    if !below.path.contains(&b'/') {
        let stat = rustix::fs::statat(below.dir.fd(), &*below.path, AtFlags::SYMLINK_NOFOLLOW)?;
        if !follow || FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
            return Ok(stat);
        }
    }
    rustix::fs::fstat(locate(below.dir.fd(), &below.path, follow)?)
}
