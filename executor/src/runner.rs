//! Runs executions: the one door to engines, results and receipts.
//!
//! ```text
//! start ───────────► queue ─► prepare ─► run ─► collect ─► end
//! start_prepared ──────────────────────┘
//! ```
//! - One task owns an execution; everyone else holds an [`ExecutionHandle`] and sends requests.
//! - The journal has an edge before anybody hears of it.
//! - An ID is started once; whoever starts it again gets an error, and the first is unaffected.
//! - Dropping a handle changes nothing. Dropping the last [`Runner`] asks every live execution to stop;
//!   [`Runner::shutdown`] also waits for them.

mod admission;
mod builder;
mod collect;
mod control;
mod handle;
mod home;
mod identity;
mod line;
mod live;
mod outcome;
mod phases;
mod prepare;
mod receipt;
mod reconcile;
mod registry;
mod reservation;
mod shared;

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::FutureExt as _;

pub use admission::Admission;
pub use builder::{Durability, RunnerBuilder};
pub use handle::{Cancelled, ExecutionHandle};
pub use outcome::Outcome;
pub use reconcile::Reconciled;
pub use reservation::Reservation;

use crate::blocking;
use crate::capacity::{Amounts, ShortageKind};
use crate::engine::{Engine, Health};
use crate::error::Error;
use crate::execution::{Execution, Prepared};
use crate::failure::{Failure, ReasonCode};
use crate::id::ExecutionId;
use crate::journal::{Change, Edge, Filter, Notes, Page, Patch, Record};
use crate::logs::{LogOptions, Logs};
use crate::runner::home::FolderGuard;
use crate::runner::line::{Entry, Line};
use crate::runner::live::Live;
use crate::runner::phases::Phases;
use crate::runner::registry::Taken;
use crate::runner::shared::Shared;
use crate::spec::{Resources, SpecError};
use crate::state::State;
use crate::stop::StopReason;

/// Thousandths of a core that a task without `CPU` is taken to need (Bacalhau 1.9.3's compute node).
const CPU_MILLI_ASSUMED: u64 = 100;
/// Bytes that a task without `Memory` is taken to need (Bacalhau 1.9.3's compute node).
const MEMORY_BYTES_ASSUMED: u64 = 100 << 20;

/// Runs executions. Cheap to clone; all clones are one runner.
#[derive(Debug, Clone)]
pub struct Runner {
    shared: Arc<Shared>,
    _alive: Arc<Alive>,
}

/// Asks everything to stop when the last [`Runner`] is gone.
#[derive(Debug)]
struct Alive(Arc<Shared>);

impl Drop for Alive {
    fn drop(&mut self) {
        for live in self.0.registry.close() {
            live.stop.request(StopReason::Shutdown);
        }
    }
}

/// What a checked execution needs.
struct Checked {
    engine: Arc<dyn Engine>,
    resources: Resources,
    amounts: Amounts,
}

impl Runner {
    /// A runner to be put together.
    pub fn builder() -> RunnerBuilder {
        RunnerBuilder::default()
    }

    fn new(shared: Arc<Shared>) -> Self {
        Self { _alive: Arc::new(Alive(shared.clone())), shared }
    }

    /// Starts an execution: waits for capacity, prepares its inputs, runs it, and hashes what it left.
    ///
    /// Returns as soon as the execution is recorded.
    ///
    /// # Errors
    /// The job is invalid, or could never run here; the ID was used before; the record could not be written.
    pub async fn start(&self, execution: impl Into<Execution>) -> Result<ExecutionHandle, Error> {
        let execution = execution.into();
        let checked = self.checked(&execution).await?;
        let held = self.shared.reservations.take(&execution.id);
        // With room to spare there is nothing to wait for, and no need of a task that does.
        let held = held.or_else(|| self.shared.capacity.try_reserve(&checked.amounts).ok());
        self.begin(execution, checked, Entry::Whole { held }).await
    }

    /// Starts an execution and waits for its end: the shortest way through, on this thread where that is possible.
    ///
    /// On a runtime with several threads an engine that occupies its thread (WASM) runs on the calling one, and no
    /// other thread has to be woken for it. The calling task then does nothing else until the end: whoever wants to
    /// cancel does it from another task through [`cancel`](Self::cancel), and whoever wants a `select!` around it
    /// uses [`start`](Self::start).
    ///
    /// # Errors
    /// As [`start`](Self::start) and [`ExecutionHandle::wait`].
    ///
    /// # Panics
    /// Within a tokio `LocalSet` on a runtime with several threads, which may not block: use [`start`](Self::start).
    pub async fn run(&self, execution: impl Into<Execution>) -> Result<Outcome, Error> {
        let execution = execution.into();
        let checked = self.checked(&execution).await?;
        let held = self.shared.reservations.take(&execution.id);
        let held = held.or_else(|| self.shared.capacity.try_reserve(&checked.amounts).ok());
        let here = held.is_some() && checked.engine.occupies_thread() && blocking::is_here();
        let (handle, owner) = self.enter(execution, checked, Entry::Whole { held }).await?;
        if here {
            let runtime = tokio::runtime::Handle::current();
            let owner = self.shared.tasks.track_future(owner);
            tokio::task::block_in_place(|| runtime.block_on(owner));
        } else {
            self.shared.tasks.spawn(owner);
        }
        handle.wait().await
    }

    /// Starts an execution whose inputs, results folder and environment somebody else prepared.
    ///
    /// It does not wait for capacity, fetches nothing, and publishes nothing.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_prepared(
        &self,
        execution: impl Into<Execution>,
        prepared: Prepared,
    ) -> Result<ExecutionHandle, Error> {
        let execution = execution.into();
        let checked = self.checked(&execution).await?;
        self.begin(execution, checked, Entry::Prepared(Box::new(prepared))).await
    }

    async fn begin(
        &self,
        execution: Execution,
        checked: Checked,
        entry: Entry,
    ) -> Result<ExecutionHandle, Error> {
        let waits = matches!(entry, Entry::Whole { held: None });
        let occupies_thread = checked.engine.occupies_thread();
        let (handle, owner) = self.enter(execution, checked, entry).await?;
        if occupies_thread && !waits {
            // One hand-over to a thread that then does everything, instead of one at each step that blocks.
            let runtime = tokio::runtime::Handle::current();
            self.shared.tasks.spawn_blocking(move || runtime.block_on(owner));
        } else {
            self.shared.tasks.spawn(owner);
        }
        Ok(handle)
    }

    /// Records an execution; what comes back owns it and takes it to its end.
    async fn enter(
        &self,
        execution: Execution,
        checked: Checked,
        entry: Entry,
    ) -> Result<(ExecutionHandle, impl Future<Output = ()> + Send + 'static), Error> {
        let shared = &self.shared;
        let folder = line::folder_of(shared.executions(), &execution.id);
        let now = shared.clock.wall();
        let guard = shared
            .keeps_nothing
            .then(|| Arc::new(FolderGuard::new(folder.clone(), shared.home.is_private())));
        let live = Arc::new(Live::new(execution.id.clone(), execution.job_id.clone(), folder, now, guard));
        shared.registry.enter(&live).map_err(|taken| match taken {
            Taken::Live => Error::ExecutionAlreadyStarted(execution.id.clone()),
            Taken::Ended => Error::ExecutionAlreadyComplete(execution.id.clone()),
            Taken::Closed => Error::ShuttingDown,
        })?;
        if let Err(error) = self.record(&execution, now).await {
            shared.registry.withdraw(&execution.id);
            return Err(error);
        }
        let line = Line {
            shared: shared.clone(),
            live: live.clone(),
            execution,
            engine: checked.engine,
            resources: checked.resources,
            amounts: checked.amounts,
            phases: Phases::new(shared.clock.monotonic()),
        };
        let owner = std::panic::AssertUnwindSafe(line.run(entry)).catch_unwind();
        let owner = owned(shared.clone(), live.clone(), owner);
        Ok((ExecutionHandle::new(live), owner))
    }

    async fn record(&self, execution: &Execution, now: std::time::Duration) -> Result<(), Error> {
        let job = serde_json::value::to_raw_value(&execution.job).map_err(|error| {
            let message = format!("the job of execution {} cannot be written as JSON: {error}", execution.id);
            Error::Refused(Failure::new(ReasonCode::SpecError, message))
        })?;
        let owner = execution.owner.clone().map_or(Change::Keep, Change::Set);
        let edge =
            Edge::create(execution.id.clone(), execution.job_id.clone(), job.into(), State::Queued, now)
                .with(Patch { owner, ..Patch::default() });
        match self.shared.journal.commit(edge, Notes::none()).await {
            Ok(_) => Ok(()),
            Err(crate::journal::JournalError::Exists { execution }) => {
                Err(Error::ExecutionAlreadyComplete(execution))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Says whether an execution could run, without any effect: what a promise to run it rests on.
    pub async fn check(&self, execution: &Execution) -> Admission {
        match self.checked(execution).await {
            Err(Error::Refused(failure)) => Admission::Never(failure),
            Err(error) => Admission::Never(Failure::new(ReasonCode::SpecError, error.to_string())),
            Ok(checked) => match self.shared.capacity.check(&checked.amounts) {
                Ok(()) => Admission::Now,
                Err(shortage) if shortage.kind == ShortageKind::Never => {
                    Admission::Never(shortage.to_failure())
                }
                Err(shortage) => Admission::Later(shortage.to_failure()),
            },
        }
    }

    /// Holds what an execution needs, all or nothing, for at most `hold_ms_max` (bounded by
    /// [`Limits::hold_ms_max`](crate::Limits::hold_ms_max)): [`start`](Self::start) of the same execution then uses it.
    ///
    /// # Errors
    /// The reason why not, as [`check`](Self::check) gives it.
    pub async fn reserve(&self, execution: &Execution, hold_ms_max: u64) -> Result<Reservation, Admission> {
        let checked = match self.checked(execution).await {
            Ok(checked) => checked,
            Err(Error::Refused(failure)) => return Err(Admission::Never(failure)),
            Err(error) => {
                return Err(Admission::Never(Failure::new(ReasonCode::SpecError, error.to_string())));
            }
        };
        let held = self.shared.capacity.try_reserve(&checked.amounts).map_err(|shortage| {
            if shortage.kind == ShortageKind::Never {
                Admission::Never(shortage.to_failure())
            } else {
                Admission::Later(shortage.to_failure())
            }
        })?;
        let hold_ms_max = hold_ms_max.min(self.shared.limits.hold_ms_max);
        Ok(self.shared.reservations.hold(execution.id.clone(), held, hold_ms_max))
    }

    /// Everything that can be known to be wrong before there is any effect.
    async fn checked(&self, execution: &Execution) -> Result<Checked, Error> {
        let job = &execution.job;
        let mut problems = execution.problems.clone();
        if let Err(error) = job.validate() {
            problems.extend(error.problems);
        }
        let resources = job.task.resources.parse().unwrap_or_else(|error: SpecError| {
            problems.extend(error.problems);
            Resources::default()
        });
        if !problems.is_empty() {
            return Err(Error::Spec(SpecError { problems }));
        }
        let task = &job.task;
        let engine = self.engine(task.engine.type_name())?;
        let context = prepare::context(&self.shared, execution);
        self.shared.inputs.check(&task.input_sources, &context).await.map_err(Error::Refused)?;
        engine.check(task).await.map_err(Error::Refused)?;
        let amounts = reserved(&resources);
        if let Err(shortage) = self.shared.capacity.check(&amounts)
            && shortage.kind == ShortageKind::Never
        {
            return Err(Error::Refused(shortage.to_failure()));
        }
        Ok(Checked { engine, resources, amounts })
    }

    fn engine(&self, engine_type: &str) -> Result<Arc<dyn Engine>, Error> {
        let engines = &self.shared.engines;
        engines.get(engine_type.trim().to_ascii_lowercase().as_str()).cloned().ok_or_else(|| {
            let mut known: Vec<_> = engines.keys().copied().collect();
            known.sort_unstable();
            let message = format!("this node does not support {engine_type}");
            let hint = format!(
                "engines here: {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            );
            Error::Refused(Failure::new(ReasonCode::EngineUnavailable, message).with_hint(hint))
        })
    }

    /// A handle on an execution of this process, live or lately ended.
    ///
    /// # Errors
    /// [`Error::ExecutionNotFound`]; one that ended longer ago is in [`records`](Self::records).
    pub fn execution(&self, id: &ExecutionId) -> Result<ExecutionHandle, Error> {
        self.find("finding execution", id)
    }

    fn find(&self, doing: &'static str, id: &ExecutionId) -> Result<ExecutionHandle, Error> {
        let live = self.shared.registry.get(id);
        live.map(ExecutionHandle::new).ok_or_else(|| Error::ExecutionNotFound { doing, id: id.clone() })
    }

    /// Waits for an execution's end.
    ///
    /// # Errors
    /// [`Error::ExecutionNotFound`], and as [`ExecutionHandle::wait`].
    pub async fn wait(&self, id: &ExecutionId) -> Result<Outcome, Error> {
        self.find("waiting on execution", id)?.wait().await
    }

    /// Asks an execution to stop.
    ///
    /// # Errors
    /// [`Error::ExecutionNotFound`].
    pub fn cancel(&self, id: &ExecutionId) -> Result<Cancelled, Error> {
        Ok(self.find("canceling execution", id)?.cancel())
    }

    /// Reads what an execution printed.
    ///
    /// # Errors
    /// [`Error::ExecutionNotFound`], and as [`ExecutionHandle::logs`].
    pub async fn logs(&self, id: &ExecutionId, options: LogOptions) -> Result<Logs, Error> {
        match self.find("getting outputs for execution", id) {
            Ok(handle) => handle.logs(options).await,
            Err(missing) => self.shared.recorded_logs(id, options).await?.ok_or(missing),
        }
    }

    /// The record of an execution, also of one that ended in an earlier process.
    ///
    /// # Errors
    /// The journal could not be read.
    pub async fn record_of(&self, id: &ExecutionId) -> Result<Option<Arc<Record>>, Error> {
        Ok(self.shared.journal.get(id).await?)
    }

    /// A page of the records.
    ///
    /// # Errors
    /// The journal could not be read.
    pub async fn records(&self, filter: &Filter, page: Page) -> Result<Vec<Arc<Record>>, Error> {
        Ok(self.shared.journal.list(filter, page).await?)
    }

    /// Executions that have not ended.
    pub fn live(&self) -> Vec<ExecutionHandle> {
        self.shared.registry.live().into_iter().map(ExecutionHandle::new).collect()
    }

    /// What each engine says of itself.
    pub async fn health(&self) -> Vec<(&'static str, String, Health)> {
        let mut answers = Vec::new();
        for (name, engine) in &self.shared.engines {
            answers.push((*name, engine.version(), engine.health().await));
        }
        answers
    }

    /// What the host has, what of it may be used, and what is held.
    pub fn capacity(&self) -> &crate::capacity::Capacity {
        &self.shared.capacity
    }

    /// The folder of this runner's instance.
    pub fn data_dir(&self) -> PathBuf {
        self.shared.home.folder().to_owned()
    }

    /// What was found and settled when the runner started.
    pub fn reconciled(&self) -> &Reconciled {
        &self.shared.reconciled
    }

    /// Removes the records and folders of executions that ended longer than `older_than` ago; returns how many.
    ///
    /// # Errors
    /// The journal or a folder could not be changed; what was removed until then stays removed.
    pub async fn prune(&self, older_than: std::time::Duration) -> Result<u64, Error> {
        self.shared.prune(older_than).await
    }

    /// Takes nothing new, asks everything to stop, and waits until nothing runs.
    pub async fn shutdown(&self) {
        for live in self.shared.registry.close() {
            live.stop.request(StopReason::Shutdown);
        }
        self.drained().await;
    }

    /// Takes nothing new and waits until everything has ended by itself.
    pub async fn drain(&self) {
        self.shared.registry.close();
        self.drained().await;
    }

    async fn drained(&self) {
        self.shared.reservations.release_all();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
        self.shared.removed().await;
        self.shared.home.close().await;
    }
}

/// What is held for a task: what it asks for, and where it asks for nothing as little as Bacalhau 1.9.3 assumes.
fn reserved(resources: &Resources) -> Amounts {
    let or = |asked: u64, assumed: u64| if asked == 0 { assumed } else { asked };
    let mut amounts = Amounts::from(resources);
    amounts.cpu_milli = or(amounts.cpu_milli, CPU_MILLI_ASSUMED);
    amounts.memory_bytes = or(amounts.memory_bytes, MEMORY_BYTES_ASSUMED);
    amounts
}

/// Makes sure that a defect in the owning task ends its execution instead of leaving others waiting.
async fn owned(
    shared: Arc<Shared>,
    live: Arc<Live>,
    owner: impl Future<Output = Result<(), Box<dyn std::any::Any + Send>>> + Send,
) {
    if let Err(panic) = owner.await {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        tracing::error!(execution = %live.id, panic = %text, "the task of an execution panicked");
        let failure =
            Failure::new(ReasonCode::Internal, format!("the task of execution {} panicked: {text}", live.id));
        let outcome = collect::without_results(&live, State::Failed, failure);
        shared.retire(&live.id).await;
        live.announce_end(State::Failed, shared.clock.wall(), Arc::new(outcome));
    }
}
