//! Why a journal did not do what it was asked.

use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use crate::failure::ErrorKind;
use crate::id::ExecutionId;
use crate::journal::{NOTE_BYTES_MAX, NOTE_KEY_BYTES_MAX, NOTES_MAX, Revision};
use crate::state::State;

/// The error beneath, shared by everyone whose commit it failed.
pub(crate) type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// Why a journal did not do what it was asked.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// There is no record of the execution.
    #[error("execution not found: {execution}")]
    NotFound {
        /// The execution.
        execution: ExecutionId,
    },
    /// There is a record of the execution already.
    #[error("execution already exists: {execution}")]
    Exists {
        /// The execution.
        execution: ExecutionId,
    },
    /// The record is in another state than the edge begins in.
    #[error("execution {execution} is in state {found} but expected one of [{expected}]")]
    WrongState {
        /// The execution.
        execution: ExecutionId,
        /// The record's state.
        found: State,
        /// The state in which the edge begins.
        expected: State,
    },
    /// The record has another revision than the caller knew.
    #[error("execution {execution} has revision {found} but expected {expected}")]
    WrongRevision {
        /// The execution.
        execution: ExecutionId,
        /// The record's revision.
        found: Revision,
        /// The revision that the caller knew.
        expected: Revision,
    },
    /// The execution has ended.
    #[error("execution {execution} is in terminal state {state} and cannot transition to {to}")]
    Ended {
        /// The execution.
        execution: ExecutionId,
        /// Its final state.
        state: State,
        /// The state that was asked for.
        to: State,
    },
    /// No execution goes from one of these states to the other.
    #[error("execution {execution} cannot transition from {from} to {to}")]
    IllegalEdge {
        /// The execution.
        execution: ExecutionId,
        /// The record's state.
        from: State,
        /// The state that was asked for.
        to: State,
    },
    /// No execution begins in this state.
    #[error("execution {execution} cannot begin in state {to}")]
    IllegalBeginning {
        /// The execution.
        execution: ExecutionId,
        /// The state that was asked for.
        to: State,
    },
    /// Only the records of ended executions are removed.
    #[error("execution {execution} is in state {state}: only an ended execution's record can be removed")]
    NotEnded {
        /// The execution.
        execution: ExecutionId,
        /// Its state.
        state: State,
    },
    /// A commit carries too many notes.
    #[error("committing {found} notes at once: at most {NOTES_MAX} are taken")]
    TooManyNotes {
        /// How many it carried.
        found: usize,
    },
    /// A note's key is empty or too long, or the note is too long.
    #[error(
        "committing a note {key:?} of {bytes} bytes: keys have 1 to {NOTE_KEY_BYTES_MAX} bytes, notes at most {NOTE_BYTES_MAX}"
    )]
    NoteRefused {
        /// The beginning of its key.
        key: String,
        /// Its length.
        bytes: usize,
    },
    /// Another process has the journal open.
    #[error("journal {} is held by another process", path.display())]
    Held {
        /// The file.
        path: PathBuf,
    },
    /// The journal was written by a newer version.
    #[error("journal {} has schema version {found}, this build understands versions up to {supported}: use the newer build", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The newest version that this build understands.
        supported: u64,
    },
    /// The journal was written by an older version and nobody has opened it since.
    #[error("journal {} has schema version {found}, this build reads version {supported}: the next job run with it migrates it", path.display())]
    Older {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The version that this build reads.
        supported: u64,
    },
    /// The file is not a journal, or is damaged; it was left as it is.
    #[error("journal {} is damaged and was left as it is: {why}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The disk is full; what was committed before is kept.
    #[error("writing journal {}: no space left, nothing of this was written", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The store failed otherwise; what was committed before is kept.
    #[error("{attempt} journal {}", path.display())]
    Store {
        /// What was attempted: `opening`, `writing`, `reading`.
        attempt: &'static str,
        /// The file.
        path: PathBuf,
        /// What happened.
        #[source]
        source: Cause,
    },
    /// The journal was closed.
    #[error("journal {} is closed", path.display())]
    Closed {
        /// The file.
        path: PathBuf,
    },
}

impl JournalError {
    /// Whether the request does not fit the records, so that asking again cannot help.
    pub fn is_refusal(&self) -> bool {
        matches!(self.kind(), ErrorKind::Invalid | ErrorKind::NotFound)
    }

    /// The group that the error belongs to.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Exists { .. }
            | Self::WrongState { .. }
            | Self::WrongRevision { .. }
            | Self::Ended { .. }
            | Self::IllegalEdge { .. }
            | Self::IllegalBeginning { .. }
            | Self::NotEnded { .. }
            | Self::TooManyNotes { .. }
            | Self::NoteRefused { .. } => ErrorKind::Invalid,
            Self::Newer { .. } | Self::Older { .. } => ErrorKind::Unsupported,
            Self::Full { .. } => ErrorKind::Exhausted,
            Self::Held { .. } | Self::Corrupt { .. } | Self::Store { .. } | Self::Closed { .. } => {
                ErrorKind::Host
            }
        }
    }
}
