//! An open file.

use std::io::SeekFrom;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{FallocateFlags, OFlags, SeekFrom as HostSeek};
use rustix::io::Errno;

use super::stat::set_times_of;
use super::{FileIdentity, FileTimes, FsResult, MountId, Stat, Vfs};

/// One of the host's regular files, open with a position of its own.
#[derive(Debug)]
pub(crate) struct File {
    pub(super) fd: OwnedFd,
    /// The number shown in a deterministic run; kept here, for it outlives the file's name.
    pub(super) ino: Option<u64>,
    pub(super) read: bool,
    pub(super) write: bool,
    /// Whether its mount may be changed.
    pub(super) writable: bool,
}

impl File {
    pub(crate) fn can_read(&self) -> bool {
        self.read
    }

    pub(crate) fn can_write(&self) -> bool {
        self.write
    }

    fn for_reading(&self) -> FsResult<&OwnedFd> {
        if self.read { Ok(&self.fd) } else { Err(Errno::BADF) }
    }

    fn for_writing(&self) -> FsResult<&OwnedFd> {
        if self.write { Ok(&self.fd) } else { Err(Errno::BADF) }
    }

    /// Reads at the position, or at `offset` without moving it.
    pub(crate) fn read(&self, into: &mut [u8], offset: Option<u64>) -> FsResult<usize> {
        let fd = self.for_reading()?;
        match offset {
            None => rustix::io::read(fd, into),
            Some(offset) => rustix::io::pread(fd, into, offset),
        }
    }

    /// Writes at the position, or at `offset` without moving it.
    pub(crate) fn write(&self, bytes: &[u8], offset: Option<u64>) -> FsResult<usize> {
        let fd = self.for_writing()?;
        match offset {
            None => rustix::io::write(fd, bytes),
            Some(offset) => rustix::io::pwrite(fd, bytes, offset),
        }
    }

    /// Moves the position and says where it is.
    pub(crate) fn seek(&self, to: SeekFrom) -> FsResult<u64> {
        let to = match to {
            SeekFrom::Start(offset) => HostSeek::Start(offset),
            SeekFrom::Current(offset) => HostSeek::Current(offset),
            SeekFrom::End(offset) => HostSeek::End(offset),
        };
        rustix::fs::seek(&self.fd, to)
    }

    /// Cuts or extends the file.
    pub(crate) fn set_size(&self, size: u64) -> FsResult<()> {
        rustix::fs::ftruncate(self.for_writing()?, size)
    }

    /// Makes room for `len` bytes from `offset`.
    pub(crate) fn allocate(&self, offset: u64, len: u64) -> FsResult<()> {
        rustix::fs::fallocate(self.for_writing()?, FallocateFlags::empty(), offset, len)
    }

    /// Brings the content, or all of it, to the disk.
    pub(crate) fn sync(&self, data_only: bool) -> FsResult<()> {
        if data_only { rustix::fs::fdatasync(&self.fd) } else { rustix::fs::fsync(&self.fd) }
    }

    /// Whether writes go to the end.
    pub(crate) fn set_append(&self, append: bool) -> FsResult<()> {
        let flags = rustix::fs::fcntl_getfl(&self.fd)?;
        rustix::fs::fcntl_setfl(
            &self.fd,
            if append { flags | OFlags::APPEND } else { flags - OFlags::APPEND },
        )
    }

    /// What tells this version of the file from others.
    pub(crate) fn identity(&self) -> FsResult<FileIdentity> {
        Ok(FileIdentity::of(&rustix::fs::fstat(&self.fd)?))
    }

    /// Sets the file's times.
    pub(crate) fn set_times(&self, times: FileTimes) -> FsResult<()> {
        if self.writable { set_times_of(self.fd.as_fd(), times) } else { Err(Errno::ROFS) }
    }
}

impl Vfs {
    /// Opens a mounted file for reading.
    pub(crate) fn open_mount(&self, mount: MountId) -> FsResult<File> {
        let fd = self.tree.open_file(mount, OFlags::RDONLY | OFlags::NONBLOCK)?;
        Ok(File { fd, ino: None, read: true, write: false, writable: false })
    }

    /// The properties of an open file.
    pub(crate) fn stat_file(&self, file: &File) -> FsResult<Stat> {
        let host = rustix::fs::fstat(&file.fd)?;
        Ok(self.show_as(&host, file.ino.unwrap_or(host.st_ino)))
    }
}
