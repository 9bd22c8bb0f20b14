//! Why a manifest was refused.

use super::EntryKind;
use crate::{Digest, PathName};

/// Why bytes or entries are no manifest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// More bytes than the limit.
    #[error("reading a manifest: {found} bytes, at most {bytes_max} are read")]
    TooLarge {
        /// Bytes given.
        found: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// Not JSON, or not the JSON of a manifest.
    #[error("reading a manifest as JSON")]
    Json(#[source] serde_json::Error),
    /// The binary form does not start as one.
    #[error("reading a manifest: not the binary form of one")]
    NotBinary,
    /// The binary form ends early.
    #[error("reading a manifest: cut off at byte {at}")]
    Truncated {
        /// Where more bytes were wanted.
        at: usize,
    },
    /// The binary form holds a value that means nothing.
    #[error("reading a manifest: malformed {what} at byte {at}")]
    Malformed {
        /// What was malformed.
        what: &'static str,
        /// Where.
        at: usize,
    },
    /// A version that this crate does not know.
    #[error("reading a manifest: version {found}, known is 1")]
    Version {
        /// The version found.
        found: u64,
    },
    /// More entries than the limit.
    #[error("reading a manifest: more than {entries_max} entries")]
    TooManyEntries {
        /// The limit.
        entries_max: usize,
    },
    /// A path longer than the limit.
    #[error("reading a manifest: a path of {found} bytes, at most {path_bytes_max} are read")]
    PathTooLong {
        /// Bytes of the path.
        found: usize,
        /// The limit.
        path_bytes_max: usize,
    },
    /// A path with more parts than the limit.
    #[error("reading a manifest: {path:.80} has more than {depth_max} parts")]
    TooDeep {
        /// The path.
        path: PathName,
        /// The limit.
        depth_max: usize,
    },
    /// A path that is absolute or has an empty, hidden, `.` or `..` part or a NUL.
    #[error("reading a manifest: {path} is no path of a result")]
    BadPath {
        /// The path.
        path: PathName,
    },
    /// The same path twice.
    #[error("reading a manifest: {path} occurs twice")]
    DuplicatePath {
        /// The path.
        path: PathName,
    },
    /// Entries that are not in canonical order.
    #[error("reading a manifest: {path} is not in byte order")]
    Unsorted {
        /// The first path out of order.
        path: PathName,
    },
    /// An entry whose parent is no folder entry.
    #[error("reading a manifest: {path} lies in no folder of the manifest")]
    NoParent {
        /// The path.
        path: PathName,
    },
    /// Not as many chunks as the size needs.
    #[error("reading a manifest: {path} of {size} bytes has {found} chunks, not {wanted}")]
    ChunkCount {
        /// The path.
        path: PathName,
        /// Bytes of the file.
        size: u64,
        /// Chunks that it must have.
        wanted: u64,
        /// Chunks that it has.
        found: u64,
    },
    /// A folder with a size.
    #[error("reading a manifest: folder {path} has size {size}")]
    FolderSize {
        /// The path.
        path: PathName,
        /// The size.
        size: u64,
    },
    /// An execute bit on something that is no file.
    #[error("reading a manifest: {kind} {path} is marked executable")]
    ExecutableKind {
        /// The path.
        path: PathName,
        /// What it is.
        kind: EntryKind,
    },
    /// The stated root is not the root of the entries.
    #[error("reading a manifest: root {stated} is stated, the entries have {computed}")]
    Root {
        /// The root in the text.
        stated: Digest,
        /// The root of the entries.
        computed: Digest,
    },
}
