//! Claims: equal for equal work.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::canonical::{self, CanonicalError};
use crate::{Cid, Digest, HamtBoundary, Profile};

/// What was asked and what came of it, without anything that differs between two runs of the same work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Digest of the canonical JSON of `job`.
    pub job_digest: Digest,
    /// The job, normalised, without names and IDs that its author did not choose.
    #[serde(deserialize_with = "crate::json::unambiguous")]
    pub job: Value,
    /// The engine's type as the job names it: `docker` or `wasm`.
    pub engine: String,
    /// What was executed; `None` where the execution ended before that was known.
    pub program: Option<Program>,
    /// What the program could read, in the job's order.
    pub inputs: Vec<ClaimInput>,
    /// What kept two runs equal.
    pub determinism: Determinism,
    /// How the execution ended.
    pub outcome: Outcome,
    /// What was cut off at a limit.
    pub truncated: Truncation,
    /// Instructions executed, where the engine counts them.
    pub instruction_count: Option<u64>,
    /// CID of the results folder; `None` where there is none.
    pub cid: Option<Cid>,
    /// Root digest of the results' manifest; `None` where there are no results.
    pub manifest: Option<Digest>,
    /// The profile of `cid` and `manifest`.
    pub profile: Profile,
    /// At which size a folder of the results became a HAMT.
    pub hamt_boundary: HamtBoundary,
}

/// What was executed, by content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Program {
    /// A container image: the digest of its manifest or configuration, such as `sha256:…`.
    Image(String),
    /// A WebAssembly module: the SHA-256 digest of its bytes.
    Module(Digest),
}

/// An input by content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimInput {
    /// The input source's type as the job names it, such as `urlDownload` or `ipfs`.
    #[serde(rename = "type")]
    pub source_type: String,
    /// Where the program saw it.
    pub target: String,
    /// What it was; `None` where it was not hashed.
    pub content: Option<ContentId>,
}

/// What names a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ContentId {
    /// A CID.
    Cid(Cid),
    /// A SHA-256 digest of the bytes.
    Digest(Digest),
}

/// On which machines two runs are to be equal.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum DeterminismLevel {
    /// Nothing is promised.
    #[default]
    None,
    /// On the same machine.
    Machine,
    /// On machines with the same GPU model, driver and image digest.
    Class,
    /// On every machine.
    Anywhere,
}

/// What kept two runs equal: the declared level and the settings behind it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Determinism {
    /// On which machines two runs are to be equal.
    pub level: DeterminismLevel,
    /// Settings by name: `clock`, `randomness`, `env`, `threads`, `network`, `fuel_schedule`, `call_depth_max`, ….
    #[serde(default, deserialize_with = "crate::json::unambiguous_map")]
    pub settings: BTreeMap<String, Value>,
}

/// How an execution ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The final state: `Completed`, `Failed` or `Cancelled`.
    pub state: String,
    /// The program's own exit code; `None` where it did not exit by itself.
    pub exit_code: Option<i64>,
    /// Why it ended so, in the executor's word, such as `exited`, `timeout` or `out_of_memory`.
    pub reason_code: Option<String>,
    /// False where the end depended on the machine, as with a native stack overflow.
    pub reproducible: bool,
}

/// What was cut off at a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Truncation {
    /// Whether standard output was cut off.
    pub stdout: bool,
    /// Whether standard error was cut off.
    pub stderr: bool,
    /// Whether an output folder was cut off.
    pub outputs: bool,
}

impl Truncation {
    /// Whether anything was cut off.
    pub fn any(self) -> bool {
        self.stdout || self.stderr || self.outputs
    }
}

impl Claim {
    /// The identity of the work: SHA-256 over the claim's canonical JSON.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        canonical::digest(self)
    }
}
