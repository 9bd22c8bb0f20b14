//! The thread that writes: it takes what has gathered and commits it in one transaction.

use std::path::Path;
use std::sync::{Arc, LazyLock, PoisonError};

use redb::{ReadableDatabase, ReadableTable, Table, WriteTransaction};
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};

use super::schema::{self, JOBS, LIVE, META, NEXT_SEQUENCE_KEY, NOTES, RECORDS, SEQUENCES};
use super::storage::Storage;
use super::{SharedDatabase, current, explain};
use crate::id::ExecutionId;
use crate::journal::{Before, Edge, JournalError, Notes, Record, Revision};

/// Requests of one transaction.
const BATCH_MAX: usize = 256;

type Reply<T> = oneshot::Sender<Result<T, JournalError>>;

/// What one caller wants written.
pub(super) enum Change {
    Commit { edge: Box<Edge>, notes: Notes, reply: Reply<Revision> },
    Note { notes: Notes, reply: Reply<()> },
    Remove { execution: ExecutionId, reply: Reply<bool> },
}

pub(super) struct Request(pub(super) Change);

/// An answer that is held back until its transaction is committed.
enum Answer {
    Commit(Reply<Revision>, Result<Revision, JournalError>),
    Note(Reply<()>, Result<(), JournalError>),
    Remove(Reply<bool>, Result<bool, JournalError>),
}

impl Answer {
    fn wrote(&self) -> bool {
        match self {
            Self::Commit(_, result) => result.is_ok(),
            Self::Note(_, result) => result.is_ok(),
            Self::Remove(_, result) => matches!(result, Ok(true)),
        }
    }

    /// Tells the caller, who may have gone: then nobody is told.
    fn give(self, failed: Option<&JournalError>) {
        fn outcome<T>(
            result: Result<T, JournalError>,
            failed: Option<&JournalError>,
        ) -> Result<T, JournalError> {
            match failed {
                // A refusal stays one; it never depended on the disk.
                Some(error) if result.is_ok() => Err(error.clone()),
                _ => result,
            }
        }
        match self {
            Self::Commit(reply, result) => drop(reply.send(outcome(result, failed))),
            Self::Note(reply, result) => drop(reply.send(outcome(result, failed))),
            Self::Remove(reply, result) => drop(reply.send(outcome(result, failed))),
        }
    }
}

/// Owns the file's writing side.
pub(super) struct Writer {
    path: Arc<Path>,
    storage: Storage,
    database: SharedDatabase,
    next_sequence: u64,
}

impl Writer {
    pub(super) fn new(
        path: Arc<Path>,
        storage: Storage,
        database: SharedDatabase,
    ) -> Result<Self, JournalError> {
        let mut writer = Self { path, storage, database, next_sequence: 0 };
        writer.next_sequence = writer.read_next_sequence()?;
        Ok(writer)
    }

    fn read_next_sequence(&self) -> Result<u64, JournalError> {
        let read = |database: &redb::Database| -> Result<u64, redb::Error> {
            let meta = database.begin_read()?.open_table(META)?;
            Ok(meta.get(NEXT_SEQUENCE_KEY)?.map_or(0, |next| next.value()))
        };
        let database = self.current()?;
        read(&database).map_err(|error| explain("reading", &self.path, error))
    }

    fn current(&self) -> Result<Arc<redb::Database>, JournalError> {
        current(&self.database).ok_or_else(|| JournalError::Closed { path: self.path.to_path_buf() })
    }

    fn set_current(&self, database: Option<Arc<redb::Database>>) {
        *self.database.lock().unwrap_or_else(PoisonError::into_inner) = database;
    }

    /// Writes until nobody can ask any more, then closes the file.
    pub(super) fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        let mut last = 1;
        while requests.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
            // Whoever was answered last is about to ask again: one turn of the processor for them
            // costs less than a transaction for each. One lone caller is not kept waiting.
            if last > 1 && batch.len() < last {
                std::thread::yield_now();
                while batch.len() < BATCH_MAX {
                    let Ok(request) = requests.try_recv() else { break };
                    batch.push(request);
                }
            }
            last = batch.len();
            self.write(batch.drain(..));
        }
        self.set_current(None);
    }

    fn write(&mut self, batch: impl Iterator<Item = Request>) {
        let mut answers = Vec::new();
        let mut batch = batch.peekable();
        let result = self.write_one_transaction(&mut batch, &mut answers);
        let failed = result.err();
        for answer in answers {
            answer.give(failed.as_ref());
        }
        for Request(change) in batch {
            // The transaction failed before these were looked at.
            let error = || {
                let closed = JournalError::Closed { path: self.path.to_path_buf() };
                failed.clone().unwrap_or(closed)
            };
            match change {
                Change::Commit { reply, .. } => drop(reply.send(Err(error()))),
                Change::Note { reply, .. } => drop(reply.send(Err(error()))),
                Change::Remove { reply, .. } => drop(reply.send(Err(error()))),
            }
        }
    }

    fn write_one_transaction(
        &mut self,
        batch: &mut impl Iterator<Item = Request>,
        answers: &mut Vec<Answer>,
    ) -> Result<(), JournalError> {
        let database = match current(&self.database) {
            Some(database) => database,
            None => self.reopen()?,
        };
        self.storage.arm().map_err(|error| explain("writing", &self.path, error.into()))?;
        let before = self.next_sequence;
        let result = self.transact(&database, batch, answers);
        if result.is_err() {
            self.next_sequence = before;
            // The store refuses everything after a failed write; a new one begins at the last
            // commit, and writes nothing before somebody asks it to. If it cannot be had now, the
            // next request tries again.
            self.set_current(None);
            let _ = self.reopen();
        }
        result.map_err(|error| explain("writing", &self.path, error))
    }

    fn reopen(&mut self) -> Result<Arc<redb::Database>, JournalError> {
        let opened = schema::reopen(&self.path, &self.storage)?;
        self.storage = opened.storage;
        self.set_current(Some(Arc::clone(&opened.database)));
        Ok(opened.database)
    }

    fn transact(
        &mut self,
        database: &redb::Database,
        batch: &mut impl Iterator<Item = Request>,
        answers: &mut Vec<Answer>,
    ) -> Result<(), redb::Error> {
        let transaction = database.begin_write()?;
        let mut failure = None;
        {
            let first = self.next_sequence;
            let mut tables = Tables::open(&transaction)?;
            for Request(change) in batch {
                let (answer, error) = self.change(&mut tables, change);
                answers.push(answer);
                if error.is_some() {
                    failure = error;
                    break;
                }
            }
            if failure.is_none() && self.next_sequence != first {
                transaction.open_table(META)?.insert(NEXT_SEQUENCE_KEY, self.next_sequence)?;
            }
        }
        match failure {
            Some(error) => {
                transaction.abort()?;
                Err(error)
            }
            None if answers.iter().any(Answer::wrote) => Ok(transaction.commit()?),
            None => Ok(transaction.abort()?),
        }
    }

    /// Makes one change; with a store's error the answer is made when the transaction has failed.
    fn change(&mut self, tables: &mut Tables<'_>, change: Change) -> (Answer, Option<redb::Error>) {
        fn split<T>(
            result: Result<T, Trouble>,
            unwritten: T,
        ) -> (Result<T, JournalError>, Option<redb::Error>) {
            match result {
                Ok(value) => (Ok(value), None),
                Err(Trouble::Refused(error)) => (Err(error), None),
                Err(Trouble::Store(error)) => (Ok(unwritten), Some(error)),
            }
        }
        match change {
            Change::Commit { edge, notes, reply } => {
                let (result, error) = split(self.commit(tables, *edge, &notes), Revision(0));
                (Answer::Commit(reply, result), error)
            }
            Change::Note { notes, reply } => {
                let (result, error) = split(tables.note(&notes), ());
                (Answer::Note(reply, result), error)
            }
            Change::Remove { execution, reply } => {
                let (result, error) = split(tables.remove(&self.path, &execution), false);
                (Answer::Remove(reply, result), error)
            }
        }
    }

    fn commit(&mut self, tables: &mut Tables<'_>, edge: Edge, notes: &Notes) -> Result<Revision, Trouble> {
        let found = tables.find(&self.path, &edge.execution_id)?;
        edge.check(found.as_ref())?;
        let record = match (&edge.before, found) {
            (Before::State(_), Some(mut record)) => {
                edge.apply(&mut record);
                record
            }
            (Before::Absent { job_id, job }, _) => {
                let sequence = self.next_sequence;
                self.next_sequence += 1;
                tables.jobs.insert(sequence, job.get())?;
                tables.sequences.insert(edge.execution_id.as_str(), sequence)?;
                tables.live.insert(sequence, ())?;
                let job_id = job_id.clone();
                edge.make(job_id, Arc::clone(&NO_JOB), sequence)
            }
            (Before::State(_), None) => {
                return Err(JournalError::NotFound { execution: edge.execution_id }.into());
            }
        };
        tables.put(&record)?;
        tables.note(notes)?;
        Ok(record.revision)
    }
}

/// Stands in for the job in the records table.
static NO_JOB: LazyLock<Arc<RawValue>> = LazyLock::new(|| Arc::from(RawValue::NULL.to_owned()));

/// Why a change was not made: it was refused, or the store failed.
enum Trouble {
    Refused(JournalError),
    Store(redb::Error),
}

impl From<JournalError> for Trouble {
    fn from(error: JournalError) -> Self {
        Self::Refused(error)
    }
}

impl From<redb::StorageError> for Trouble {
    fn from(error: redb::StorageError) -> Self {
        Self::Store(error.into())
    }
}

struct Tables<'t> {
    records: Table<'t, u64, &'static [u8]>,
    jobs: Table<'t, u64, &'static str>,
    sequences: Table<'t, &'static str, u64>,
    live: Table<'t, u64, ()>,
    notes: Table<'t, &'static str, &'static [u8]>,
}

impl<'t> Tables<'t> {
    fn open(transaction: &'t WriteTransaction) -> Result<Self, redb::Error> {
        Ok(Self {
            records: transaction.open_table(RECORDS)?,
            jobs: transaction.open_table(JOBS)?,
            sequences: transaction.open_table(SEQUENCES)?,
            live: transaction.open_table(LIVE)?,
            notes: transaction.open_table(NOTES)?,
        })
    }

    fn find(&self, path: &Path, execution: &ExecutionId) -> Result<Option<Record>, Trouble> {
        let Some(sequence) = self.sequences.get(execution.as_str())?.map(|found| found.value()) else {
            return Ok(None);
        };
        let damaged = |why: String| JournalError::Corrupt {
            path: path.to_path_buf(),
            why: format!("record {sequence}: {why}"),
        };
        let bytes = self.records.get(sequence)?.ok_or_else(|| damaged("it is missing".into()))?;
        Ok(Some(serde_json::from_slice(bytes.value()).map_err(|error| damaged(error.to_string()))?))
    }

    fn put(&mut self, record: &Record) -> Result<(), Trouble> {
        let bytes = serde_json::to_vec(record)
            .map_err(|error| Trouble::Store(redb::Error::Io(std::io::Error::other(error))))?;
        self.records.insert(record.sequence, bytes.as_slice())?;
        if record.state.is_terminal() {
            self.live.remove(record.sequence)?;
        }
        Ok(())
    }

    fn note(&mut self, notes: &Notes) -> Result<(), Trouble> {
        for (key, value) in notes.changes() {
            match value {
                Some(value) => drop(self.notes.insert(key, value)?),
                None => drop(self.notes.remove(key)?),
            }
        }
        Ok(())
    }

    fn remove(&mut self, path: &Path, execution: &ExecutionId) -> Result<bool, Trouble> {
        let Some(record) = self.find(path, execution)? else { return Ok(false) };
        if !record.state.is_terminal() {
            let execution = execution.clone();
            return Err(JournalError::NotEnded { execution, state: record.state }.into());
        }
        self.sequences.remove(execution.as_str())?;
        self.records.remove(record.sequence)?;
        self.jobs.remove(record.sequence)?;
        Ok(true)
    }
}
