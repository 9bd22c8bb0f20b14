//! A folder that is ours alone, and the files that say who owns it.
//!
//! After the checks everything is opened relative to the folder's descriptor, so that a folder
//! which somebody puts in its place is never touched.

use std::fs::{File, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{AtFlags, Mode, OFlags};

use super::{ID_FILE, InstanceError, LOCK_FILE, RUNNING_FILE};
use crate::id::{ID_BYTES_MAX, InstanceId};

const PRIVATE: u32 = 0o700;

/// Bytes read of a marker.
const MARKER_BYTES_MAX: u64 = 32;

/// How often a lock is tried, and how long a glance at it takes at most.
const GLANCES_MAX: usize = 5;
const GLANCE: Duration = Duration::from_micros(200);

/// A checked folder.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    handle: File,
}

/// What owning a folder gives.
pub(super) struct Taken {
    pub(super) lock: File,
    pub(super) id: InstanceId,
    pub(super) interrupted: Option<u32>,
}

impl Folder {
    /// Opens a folder, or makes it with its parents. An unused one of ours is closed to others.
    pub(super) fn open_or_make(path: &Path) -> Result<Self, InstanceError> {
        let made = std::fs::DirBuilder::new().recursive(true).mode(PRIVATE).create(path);
        made.map_err(|error| InstanceError::io("making data folder", path, error))?;
        let path =
            &std::path::absolute(path).map_err(|e| InstanceError::io("opening data folder", path, e))?;
        let folder = Self::open_unchecked(path)?;
        let mode = folder.check_owner()?;
        if mode & 0o7777 != PRIVATE {
            folder.narrow(mode)?;
        }
        Ok(folder)
    }

    /// Opens a folder that must be ours and private already.
    pub(super) fn open(path: &Path) -> Result<Self, InstanceError> {
        let folder = Self::open_unchecked(path)?;
        let mode = folder.check_owner()?;
        if mode & 0o7777 != PRIVATE {
            return Err(folder.not_ours(format!("its mode is {:o}, it must be 700", mode & 0o7777)));
        }
        Ok(folder)
    }

    fn open_unchecked(path: &Path) -> Result<Self, InstanceError> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
        match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(handle) => Ok(Self { path: path.to_path_buf(), handle: handle.into() }),
            Err(rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP) => Err(InstanceError::NotOurs {
                folder: path.to_path_buf(),
                why: "it is a link or no folder".into(),
            }),
            Err(error) => Err(InstanceError::io("opening data folder", path, error)),
        }
    }

    fn check_owner(&self) -> Result<u32, InstanceError> {
        let found =
            self.handle.metadata().map_err(|e| InstanceError::io("opening data folder", &self.path, e))?;
        let us = rustix::process::geteuid().as_raw();
        if found.uid() != us {
            return Err(self.not_ours(format!("it belongs to user {}, we are user {us}", found.uid())));
        }
        Ok(found.mode())
    }

    /// Closes a folder to others if that can surprise nobody: it is empty or has been an instance.
    fn narrow(&self, mode: u32) -> Result<(), InstanceError> {
        let reading = |error| InstanceError::io("reading data folder", &self.path, error);
        let is_ours = self.open_file(ID_FILE, OFlags::RDONLY).is_ok();
        if !is_ours && std::fs::read_dir(&self.path).map_err(reading)?.next().is_some() {
            return Err(self.not_ours(format!(
                "others can reach what is in it (mode {:o}): name another folder, or `chmod 700` this one",
                mode & 0o7777
            )));
        }
        self.handle.set_permissions(Permissions::from_mode(PRIVATE)).map_err(reading)
    }

    fn not_ours(&self, why: String) -> InstanceError {
        InstanceError::NotOurs { folder: self.path.clone(), why }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Locks the folder, reads or makes its ID, and marks it as running.
    pub(super) fn take(&self) -> Result<Taken, InstanceError> {
        let lock = self.lock()?;
        let id = match self.id()? {
            Some(id) => id,
            None => {
                let id = InstanceId::random();
                self.write(ID_FILE, id.as_str())?;
                id
            }
        };
        let interrupted = self.marked();
        self.write(RUNNING_FILE, &std::process::id().to_string())?;
        Ok(Taken { lock, id, interrupted })
    }

    /// Locks the folder against every other process.
    pub(super) fn lock(&self) -> Result<File, InstanceError> {
        let locking = |error: io::Error| InstanceError::io("locking data folder", &self.path, error);
        let lock = self.open_file(LOCK_FILE, OFlags::RDWR | OFlags::CREATE).map_err(locking)?;
        match try_lock_past_glances(&lock) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(InstanceError::Held { folder: self.path.clone(), pid: self.marked() });
            }
            Err(TryLockError::Error(error)) => return Err(locking(error)),
        }
        // Whoever removes a dead process's folder holds this lock while doing so.
        if lock.metadata().map_err(locking)?.nlink() == 0 {
            return Err(locking(io::ErrorKind::NotFound.into()));
        }
        Ok(lock)
    }

    /// Whether a process owns it. The glance holds no one up but an owner who begins this instant.
    pub(super) fn is_held(&self) -> Result<bool, InstanceError> {
        let locking = |error| InstanceError::io("looking at data folder", &self.path, error);
        let lock = match self.open_file(LOCK_FILE, OFlags::RDONLY) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(locking(error)),
        };
        match lock.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(locking(error)),
        }
    }

    /// The folder's ID, if it has been an instance.
    pub(super) fn id(&self) -> Result<Option<InstanceId>, InstanceError> {
        match self.read(ID_FILE, ID_BYTES_MAX as u64 + 1) {
            Ok(text) => match InstanceId::try_new(text.trim_end()) {
                Ok(id) => Ok(Some(id)),
                Err(_) => Err(InstanceError::Damaged { folder: self.path.clone() }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(InstanceError::Damaged { folder: self.path.clone() })
            }
            Err(error) => Err(InstanceError::io("reading the ID of data folder", &self.path, error)),
        }
    }

    /// The process that marked it as running; 0 if the marker does not say.
    pub(super) fn marked(&self) -> Option<u32> {
        match self.read(RUNNING_FILE, MARKER_BYTES_MAX) {
            Ok(text) => Some(text.trim_end().parse().unwrap_or(0)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(_) => Some(0),
        }
    }

    pub(super) fn unmark(&self) -> Result<(), InstanceError> {
        match rustix::fs::unlinkat(&self.handle, RUNNING_FILE, AtFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
            Err(error) => Err(InstanceError::io("closing data folder", &self.path, error)),
        }
    }

    fn open_file(&self, name: &str, flags: OFlags) -> io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = rustix::fs::openat(&self.handle, name, flags, Mode::from_raw_mode(0o600))?;
        Ok(file.into())
    }

    fn read(&self, name: &str, bytes_max: u64) -> io::Result<String> {
        let mut text = String::new();
        self.open_file(name, OFlags::RDONLY)?.take(bytes_max).read_to_string(&mut text)?;
        Ok(text)
    }

    /// Writes a small file so that it is found whole or not at all.
    fn write(&self, name: &str, text: &str) -> Result<(), InstanceError> {
        let new = format!("{name}.new");
        let write = || -> io::Result<()> {
            let mut file = self.open_file(&new, OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC)?;
            file.write_all(text.as_bytes())?;
            Ok(rustix::fs::renameat(&self.handle, new.as_str(), &self.handle, name)?)
        };
        write().map_err(|error| InstanceError::io("writing", &self.path.join(name), error))
    }
}

/// Someone who only looks whether a folder is held holds its lock for some microseconds.
fn try_lock_past_glances(lock: &File) -> Result<(), TryLockError> {
    for _ in 1..GLANCES_MAX {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(GLANCE),
            result => return result,
        }
    }
    lock.try_lock()
}
