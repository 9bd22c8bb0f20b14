//! A handle on one execution.

use std::sync::Arc;

use crate::clock::rfc3339_nanos;
use crate::error::Error;
use crate::id::{ExecutionId, JobId};
use crate::logs::{LogError, LogOptions, Logs};
use crate::runner::live::Live;
use crate::runner::outcome::Outcome;
use crate::state::State;
use crate::stop::StopReason;

/// What a cancel came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// The execution was asked to stop now.
    Asked,
    /// It was asked before, for whatever reason.
    AskedBefore,
    /// It had ended already; nothing changes.
    AlreadyEnded(State),
}

/// A handle on one execution of a runner.
///
/// Handles are cheap to clone. Dropping them changes nothing: the execution goes on, and can be
/// found again through [`Runner::execution`](crate::Runner::execution).
#[derive(Debug, Clone)]
pub struct ExecutionHandle {
    live: Arc<Live>,
}

impl ExecutionHandle {
    pub(crate) fn new(live: Arc<Live>) -> Self {
        Self { live }
    }

    /// The execution's ID.
    pub fn id(&self) -> &ExecutionId {
        &self.live.id
    }

    /// The ID of its job.
    pub fn job_id(&self) -> &JobId {
        &self.live.job_id
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.live.state()
    }

    /// Since when it stands there, as RFC 3339.
    pub fn since(&self) -> String {
        rfc3339_nanos(self.live.status().since)
    }

    /// Waits for its end. Can be asked by many, again and again.
    ///
    /// # Errors
    /// [`Error::ShuttingDown`] if the runner went away before the execution ended.
    ///
    /// # Cancel
    /// Dropping the future leaves the execution running.
    pub async fn wait(&self) -> Result<Outcome, Error> {
        let mut ended = self.live.ended();
        let outcome = ended.wait_for(Option::is_some).await.map_err(|_| Error::ShuttingDown)?.clone();
        outcome.as_deref().cloned().ok_or(Error::ShuttingDown)
    }

    /// Waits until it is in `state`, or has gone past it or ended, and returns where it stands then.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub async fn reached(&self, state: State) -> Result<State, Error> {
        let mut status = self.live.watch();
        let at = status.wait_for(|status| status.state >= state).await.map_err(|_| Error::ShuttingDown)?;
        Ok(at.state)
    }

    /// Asks it to stop. Its outcome keeps what it printed and wrote until then.
    pub fn cancel(&self) -> Cancelled {
        let state = self.state();
        if state.is_terminal() {
            Cancelled::AlreadyEnded(state)
        } else if self.live.stop.request(StopReason::Cancelled) {
            Cancelled::Asked
        } else {
            Cancelled::AskedBefore
        }
    }

    /// Reads what it printed, from the beginning, in order; with `follow` until it ends.
    ///
    /// Waits until it began to run, if it has not.
    ///
    /// # Errors
    /// The log cannot be read, or there is none: the execution ended before it ran, or has not begun and
    /// following was not asked for.
    pub async fn logs(&self, options: LogOptions) -> Result<Logs, Error> {
        let mut status = self.live.watch();
        let begun = |live: &Live| live.capture.get().cloned();
        let capture = loop {
            if let Some(capture) = begun(&self.live) {
                break capture;
            }
            if self.state().is_terminal() || !options.follow {
                let source = LogError::NotFound { path: self.live.folder.join("log") };
                return Err(Error::Logs { id: self.id().clone(), source });
            }
            status.changed().await.map_err(|_| Error::ShuttingDown)?;
        };
        capture.logs(options).map_err(|source| Error::Logs { id: self.id().clone(), source })
    }
}
