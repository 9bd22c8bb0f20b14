//! Why a folder cannot be owned.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::failure::ErrorKind;

/// Why a folder cannot be owned.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InstanceError {
    /// Another process owns it.
    #[error("data folder {} is in use{}", folder.display(), pid.map(|pid| format!(" by process {pid}")).unwrap_or_default())]
    Held {
        /// The folder.
        folder: PathBuf,
        /// The process, where it says so.
        pid: Option<u32>,
    },
    /// It is not this user's alone.
    #[error("data folder {} cannot be used: {why}", folder.display())]
    NotOurs {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// Its ID cannot be read.
    #[error("data folder {} has a damaged file `instance`", folder.display())]
    Damaged {
        /// The folder.
        folder: PathBuf,
    },
    /// Every folder of a series is owned.
    #[error("every data folder {name}-<n> below {} is in use", root.display())]
    NoneFree {
        /// The folder of the series.
        root: PathBuf,
        /// The series.
        name: String,
    },
    /// The host refused.
    #[error("{attempt} {}: {source}", path.display())]
    Io {
        /// What was attempted.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// What the host said.
        source: io::Error,
    },
}

impl InstanceError {
    pub(super) fn io(attempt: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        Self::Io { attempt, path: path.to_path_buf(), source: source.into() }
    }

    /// The group that the error belongs to.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotOurs { .. } => ErrorKind::Invalid,
            Self::Held { .. } | Self::NoneFree { .. } => ErrorKind::Exhausted,
            Self::Damaged { .. } | Self::Io { .. } => ErrorKind::Host,
        }
    }
}
