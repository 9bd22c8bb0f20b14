//! Which records a caller wants, and how many at once.

use serde::{Deserialize, Serialize};

use crate::id::JobId;
use crate::journal::{Record, Timestamp};
use crate::state::State;

/// Records of one page.
pub const PAGE_RECORDS_MAX: usize = 1_000;

/// Bytes of jobs after which a page ends early.
pub const PAGE_BYTES_MAX: usize = 16 << 20;

/// Which records are wanted: those that satisfy everything that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// In one of these states.
    pub states: Option<Vec<State>>,
    /// Of this job.
    pub job_id: Option<JobId>,
    /// Last written before this time.
    pub modified_before: Option<Timestamp>,
}

impl Filter {
    /// Every record.
    pub fn all() -> Self {
        Self::default()
    }

    /// Records of executions that have not ended.
    pub fn live() -> Self {
        Self::states(State::ALL.into_iter().filter(|s| !s.is_terminal()))
    }

    /// Records of executions that have ended.
    pub fn ended() -> Self {
        Self::states(State::ALL.into_iter().filter(|s| s.is_terminal()))
    }

    /// Records in these states.
    pub fn states(states: impl IntoIterator<Item = State>) -> Self {
        Self { states: Some(states.into_iter().collect()), ..Self::default() }
    }

    /// Records of a job.
    pub fn job(job_id: JobId) -> Self {
        Self { job_id: Some(job_id), ..Self::default() }
    }

    /// Whether a record satisfies everything that is given.
    pub fn matches(&self, record: &Record) -> bool {
        self.states.as_ref().is_none_or(|states| states.contains(&record.state))
            && self.job_id.as_ref().is_none_or(|job| *job == record.job_id)
            && self.modified_before.is_none_or(|time| record.modified < time)
    }

    /// Whether only executions that have not ended can satisfy it.
    pub(super) fn is_live_only(&self) -> bool {
        self.states.as_ref().is_some_and(|states| !states.iter().any(|s| s.is_terminal()))
    }
}

/// A piece of a list: where it begins, which way it goes, how long it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Page {
    /// The [`Record::sequence`] after which it begins, in its direction.
    pub after: Option<u64>,
    /// Whether the newest comes first.
    pub newest_first: bool,
    /// Most records; at most [`PAGE_RECORDS_MAX`] count.
    pub records_max: usize,
}

impl Default for Page {
    fn default() -> Self {
        Self { after: None, newest_first: false, records_max: 100 }
    }
}

impl Page {
    /// The first page, the oldest record first.
    pub fn first(records_max: usize) -> Self {
        Self { records_max, ..Self::default() }
    }

    /// The first page, the newest record first.
    pub fn newest(records_max: usize) -> Self {
        Self { newest_first: true, records_max, ..Self::default() }
    }

    /// The page after a record.
    pub fn after(self, record: &Record) -> Self {
        Self { after: Some(record.sequence), ..self }
    }

    /// First and last sequence that may be in it; none when it is empty from the start.
    pub(super) fn bounds(self) -> Option<(u64, u64)> {
        match (self.after, self.newest_first) {
            (None, _) => Some((0, u64::MAX)),
            (Some(after), false) => after.checked_add(1).map(|first| (first, u64::MAX)),
            (Some(after), true) => after.checked_sub(1).map(|last| (0, last)),
        }
    }

    /// Collects matching records until the page is full.
    pub(super) fn collect<E>(
        self,
        filter: &Filter,
        records: impl Iterator<Item = Result<std::sync::Arc<Record>, E>>,
    ) -> Result<Vec<std::sync::Arc<Record>>, E> {
        let mut page = Vec::new();
        let mut bytes = 0_usize;
        for record in records {
            if page.len() >= self.records_max.min(PAGE_RECORDS_MAX) || bytes >= PAGE_BYTES_MAX {
                break;
            }
            let record = record?;
            if filter.matches(&record) {
                bytes = bytes.saturating_add(record.job.get().len());
                page.push(record);
            }
        }
        Ok(page)
    }
}
