//! How an execution ended.

use std::path::PathBuf;
use std::sync::Arc;

use frogfish_verifier::{Cid, Digest, Receipt};

use crate::capture::Captured;
use crate::engine::Usage;
use crate::failure::Failure;
use crate::id::{ExecutionId, JobId};
use crate::runner::home::FolderGuard;
use crate::state::State;

/// How an execution ended, and where what it left can be found.
///
/// A failed or cancelled execution has one too, with the output and exit code that it came to. With a runner that was
/// given no data folder, `results` and `receipt_path` exist as long as the runner remembers the execution or a
/// clone of this value or of its handle is kept.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Outcome {
    /// The execution.
    pub execution_id: ExecutionId,
    /// Its job.
    pub job_id: JobId,
    /// [`State::Completed`], [`State::Failed`] or [`State::Cancelled`].
    pub state: State,
    /// The program's own status, 0 to 4 294 967 295; -1 if it never came to one.
    pub exit_code: i64,
    /// Why it did not run to its own end; absent if it did, whatever the exit code.
    pub failure: Option<Failure>,
    /// Root of the results: what `ipfs add -Qrn` says of the folder. The empty folder's if it never ran.
    pub cid: Cid,
    /// Root digest of the manifest of the results.
    pub manifest: Digest,
    /// The results: `stdout`, `stderr`, `exitCode` and a folder per output; absent if it never ran.
    pub results: Option<PathBuf>,
    /// The receipt's file; absent if it never ran.
    pub receipt_path: Option<PathBuf>,
    /// What was run and what came of it; absent if it never ran.
    pub receipt: Option<Arc<Receipt>>,
    /// What it printed: totals, truncation, first and last bytes; absent if it never ran.
    pub output: Option<Captured>,
    /// Instructions executed, where the job asked to be deterministic and the engine counts them.
    pub instruction_count: Option<u64>,
    /// What it used, where the engine knows.
    pub usage: Usage,
    /// Keeps the results of a runner without a data folder as long as anybody can ask for them.
    pub(crate) _guard: Option<Arc<FolderGuard>>,
}

impl Outcome {
    /// Whether it ran to its own end with status 0.
    pub fn success(&self) -> bool {
        self.state == State::Completed && self.exit_code == 0
    }
}
