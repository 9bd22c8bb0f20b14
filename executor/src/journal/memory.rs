//! Records for the life of the process: an embedder's default.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::id::ExecutionId;
use crate::journal::{Before, Edge, Filter, Journal, JournalError, Note, Notes, Page, Record, Revision};

/// A journal that ends with its process. Nothing in it ever waits.
#[derive(Debug, Default)]
pub struct MemoryJournal(Mutex<Records>);

#[derive(Debug, Default)]
struct Records {
    by_sequence: BTreeMap<u64, Arc<Record>>,
    sequences: HashMap<ExecutionId, u64>,
    next_sequence: u64,
    notes: BTreeMap<String, Vec<u8>>,
}

impl MemoryJournal {
    /// An empty journal.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Records {
    fn commit(&mut self, edge: Edge, notes: Notes) -> Result<Revision, JournalError> {
        notes.check()?;
        let found =
            self.sequences.get(&edge.execution_id).and_then(|sequence| self.by_sequence.get_mut(sequence));
        edge.check(found.as_deref().map(AsRef::as_ref))?;
        let revision = match (&edge.before, found) {
            (Before::State(_), Some(found)) => {
                let record = Arc::make_mut(found);
                edge.apply(record);
                record.revision
            }
            (Before::Absent { job_id, job }, None) => {
                let (job_id, job) = (job_id.clone(), Arc::clone(job));
                self.create(edge, job_id, job)
            }
            // `check` lets neither through.
            (Before::State(_), None) => {
                return Err(JournalError::NotFound { execution: edge.execution_id });
            }
            (Before::Absent { .. }, Some(_)) => {
                return Err(JournalError::Exists { execution: edge.execution_id });
            }
        };
        self.note(notes);
        Ok(revision)
    }

    fn create(
        &mut self,
        edge: Edge,
        job_id: crate::JobId,
        job: Arc<serde_json::value::RawValue>,
    ) -> Revision {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let record = edge.make(job_id, job, sequence);
        let revision = record.revision;
        self.sequences.insert(record.execution_id.clone(), sequence);
        self.by_sequence.insert(sequence, Arc::new(record));
        revision
    }

    fn note(&mut self, notes: Notes) {
        for (key, value) in notes.into_changes() {
            match value {
                Some(value) => self.notes.insert(key, value),
                None => self.notes.remove(&key),
            };
        }
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn commit(&self, edge: Edge, notes: Notes) -> Result<Revision, JournalError> {
        self.lock().commit(edge, notes)
    }

    async fn note(&self, notes: Notes) -> Result<(), JournalError> {
        notes.check()?;
        self.lock().note(notes);
        Ok(())
    }

    async fn get(&self, execution: &ExecutionId) -> Result<Option<Arc<Record>>, JournalError> {
        let records = self.lock();
        let sequence = records.sequences.get(execution);
        Ok(sequence.and_then(|sequence| records.by_sequence.get(sequence)).cloned())
    }

    async fn list(&self, filter: &Filter, page: Page) -> Result<Vec<Arc<Record>>, JournalError> {
        let Some((first, last)) = page.bounds() else { return Ok(Vec::new()) };
        let records = self.lock();
        let range = records.by_sequence.range(first..=last).map(|(_, record)| Ok(Arc::clone(record)));
        if page.newest_first { page.collect(filter, range.rev()) } else { page.collect(filter, range) }
    }

    async fn remove(&self, execution: &ExecutionId) -> Result<bool, JournalError> {
        let mut records = self.lock();
        let Some(sequence) = records.sequences.get(execution).copied() else { return Ok(false) };
        if let Some(record) = records.by_sequence.get(&sequence).filter(|r| !r.state.is_terminal()) {
            return Err(JournalError::NotEnded { execution: execution.clone(), state: record.state });
        }
        records.sequences.remove(execution);
        records.by_sequence.remove(&sequence);
        Ok(true)
    }

    async fn notes(&self, prefix: &str) -> Result<Vec<Note>, JournalError> {
        let records = self.lock();
        let found =
            records.notes.range::<str, _>((std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded));
        Ok(found
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, value)| Note { key: key.clone(), value: value.clone() })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_journal_in_memory_conforms() {
        crate::conformance::journal::check(|| Arc::new(MemoryJournal::new())).await;
    }
}
