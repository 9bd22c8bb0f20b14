//! What the library's calls fail with.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::failure::{ErrorKind, Failure, ReasonCode};
use crate::id::ExecutionId;
use crate::inputs::InvalidPattern;
use crate::instance::InstanceError;
use crate::journal::JournalError;
use crate::spec::SpecError;

/// Why a call of this library could not do what was asked.
///
/// A job that ran is never an error, whatever its exit code, and neither is one that failed while
/// running: both are an [`Outcome`](crate::Outcome).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// Nobody here knows the execution.
    #[error("{doing} ({id}): execution not found")]
    ExecutionNotFound {
        /// What was attempted, as `waiting on execution`.
        doing: &'static str,
        /// The unknown ID.
        id: ExecutionId,
    },
    /// The execution is live; it is not started twice.
    #[error("starting execution ({0}): execution already started")]
    ExecutionAlreadyStarted(ExecutionId),
    /// The execution has ended; it is not started again under the same ID.
    #[error("starting execution ({0}): execution already complete")]
    ExecutionAlreadyComplete(ExecutionId),
    /// The job cannot be right anywhere.
    #[error("invalid job: {0}")]
    Spec(#[from] SpecError),
    /// This runner will not or cannot run it.
    #[error("{0}")]
    Refused(Failure),
    /// The record could not be written or read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The data folder could not be used.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// A pattern for local paths is none.
    #[error("allowed paths: {0}")]
    AllowedPath(#[from] InvalidPattern),
    /// The logs could not be read.
    #[error("reading the logs of execution {id}: {source}")]
    Logs {
        /// Whose logs.
        id: ExecutionId,
        /// What went wrong.
        #[source]
        source: crate::logs::LogError,
    },
    /// A file of this runner's could not be used.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was attempted, as `reading`.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The runner is shutting down and takes nothing new.
    #[error("the runner is shutting down")]
    ShuttingDown,
    /// The runner needs a tokio runtime with time and networking enabled.
    #[error("no tokio runtime: call this from within one")]
    NoRuntime,
}

impl Error {
    /// The group that the error belongs to.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::ExecutionNotFound { .. } => ErrorKind::NotFound,
            Self::ExecutionAlreadyStarted(_)
            | Self::ExecutionAlreadyComplete(_)
            | Self::Spec(_)
            | Self::AllowedPath(_) => ErrorKind::Invalid,
            Self::Refused(failure) => failure.kind(),
            Self::Journal(_) | Self::Instance(_) | Self::Logs { .. } | Self::Io { .. } => ErrorKind::Host,
            Self::ShuttingDown => ErrorKind::Cancelled,
            Self::NoRuntime => ErrorKind::Unsupported,
        }
    }

    /// The stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ExecutionNotFound { .. } => "ExecutionNotFound",
            Self::ExecutionAlreadyStarted(_) => "ExecutionAlreadyStarted",
            Self::ExecutionAlreadyComplete(_) => "ExecutionAlreadyComplete",
            Self::Spec(_) => ReasonCode::SpecError.as_str(),
            Self::Refused(failure) => failure.code.as_str(),
            Self::Journal(_) => "JournalError",
            Self::Instance(_) => "InstanceError",
            Self::AllowedPath(_) => "InvalidPattern",
            Self::Logs { .. } => "LogError",
            Self::Io { .. } => "IoError",
            Self::ShuttingDown => "ShuttingDown",
            Self::NoRuntime => "NoRuntime",
        }
    }

    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Refused(failure) => failure.hint.as_deref(),
            _ => None,
        }
    }
}
