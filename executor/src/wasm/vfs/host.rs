//! The only way to the host's files: below an open folder, and never above it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::FsResult;

/// Longest path that is looked at, in bytes, as Linux's `PATH_MAX`.
pub(super) const PATH_BYTES_MAX: usize = 4_096;
/// How often a path is tried again that somebody renames under our eyes.
const TRIES_MAX: usize = 64;

/// Opens `path` without ever leaving `dir`: `..`, absolute links and links that lead out are `EPERM`.
pub(super) fn open_beneath(dir: BorrowedFd<'_>, path: &[u8], flags: OFlags, mode: Mode) -> FsResult<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let mut tries = 0;
    loop {
        match rustix::fs::openat2(dir, path, flags | OFlags::CLOEXEC, mode, resolve) {
            Ok(fd) => return Ok(fd),
            Err(Errno::AGAIN | Errno::INTR) if tries < TRIES_MAX => tries += 1,
            Err(Errno::XDEV) => return Err(Errno::PERM),
            Err(error) => return Err(error),
        }
    }
}

/// A descriptor that stands for a file without opening it for reading or writing.
pub(super) fn locate(dir: BorrowedFd<'_>, path: &[u8], follow: bool) -> FsResult<OwnedFd> {
    let flags = if follow { OFlags::PATH } else { OFlags::PATH | OFlags::NOFOLLOW };
    open_beneath(dir, path, flags, Mode::empty())
}

/// The folder at `path`, to look further from.
pub(super) fn locate_dir(dir: BorrowedFd<'_>, path: &[u8], follow: bool) -> FsResult<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY;
    open_beneath(dir, path, if follow { flags } else { flags | OFlags::NOFOLLOW }, Mode::empty())
}

/// Where a link leads; `fd` stands for the link itself.
pub(super) fn read_link(fd: BorrowedFd<'_>) -> FsResult<Vec<u8>> {
    rustix::fs::readlinkat(fd, "", Vec::with_capacity(256)).map(std::ffi::CString::into_bytes)
}

/// Whether this kernel can open files beneath a folder (Linux 5.6, and no filter that refuses it).
///
/// # Errors
/// What the kernel answered.
pub(crate) fn probe() -> FsResult<()> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::open("/", flags, Mode::empty())?;
    open_beneath(root.as_fd(), b".", flags, Mode::empty()).map(drop)
}
