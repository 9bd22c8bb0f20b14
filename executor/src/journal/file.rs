//! Records in a file, written by one thread, many edges at once.
//!
//! ```text
//! commit ─┐  bounded            one transaction
//! commit ─┼─► channel ─► writer ───────────────► file
//! commit ─┘             (thread)  then everyone is answered
//! ```
//! While one transaction is written the next edges gather, so the more come the cheaper each is.
//! A failed transaction is refused as a whole and the file is opened again before the next.

mod reader;
mod schema;
mod storage;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};

use crate::id::ExecutionId;
use crate::journal::{Edge, Filter, Journal, JournalError, Note, Notes, Page, Record, Revision};

pub use reader::JournalView;
pub use schema::SCHEMA_VERSION;

use reader::Reader;

use writer::{Change, Request, Writer};

/// Name of the journal's file in an instance's folder.
pub const JOURNAL_FILE: &str = "journal.redb";

/// Commits that wait for the writer at once.
const REQUESTS_MAX: usize = 1_024;

/// What a commit survives once it has returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// The end of this process, also by `kill -9`: the kernel has it.
    #[default]
    Process,
    /// The end of the power supply: the disk has it.
    Power,
}

/// A journal in a file, open in one process at a time.
///
/// Dropping it waits for the commits under way and closes the file.
pub struct FileJournal {
    path: Arc<Path>,
    reader: Reader,
    requests: Option<mpsc::Sender<Request>>,
    writer: Option<JoinHandle<()>>,
}

impl FileJournal {
    /// Opens a journal, or makes an empty one in a folder that exists. Blocks.
    ///
    /// A journal of an older version is copied to `<path>.v<version>` and then migrated.
    ///
    /// # Errors
    /// Held by another process, newer than this build, damaged, or not readable and writable; the
    /// file is then as it was.
    pub fn open(path: &Path, durability: Durability) -> Result<Self, JournalError> {
        Self::start(path, schema::open(path, durability, SCHEMA_VERSION, schema::MIGRATIONS)?)
    }

    fn start(path: &Path, opened: schema::Opened) -> Result<Self, JournalError> {
        let path: Arc<Path> = path.into();
        let database = Arc::new(Mutex::new(Some(opened.database)));
        let reader = Reader::new(Arc::clone(&path), Arc::clone(&database));
        let writer = Writer::new(Arc::clone(&path), opened.storage, database)?;
        let (requests, receive) = mpsc::channel(REQUESTS_MAX);
        let thread = std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || writer.run(receive))
            .map_err(|source| store("opening", &path, source))?;
        Ok(Self { path, reader, requests: Some(requests), writer: Some(thread) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    async fn request<T>(
        &self,
        make: impl FnOnce(oneshot::Sender<Result<T, JournalError>>) -> Change,
    ) -> Result<T, JournalError> {
        let closed = || JournalError::Closed { path: self.path.to_path_buf() };
        let (reply, answer) = oneshot::channel();
        let requests = self.requests.as_ref().ok_or_else(closed)?;
        requests.send(Request(make(reply))).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let reader = self.reader.clone();
        let path = Arc::clone(&self.path);
        tokio::task::spawn_blocking(move || read(&reader))
            .await
            .unwrap_or_else(|error| Err(store("reading", &path, error)))
    }
}

#[async_trait]
impl Journal for FileJournal {
    async fn commit(&self, edge: Edge, notes: Notes) -> Result<Revision, JournalError> {
        notes.check()?;
        self.request(|reply| Change::Commit { edge: Box::new(edge), notes, reply }).await
    }

    async fn note(&self, notes: Notes) -> Result<(), JournalError> {
        notes.check()?;
        self.request(|reply| Change::Note { notes, reply }).await
    }

    async fn get(&self, execution: &ExecutionId) -> Result<Option<Arc<Record>>, JournalError> {
        let execution = execution.clone();
        self.read(move |reader| reader.get(&execution)).await
    }

    async fn list(&self, filter: &Filter, page: Page) -> Result<Vec<Arc<Record>>, JournalError> {
        let filter = filter.clone();
        self.read(move |reader| reader.list(&filter, page)).await
    }

    async fn remove(&self, execution: &ExecutionId) -> Result<bool, JournalError> {
        let execution = execution.clone();
        self.request(|reply| Change::Remove { execution, reply }).await
    }

    async fn notes(&self, prefix: &str) -> Result<Vec<Note>, JournalError> {
        let prefix = prefix.to_owned();
        self.read(move |reader| reader.notes(&prefix)).await
    }
}

impl Drop for FileJournal {
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has already failed its callers.
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for FileJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileJournal").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Reads the journal of an instance that no process holds, without changing a byte of it. Blocks.
///
/// # Errors
/// A process holds it, it is newer than this build, damaged, or cannot be read.
pub fn read_journal(path: &Path) -> Result<JournalView, JournalError> {
    let opened = schema::view(path, SCHEMA_VERSION)?;
    let database = Arc::new(Mutex::new(Some(opened.database)));
    Ok(JournalView::new(Reader::new(path.into(), database)))
}

type SharedDatabase = Arc<Mutex<Option<Arc<redb::Database>>>>;

fn current(database: &SharedDatabase) -> Option<Arc<redb::Database>> {
    database.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn store(
    attempt: &'static str,
    path: &Path,
    source: impl std::error::Error + Send + Sync + 'static,
) -> JournalError {
    JournalError::Store { attempt, path: path.to_path_buf(), source: Arc::new(source) }
}

/// Says what an error of the store means for whoever asked.
fn explain(attempt: &'static str, path: &Path, error: redb::Error) -> JournalError {
    let path_buf = || -> PathBuf { path.to_path_buf() };
    match error {
        redb::Error::Io(error) if is_full(&error) => JournalError::Full { path: path_buf() },
        redb::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            JournalError::Corrupt { path: path_buf(), why: error.to_string() }
        }
        redb::Error::Corrupted(why) => JournalError::Corrupt { path: path_buf(), why },
        error => store(attempt, path, error),
    }
}

fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

#[cfg(test)]
mod tests;
