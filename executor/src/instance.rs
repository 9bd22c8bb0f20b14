//! One data folder and the one process that owns it.
//!
//! ```text
//! <folder>/            0700, ours
//! ├── lock             flocked while a process owns the folder
//! ├── instance         the ID, made once
//! ├── running          the process; there from opening to a clean close
//! ├── journal.redb     every execution (not in a private folder)
//! ├── control.sock     0600: ps, describe, logs, cancel
//! └── executions/<id>/ one folder per execution, made when it is first needed
//! ```
//! A folder whose lock is free but which has a `running` file belonged to a process that died.

pub mod control;
mod error;
mod find;
mod folder;
mod private;

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

pub use error::InstanceError;
pub use find::{Found, Life, list};

use crate::id::{ExecutionId, InstanceId};
use crate::journal::JOURNAL_FILE;
use folder::{Folder, Taken};

const LOCK_FILE: &str = "lock";
const ID_FILE: &str = "instance";
const RUNNING_FILE: &str = "running";
const EXECUTIONS_FOLDER: &str = "executions";

/// Name of the control socket in an instance's folder.
pub const CONTROL_SOCKET: &str = "control.sock";

/// Folders `<name>-<n>` of one root.
pub const NUMBERED_MAX: u32 = 1_024;

/// A data folder that this process owns until it is dropped.
///
/// Dropping it frees the lock. Only [`close`](Self::close) says that nothing was left running;
/// a private folder is removed in both cases.
pub struct Instance {
    id: InstanceId,
    folder: Folder,
    _lock: File,
    interrupted: Option<u32>,
    private: bool,
    swept: Vec<InstanceId>,
}

impl Instance {
    /// Owns a folder, and makes it and its parents if there is none. Blocks.
    ///
    /// # Errors
    /// Another process owns it, it is not ours alone, or the disk refuses.
    pub fn open(folder: &Path) -> Result<Self, InstanceError> {
        Self::take(Folder::open_or_make(folder)?)
    }

    /// Owns the first folder `<name>-<n>` below `root` that no process owns. Blocks.
    ///
    /// # Errors
    /// Every one up to [`NUMBERED_MAX`] is owned, or as [`open`](Self::open).
    pub fn open_first_free(root: &Path, name: &str) -> Result<Self, InstanceError> {
        for n in 0..NUMBERED_MAX {
            match Self::open(&root.join(format!("{name}-{n}"))) {
                Err(InstanceError::Held { .. }) => {}
                result => return result,
            }
        }
        Err(InstanceError::NoneFree { root: root.to_path_buf(), name: name.to_owned() })
    }

    /// Owns a new folder below `/tmp/frogfish-<uid>`, which is removed when this is dropped. Blocks.
    ///
    /// What dead processes left there is removed; [`swept`](Self::swept) says whose.
    ///
    /// # Errors
    /// `/tmp/frogfish-<uid>` belongs to somebody else, is open to others or is no folder; or the disk refuses.
    pub fn private() -> Result<Self, InstanceError> {
        private::open(&private::root())
    }

    fn take(folder: Folder) -> Result<Self, InstanceError> {
        let Taken { lock, id, interrupted } = folder.take()?;
        Ok(Self { id, folder, _lock: lock, interrupted, private: false, swept: Vec::new() })
    }

    /// The instance's name, the same each time its folder is opened.
    pub fn id(&self) -> &InstanceId {
        &self.id
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The process that owned the folder before and died, if it did.
    pub fn interrupted(&self) -> Option<u32> {
        self.interrupted
    }

    /// Whether the folder is removed when this is dropped.
    pub fn is_private(&self) -> bool {
        self.private
    }

    /// Instances of dead processes whose private folders were removed.
    pub fn swept(&self) -> &[InstanceId] {
        &self.swept
    }

    /// Where its journal is.
    pub fn journal_path(&self) -> PathBuf {
        self.folder().join(JOURNAL_FILE)
    }

    /// The folder of the execution folders; it may not exist yet.
    pub fn executions_folder(&self) -> PathBuf {
        self.folder().join(EXECUTIONS_FOLDER)
    }

    /// The folder of one execution; it may not exist yet.
    pub fn execution_folder(&self, execution: &ExecutionId) -> PathBuf {
        self.executions_folder().join(execution.as_str())
    }

    /// Says that nothing was left running, and frees the folder.
    ///
    /// # Errors
    /// The disk refuses; the folder is free all the same.
    pub fn close(self) -> Result<(), InstanceError> {
        self.folder.unmark()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if self.private {
            // What another user owns in it stays until somebody who may removes it.
            let _ = std::fs::remove_dir_all(self.folder());
        }
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance")
            .field("id", &self.id)
            .field("folder", &self.folder())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
