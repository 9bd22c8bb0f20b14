//! What runs an execution: the port between the runner and an engine.
//!
//! The runner prepares folders, environment and limits, calls [`Engine::run`] once, and collects
//! what the run left. Nobody else calls an engine.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use frogfish_verifier::Digest;
use serde::{Deserialize, Serialize};

use crate::capture::Capture;
use crate::failure::Failure;
use crate::id::{ExecutionId, JobId};
use crate::limits::Limits;
use crate::spec::{EngineSpec, NetworkConfig, Resources, Task};
use crate::stop::Stop;

/// An engine: runs tasks of one engine type.
///
/// Every implementation passes the engine conformance suite (feature `conformance`).
#[async_trait]
pub trait Engine: Send + Sync + fmt::Debug {
    /// The engine type in a job, lower case: `wasm`, `docker`.
    fn engine_type(&self) -> &'static str;

    /// What runs the code, with its version, for receipts: `wasmtime 48.0.8`.
    fn version(&self) -> String;

    /// Whether [`run`](Self::run) keeps its thread busy until it ends: the runner then gives it one of its own.
    fn occupies_thread(&self) -> bool {
        false
    }

    /// Whether it can run anything now.
    async fn health(&self) -> Health;

    /// Whether it could run this task, without any effect: what a promise to run it rests on.
    ///
    /// # Errors
    /// Why it never could.
    async fn check(&self, task: &Task) -> Result<(), Failure>;

    /// Runs one execution to its end.
    ///
    /// Returns when nothing of the execution runs any more, within
    /// [`Limits::stop_grace_ms_max`] of a request on [`EngineRun::stop`]. What the run wrote to its outputs and
    /// its capture stays, however it ends.
    ///
    /// # Cancel
    /// Dropping the future asks the execution to stop.
    async fn run(&self, run: EngineRun) -> EngineEnd;

    /// Stops and removes whatever the engine holds for an execution; nothing to remove is no error.
    ///
    /// # Errors
    /// The engine could not be asked or refused.
    async fn remove(&self, execution: &ExecutionId) -> Result<(), Failure> {
        let _ = execution;
        Ok(())
    }
}

/// Whether an engine can run anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Health {
    /// It can.
    Ready,
    /// It cannot, for this reason, which the hint mends.
    Down(Failure),
}

/// How much of the host's chance an execution may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeterminismLevel {
    /// Real clocks and randomness.
    #[default]
    None,
    /// Equal on this machine.
    Machine,
    /// Equal on machines of one class (GPU model, driver, image digest).
    Class,
    /// Equal anywhere.
    Anywhere,
}

/// The switches that make a run repeatable, as they are written into the receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Determinism {
    /// What the job declares.
    pub level: DeterminismLevel,
    /// What a deterministic run's randomness is made from.
    pub seed: u64,
}

impl Determinism {
    /// Virtual clock, seeded randomness, canonical NaN, counted instructions.
    pub fn anywhere() -> Self {
        Self { level: DeterminismLevel::Anywhere, seed: 0 }
    }

    /// Whether chance is kept out at all.
    pub fn is_on(self) -> bool {
        self.level != DeterminismLevel::None
    }
}

/// A host file or folder that an execution sees at a path of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The host's file or folder, canonical.
    pub source: PathBuf,
    /// The path inside; a leading slash means nothing to the WASM engine.
    pub target: String,
    /// Whether writing is refused.
    pub read_only: bool,
}

/// A folder whose content is a result of the execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputMount {
    /// The folder's name among the results.
    pub name: String,
    /// The path inside.
    pub target: String,
    /// The host's folder; it exists.
    pub source: PathBuf,
}

/// Everything that an engine needs for one execution.
#[derive(Debug, Clone)]
pub struct EngineRun {
    /// The execution.
    pub execution_id: ExecutionId,
    /// Its job.
    pub job_id: JobId,
    /// Engine and parameters of the task.
    pub engine: EngineSpec,
    /// The environment, complete.
    pub env: BTreeMap<String, String>,
    /// Prepared inputs.
    pub inputs: Vec<Mount>,
    /// Folders for declared outputs.
    pub outputs: Vec<OutputMount>,
    /// What the task may reach.
    pub network: NetworkConfig,
    /// What the task may use.
    pub resources: Resources,
    /// How repeatable it must be.
    pub determinism: Determinism,
    /// The runner's limits.
    pub limits: Arc<Limits>,
    /// Where its stdout and stderr go.
    pub capture: Arc<Capture>,
    /// Asks it to stop.
    pub stop: Stop,
}

/// What an execution used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Processor time, in microseconds, where the engine knows it.
    pub cpu_us: Option<u64>,
    /// Largest memory held, in bytes, where the engine knows it.
    pub memory_peak_bytes: Option<u64>,
}

/// A piece of code that was run, by its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeDigest {
    /// Its name in the job: a module's path or an image's reference.
    pub name: String,
    /// SHA-256 of the module's bytes, or the image's digest.
    pub digest: Digest,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineEnd {
    /// The program's own status; absent if it never came to one.
    pub exit_code: Option<i64>,
    /// Why it did not run to its own end; absent if it did, whatever the exit code.
    pub failure: Option<Failure>,
    /// The code that was run, the entry first.
    pub code: Vec<CodeDigest>,
    /// Instructions executed, where they are counted.
    pub instruction_count: Option<u64>,
    /// Whether running it again must end the same way (false after a native stack overflow).
    pub reproducible: bool,
    /// What it used.
    pub usage: Usage,
}

impl EngineEnd {
    /// A run that came to its own end.
    pub fn exited(exit_code: i64) -> Self {
        Self {
            exit_code: Some(exit_code),
            failure: None,
            code: Vec::new(),
            instruction_count: None,
            reproducible: true,
            usage: Usage::default(),
        }
    }

    /// A run that did not.
    pub fn failed(failure: Failure) -> Self {
        Self { exit_code: None, failure: Some(failure), ..Self::exited(0) }
    }
}
