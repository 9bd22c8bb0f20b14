//! Manifests: what a result consists of, entry by entry, down to the chunk.
//!
//! ```text
//! entry  = path · kind · size · owner's execute bit · chunk digests (the leaves of the CID's profile)
//! folder = SHA-256 over its entries' records, sorted by name      (a folder's record carries its own digest)
//! root   = SHA-256 over the profile's name and the record of the hashed file or folder itself
//! ```
//!
//! Invariants of every [`Manifest`]: paths are relative, unique, sorted by their bytes, without `.`, `..`, empty or
//! hidden parts, and below folders that are entries themselves; a file has as many chunks as its size needs.
//! The entry of a file or symlink that was hashed by itself has the empty path and is alone.

mod binary;
mod entry;
mod error;
mod json;
mod root;
#[cfg(test)]
mod tests;

pub(crate) use entry::Tag;
pub use entry::{Entry, EntryKind};
pub use error::ManifestError;
#[cfg(target_os = "linux")]
pub(crate) use root::{FolderRecords, Record};
pub(crate) use root::{content_digest, root_digest};

use crate::{Digest, PathName, Profile};

/// Bounds on a manifest that comes from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ManifestLimits {
    /// Longest JSON or binary form read, in bytes.
    pub bytes_max: usize,
    /// Most entries.
    pub entries_max: usize,
    /// Most parts of a path.
    pub depth_max: usize,
    /// Longest path in bytes.
    pub path_bytes_max: usize,
}

impl Default for ManifestLimits {
    fn default() -> Self {
        Self { bytes_max: 512 << 20, entries_max: 4_000_000, depth_max: 512, path_bytes_max: 4096 * 4 }
    }
}

/// The canonical list of a result's entries and the digest over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    profile: Profile,
    entries: Vec<Entry>,
    root: Digest,
}

impl Manifest {
    /// The manifest of these entries, in any order; refuses what breaks the invariants.
    pub fn new(profile: Profile, mut entries: Vec<Entry>) -> Result<Self, ManifestError> {
        sort(&mut entries);
        Self::from_sorted(profile, entries, &ManifestLimits::default())
    }

    /// As [`Manifest::new`] for entries that must already be in canonical order.
    fn from_sorted(
        profile: Profile,
        entries: Vec<Entry>,
        limits: &ManifestLimits,
    ) -> Result<Self, ManifestError> {
        if entries.len() > limits.entries_max {
            return Err(ManifestError::TooManyEntries { entries_max: limits.entries_max });
        }
        for (index, entry) in entries.iter().enumerate() {
            entry.check(profile, limits, entries.len() == 1)?;
            if let Some(before) = index.checked_sub(1).map(|before| &entries[before]) {
                if before.path == entry.path {
                    return Err(ManifestError::DuplicatePath { path: entry.path.clone() });
                }
                if before.path > entry.path {
                    return Err(ManifestError::Unsorted { path: entry.path.clone() });
                }
            }
        }
        let root = root::root_of(profile, &entries)?;
        Ok(Self { profile, entries, root })
    }

    /// The manifest that a walk over real files has made, with the root it has computed on the way.
    pub(crate) fn walked(profile: Profile, mut entries: Vec<Entry>, root: Digest) -> Self {
        sort(&mut entries);
        Self { profile, entries, root }
    }

    /// The profile whose leaves the chunk digests are.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// The entries in byte order of their paths.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The root digest: equal for equal content.
    pub fn root(&self) -> Digest {
        self.root
    }

    /// The entry at `path`.
    pub fn entry(&self, path: &PathName) -> Option<&Entry> {
        self.entries.binary_search_by(|entry| entry.path.cmp(path)).ok().map(|index| &self.entries[index])
    }
}

fn sort(entries: &mut [Entry]) {
    if !entries.is_sorted_by(|a, b| a.path <= b.path) {
        entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    }
}
