//! What every part of one runner shares.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::TaskTracker;

use crate::blocking;
use crate::capacity::Capacity;
use crate::clock::Clock;
use crate::engine::Engine;
use crate::env::HostVariables;
use crate::error::Error;
use crate::id::ExecutionId;
use crate::inputs::InputSources;
use crate::journal::{Filter, Journal, Page, Timestamp};
use crate::limits::Limits;
use crate::logs::{LogError, LogOptions, Logs};
use crate::naming::Naming;
use crate::runner::home::Home;
use crate::runner::identity::Identities;
use crate::runner::reconcile::Reconciled;
use crate::runner::registry::Registry;
use crate::runner::reservation::Reservations;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) home: Home,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) engines: BTreeMap<&'static str, Arc<dyn Engine>>,
    pub(crate) inputs: InputSources,
    pub(crate) identities: Identities,
    pub(crate) capacity: Capacity,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) naming: Naming,
    pub(crate) host_env: HostVariables,
    /// What receipts call this host.
    pub(crate) host: String,
    pub(crate) registry: Registry,
    pub(crate) reservations: Reservations,
    pub(crate) tasks: TaskTracker,
    /// Folders of forgotten executions that are being removed.
    pub(crate) removals: TaskTracker,
    pub(crate) reconciled: Reconciled,
    /// Whether ended executions are forgotten with the process: their folders go with their handles.
    pub(crate) keeps_nothing: bool,
}

impl Shared {
    /// Moves an execution to the ended ones: before its end is announced, so that whoever hears of it finds it there.
    pub(crate) async fn retire(&self, id: &ExecutionId) {
        let gone = self.registry.end(id, self.limits.ended_in_memory_max);
        if gone.is_empty() || !self.keeps_nothing {
            return;
        }
        for live in &gone {
            // A journal that does not outlive the process only grows: nobody can ask for these any more.
            if let Err(error) = self.journal.remove(&live.id).await {
                tracing::warn!(execution = %live.id, %error, "the record of an ended execution could not be removed");
            }
            if let Some(guard) = &live.guard {
                guard.arm();
            }
        }
        self.removals.spawn_blocking(move || drop(gone));
    }

    /// The log of an execution of an earlier process.
    pub(crate) async fn recorded_logs(
        &self,
        id: &ExecutionId,
        options: LogOptions,
    ) -> Result<Option<Logs>, Error> {
        let Some(record) = self.journal.get(id).await? else { return Ok(None) };
        let failed = |source| Error::Logs { id: id.clone(), source };
        let path = match &record.folder {
            Some(folder) => folder.join("log"),
            None => return Err(failed(LogError::NotFound { path: self.home.execution(id).join("log") })),
        };
        Logs::open(path, options).map(Some).map_err(failed)
    }

    /// Waits until the folders of what was forgotten are gone.
    pub(crate) async fn removed(&self) {
        self.removals.close();
        self.removals.wait().await;
        self.removals.reopen();
    }

    /// Removes records and folders of executions that ended longer than `older_than` ago.
    pub(crate) async fn prune(&self, older_than: Duration) -> Result<u64, Error> {
        self.removed().await;
        let before = Timestamp::from_unix(self.clock.wall().saturating_sub(older_than));
        let filter = Filter { modified_before: Some(before), ..Filter::ended() };
        let mut removed = 0;
        loop {
            let page = self.journal.list(&filter, Page::first(256)).await?;
            if page.is_empty() {
                return Ok(removed);
            }
            for record in page {
                let id = &record.execution_id;
                self.registry.forget(id);
                self.remove_folder(id).await?;
                self.journal.remove(id).await?;
                removed += 1;
            }
        }
    }

    /// Removes an execution's folder; one that is not there is no error.
    async fn remove_folder(&self, id: &ExecutionId) -> Result<(), Error> {
        let folder = self.home.execution(id);
        let path = folder.clone();
        let removed = blocking::elsewhere(move || remove_tree(&path)).await;
        removed.map_err(|source| Error::Io { doing: "removing", path: folder, source })
    }

    /// Where the folders of executions are.
    pub(crate) fn executions(&self) -> &Path {
        self.home.executions()
    }
}

/// Removes a folder with everything in it, also where a program took its own rights away.
pub(crate) fn remove_tree(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            allow_removal(folder);
            fs::remove_dir_all(folder)
        }
        Err(error) => Err(error),
    }
}

/// Gives this user the right to empty every folder below, as far as they are this user's.
fn allow_removal(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mut waiting: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        let _ = fs::set_permissions(&folder, fs::Permissions::from_mode(0o700));
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                waiting.push(entry.path());
            }
        }
    }
}
