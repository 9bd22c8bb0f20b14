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
    /// Apart from the status: whoever waits for the end is not woken at each step.
    ended: watch::Sender<Option<Arc<Outcome>>>,
}

impl Live {
    pub(crate) fn new(
        id: ExecutionId,
        job_id: JobId,
        folder: PathBuf,
        since: Duration,
        guard: Option<Arc<FolderGuard>>,
    ) -> Self {
        let status = Status { state: State::Queued, since };
        Self {
            id,
            job_id,
            folder,
            stop: Stop::new(),
            capture: OnceLock::new(),
            guard,
            status: watch::Sender::new(status),
            ended: watch::Sender::new(None),
        }
    }

    /// Announces an edge that is already in the journal.
    pub(crate) fn announce(&self, state: State, since: Duration) {
        self.status.send_modify(|status| {
            debug_assert!(status.state.may_become(state), "{} -> {state}", status.state);
            *status = Status { state, since };
        });
    }

    /// Announces an end, even if the record of it could not be written: whoever waits must not wait for ever.
    pub(crate) fn announce_end(&self, state: State, since: Duration, outcome: Arc<Outcome>) {
        self.status.send_modify(|status| *status = Status { state, since });
        self.ended.send_replace(Some(outcome));
    }

    /// The outcome, once there is one.
    pub(crate) fn ended(&self) -> watch::Receiver<Option<Arc<Outcome>>> {
        self.ended.subscribe()
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
