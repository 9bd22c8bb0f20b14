//! The record of every execution, written before anything about it is announced.
//!
//! ```text
//! runner ── commit(edge, notes) ──► journal ──► revision ──► announce the edge
//! ```
//! - An edge and the notes of the adapter that caused it are one transaction.
//! - Only edges of [`State::may_become`](crate::State::may_become) are taken; a terminal state is final.
//! - Every commit raises the record's revision by one.
//!
//! [`MemoryJournal`] keeps records for the life of the process, [`FileJournal`] in a file.

mod edge;
mod error;
mod file;
mod list;
mod memory;
mod notes;
mod record;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

pub use edge::{Before, Change, Edge, Patch};
pub use error::JournalError;
pub use file::{Durability, FileJournal, JOURNAL_FILE, JournalView, SCHEMA_VERSION, read_journal};
pub use list::{Filter, PAGE_BYTES_MAX, PAGE_RECORDS_MAX, Page};
pub use memory::MemoryJournal;
pub use notes::{NOTE_BYTES_MAX, NOTE_KEY_BYTES_MAX, NOTES_MAX, Note, Notes};
pub use record::{Outcome, Record, Reservation, Revision, Summary, Timestamp};

use crate::id::ExecutionId;

/// Where executions are recorded.
///
/// Every implementation passes the journal conformance suite (feature `conformance`).
#[async_trait]
pub trait Journal: Send + Sync + Debug {
    /// Commits one edge and its notes, both or neither, and returns the record's new revision.
    ///
    /// When this returns, the edge is as durable as the journal's mode promises.
    ///
    /// # Errors
    /// [`JournalError::is_refusal`]: the edge does not fit the record, nothing was written.
    /// Otherwise the store failed; nothing was written either.
    ///
    /// # Cancel
    /// The edge may still be committed.
    async fn commit(&self, edge: Edge, notes: Notes) -> Result<Revision, JournalError>;

    /// Commits notes that no edge caused.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    async fn note(&self, notes: Notes) -> Result<(), JournalError>;

    /// The record of an execution, if there is one.
    ///
    /// # Errors
    /// The store failed.
    async fn get(&self, execution: &ExecutionId) -> Result<Option<Arc<Record>>, JournalError>;

    /// A page of the records that a filter lets through, in the order in which they were made.
    ///
    /// A page may be shorter than asked; the last one is empty.
    ///
    /// # Errors
    /// The store failed.
    async fn list(&self, filter: &Filter, page: Page) -> Result<Vec<Arc<Record>>, JournalError>;

    /// Removes the record of an ended execution; true if there was one.
    ///
    /// # Errors
    /// [`JournalError::NotEnded`], or the store failed.
    async fn remove(&self, execution: &ExecutionId) -> Result<bool, JournalError>;

    /// The notes whose keys begin with `prefix`, sorted by key.
    ///
    /// # Errors
    /// The store failed.
    async fn notes(&self, prefix: &str) -> Result<Vec<Note>, JournalError>;
}
