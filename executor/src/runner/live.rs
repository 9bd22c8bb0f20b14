//! What the runner knows of one execution while its process lives: shared by its owning task and its handles.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::watch;

use crate::capture::Capture;
use crate::id::{ExecutionId, JobId};
use crate::runner::home::FolderGuard;
use crate::runner::outcome::Outcome;
use crate::state::State;
use crate::stop::Stop;

/// Where an execution stands, as announced.
#[derive(Debug, Clone)]
pub(crate) struct Status {
    pub(crate) state: State,
    /// When it came there, time of day.
    pub(crate) since: Duration,
    /// Set with the terminal state.
    pub(crate) outcome: Option<Arc<Outcome>>,
}

#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) id: ExecutionId,
    pub(crate) job_id: JobId,
    /// The execution's own folder; it may not exist yet.
    pub(crate) folder: PathBuf,
    pub(crate) stop: Stop,
    pub(crate) capture: OnceLock<Arc<Capture>>,
    /// Removes the folder with the last handle and outcome, where nothing is to be kept.
    pub(crate) guard: Option<Arc<FolderGuard>>,
    status: watch::Sender<Status>,
}

impl Live {
    pub(crate) fn new(
        id: ExecutionId,
        job_id: JobId,
        folder: PathBuf,
        since: Duration,
        guard: Option<Arc<FolderGuard>>,
    ) -> Self {
        let status = Status { state: State::Queued, since, outcome: None };
        Self {
            id,
            job_id,
            folder,
            stop: Stop::new(),
            capture: OnceLock::new(),
            guard,
            status: watch::Sender::new(status),
        }
    }

    /// Announces an edge that is already in the journal.
    pub(crate) fn announce(&self, state: State, since: Duration, outcome: Option<Arc<Outcome>>) {
        self.status.send_modify(|status| {
            debug_assert!(status.state.may_become(state), "{} -> {state}", status.state);
            *status = Status { state, since, outcome };
        });
    }

    /// Announces an end even if the record of it could not be written: whoever waits must not wait for ever.
    pub(crate) fn announce_anyhow(&self, state: State, since: Duration, outcome: Arc<Outcome>) {
        self.status.send_modify(|status| *status = Status { state, since, outcome: Some(outcome) });
    }

    /// Wakes whoever waits for the log to begin.
    pub(crate) fn touch(&self) {
        self.status.send_modify(|_| {});
    }

    pub(crate) fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    pub(crate) fn state(&self) -> State {
        self.status.borrow().state
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }
}
