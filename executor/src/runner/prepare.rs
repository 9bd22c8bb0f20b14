//! Before the engine: inputs, their identities, and the environment.

use std::collections::BTreeMap;
use std::path::Path;

use frogfish_verifier::receipt::ContentId;

use crate::engine::Mount;
use crate::env::{self, ExecutionFacts, JobFacts};
use crate::execution::Execution;
use crate::failure::Failure;
use crate::inputs::{self, InputContext};
use crate::runner::shared::Shared;

/// A prepared input and what it is by content.
#[derive(Debug, Clone)]
pub(crate) struct Identified {
    pub(crate) source_type: String,
    pub(crate) mount: Mount,
    /// Absent where the program may write to it: then its content is no fixed thing.
    pub(crate) content: Option<ContentId>,
}

/// Makes every input ready and finds out what it is by content.
pub(super) async fn inputs(
    shared: &Shared,
    execution: &Execution,
    folder: &Path,
) -> Result<Vec<Identified>, Failure> {
    let sources = &execution.job.task.input_sources;
    let context = context(shared, execution);
    let prepared = shared.inputs.prepare(sources, &context, folder).await?;
    let mounts = inputs::mounts(sources, &prepared);
    let now = shared.clock.wall();
    let mut identified = Vec::with_capacity(mounts.len());
    for (source, mount) in sources.iter().zip(mounts) {
        let content =
            if mount.read_only { Some(shared.identities.of(&mount.source, now).await?) } else { None };
        identified.push(Identified { source_type: source.source.type_name().to_owned(), mount, content });
    }
    Ok(identified)
}

/// What bounds the inputs of an execution.
pub(super) fn context(shared: &Shared, execution: &Execution) -> InputContext {
    InputContext { limits: shared.limits.clone(), grants: execution.granted.clone() }
}

/// The execution's environment: the task's, the host's where it is allowed, and Frogfish's own.
///
/// A deterministic run is not told which execution it is: two of them must print the same.
pub(super) fn env(shared: &Shared, execution: &Execution) -> Result<BTreeMap<String, String>, Failure> {
    let job = JobFacts {
        id: &execution.job_id,
        job_type: execution.job.job_type,
        partition_index: execution.partition.index,
        partition_count: execution.partition.count,
        ports: &[],
    };
    let facts = ExecutionFacts { execution_id: &execution.id, job: Some(job) };
    let task = &execution.job.task.env;
    let mut env = env::build(task, Some(&facts), &shared.naming, &shared.host_env, &shared.limits)?;
    if execution.determinism.is_on() {
        for name in ["EXECUTION_ID", "JOB_ID"] {
            env.remove(&format!("{}{name}", shared.naming.env_prefix));
        }
    }
    Ok(env)
}
