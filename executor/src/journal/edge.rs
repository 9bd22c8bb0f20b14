//! One step of an execution's life, and whether it may be taken.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::id::{ExecutionId, JobId};
use crate::journal::{JournalError, Outcome, Record, Reservation, Revision, Timestamp};
use crate::state::State;

/// What must be true of the record before an edge.
#[derive(Debug, Clone)]
pub enum Before {
    /// There is none: the edge makes it.
    Absent {
        /// The job it belongs to.
        job_id: JobId,
        /// The job as JSON.
        job: Arc<RawValue>,
    },
    /// It is in this state.
    State(State),
}

/// What happens to one field: keeping it and clearing it are different things.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays.
    #[default]
    Keep,
    /// It becomes absent.
    Clear,
    /// It gets this value.
    Set(T),
}

impl<T> Change<T> {
    fn apply(self, field: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *field = None,
            Self::Set(value) => *field = Some(value),
        }
    }
}

/// The fields that an edge changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patch {
    /// What the execution holds.
    pub reservation: Change<Reservation>,
    /// Its folder.
    pub folder: Change<PathBuf>,
    /// How it ended or will end.
    pub outcome: Change<Outcome>,
    /// What whoever started it wants to find again.
    pub owner: Change<serde_json::Value>,
}

/// One step of an execution's life.
#[derive(Debug, Clone)]
pub struct Edge {
    /// The execution.
    pub execution_id: ExecutionId,
    /// What must be true before.
    pub before: Before,
    /// The revision that the record must have, where the caller cares.
    pub revision: Option<Revision>,
    /// The state after it.
    pub to: State,
    /// When it was taken.
    pub at: Timestamp,
    /// The fields that change.
    pub patch: Patch,
}

impl Edge {
    /// Makes the record of an execution: `Queued`, or `Preparing` when its capacity is held already.
    pub fn create(
        execution_id: ExecutionId,
        job_id: JobId,
        job: Arc<RawValue>,
        to: State,
        at: impl Into<Timestamp>,
    ) -> Self {
        let before = Before::Absent { job_id, job };
        Self { execution_id, before, revision: None, to, at: at.into(), patch: Patch::default() }
    }

    /// Goes from one state to the next.
    pub fn step(execution_id: ExecutionId, from: State, to: State, at: impl Into<Timestamp>) -> Self {
        let before = Before::State(from);
        Self { execution_id, before, revision: None, to, at: at.into(), patch: Patch::default() }
    }

    /// Changes fields within a state that is not terminal.
    pub fn amend(execution_id: ExecutionId, state: State, at: impl Into<Timestamp>) -> Self {
        Self::step(execution_id, state, state, at)
    }

    /// The same edge with these changes.
    pub fn with(mut self, patch: Patch) -> Self {
        self.patch = patch;
        self
    }

    /// The same edge, refused unless the record has this revision.
    pub fn at_revision(mut self, revision: Revision) -> Self {
        self.revision = Some(revision);
        self
    }

    /// The state before it; none when it makes the record.
    pub fn from(&self) -> Option<State> {
        match self.before {
            Before::Absent { .. } => None,
            Before::State(state) => Some(state),
        }
    }

    /// Whether the record as it was found lets the edge be taken.
    pub(super) fn check(&self, found: Option<&Record>) -> Result<(), JournalError> {
        let execution = || self.execution_id.clone();
        let (expected, found) = match (&self.before, found) {
            (Before::Absent { .. }, Some(_)) => return Err(JournalError::Exists { execution: execution() }),
            (Before::Absent { .. }, None) => {
                return if matches!(self.to, State::Queued | State::Preparing) {
                    Ok(())
                } else {
                    Err(JournalError::IllegalBeginning { execution: execution(), to: self.to })
                };
            }
            (Before::State(_), None) => return Err(JournalError::NotFound { execution: execution() }),
            (Before::State(expected), Some(found)) => (*expected, found),
        };
        if found.state.is_terminal() {
            return Err(JournalError::Ended { execution: execution(), state: found.state, to: self.to });
        }
        if let Some(revision) = self.revision.filter(|r| *r != found.revision) {
            return Err(JournalError::WrongRevision {
                execution: execution(),
                found: found.revision,
                expected: revision,
            });
        }
        if found.state != expected {
            return Err(JournalError::WrongState { execution: execution(), found: found.state, expected });
        }
        if expected != self.to && !expected.may_become(self.to) {
            return Err(JournalError::IllegalEdge { execution: execution(), from: expected, to: self.to });
        }
        Ok(())
    }

    /// The record that a checked edge makes.
    pub(super) fn make(self, job_id: JobId, job: Arc<RawValue>, sequence: u64) -> Record {
        let mut record = Record {
            execution_id: self.execution_id.clone(),
            job_id,
            job,
            sequence,
            revision: Revision(0),
            state: self.to,
            created: self.at,
            modified: self.at,
            entered: BTreeMap::new(),
            reservation: None,
            folder: None,
            outcome: None,
            owner: None,
        };
        self.take(&mut record, true);
        record
    }

    /// Changes a record as a checked edge says.
    pub(super) fn apply(self, record: &mut Record) {
        // Publishing again is an edge; staying anywhere else is an amendment.
        let enters = record.state != self.to || self.to.may_become(self.to);
        self.take(record, enters);
    }

    fn take(self, record: &mut Record, enters: bool) {
        record.revision = Revision(record.revision.0 + 1);
        record.state = self.to;
        record.modified = self.at;
        if enters {
            record.entered.insert(self.to, self.at);
        }
        self.patch.reservation.apply(&mut record.reservation);
        self.patch.folder.apply(&mut record.folder);
        self.patch.outcome.apply(&mut record.outcome);
        self.patch.owner.apply(&mut record.owner);
        if record.state.is_terminal() {
            record.reservation = None;
        }
    }
}
