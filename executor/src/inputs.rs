//! Inputs: what a task finds in its file system when it starts.
//!
//! ```text
//! check    when a promise is made: is the source known, allowed, how many bytes; no effect
//! prepare  before the start: all inputs at once, into <execution>/inputs/<n>; local paths stay where they are
//! ```
//! Whatever a source stores lies below the execution's own folder, so that removing that folder misses nothing.

mod archive;
mod data_url;
mod inline;
mod local;
#[cfg(test)]
mod tests;
mod upload;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use tokio::task::JoinSet;

use crate::engine::Mount;
use crate::failure::{Failure, ReasonCode};
use crate::limits::Limits;
use crate::spec;

pub use inline::InlineInputs;
pub use local::{AllowedPath, GrantedPath, InvalidPattern, LocalInputs};
pub use upload::inline_from_path;

/// A kind of source: fetches or finds the data of inputs of one source type.
///
/// Every implementation passes the input source conformance suite (feature `conformance`).
#[async_trait]
pub trait InputSource: Send + Sync + fmt::Debug {
    /// The source type in a job: `inline`, `local`.
    fn source_type(&self) -> &'static str;

    /// Whether this node can serve it at all.
    async fn is_installed(&self) -> bool {
        true
    }

    /// Whether an input could be prepared now, and its size; without any effect.
    ///
    /// # Errors
    /// Why it could not.
    async fn check(&self, input: &spec::InputSource, context: &InputContext) -> Result<InputSize, Failure>;

    /// Makes the input ready to be mounted. What it stores, it stores at `place` and nowhere else.
    ///
    /// # Errors
    /// Why it could not; what it stored until then is removed with the execution's folder.
    ///
    /// # Cancel
    /// Dropping the future stops it soon.
    async fn prepare(
        &self,
        input: &spec::InputSource,
        context: &InputContext,
        place: &InputPlace,
    ) -> Result<Prepared, Failure>;
}

/// What bounds the inputs of one execution.
#[derive(Debug, Clone, Default)]
pub struct InputContext {
    /// The runner's limits.
    pub limits: Arc<Limits>,
    /// Local paths that whoever starts the execution named itself, and thereby allows.
    pub grants: Vec<GrantedPath>,
}

/// How much an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InputSize {
    /// Bytes that preparing it stores; 0 for what stays where it is.
    pub bytes: u64,
    /// Whether preparing it needs no network.
    pub is_here: bool,
}

/// Where one input may be stored: a file or folder that does not exist yet.
#[derive(Debug, Clone)]
pub struct InputPlace {
    path: PathBuf,
}

impl InputPlace {
    /// The place of input `index` of the execution in this folder: `<execution>/inputs/<index>`.
    pub fn new(execution: &Path, index: usize) -> Self {
        Self { path: execution.join(INPUTS).join(index.to_string()) }
    }

    /// The path; its parent exists after [`make_parent`](Self::make_parent).
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the folder above, closed to other users.
    ///
    /// # Errors
    /// The host refused.
    pub fn make_parent(&self) -> io::Result<()> {
        match self.path.parent() {
            Some(parent) => DirBuilder::new().recursive(true).mode(0o700).create(parent),
            None => Ok(()),
        }
    }
}

/// An input that can be mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The host's file or folder, canonical.
    pub path: PathBuf,
    /// Whether the task may only read it.
    pub read_only: bool,
    /// Bytes that were stored for it.
    pub bytes: u64,
    /// Its CID where the source itself vouches for it; otherwise it is found by hashing.
    pub cid: Option<String>,
}

/// The folder of stored inputs, in an execution's.
pub(crate) const INPUTS: &str = "inputs";

/// The sources of one runner, by their type.
#[derive(Debug, Clone, Default)]
pub struct InputSources {
    by_type: BTreeMap<&'static str, Arc<dyn InputSource>>,
}

impl InputSources {
    /// These sources; of two of one type the later stays.
    pub fn new(sources: impl IntoIterator<Item = Arc<dyn InputSource>>) -> Self {
        Self { by_type: sources.into_iter().map(|source| (source.source_type(), source)).collect() }
    }

    /// The types, in order.
    pub fn types(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.by_type.keys().copied()
    }

    /// Whether all inputs could be prepared now, and how much they are in all; without any effect.
    ///
    /// # Errors
    /// Why not, for each input that could not.
    pub async fn check(
        &self,
        inputs: &[spec::InputSource],
        context: &InputContext,
    ) -> Result<InputSize, Failure> {
        check_count(inputs, &context.limits)?;
        let mut total = InputSize { bytes: 0, is_here: true };
        let mut failures = Vec::new();
        for (index, input) in inputs.iter().enumerate() {
            let checked = match self.source_of(input) {
                Ok(source) => source.check(input, context).await,
                Err(failure) => Err(failure),
            };
            match checked {
                Ok(size) => {
                    total.bytes = total.bytes.saturating_add(size.bytes);
                    total.is_here &= size.is_here;
                }
                Err(failure) => failures.push((index, failure)),
            }
        }
        all_of(inputs, failures).map_or(Ok(total), Err)
    }

    /// Prepares all inputs at once; the answer has their order.
    ///
    /// # Errors
    /// Why not, for each input that failed; the others are waited for.
    ///
    /// # Cancel
    /// Dropping the future stops what is under way; the execution's folder then holds parts.
    pub async fn prepare(
        &self,
        inputs: &[spec::InputSource],
        context: &InputContext,
        execution: &Path,
    ) -> Result<Vec<Prepared>, Failure> {
        check_count(inputs, &context.limits)?;
        let (mut prepared, mut failures) = (vec![None; inputs.len()], Vec::new());
        let mut under_way = JoinSet::new();
        for (index, input) in inputs.iter().enumerate() {
            let place = InputPlace::new(execution, index);
            let source = match self.source_of(input) {
                Ok(source) => source.clone(),
                Err(failure) => {
                    failures.push((index, failure));
                    continue;
                }
            };
            if inputs.len() == 1 {
                match source.prepare(input, context, &place).await {
                    Ok(ready) => prepared[index] = Some(ready),
                    Err(failure) => failures.push((index, failure)),
                }
            } else {
                let (input, context) = (input.clone(), context.clone());
                under_way.spawn(async move { (index, source.prepare(&input, &context, &place).await) });
            }
        }
        while let Some(done) = under_way.join_next().await {
            match done {
                Ok((index, Ok(ready))) => prepared[index] = Some(ready),
                Ok((index, Err(failure))) => failures.push((index, failure)),
                Err(error) => {
                    let message = format!("preparing inputs: {error}");
                    return Err(Failure::new(ReasonCode::Internal, message));
                }
            }
        }
        failures.sort_by_key(|(index, _)| *index);
        all_of(inputs, failures).map_or_else(|| Ok(prepared.into_iter().flatten().collect()), Err)
    }

    fn source_of(&self, input: &spec::InputSource) -> Result<&Arc<dyn InputSource>, Failure> {
        let name = input.source.type_name();
        self.by_type.get(name).ok_or_else(|| {
            let message = format!("this node does not support input source {name:?}");
            let known = self.types().collect::<Vec<_>>().join(", ");
            Failure::new(ReasonCode::Refused, message).with_hint(format!("it supports: {known}"))
        })
    }
}

/// The mounts of prepared inputs at their targets.
pub fn mounts(inputs: &[spec::InputSource], prepared: &[Prepared]) -> Vec<Mount> {
    inputs
        .iter()
        .zip(prepared)
        .map(|(input, prepared)| Mount {
            source: prepared.path.clone(),
            target: input.target.clone(),
            read_only: prepared.read_only,
        })
        .collect()
}

fn check_count(inputs: &[spec::InputSource], limits: &Limits) -> Result<(), Failure> {
    if inputs.len() > limits.inputs_max {
        let message = format!("{} inputs, inputs_max is {}", inputs.len(), limits.inputs_max);
        return Err(Failure::new(ReasonCode::InputConfigError, message));
    }
    Ok(())
}

/// One failure that says every one, each with its input; the first gives code and hint.
fn all_of(inputs: &[spec::InputSource], failures: Vec<(usize, Failure)>) -> Option<Failure> {
    let messages: Vec<String> = failures
        .iter()
        .map(|(index, failure)| format!("input {:?}: {}", inputs[*index].target, failure.message))
        .collect();
    let (_, first) = failures.into_iter().next()?;
    Some(Failure { message: messages.join("; "), ..first })
}

/// Stops work on another thread when dropped.
#[derive(Debug, Default)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Lets every user read what is only reachable through a closed folder; the umask may have said otherwise.
fn open_to_all(path: &Path, executable: bool) -> io::Result<()> {
    std::fs::set_permissions(path, Permissions::from_mode(if executable { 0o755 } else { 0o644 }))
}
