//! Folders for programs that name none: private, and removed with the process.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::folder::Folder;
use super::{Instance, InstanceError, Life, list};
use crate::id::InstanceId;

/// How often a new folder is made when somebody removes it at once.
const ATTEMPTS_MAX: usize = 8;

/// The folder of this user's private folders.
pub(super) fn root() -> PathBuf {
    PathBuf::from(format!("/tmp/frogfish-{}", rustix::process::geteuid().as_raw()))
}

pub(super) fn open(root: &Path) -> Result<Instance, InstanceError> {
    make(root)?;
    // Anybody may have put something there first: it must be ours already, nothing is mended.
    drop(Folder::open(root)?);
    let swept = sweep(root);
    let mut attempt = 0;
    loop {
        attempt += 1;
        let folder = root.join(InstanceId::random().as_str());
        make(&folder)?;
        match Folder::open(&folder).and_then(Instance::take) {
            Ok(mut instance) => {
                instance.private = true;
                instance.swept = swept;
                return Ok(instance);
            }
            // Another process took it for a dead one's before it was locked.
            Err(InstanceError::Io { source, .. })
                if source.kind() == io::ErrorKind::NotFound && attempt < ATTEMPTS_MAX => {}
            Err(InstanceError::Held { .. }) if attempt < ATTEMPTS_MAX => {}
            Err(error) => return Err(error),
        }
    }
}

fn make(folder: &Path) -> Result<(), InstanceError> {
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(InstanceError::io("making private folder", folder, error)),
    }
}

/// Removes what dead processes left, and says whose it was.
fn sweep(root: &Path) -> Vec<InstanceId> {
    let mut swept = Vec::new();
    for found in list(root).unwrap_or_default() {
        if matches!(found.life, Life::Live { .. }) || found.folder == root {
            continue;
        }
        let Ok(folder) = Folder::open(&found.folder) else { continue };
        // Held while the folder goes, so that nobody begins in it.
        if let Ok(_lock) = folder.lock() {
            // What cannot be removed is tried again by the next one.
            if std::fs::remove_dir_all(folder.path()).is_ok() {
                swept.push(found.id);
            }
        }
    }
    swept
}
