//! Talking to the process that owns an instance.
//!
//! One request per connection, as one line of JSON; the answers are lines of JSON, the last of
//! which is `"done"` or an error. Only the same user and root are answered.
//!
//! ```text
//! ► {"op":"ps","filter":{},"page":{"records_max":100}}
//! ◄ {"record":{…}}
//! ◄ {"record":{…}}
//! ◄ "done"
//! ```

mod client;
mod server;
mod wire;

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use thiserror::Error;

pub use client::{ControlClient, RemoteLogs};
pub use server::ControlServer;

use crate::failure::{ErrorKind, Failure};
use crate::id::ExecutionId;
use crate::journal::{Filter, Page, Record};
use crate::logs::{LogOptions, Logs};
use crate::state::State;

/// Who answers: the runner that owns the instance.
#[async_trait]
pub trait ControlHandler: Send + Sync + Debug + 'static {
    /// A page of records.
    ///
    /// # Errors
    /// What the journal says.
    async fn list(&self, filter: &Filter, page: Page) -> Result<Vec<Arc<Record>>, Failure>;

    /// One record, if there is one.
    ///
    /// # Errors
    /// What the journal says.
    async fn describe(&self, execution: &ExecutionId) -> Result<Option<Arc<Record>>, Failure>;

    /// Asks an execution to stop, and returns the state in which it was asked.
    ///
    /// # Errors
    /// There is none, or it has ended.
    async fn cancel(&self, execution: &ExecutionId) -> Result<State, Failure>;

    /// The log of an execution.
    ///
    /// # Errors
    /// There is none.
    async fn logs(&self, execution: &ExecutionId, options: LogOptions) -> Result<Logs, Failure>;
}

/// Why the owner of an instance gave no answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ControlError {
    /// No process owns the instance: its journal can be read instead.
    #[error("no process owns {}", folder.display())]
    NotRunning {
        /// The instance's folder.
        folder: PathBuf,
    },
    /// The owner answered with a failure.
    #[error(transparent)]
    Refused(Failure),
    /// The connection broke.
    #[error("talking to the process that owns {}: {source}", folder.display())]
    Io {
        /// The instance's folder.
        folder: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
    /// The owner's answer is none.
    #[error("the process that owns {} answered {found:?}", folder.display())]
    NotAnAnswer {
        /// The instance's folder.
        folder: PathBuf,
        /// The beginning of what it said.
        found: String,
    },
}

impl ControlError {
    /// The group that the error belongs to.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused(failure) => failure.kind(),
            Self::NotRunning { .. } => ErrorKind::NotFound,
            Self::Io { .. } | Self::NotAnAnswer { .. } => ErrorKind::Host,
        }
    }
}

#[cfg(test)]
mod tests;
