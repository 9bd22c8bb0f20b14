//! Why a file or folder could not be hashed.

use std::io;

use crate::PathName;

/// Why a file or folder could not be hashed; paths are relative to the hashed folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HashError {
    /// The file system refused.
    #[error("hashing: {action} {path}")]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: PathName,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Neither file, folder nor symlink.
    #[error("hashing: {path} is a {kind}, only files, folders and symlinks have a CID")]
    Special {
        /// The path.
        path: PathName,
        /// What it is: fifo, socket, character device, block device.
        kind: &'static str,
    },
    /// The file or folder changed while it was read.
    #[error("hashing: {path} changed while it was read")]
    Changed {
        /// The path.
        path: PathName,
    },
    /// Folders nest deeper than the limit.
    #[error("hashing: {path:.80} is deeper than {depth_max} folders")]
    TooDeep {
        /// The first folder too deep.
        path: PathName,
        /// The limit.
        depth_max: usize,
    },
    /// Two names of a sharded folder have the same hash.
    #[error("hashing: folder {path}")]
    Shard {
        /// The folder.
        path: PathName,
        /// Why it cannot be sharded.
        #[source]
        source: crate::unixfs::ShardTooDeep,
    },
    /// Names in memory that no folder can hold.
    #[error("hashing: folder {path} in memory")]
    Names {
        /// The folder.
        path: PathName,
        /// What is wrong with them.
        #[source]
        source: crate::ManifestError,
    },
}

impl HashError {
    /// The path that could not be hashed, relative to the hashed folder.
    pub fn path(&self) -> &PathName {
        match self {
            Self::Io { path, .. }
            | Self::Special { path, .. }
            | Self::Changed { path }
            | Self::TooDeep { path, .. }
            | Self::Shard { path, .. }
            | Self::Names { path, .. } => path,
        }
    }
}
