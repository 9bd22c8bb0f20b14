//! What is known about one execution.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use frogfish_verifier::Digest;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::capacity::Amounts;
use crate::clock::rfc3339_nanos;
use crate::engine::Usage;
use crate::failure::Failure;
use crate::id::{ExecutionId, JobId};
use crate::state::State;

/// A time of day, to the nanosecond, until the year 2554.
///
/// # Units
/// Nanoseconds since 1970-01-01 UTC, in JSON too; displayed as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The time this many nanoseconds after 1970-01-01 UTC.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The time this long after 1970-01-01 UTC.
    pub fn from_unix(since: Duration) -> Self {
        Self(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }

    /// How long after 1970-01-01 UTC it is.
    pub fn since_unix(self) -> Duration {
        Duration::from_nanos(self.0)
    }
}

impl From<Duration> for Timestamp {
    fn from(since: Duration) -> Self {
        Self::from_unix(since)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&rfc3339_nanos(self.since_unix()))
    }
}

/// How often a record was written: 1 when it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub u64);

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Resources that an execution holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Reservation {
    /// How much of each countable resource.
    pub amounts: Amounts,
    /// When it ends if nobody has started the execution by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
}

impl Reservation {
    /// A reservation of these amounts, for as long as the execution lives.
    pub fn new(amounts: Amounts) -> Self {
        Self { amounts, held_until: None }
    }
}

/// The first bytes of what a program printed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// Of its standard output, bytes that are not UTF-8 replaced.
    pub stdout: String,
    /// Whether there was more.
    pub stdout_truncated: bool,
    /// Of its standard error.
    pub stderr: String,
    /// Whether there was more.
    pub stderr_truncated: bool,
}

/// How an execution ended, or will end once its results are gathered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Outcome {
    /// The program's own status, where it came to one.
    pub exit_code: Option<i64>,
    /// Why it did not run to its own end.
    pub failure: Option<Failure>,
    /// The CID of its results.
    pub cid: Option<String>,
    /// The root digest of its manifest.
    pub manifest_root: Option<Digest>,
    /// The folder of its results.
    pub results: Option<PathBuf>,
    /// The file of its receipt.
    pub receipt: Option<PathBuf>,
    /// The beginning of what it printed.
    pub summary: Summary,
    /// Instructions executed, where they are counted.
    pub instruction_count: Option<u64>,
    /// What it used.
    pub usage: Usage,
    /// Where the publisher put the results, in the publisher's own words.
    pub published: Option<serde_json::Value>,
    /// Why they were not published, although the execution completed.
    pub publish_error: Option<Failure>,
}

/// What is known about one execution.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// The execution.
    pub execution_id: ExecutionId,
    /// Its job.
    pub job_id: JobId,
    /// The job as JSON, as it was admitted.
    #[serde(with = "shared_json")]
    pub job: Arc<RawValue>,
    /// The record's place in this journal's order of creation; never used twice.
    pub sequence: u64,
    /// How often it was written.
    pub revision: Revision,
    /// Where it stands.
    pub state: State,
    /// When it was made.
    pub created: Timestamp,
    /// When it was written last.
    pub modified: Timestamp,
    /// When it last entered each state.
    pub entered: BTreeMap<State, Timestamp>,
    /// What it holds; nothing once it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation: Option<Reservation>,
    /// Its folder, once it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// How it ended, pending until the state is terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What whoever started it wants to find again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<serde_json::Value>,
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        let parts = |r: &Self| (r.sequence, r.revision, r.state, r.created, r.modified);
        parts(self) == parts(other)
            && self.execution_id == other.execution_id
            && self.job_id == other.job_id
            && self.job.get() == other.job.get()
            && self.entered == other.entered
            && self.reservation == other.reservation
            && self.folder == other.folder
            && self.outcome == other.outcome
            && self.owner == other.owner
    }
}

/// JSON text behind an `Arc`, written as it is.
mod shared_json {
    use super::{Arc, RawValue};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(json: &Arc<RawValue>, to: S) -> Result<S::Ok, S::Error> {
        json.as_ref().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<RawValue>, D::Error> {
        Ok(Box::<RawValue>::deserialize(from)?.into())
    }
}
