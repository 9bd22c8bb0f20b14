//! One entry of a manifest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ManifestError, ManifestLimits};
use crate::{Digest, PathName, Profile};

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symlink, which is never followed.
    Symlink,
}

impl EntryKind {
    /// The kind in one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Folder => "folder",
            Self::Symlink => "symlink",
        }
    }
}

impl std::fmt::Display for EntryKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// A file, folder or symlink of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Path below the hashed folder; empty for a file that was hashed by itself.
    pub path: PathName,
    /// What the entry is.
    pub kind: EntryKind,
    /// Bytes of a file, or of a symlink's target; 0 for a folder.
    pub size: u64,
    /// Whether the owner may execute the file; false for all else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
    /// Digests of the file's leaf blocks in the manifest's profile, or of the symlink's one block.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chunks: Vec<Digest>,
}

/// How kind and execute bit are written in records and in the binary form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Tag {
    File = 1,
    Executable = 2,
    Folder = 3,
    Symlink = 4,
}

impl Tag {
    pub(crate) const fn of(kind: EntryKind, executable: bool) -> Self {
        match (kind, executable) {
            (EntryKind::File, false) => Self::File,
            (EntryKind::File, true) => Self::Executable,
            (EntryKind::Folder, _) => Self::Folder,
            (EntryKind::Symlink, _) => Self::Symlink,
        }
    }

    pub(super) const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::File),
            2 => Some(Self::Executable),
            3 => Some(Self::Folder),
            4 => Some(Self::Symlink),
            _ => None,
        }
    }

    pub(super) const fn kind(self) -> EntryKind {
        match self {
            Self::File | Self::Executable => EntryKind::File,
            Self::Folder => EntryKind::Folder,
            Self::Symlink => EntryKind::Symlink,
        }
    }
}

impl Entry {
    pub(super) fn tag(&self) -> Tag {
        Tag::of(self.kind, self.executable)
    }

    /// Chunks that an entry of this kind and size has.
    pub(super) fn chunk_count(profile: Profile, kind: EntryKind, size: u64) -> u64 {
        match kind {
            EntryKind::File => profile.chunk_count(size),
            EntryKind::Folder => 0,
            EntryKind::Symlink => 1,
        }
    }

    /// Refuses an entry that no walk over real files makes.
    pub(super) fn check(
        &self,
        profile: Profile,
        limits: &ManifestLimits,
        alone: bool,
    ) -> Result<(), ManifestError> {
        self.check_path(limits, alone)?;
        let wanted = Self::chunk_count(profile, self.kind, self.size);
        if self.chunks.len() as u64 != wanted {
            return Err(ManifestError::ChunkCount {
                path: self.path.clone(),
                size: self.size,
                wanted,
                found: self.chunks.len() as u64,
            });
        }
        if self.kind == EntryKind::Folder && self.size != 0 {
            return Err(ManifestError::FolderSize { path: self.path.clone(), size: self.size });
        }
        if self.executable && self.kind != EntryKind::File {
            return Err(ManifestError::ExecutableKind { path: self.path.clone(), kind: self.kind });
        }
        Ok(())
    }

    fn check_path(&self, limits: &ManifestLimits, alone: bool) -> Result<(), ManifestError> {
        let path = self.path.as_bytes();
        if path.is_empty() && alone && self.kind != EntryKind::Folder {
            return Ok(());
        }
        if path.len() > limits.path_bytes_max {
            return Err(ManifestError::PathTooLong {
                found: path.len(),
                path_bytes_max: limits.path_bytes_max,
            });
        }
        let mut depth = 0;
        for part in path.split(|byte| *byte == b'/') {
            depth += 1;
            // A leading dot covers "." and ".." too; hidden names are never part of a manifest.
            if part.is_empty() || part[0] == b'.' || part.contains(&0) {
                return Err(ManifestError::BadPath { path: self.path.clone() });
            }
        }
        if depth > limits.depth_max {
            return Err(ManifestError::TooDeep { path: self.path.clone(), depth_max: limits.depth_max });
        }
        Ok(())
    }
}
