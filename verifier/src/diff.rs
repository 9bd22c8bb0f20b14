//! Differences: which file, which chunk, which byte.

#[cfg(target_os = "linux")]
mod folders;
mod manifests;
mod table;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(target_os = "linux")]
pub use folders::{DiffError, diff_folder_with_manifest, diff_folders};
pub use manifests::{ProfilesDiffer, diff_manifests};

use crate::{Digest, EntryKind, PathName};

/// All that differs between two results, in byte order of the paths.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Differences {
    /// Root digest of the left manifest.
    pub left: Digest,
    /// Root digest of the right manifest.
    pub right: Digest,
    /// What differs; empty where the results are equal.
    pub differences: Vec<Difference>,
}

/// One path that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The path below both folders.
    pub path: PathName,
    /// How it differs.
    #[serde(flatten)]
    pub change: Change,
}

/// How a path differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "change", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Change {
    /// Only the right side has it.
    Added {
        /// What it is there.
        kind: EntryKind,
        /// Its size there in bytes.
        size: u64,
    },
    /// Only the left side has it.
    Missing {
        /// What it is on the left.
        kind: EntryKind,
        /// Its size there in bytes.
        size: u64,
    },
    /// Both sides have it, and it is not the same.
    Changed {
        /// Its kinds, left and right, where they differ.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<(EntryKind, EntryKind)>,
        /// Its sizes in bytes, left and right, where they differ.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<(u64, u64)>,
        /// Its execute bits, left and right, where they differ.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        executable: Option<(bool, bool)>,
        /// Where its content differs first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content: Option<ContentChange>,
    },
}

/// Where two contents differ first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentChange {
    /// Index of the first chunk that differs, or that only one side has.
    pub first_chunk: u64,
    /// Offset of that chunk in bytes.
    pub chunk_start: u64,
    /// Offset of the first byte that differs, where both contents could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_byte: Option<u64>,
}

impl Differences {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.differences.is_empty()
    }
}
