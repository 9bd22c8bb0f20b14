//! Reading records, beside the writer or from a file that nobody writes.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use redb::{ReadOnlyTable, ReadTransaction, ReadableDatabase};
use serde_json::value::RawValue;

use super::schema::{JOBS, LIVE, NOTES, RECORDS, SEQUENCES};
use super::{SharedDatabase, current, explain};
use crate::id::ExecutionId;
use crate::journal::{Filter, JournalError, Note, Page, Record};

/// Reads what is committed.
#[derive(Clone)]
pub(super) struct Reader {
    path: Arc<Path>,
    pub(super) database: SharedDatabase,
}

/// Why one record could not be read.
enum Trouble {
    Store(redb::Error),
    Damaged(u64, String),
}

impl<E: Into<redb::Error>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

struct Tables {
    records: ReadOnlyTable<u64, &'static [u8]>,
    jobs: ReadOnlyTable<u64, &'static str>,
}

impl Tables {
    fn open(transaction: &ReadTransaction) -> Result<Self, Trouble> {
        Ok(Self { records: transaction.open_table(RECORDS)?, jobs: transaction.open_table(JOBS)? })
    }

    fn record(&self, sequence: u64, bytes: &[u8]) -> Result<Record, Trouble> {
        let damaged = |error: serde_json::Error| Trouble::Damaged(sequence, error.to_string());
        let mut record: Record = serde_json::from_slice(bytes).map_err(damaged)?;
        let job = self.jobs.get(sequence)?;
        let job = job.ok_or_else(|| Trouble::Damaged(sequence, "its job is missing".into()))?;
        record.job = RawValue::from_string(job.value().to_owned()).map_err(damaged)?.into();
        Ok(record)
    }
}

impl Reader {
    pub(super) fn new(path: Arc<Path>, database: SharedDatabase) -> Self {
        Self { path, database }
    }

    fn read<T>(&self, read: impl FnOnce(&ReadTransaction) -> Result<T, Trouble>) -> Result<T, JournalError> {
        let path = || self.path.to_path_buf();
        let database = current(&self.database).ok_or_else(|| JournalError::Closed { path: path() })?;
        let transaction =
            database.begin_read().map_err(|error| explain("reading", &self.path, error.into()))?;
        read(&transaction).map_err(|trouble| match trouble {
            Trouble::Store(error) => explain("reading", &self.path, error),
            Trouble::Damaged(sequence, why) => {
                JournalError::Corrupt { path: path(), why: format!("record {sequence}: {why}") }
            }
        })
    }

    pub(super) fn get(&self, execution: &ExecutionId) -> Result<Option<Arc<Record>>, JournalError> {
        self.read(|transaction| {
            let Some(sequence) = transaction.open_table(SEQUENCES)?.get(execution.as_str())? else {
                return Ok(None);
            };
            let tables = Tables::open(transaction)?;
            let Some(bytes) = tables.records.get(sequence.value())? else {
                return Err(Trouble::Damaged(sequence.value(), "it is missing".into()));
            };
            Ok(Some(Arc::new(tables.record(sequence.value(), bytes.value())?)))
        })
    }

    pub(super) fn list(&self, filter: &Filter, page: Page) -> Result<Vec<Arc<Record>>, JournalError> {
        let Some((first, last)) = page.bounds() else { return Ok(Vec::new()) };
        self.read(|transaction| {
            let tables = Tables::open(transaction)?;
            if filter.is_live_only() {
                let live = transaction.open_table(LIVE)?;
                let records = live.range(first..=last)?;
                let read = |entry: Result<(redb::AccessGuard<'_, u64>, _), redb::StorageError>| {
                    let sequence = entry?.0.value();
                    let bytes = tables.records.get(sequence)?;
                    let bytes = bytes.ok_or_else(|| Trouble::Damaged(sequence, "it is missing".into()))?;
                    Ok(Arc::new(tables.record(sequence, bytes.value())?))
                };
                return if page.newest_first {
                    page.collect(filter, records.rev().map(|e| read(e.map(|(k, _)| (k, ())))))
                } else {
                    page.collect(filter, records.map(|e| read(e.map(|(k, _)| (k, ())))))
                };
            }
            let records = tables.records.range(first..=last)?;
            let read = |entry: Result<_, redb::StorageError>| {
                let (sequence, bytes): (redb::AccessGuard<'_, u64>, redb::AccessGuard<'_, &[u8]>) = entry?;
                Ok(Arc::new(tables.record(sequence.value(), bytes.value())?))
            };
            if page.newest_first {
                page.collect(filter, records.rev().map(read))
            } else {
                page.collect(filter, records.map(read))
            }
        })
    }

    pub(super) fn notes(&self, prefix: &str) -> Result<Vec<Note>, JournalError> {
        self.read(|transaction| {
            let mut found = Vec::new();
            for entry in transaction.open_table(NOTES)?.range(prefix..)? {
                let (key, value) = entry?;
                if !key.value().starts_with(prefix) {
                    break;
                }
                found.push(Note { key: key.value().to_owned(), value: value.value().to_vec() });
            }
            Ok(found)
        })
    }
}

/// The records of an instance that no process holds, as they are.
///
/// While it lives nobody can own the journal: drop it soon.
pub struct JournalView(Reader);

impl JournalView {
    pub(super) fn new(reader: Reader) -> Self {
        Self(reader)
    }

    /// The record of an execution, if there is one. Blocks.
    ///
    /// # Errors
    /// The file is damaged or cannot be read.
    pub fn get(&self, execution: &ExecutionId) -> Result<Option<Arc<Record>>, JournalError> {
        self.0.get(execution)
    }

    /// A page of records, as [`Journal::list`](crate::journal::Journal::list). Blocks.
    ///
    /// # Errors
    /// The file is damaged or cannot be read.
    pub fn list(&self, filter: &Filter, page: Page) -> Result<Vec<Arc<Record>>, JournalError> {
        self.0.list(filter, page)
    }

    /// The notes whose keys begin with `prefix`. Blocks.
    ///
    /// # Errors
    /// The file is damaged or cannot be read.
    pub fn notes(&self, prefix: &str) -> Result<Vec<Note>, JournalError> {
        self.0.notes(prefix)
    }
}

impl fmt::Debug for JournalView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournalView").field("path", &self.0.path).finish_non_exhaustive()
    }
}
