//! What to hash with.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::{HamtBoundary, Profile};

/// How far a pass has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Progress {
    /// Content bytes hashed so far.
    pub bytes: u64,
    /// Files and symlinks hashed so far.
    pub files: u64,
}

/// Called now and then, from any thread of the pass, at the latest every 64 files or 16 MiB of one thread.
pub type ProgressFn = Arc<dyn Fn(Progress) + Send + Sync>;

/// What to hash with; the default gives what `ipfs add -Qrn` gives.
#[derive(Clone)]
#[non_exhaustive]
pub struct HashOptions {
    /// The import parameters.
    pub profile: Profile,
    /// At which size a folder becomes a HAMT.
    pub boundary: HamtBoundary,
    /// Whether the manifest's entries are kept (else only its root, in little memory).
    pub entries: bool,
    /// Most threads, the caller's own included; `None` is one per CPU. Small trees never start one.
    pub threads: Option<NonZeroUsize>,
    /// Most folders inside one another; each holds a file descriptor while its content is hashed.
    pub depth_max: usize,
    /// Most hidden names listed; all are counted.
    pub hidden_max: usize,
    /// Called with what has been done so far.
    pub progress: Option<ProgressFn>,
}

impl Default for HashOptions {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            boundary: HamtBoundary::default(),
            entries: true,
            threads: None,
            depth_max: 256,
            hidden_max: 4096,
            progress: None,
        }
    }
}

impl HashOptions {
    /// The default with another profile.
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// The default with another HAMT boundary.
    pub fn with_boundary(mut self, boundary: HamtBoundary) -> Self {
        self.boundary = boundary;
        self
    }

    /// Whether the manifest's entries are kept.
    pub fn with_entries(mut self, entries: bool) -> Self {
        self.entries = entries;
        self
    }

    /// At most this many threads, the caller's own included.
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Calls `progress` with what has been done so far.
    pub fn with_progress(mut self, progress: ProgressFn) -> Self {
        self.progress = Some(progress);
        self
    }
}

impl fmt::Debug for HashOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashOptions")
            .field("profile", &self.profile)
            .field("boundary", &self.boundary)
            .field("entries", &self.entries)
            .field("threads", &self.threads)
            .field("depth_max", &self.depth_max)
            .field("hidden_max", &self.hidden_max)
            .finish_non_exhaustive()
    }
}
