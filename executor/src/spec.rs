//! The job: what a user asks to have run.
//!
//! The model *is* Bacalhau's v1 (1.9.3), with one task per job. A job file in YAML or JSON is read in every spelling that
//! Bacalhau accepts; what Bacalhau ignores silently (unknown keys, repeated keys) is refused with the field's path.
//!
//! ```text
//! bytes ─► tree (JSON | YAML, limits) ─► read (fields, legacy spellings) ─► Job ─► validate
//! ```
//!
//! ```
//! use frogfish::spec::{EngineSpec, Job};
//!
//! let job = Job::from_slice(b"
//! Name: hello
//! Type: batch
//! Tasks:
//!   - Name: main
//!     Engine: {type: docker, params: {image: 'busybox:1.37', parameters: [echo, hello]}}
//! ")?;
//! assert!(matches!(job.task.engine, EngineSpec::Docker(_)));
//! assert_eq!(job.normalised().task.resources.cpu, "500m");
//! # Ok::<(), frogfish::spec::SpecError>(())
//! ```

mod engine;
mod error;
mod input;
mod job;
mod network;
mod read;
mod resources;
mod schema;
mod tree;
mod units;
mod validate;

pub use engine::{
    DEFAULT_ENTRYPOINT, DockerParams, ENGINE_DOCKER, ENGINE_WASM, EngineSpec, SpecConfig, StringMap,
    WasmParams,
};
pub use error::{Problem, SpecError};
pub use input::{
    CreateAs, InlineSource, InputSource, IpfsSource, LocalSource, ResultPath, S3Partition, S3PartitionType,
    S3Source, SOURCE_INLINE, SOURCE_IPFS, SOURCE_LOCAL, SOURCE_LOCAL_DIRECTORY, SOURCE_S3, SOURCE_URL,
    Source, UrlSource,
};
pub use job::{Constraint, DEFAULT_NAMESPACE, Job, JobType, Operator, Task};
pub use network::{NetworkConfig, NetworkType, Port};
pub use read::ReadOptions;
pub use resources::{DEFAULT_CPU, DEFAULT_MEMORY, Resources, ResourcesConfig, Timeouts};
pub use schema::job_schema;
pub use tree::SpecLimits;
pub use units::{ByteSize, GoDuration, MilliCpu, UnitError};

#[cfg(test)]
mod tests;
