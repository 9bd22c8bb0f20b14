//! What a task needs, and how long it may take.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::error::{Problem, SpecError, quote};
use super::units::{ByteSize, GoDuration, MilliCpu, squeeze};

/// What a task asks for, as the texts of the job; empty means the node's default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ResourcesConfig {
    /// Cores (`500m`, `0.5`, `2`).
    #[serde(rename = "CPU", skip_serializing_if = "String::is_empty")]
    #[schemars(default)]
    pub cpu: String,
    /// Memory (`512Mb`, `1GiB`).
    #[serde(rename = "Memory", skip_serializing_if = "String::is_empty")]
    #[schemars(default)]
    pub memory: String,
    /// Disk (`10GB`).
    #[serde(rename = "Disk", skip_serializing_if = "String::is_empty")]
    #[schemars(default)]
    pub disk: String,
    /// A number of GPUs.
    #[serde(rename = "GPU", skip_serializing_if = "String::is_empty")]
    #[schemars(default)]
    pub gpu: String,
}

/// The CPU of a task that asks for none, as Bacalhau's orchestrator fills it in.
pub const DEFAULT_CPU: &str = "500m";
/// The memory of a task that asks for none, as Bacalhau's orchestrator fills it in.
pub const DEFAULT_MEMORY: &str = "512mb";

/// What a task asks for, in numbers; zero means nothing was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Resources {
    /// Cores.
    pub cpu: MilliCpu,
    /// Memory.
    pub memory: ByteSize,
    /// Disk.
    pub disk: ByteSize,
    /// Number of GPUs.
    pub gpu: u64,
}

impl ResourcesConfig {
    /// The numbers that the texts stand for.
    ///
    /// *Errors*: every text that is none, with the field `CPU`, `Memory`, `Disk` or `GPU`.
    pub fn parse(&self) -> Result<Resources, SpecError> {
        let mut problems = Vec::new();
        let mut refuse = |field: &str, what: &str, text: &str, allowed: &str| {
            let message = format!("invalid {what} value: {}", quote(text).trim_matches('"'));
            problems.push(Problem::new(field, message).found(quote(text)).allowed(allowed));
        };
        let sizes = "a size such as 512Mb, 1GiB or a number of bytes";
        let mut resources = Resources::default();
        match parse_or_default(&self.cpu) {
            Ok(cpu) => resources.cpu = cpu,
            Err(_) => refuse(
                "CPU",
                "CPU",
                &self.cpu,
                "a number of cores such as 2 or 0.5, or thousandths such as 500m",
            ),
        }
        match parse_or_default(&self.memory) {
            Ok(memory) => resources.memory = memory,
            Err(_) => refuse("Memory", "memory", &self.memory, sizes),
        }
        match parse_or_default(&self.disk) {
            Ok(disk) => resources.disk = disk,
            Err(_) => refuse("Disk", "disk", &self.disk, sizes),
        }
        match parse_or_default(&squeeze(&self.gpu)) {
            Ok(gpu) => resources.gpu = gpu,
            Err(_) => refuse("GPU", "GPU", &self.gpu, "a whole number of GPUs, 0 or more"),
        }
        if problems.is_empty() { Ok(resources) } else { Err(SpecError { problems }) }
    }

    /// The same request in lower case, without blanks, with CPU and memory filled in.
    pub fn normalised(&self) -> Self {
        let or = |text: &str, default: &str| {
            let text = squeeze(text);
            if text.is_empty() { default.to_owned() } else { text }
        };
        Self {
            cpu: or(&self.cpu, DEFAULT_CPU),
            memory: or(&self.memory, DEFAULT_MEMORY),
            disk: squeeze(&self.disk),
            gpu: squeeze(&self.gpu),
        }
    }
}

fn parse_or_default<T: std::str::FromStr + Default>(text: &str) -> Result<T, T::Err> {
    if text.bytes().all(|b| b == b' ' || b == b'\n') { Ok(T::default()) } else { text.parse() }
}

/// How long a task may take; zero means no limit.
///
/// *Layout*: whole seconds are written as a number, others as Go's duration (`"1.5s"`); both are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Timeouts {
    /// How long it may run.
    #[serde(
        rename = "ExecutionTimeout",
        skip_serializing_if = "Duration::is_zero",
        serialize_with = "seconds"
    )]
    #[schemars(with = "Seconds", default)]
    pub execution: Duration,
    /// How long it may wait for a node.
    #[serde(rename = "QueueTimeout", skip_serializing_if = "Duration::is_zero", serialize_with = "seconds")]
    #[schemars(with = "Seconds", default)]
    pub queue: Duration,
    /// How long everything may take.
    #[serde(rename = "TotalTimeout", skip_serializing_if = "Duration::is_zero", serialize_with = "seconds")]
    #[schemars(with = "Seconds", default)]
    pub total: Duration,
}

/// Whole seconds, or a duration as Go writes it. Exists for the schema alone.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
#[allow(dead_code, reason = "describes two spellings, holds no value")]
enum Seconds {
    /// Whole seconds.
    Number(u64),
    /// A duration such as `1h2m3s` or `1.5s`.
    Text(String),
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    if duration.subsec_nanos() == 0 {
        serializer.serialize_u64(duration.as_secs())
    } else {
        serializer.collect_str(&GoDuration::from_std(*duration))
    }
}

impl Timeouts {
    /// How long the task may run: its own limit, else the total, else none.
    pub fn execution_limit(&self) -> Option<Duration> {
        [self.execution, self.total].into_iter().find(|limit| !limit.is_zero())
    }
}
