//! One pass over a file or folder that gives its CID and its manifest.
//!
//! Names with a leading dot are left out of both, as Kubo does, and listed. Symlinks are never followed. What is
//! neither file, folder nor symlink is an error that names it, and so is what changes while it is read.
//!
//! Source: Kubo 0.40 `ipfs add -Qrn`, boxo 0.37 `files/serialfile.go`.

mod bytes;
mod error;
#[cfg(target_os = "linux")]
mod file;
#[cfg(target_os = "linux")]
mod folder;
mod options;
#[cfg(target_os = "linux")]
mod share;
#[cfg(test)]
mod tests;
#[cfg(target_os = "linux")]
mod walk;

pub use bytes::{hash_bytes, hash_files};
pub use error::HashError;
pub use options::{HashOptions, Progress, ProgressFn};
#[cfg(target_os = "linux")]
pub use walk::hash_path;

use crate::{Cid, Digest, Manifest, PathName, Profile};

/// What one pass over a file or folder has found.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Hashed {
    /// The CID that `ipfs add -Qrn` prints.
    pub cid: Cid,
    /// The profile of the CID and of the manifest's chunks.
    pub profile: Profile,
    /// The manifest's root digest.
    pub root: Digest,
    /// The manifest; `None` where the options ask for the root alone.
    pub manifest: Option<Manifest>,
    /// Names left out for their leading dot, in byte order, at most `hidden_max`; a hidden folder is named once.
    pub hidden: Vec<PathName>,
    /// How many names were left out, listed or not.
    pub hidden_count: u64,
    /// Content bytes of all files.
    pub bytes: u64,
    /// Number of files and symlinks.
    pub files: u64,
}
