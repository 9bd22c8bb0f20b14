//! What inputs are by content, for the receipt.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use frogfish_verifier::receipt::ContentId;
use frogfish_verifier::{Cid, HashOptions, hash_path};

use crate::blocking;
use crate::failure::{Failure, ReasonCode};

/// Files whose CIDs are remembered.
const REMEMBERED_MAX: usize = 4_096;
/// A file up to this size is hashed where it is needed, without another thread.
const HASHED_IN_PLACE_BYTES_MAX: u64 = 256 * 1024;
/// A file that changed so lately may change again without its times showing it.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// A state of a file: any write or replacement changes it, at the latest after [`SETTLED_AFTER`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct FileState {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileState {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    fn is_settled(&self, now: Duration) -> bool {
        let changed = Duration::new(u64::try_from(self.changed.0).unwrap_or(0), 0);
        now > changed + SETTLED_AFTER
    }
}

/// CIDs of files that were hashed before and have not changed since.
#[derive(Debug, Default)]
pub(crate) struct Identities(Mutex<HashMap<FileState, Cid>>);

impl Identities {
    /// What the file or folder at `path` is.
    pub(crate) async fn of(&self, path: &Path, now: Duration) -> Result<ContentId, Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::new(ReasonCode::InputFailed, format!("hashing input {}: {error}", path.display()))
        };
        let metadata = fs::metadata(path).map_err(|error| failed(&error))?;
        let state = metadata.is_file().then(|| FileState::of(&metadata));
        if let Some(cid) = state.as_ref().and_then(|state| self.remembered(state)) {
            return Ok(ContentId::Cid(cid));
        }
        let small = state.as_ref().is_some_and(|state| state.size <= HASHED_IN_PLACE_BYTES_MAX);
        let owned = path.to_owned();
        let work =
            move || hash_path(&owned, &HashOptions::default().with_entries(false)).map(|hashed| hashed.cid);
        let cid = if small { work() } else { blocking::run(work).await }.map_err(|error| failed(&error))?;
        if let Some(state) = state.filter(|state| state.is_settled(now)) {
            self.remember(state, cid);
        }
        Ok(ContentId::Cid(cid))
    }

    fn remembered(&self, state: &FileState) -> Option<Cid> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(state).copied()
    }

    fn remember(&self, state: FileState, cid: Cid) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(state, cid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATER: Duration = Duration::from_secs(u32::MAX as u64);

    #[tokio::test]
    async fn a_changed_file_is_hashed_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let identities = Identities::default();
        fs::write(&path, "one").unwrap();
        let first = identities.of(&path, LATER).await.unwrap();
        assert_eq!(identities.of(&path, LATER).await.unwrap(), first);
        fs::write(&path, "another").unwrap();
        assert_ne!(identities.of(&path, LATER).await.unwrap(), first);
    }

    #[tokio::test]
    async fn a_file_that_changed_lately_is_not_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let identities = Identities::default();
        fs::write(&path, "one").unwrap();
        identities.of(&path, Duration::ZERO).await.unwrap();
        assert!(identities.0.lock().unwrap().is_empty());
    }
}
