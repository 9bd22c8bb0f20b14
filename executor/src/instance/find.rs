//! The instances below a folder, without owning or opening any.

use std::io;
use std::path::{Path, PathBuf};

use super::InstanceError;
use super::folder::Folder;
use crate::id::InstanceId;

/// Folders that are looked at.
const FOLDERS_MAX: usize = 10_000;

/// Whether anybody owns an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// A process owns it.
    Live {
        /// The process; 0 if it does not say.
        pid: u32,
    },
    /// The process that owned it died, and nobody has seen to what it left.
    Dead {
        /// The process; 0 if it did not say.
        pid: u32,
    },
    /// It was closed with nothing left running.
    Closed,
}

/// An instance that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub id: InstanceId,
    /// Its folder.
    pub folder: PathBuf,
    /// Whether anybody owns it.
    pub life: Life,
}

impl Found {
    /// Looks at one folder; none if it is not an instance of this user.
    ///
    /// # Errors
    /// The host refused.
    pub fn at(folder: &Path) -> Result<Option<Self>, InstanceError> {
        let opened = match Folder::open(folder) {
            Ok(opened) => opened,
            Err(InstanceError::NotOurs { .. }) => return Ok(None),
            Err(InstanceError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let Some(id) = opened.id()? else { return Ok(None) };
        // The marker is read after the lock: a process that closes in between was live.
        let held = opened.is_held()?;
        let life = match (held, opened.marked()) {
            (true, pid) => Life::Live { pid: pid.unwrap_or(0) },
            (false, Some(pid)) => Life::Dead { pid },
            (false, None) => Life::Closed,
        };
        Ok(Some(Self { id, folder: folder.to_path_buf(), life }))
    }
}

/// The instances of this user in `root` and in the folders directly below it, by folder.
///
/// A folder that cannot be looked at is left out.
///
/// # Errors
/// `root` cannot be read; one that is not there has no instances.
pub fn list(root: &Path) -> Result<Vec<Found>, InstanceError> {
    let reading = |error| InstanceError::io("listing instances below", root, error);
    let entries = match std::fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(reading(error)),
    };
    let mut folders = vec![root.to_path_buf()];
    for entry in entries.take(FOLDERS_MAX) {
        let entry = entry.map_err(reading)?;
        if entry.file_type().map_err(reading)?.is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders.iter().filter_map(|folder| Found::at(folder).ok().flatten()).collect())
}
