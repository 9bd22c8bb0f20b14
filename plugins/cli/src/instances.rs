//! Executions of every instance below the data folder, live or dead.
//!
//! A live instance is asked through its control socket; the journal of a dead one is read as it is. What was under
//! way when a process died has ended, whatever its journal says.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use frogfish::instance::control::{ControlClient, ControlError};
use frogfish::instance::{self, Found, Life};
use frogfish::journal::{Filter, JOURNAL_FILE, Page, Record, read_journal};
use frogfish::{Failure, ReasonCode, State};

use crate::exit;
use crate::out;
use crate::problem::Problem;

/// Records asked for at once.
const PAGE_RECORDS: usize = 500;

/// How often an instance is asked again that is just starting or ending, and how long apart.
const ASKED_MAX: u32 = 40;
const ASKED_AGAIN_MS: u64 = 25;

/// The lock of an instance's folder.
const LOCK_FILE: &str = "lock";

/// An execution, and whether the process that owns it lives.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) record: Record,
    /// The folder of its instance.
    pub(crate) instance: PathBuf,
    pub(crate) live: bool,
}

impl Seen {
    /// Where it stands: what a dead process left unfinished has failed.
    pub(crate) fn state(&self) -> State {
        if self.live || self.record.state.is_terminal() { self.record.state } else { State::Failed }
    }

    /// Why it did not run to its own end.
    pub(crate) fn failure(&self) -> Option<Failure> {
        if self.state() != self.record.state {
            let message = "execution interrupted: the process that ran it has ended";
            return Some(Failure::new(ReasonCode::Interrupted, message).with_hint("run the job again"));
        }
        self.record.outcome.as_ref().and_then(|outcome| outcome.failure.clone())
    }

    /// The name of its job.
    pub(crate) fn job_name(&self) -> String {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Named {
            #[serde(default)]
            name: String,
        }
        serde_json::from_str::<Named>(self.record.job.get()).map(|job| job.name).unwrap_or_default()
    }

    /// The file with what it printed.
    pub(crate) fn log(&self) -> Option<PathBuf> {
        Some(self.record.folder.as_ref()?.join("log"))
    }

    /// Its results, if they are still where they were made.
    pub(crate) fn results(&self) -> Option<PathBuf> {
        // `--out` moves them.
        self.record.outcome.as_ref()?.results.clone().filter(|results| results.is_dir())
    }
}

/// The instances below the data folder.
pub(crate) fn list(root: &Path) -> Result<Vec<Found>, Problem> {
    instance::list(root).map_err(|error| Problem::failed(error.to_string()))
}

/// The executions of every instance that a filter lets through, the oldest first.
///
/// An instance that cannot be read is named on stderr; the others are listed all the same.
pub(crate) async fn executions(root: &Path, filter: &Filter, live_only: bool) -> Result<Vec<Seen>, Problem> {
    let mut all = Vec::new();
    for found in list(root)? {
        if live_only && !matches!(found.life, Life::Live { .. }) {
            continue;
        }
        match executions_of(&found, filter).await {
            Ok(seen) => all.extend(seen),
            Err(problem) => out::say(&format!("warning: {}: {problem}", found.folder.display())),
        }
    }
    all.sort_by_key(|seen| seen.record.created);
    Ok(all)
}

/// The executions of one instance.
pub(crate) async fn executions_of(found: &Found, filter: &Filter) -> Result<Vec<Seen>, Problem> {
    let mut life = found.life;
    for _ in 0..ASKED_MAX {
        let answer = match life {
            Life::Live { .. } => ask(&found.folder, filter).await.map_err(|error| {
                let gone = matches!(error, ControlError::NotRunning { .. } | ControlError::Io { .. });
                (gone, Problem::failed(error.to_string()))
            }),
            _ => read(&found.folder, filter),
        };
        match answer {
            Ok(records) => {
                let live = matches!(life, Life::Live { .. });
                let seen = |record| Seen { record, instance: found.folder.clone(), live };
                return Ok(records.into_iter().map(seen).collect());
            }
            // It begins or ends this moment: look again.
            Err((true, _)) => {
                tokio::time::sleep(Duration::from_millis(ASKED_AGAIN_MS)).await;
                match Found::at(&found.folder) {
                    Ok(Some(now)) => life = now.life,
                    _ => return Ok(Vec::new()),
                }
            }
            Err((false, problem)) => return Err(problem),
        }
    }
    Err(Problem::failed(format!("the process that owns {} does not answer", found.folder.display())))
}

/// Asks the process that owns an instance.
async fn ask(folder: &Path, filter: &Filter) -> Result<Vec<Record>, ControlError> {
    let client = ControlClient::new(folder);
    let (mut records, mut page) = (Vec::new(), Page::first(PAGE_RECORDS));
    loop {
        let next = client.list(filter.clone(), page).await?;
        let Some(last) = next.last() else { return Ok(records) };
        page = page.after(last);
        records.extend(next);
    }
}

/// Reads the journal of an instance that nobody owns; true with a problem that may pass.
fn read(folder: &Path, filter: &Filter) -> Result<Vec<Record>, (bool, Problem)> {
    let path = folder.join(JOURNAL_FILE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let failed = |error: &dyn std::error::Error| Problem::failed(crate::commands::chain(error));
    // Held while reading, so that no process takes the folder and finds its journal open.
    let lock = File::open(folder.join(LOCK_FILE)).map_err(|error| (false, failed(&error)))?;
    if lock.try_lock_shared().is_err() {
        return Err((true, Problem::failed("another process has just taken it")));
    }
    let journal = match read_journal(&path) {
        Ok(journal) => journal,
        Err(error @ frogfish::journal::JournalError::Held { .. }) => return Err((true, failed(&error))),
        Err(error) => return Err((false, failed(&error))),
    };
    let (mut records, mut page) = (Vec::new(), Page::first(PAGE_RECORDS));
    loop {
        let next = journal.list(filter, page).map_err(|error| (false, failed(&error)))?;
        let Some(last) = next.last() else { return Ok(records) };
        page = page.after(last);
        records.extend(next.iter().map(|record| record.as_ref().clone()));
    }
}

/// The executions that an ID stands for, the oldest first: one, or those of one job.
///
/// The ID is an execution's or a job's, or the beginning of only one.
pub(crate) async fn find(root: &Path, id: &str) -> Result<Vec<Seen>, Problem> {
    let all = executions(root, &Filter::all(), false).await?;
    let (execution, job) =
        (|seen: &Seen| seen.record.execution_id.to_string(), |seen: &Seen| seen.record.job_id.to_string());
    let exact: Vec<Seen> =
        all.iter().filter(|seen| execution(seen) == id || job(seen) == id).cloned().collect();
    let matching: Vec<Seen> = if exact.is_empty() && !id.is_empty() {
        all.into_iter().filter(|seen| execution(seen).starts_with(id) || job(seen).starts_with(id)).collect()
    } else {
        exact
    };
    let Some(first) = matching.first() else {
        let message =
            format!("no execution or job below {} has an ID that begins with {id:?}", root.display());
        return Err(Problem::new(exit::REFUSED, "ExecutionNotFound", message)
            .with_hint("`frogfish ps --all` lists them; --data-dir names another folder"));
    };
    if matching.iter().any(|seen| seen.record.job_id != first.record.job_id) {
        let ids: Vec<String> = matching.iter().take(5).map(execution).collect();
        let message = format!("{id:?} is the beginning of {} IDs: {}", matching.len(), ids.join(", "));
        return Err(Problem::usage(message).with_hint("write more of the one that you mean"));
    }
    Ok(matching)
}
