//! At start: what the journal says against what is there.
//!
//! A process that was killed leaves executions that its journal calls live, folders of executions
//! that never came into the journal, and perhaps something that an engine still runs. None of it
//! goes on: executions end as interrupted, with what they printed and wrote kept; the rest is removed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::Engine;
use crate::error::Error;
use crate::failure::{Failure, ReasonCode};
use crate::id::ExecutionId;
use crate::instance::{self, Instance, Life};
use crate::journal::{
    Change, Durability, Edge, FileJournal, Filter, Journal, Notes, Outcome, Page, Patch, Record,
};
use crate::runner::shared::remove_tree;
use crate::state::State;

/// Records that are settled at once.
const PAGE_RECORDS: usize = 256;

/// What was found and settled when a runner started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconciled {
    /// Executions of an earlier process that had not ended, and are interrupted now.
    pub interrupted: u64,
    /// Folders and engine leftovers without a record, which were removed.
    pub orphans: u64,
    /// Other instances whose process had died, and which were settled too.
    pub instances: u64,
}

/// Settles one instance, whose journal this process holds.
pub(super) async fn settle(
    journal: &dyn Journal,
    executions: &Path,
    engines: &BTreeMap<&'static str, Arc<dyn Engine>>,
    now: Duration,
    found: &mut Reconciled,
) -> Result<(), Error> {
    let live = Filter::live();
    loop {
        let page = journal.list(&live, Page::first(PAGE_RECORDS)).await?;
        if page.is_empty() {
            break;
        }
        for record in page {
            interrupt(journal, &record, engines, now).await?;
            found.interrupted += 1;
        }
    }
    remove_orphans(journal, executions, found).await
}

/// Ends a record that an earlier process left live. What it had come to stays.
async fn interrupt(
    journal: &dyn Journal,
    record: &Record,
    engines: &BTreeMap<&'static str, Arc<dyn Engine>>,
    now: Duration,
) -> Result<(), Error> {
    let id = &record.execution_id;
    for engine in engines.values() {
        if let Err(error) = engine.remove(id).await {
            tracing::warn!(execution = %id, %error, "what an engine held for an interrupted execution stays");
        }
    }
    let mut outcome = record.outcome.clone().unwrap_or_default();
    outcome.failure.get_or_insert_with(|| {
        Failure::new(ReasonCode::Interrupted, "interrupted by a restart")
            .with_hint("what it had printed and written is kept in its folder; start the job again")
    });
    outcome.results =
        record.folder.as_ref().map(|folder| folder.join("results")).filter(|results| results.exists());
    let mut state = record.state;
    if state == State::Running {
        step(journal, id, state, State::Collecting, None, now).await?;
        state = State::Collecting;
    }
    step(journal, id, state, State::Failed, Some(outcome), now).await
}

async fn step(
    journal: &dyn Journal,
    id: &ExecutionId,
    from: State,
    to: State,
    outcome: Option<Outcome>,
    now: Duration,
) -> Result<(), Error> {
    let patch = Patch { outcome: outcome.map_or(Change::Keep, Change::Set), ..Patch::default() };
    journal.commit(Edge::step(id.clone(), from, to, now).with(patch), Notes::none()).await?;
    Ok(())
}

/// Removes folders of executions that no record speaks of: their process died before it wrote one, or after it
/// removed one.
async fn remove_orphans(
    journal: &dyn Journal,
    executions: &Path,
    found: &mut Reconciled,
) -> Result<(), Error> {
    let failed = |doing, path: &Path, source| Error::Io { doing, path: path.to_owned(), source };
    let entries = match fs::read_dir(executions) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("reading", executions, error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| failed("reading", executions, error))?;
        let id = entry.file_name().to_str().and_then(|name| ExecutionId::try_new(name).ok());
        let known = match &id {
            Some(id) => journal.get(id).await?.is_some(),
            None => false,
        };
        if !known {
            let path = entry.path();
            remove_tree(&path).map_err(|error| failed("removing", &path, error))?;
            found.orphans += 1;
        }
    }
    Ok(())
}

/// Settles the instances in and directly below `root` whose process died, except `own`.
///
/// One that cannot be settled is left as it is, and said so.
pub(super) async fn settle_dead(
    root: &Path,
    own: &Path,
    engines: &BTreeMap<&'static str, Arc<dyn Engine>>,
    now: Duration,
    found: &mut Reconciled,
) {
    let instances = match instance::list(root) {
        Ok(instances) => instances,
        Err(error) => {
            tracing::warn!(%error, "other instances could not be looked at");
            return;
        }
    };
    for dead in
        instances.iter().filter(|other| matches!(other.life, Life::Dead { .. }) && other.folder != own)
    {
        match settle_one(&dead.folder, engines, now, found).await {
            Ok(()) => found.instances += 1,
            Err(error) => {
                tracing::warn!(folder = %dead.folder.display(), %error, "a dead instance stays as it is");
            }
        }
    }
}

async fn settle_one(
    folder: &Path,
    engines: &BTreeMap<&'static str, Arc<dyn Engine>>,
    now: Duration,
    found: &mut Reconciled,
) -> Result<(), Error> {
    let instance = Instance::open(folder)?;
    if instance.journal_path().exists() {
        let journal = FileJournal::open(&instance.journal_path(), Durability::Process)?;
        settle(&journal, &instance.executions_folder(), engines, now, found).await?;
    }
    instance.close()?;
    Ok(())
}
