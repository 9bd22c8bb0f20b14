//! What an adapter keeps beside executions: cursors, offers, nonces.

use serde::{Deserialize, Serialize};

use crate::journal::JournalError;

/// Bytes of a note's key.
pub const NOTE_KEY_BYTES_MAX: usize = 512;

/// Bytes of a note.
pub const NOTE_BYTES_MAX: usize = 1 << 20;

/// Notes of one commit.
pub const NOTES_MAX: usize = 256;

/// A note as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What it is found by.
    pub key: String,
    /// Its bytes.
    pub value: Vec<u8>,
}

/// Changes of notes, made in order in the transaction of an edge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes(Vec<(String, Option<Vec<u8>>)>);

impl Notes {
    /// No change; allocates nothing.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Writes a note, over an older one of the same key.
    #[must_use]
    pub fn put(mut self, key: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.0.push((key.into(), Some(value.into())));
        self
    }

    /// Removes a note; one that is not there is no error.
    #[must_use]
    pub fn remove(mut self, key: impl Into<String>) -> Self {
        self.0.push((key.into(), None));
        self
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn check(&self) -> Result<(), JournalError> {
        if self.0.len() > NOTES_MAX {
            return Err(JournalError::TooManyNotes { found: self.0.len() });
        }
        for (key, value) in &self.0 {
            let bytes = value.as_ref().map_or(0, Vec::len);
            if key.is_empty() || key.len() > NOTE_KEY_BYTES_MAX || bytes > NOTE_BYTES_MAX {
                let key = key.chars().take(64).collect();
                return Err(JournalError::NoteRefused { key, bytes });
            }
        }
        Ok(())
    }

    pub(super) fn into_changes(self) -> impl Iterator<Item = (String, Option<Vec<u8>>)> {
        self.0.into_iter()
    }

    pub(super) fn changes(&self) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_deref()))
    }
}
