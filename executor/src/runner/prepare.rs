//! Before the engine: inputs, their identities, and the environment.

use std::collections::BTreeMap;
use std::path::Path;

use frogfish_verifier::receipt::ContentId;

use crate::engine::Mount;
use crate::execution::Execution;
use crate::failure::Failure;
use crate::runner::shared::Shared;

/// A prepared input and what it is by content.
#[derive(Debug, Clone)]
pub(crate) struct Identified {
    pub(crate) source_type: String,
    pub(crate) mount: Mount,
    /// Absent where the program may write to it: then its content is no fixed thing.
    pub(crate) content: Option<ContentId>,
}

#[derive(Debug, Default)]
pub(crate) struct Inputs {}

pub(super) async fn inputs(
    shared: &Shared,
    execution: &Execution,
    folder: &Path,
) -> Result<Vec<Identified>, Failure> {
    let _ = (shared, execution, folder);
    Ok(Vec::new())
}

pub(super) fn env(shared: &Shared, execution: &Execution) -> Result<BTreeMap<String, String>, Failure> {
    let _ = shared;
    Ok(execution.job.task.env.clone())
}
