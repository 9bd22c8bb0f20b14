//! The file beneath the store.
//!
//! A file is first opened *staged*: what the store writes while it opens (repairs, marks) stays in
//! memory, so that a file which turns out to be newer, damaged or only looked at keeps every byte.
//! [`Storage::arm`] then writes what was staged, in order, and all that follows.
//!
//! Unless [`Durability::Power`] is asked for, syncing does nothing: every write is in the kernel
//! when it returns, in the order in which the store wrote, which is all that a killed process needs.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::journal::{Durability, JournalError};

/// Milliseconds that an opener waits for one who only looks.
const LOCK_WAIT_MS_MAX: u64 = 1_000;
const LOCK_POLL: Duration = Duration::from_millis(5);

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// To be its only user.
    Own,
    /// To look while nobody owns it.
    Look,
}

/// A locked file and its mode of writing. Clones share the file.
#[derive(Debug, Clone)]
pub(super) struct Storage(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: Arc<File>,
    durability: Durability,
    armed: AtomicBool,
    /// Set when the store on it is given up: it must not write any more.
    dead: AtomicBool,
    staged: Mutex<Vec<Staged>>,
    #[cfg(test)]
    full: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Staged {
    Write(u64, Vec<u8>),
    SetLen(u64),
}

impl Storage {
    /// Opens and locks a file that exists.
    pub(super) fn open(path: &Path, access: Access, durability: Durability) -> Result<Self, JournalError> {
        let opening = |source| super::store("opening", path, source);
        let file = options(access).open(path).map_err(opening)?;
        if !file.metadata().map_err(opening)?.is_file() {
            let why = "it is not a regular file".to_owned();
            return Err(JournalError::Corrupt { path: path.to_path_buf(), why });
        }
        lock(&file, access, path)?;
        Ok(Self::staged(Arc::new(file), durability))
    }

    /// Makes and locks an empty file, over what an interrupted attempt left.
    pub(super) fn create(path: &Path, durability: Durability) -> Result<Self, JournalError> {
        let opening = |source| super::store("opening", path, source);
        let file = options(Access::Own).create(true).mode(0o600).open(path).map_err(opening)?;
        lock(&file, Access::Own, path)?;
        file.set_len(0).map_err(opening)?;
        let storage = Self::staged(Arc::new(file), durability);
        storage.0.armed.store(true, Ordering::Release);
        Ok(storage)
    }

    fn staged(file: Arc<File>, durability: Durability) -> Self {
        Self(Arc::new(Inner {
            file,
            durability,
            armed: AtomicBool::new(false),
            dead: AtomicBool::new(false),
            staged: Mutex::new(Vec::new()),
            #[cfg(test)]
            full: Arc::default(),
        }))
    }

    /// The same file for a new store; the old one can write no more.
    pub(super) fn again(&self) -> Self {
        self.0.dead.store(true, Ordering::Release);
        #[cfg_attr(not(test), expect(unused_mut, reason = "only tests fill disks"))]
        let mut inner = Inner {
            file: Arc::clone(&self.0.file),
            durability: self.0.durability,
            armed: AtomicBool::new(false),
            dead: AtomicBool::new(false),
            staged: Mutex::new(Vec::new()),
            #[cfg(test)]
            full: Arc::default(),
        };
        #[cfg(test)]
        {
            inner.full = Arc::clone(&self.0.full);
        }
        Self(Arc::new(inner))
    }

    /// Writes what was staged, and from now on everything at once.
    pub(super) fn arm(&self) -> io::Result<()> {
        if self.is_armed() {
            return Ok(());
        }
        let mut staged = self.lock_staged();
        for step in staged.iter() {
            match step {
                Staged::Write(offset, data) => self.0.write(*offset, data)?,
                Staged::SetLen(len) => self.0.file.set_len(*len)?,
            }
        }
        staged.clear();
        self.0.armed.store(true, Ordering::Release);
        Ok(())
    }

    /// Copies the file as it is on the disk.
    pub(super) fn copy_to(&self, to: &Path) -> io::Result<()> {
        let mut copy = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(to)?;
        let mut from =
            File::open(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&*self.0.file)))?;
        io::copy(&mut from, &mut copy)?;
        copy.sync_all()
    }

    pub(super) fn is_empty(&self) -> io::Result<bool> {
        Ok(self.0.file.metadata()?.len() == 0)
    }

    #[cfg(test)]
    pub(super) fn fill_disk(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0.full)
    }

    fn lock_staged(&self) -> MutexGuard<'_, Vec<Staged>> {
        self.0.staged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_armed(&self) -> bool {
        self.0.armed.load(Ordering::Acquire)
    }
}

impl Inner {
    fn check_alive(&self) -> io::Result<()> {
        if self.dead.load(Ordering::Acquire) {
            return Err(io::Error::other("the store was opened again after a failure"));
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        #[cfg(test)]
        if self.full.load(Ordering::Acquire) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write_all_at(data, offset)
    }
}

fn options(access: Access) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(access == Access::Own);
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    options.custom_flags(flags.bits().cast_signed());
    options
}

/// One who looks keeps an owner waiting only for as long as looking takes.
fn lock(file: &File, access: Access, path: &Path) -> Result<(), JournalError> {
    let until = Instant::now() + Duration::from_millis(LOCK_WAIT_MS_MAX);
    loop {
        let locked = match access {
            Access::Own => file.try_lock(),
            Access::Look => file.try_lock_shared(),
        };
        match locked {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if access == Access::Own && Instant::now() < until => {
                std::thread::sleep(LOCK_POLL);
            }
            Err(TryLockError::WouldBlock) => {
                return Err(JournalError::Held { path: path.to_path_buf() });
            }
            Err(TryLockError::Error(source)) => return Err(super::store("opening", path, source)),
        }
    }
}

impl redb::StorageBackend for Storage {
    fn len(&self) -> io::Result<u64> {
        let staged = self.lock_staged();
        let mut len = self.0.file.metadata()?.len();
        for step in staged.iter() {
            match step {
                Staged::Write(offset, data) => len = len.max(offset.saturating_add(data.len() as u64)),
                Staged::SetLen(set) => len = *set,
            }
        }
        Ok(len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.check_alive()?;
        if self.is_armed() {
            return self.0.file.read_exact_at(out, offset);
        }
        if offset.saturating_add(out.len() as u64) > redb::StorageBackend::len(self)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let staged = self.lock_staged();
        read_what_is_there(&self.0.file, offset, out)?;
        for step in staged.iter() {
            match step {
                Staged::Write(at, data) => overlay(offset, out, *at, data),
                Staged::SetLen(len) => {
                    let kept = usize::try_from(len.saturating_sub(offset)).unwrap_or(usize::MAX);
                    out.iter_mut().skip(kept).for_each(|byte| *byte = 0);
                }
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.check_alive()?;
        if self.is_armed() {
            return self.0.file.set_len(len);
        }
        self.lock_staged().push(Staged::SetLen(len));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.is_armed() && self.0.durability == Durability::Power {
            return self.0.file.sync_data();
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.check_alive()?;
        if self.is_armed() {
            return self.0.write(offset, data);
        }
        self.lock_staged().push(Staged::Write(offset, data.to_vec()));
        Ok(())
    }
}

/// Fills `out` with what the file has at `offset`, and zeros after its end.
fn read_what_is_there(file: &File, offset: u64, out: &mut [u8]) -> io::Result<()> {
    let mut done = 0;
    while done < out.len() {
        match file.read_at(&mut out[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    out[done..].fill(0);
    Ok(())
}

/// Copies the part of `data`, written at `at`, that lies within `out`, read at `offset`.
fn overlay(offset: u64, out: &mut [u8], at: u64, data: &[u8]) {
    let from = offset.max(at);
    let to = (offset + out.len() as u64).min(at + data.len() as u64);
    if from >= to {
        return;
    }
    let span = |base: u64| -> Option<(usize, usize)> {
        Some((usize::try_from(from - base).ok()?, usize::try_from(to - base).ok()?))
    };
    if let (Some((a, b)), Some((c, d))) = (span(offset), span(at)) {
        out[a..b].copy_from_slice(&data[c..d]);
    }
}
