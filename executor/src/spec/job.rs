//! The job and its task.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::engine::{EngineSpec, SpecConfig, StringMap};
use super::error::SpecError;
use super::input::{InputSource, ResultPath};
use super::network::{NetworkConfig, NetworkType};
use super::read::ReadOptions;
use super::resources::{ResourcesConfig, Timeouts};

/// A Bacalhau v1 job with its one task.
///
/// *Layout*: written with Bacalhau's key names in the order of its own JSON; `Tasks` is a list of one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields)]
#[non_exhaustive]
pub struct Job {
    /// The identifier that an orchestrator gave; empty in a job file.
    #[serde(rename = "ID", skip_serializing_if = "String::is_empty")]
    #[schemars(skip)]
    pub id: String,
    /// The name; an orchestrator updates the job of the same name.
    #[schemars(default)]
    pub name: String,
    /// The namespace.
    #[schemars(default)]
    pub namespace: String,
    /// On how many nodes it runs, and whether it ends.
    #[serde(rename = "Type")]
    #[schemars(default)]
    pub job_type: JobType,
    /// Higher runs first.
    #[schemars(default)]
    pub priority: i64,
    /// Number of executions; 0 stops a batch or service job and is the only value for ops and daemon.
    #[schemars(default)]
    pub count: u32,
    /// What a node's labels must satisfy.
    #[schemars(default)]
    pub constraints: Vec<Constraint>,
    /// Data about the job that is carried along.
    #[schemars(default)]
    pub meta: StringMap,
    /// Names and values to find the job by.
    #[schemars(default)]
    pub labels: StringMap,
    /// What is executed.
    #[serde(rename = "Tasks", serialize_with = "list_of_one")]
    #[schemars(with = "[Task; 1]")]
    pub task: Task,
}

fn list_of_one<S: Serializer>(task: &Task, serializer: S) -> Result<S::Ok, S::Error> {
    [task].serialize(serializer)
}

/// On how many nodes a job runs, and whether it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobType {
    /// Runs to its end on `Count` nodes.
    #[default]
    Batch,
    /// Runs to its end on every matching node.
    Ops,
    /// Kept running on `Count` nodes.
    Service,
    /// Kept running on every matching node.
    Daemon,
}

impl JobType {
    /// Every type with its name in a job.
    pub const ALL: [(Self, &str); 4] =
        [(Self::Batch, "batch"), (Self::Ops, "ops"), (Self::Service, "service"), (Self::Daemon, "daemon")];

    /// The name as it is written in a job.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Ops => "ops",
            Self::Service => "service",
            Self::Daemon => "daemon",
        }
    }

    /// Whether it is kept running.
    pub fn is_long_running(self) -> bool {
        matches!(self, Self::Service | Self::Daemon)
    }

    /// Whether it runs on every matching node, whatever `Count` says.
    pub fn runs_everywhere(self) -> bool {
        matches!(self, Self::Ops | Self::Daemon)
    }
}

/// What a node's label must satisfy.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields)]
pub struct Constraint {
    /// The label.
    pub key: String,
    /// How it relates to the values.
    pub operator: Operator,
    /// The values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub values: Vec<String>,
}

/// How a label relates to the values of a constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, JsonSchema)]
pub enum Operator {
    /// The label is there.
    #[default]
    #[serde(rename = "exists")]
    Exists,
    /// The label is not there.
    #[serde(rename = "!")]
    DoesNotExist,
    /// The label is the value.
    #[serde(rename = "=")]
    Equals,
    /// The label is the value, written as in code.
    #[serde(rename = "==")]
    DoubleEquals,
    /// The label is not the value.
    #[serde(rename = "!=")]
    NotEquals,
    /// The label is one of the values.
    #[serde(rename = "in")]
    In,
    /// The label is none of the values.
    #[serde(rename = "notin")]
    NotIn,
    /// The label is a number above the value.
    #[serde(rename = "gt")]
    GreaterThan,
    /// The label is a number below the value.
    #[serde(rename = "lt")]
    LessThan,
}

impl Operator {
    /// Every operator with its spelling in a job.
    pub const ALL: [(Self, &str); 9] = [
        (Self::Exists, "exists"),
        (Self::DoesNotExist, "!"),
        (Self::Equals, "="),
        (Self::DoubleEquals, "=="),
        (Self::NotEquals, "!="),
        (Self::In, "in"),
        (Self::NotIn, "notin"),
        (Self::GreaterThan, "gt"),
        (Self::LessThan, "lt"),
    ];
}

/// What is executed, with what, and under which limits.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields)]
#[non_exhaustive]
pub struct Task {
    /// The name.
    pub name: String,
    /// What runs.
    pub engine: EngineSpec,
    /// Where results go; empty for nowhere.
    #[schemars(default)]
    pub publisher: SpecConfig,
    /// Environment variables; a value `env:NAME` is a variable of the node, where it allows that.
    #[serde(skip_serializing_if = "StringMap::is_empty")]
    #[schemars(default)]
    pub env: StringMap,
    /// Data about the task that is carried along.
    #[serde(skip_serializing_if = "StringMap::is_empty")]
    #[schemars(default)]
    pub meta: StringMap,
    /// Data placed in the file system before it runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub input_sources: Vec<InputSource>,
    /// Folders that become part of the result.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub result_paths: Vec<ResultPath>,
    /// What it needs.
    #[schemars(default)]
    pub resources: ResourcesConfig,
    /// What it may reach.
    #[schemars(default)]
    pub network: NetworkConfig,
    /// How long it may take.
    #[schemars(default)]
    pub timeouts: Timeouts,
}

/// The namespace of a job that names none.
pub const DEFAULT_NAMESPACE: &str = "default";

impl Job {
    /// The job of a job file, YAML or JSON, in any spelling that Bacalhau accepts.
    ///
    /// *Errors*: everything that is wrong with it, by field. [`ReadOptions`] has the limits and the choices.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, SpecError> {
        ReadOptions::job_file().read(bytes)
    }

    /// The job as a JSON value with Bacalhau's key names.
    pub fn to_value(&self) -> Value {
        // A struct of strings, numbers, lists and maps with text keys always serialises.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The same job with every default filled in: what would run.
    ///
    /// Normalising twice changes nothing, and reading what `to_value` then gives is the same job.
    #[must_use]
    pub fn normalised(&self) -> Self {
        let mut job = self.clone();
        if job.namespace.is_empty() {
            DEFAULT_NAMESPACE.clone_into(&mut job.namespace);
        }
        if job.name.is_empty() {
            let name = if job.id.is_empty() { &job.task.name } else { &job.id };
            job.name.clone_from(name);
        }
        if job.job_type.runs_everywhere() {
            job.count = 0;
        }
        let task = &mut job.task;
        task.resources = task.resources.normalised();
        if task.network.network_type == NetworkType::Full {
            task.network.network_type = NetworkType::Host;
        }
        for domain in &mut task.network.domains {
            *domain = domain.trim().to_lowercase();
        }
        job
    }
}

impl<'de> Deserialize<'de> for Job {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        ReadOptions::wire().read_value(&value).map_err(serde::de::Error::custom)
    }
}
