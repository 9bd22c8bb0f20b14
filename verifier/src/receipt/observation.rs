//! Observations: what one run was like.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::canonical::{self, CanonicalError};
use crate::{Digest, PathName};

/// What the one run behind a receipt was like.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// The execution's ID.
    pub execution_id: String,
    /// The job's ID.
    pub job_id: String,
    /// The instance that executed it.
    pub instance: String,
    /// The host's name, or whatever the instance calls its host.
    pub host: String,
    /// The job as it was given, with this host's names and paths: what a re-run starts from.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::json::unambiguous_option"
    )]
    pub job: Option<serde_json::Value>,
    /// Versions by name: `frogfish`, `engine`, ….
    #[serde(default)]
    pub versions: BTreeMap<String, String>,
    /// When it was taken up (RFC 3339).
    pub started_at: String,
    /// When it was over (RFC 3339).
    pub finished_at: String,
    /// Microseconds by phase: `preparing`, `running`, `collecting`, ….
    #[serde(default)]
    pub durations_us: BTreeMap<String, u64>,
    /// What it used.
    #[serde(default)]
    pub usage: Usage,
    /// The logs as they were streamed, by name: `stdout`, `stderr`.
    #[serde(default)]
    pub logs: BTreeMap<String, LogDigest>,
    /// Names with a leading dot, which CID and manifest leave out.
    #[serde(default)]
    pub hidden: Vec<PathName>,
    /// How many such names there were, listed or not.
    #[serde(default)]
    pub hidden_count: u64,
    /// The GPUs that it held.
    #[serde(default)]
    pub gpus: Vec<GpuTelemetry>,
}

/// What an execution used; absent where it was not measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// CPU time in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_time_us: Option<u64>,
    /// Most memory held at once, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<u64>,
    /// Bytes of the inputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_bytes: Option<u64>,
    /// Bytes of the results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_bytes: Option<u64>,
}

/// A log in full, though the results may hold only its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogDigest {
    /// SHA-256 over the log.
    pub digest: Digest,
    /// Length of the log in bytes.
    pub bytes: u64,
}

/// What was seen of one GPU while the execution held it; absent where it was not measured.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GpuTelemetry {
    /// The GPU's UUID.
    pub uuid: String,
    /// The model's name.
    pub model: String,
    /// The driver's version.
    pub driver: String,
    /// Most memory held at once, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<u64>,
    /// Mean utilisation in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utilization_mean_percent: Option<f64>,
    /// Energy used in millijoules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_mj: Option<u64>,
    /// Highest temperature in degrees Celsius.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_max_c: Option<i64>,
    /// Errors that ECC could not correct while it was held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ecc_uncorrected: Option<u64>,
}

impl Observation {
    /// SHA-256 over the observation's canonical JSON.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        canonical::digest(self)
    }
}
