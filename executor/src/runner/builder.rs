//! Putting a runner together.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::task::TaskTracker;

use crate::blocking;
use crate::capacity::{Amounts, Capacity, host_totals};
use crate::clock::{Clock, SystemClock};
use crate::engine::Engine;
use crate::env::HostVariables;
use crate::error::Error;
use crate::inputs::{AllowedPath, InlineInputs, InputSource, InputSources, LocalInputs};
use crate::instance::Instance;
use crate::journal::{self, FileJournal, Journal, MemoryJournal};
use crate::limits::Limits;
use crate::naming::Naming;
use crate::runner::Runner;
use crate::runner::control::Control;
use crate::runner::home::Home;
use crate::runner::identity::Identities;
use crate::runner::reconcile::{self, Reconciled};
use crate::runner::registry::Registry;
use crate::runner::reservation::Reservations;
use crate::runner::shared::Shared;

/// What survives of the record of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// Nothing: records are in memory, as many as [`Limits::ended_in_memory_max`] says; an older execution's folder
    /// goes when the last handle and outcome of it do. The default.
    #[default]
    Memory,
    /// Everything survives the end of the process, also `kill -9`; not a power cut. Needs a data folder: without one
    /// it is as [`Memory`](Self::Memory).
    Process,
}

/// A runner to be put together: engines, folder, durability, limits.
///
/// ```no_run
/// # async fn example() -> Result<(), frogfish::Error> {
/// # #[cfg(feature = "wasm")] {
/// use frogfish::{Durability, Runner};
///
/// let runner = Runner::builder().wasm().data_dir("/var/lib/jobs").durability(Durability::Process).build().await?;
/// # let _ = runner; }
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
#[must_use]
pub struct RunnerBuilder {
    engines: Vec<Arc<dyn Engine>>,
    inputs: Vec<Arc<dyn InputSource>>,
    #[cfg(feature = "wasm")]
    wasm: Option<Wasm>,
    folder: Folder,
    cache_dir: Option<PathBuf>,
    durability: Durability,
    journal: Option<Arc<dyn Journal>>,
    clock: Option<Arc<dyn Clock>>,
    limits: Limits,
    naming: Naming,
    total: Option<Amounts>,
    host_env: HostVariables,
    allow_paths: Vec<String>,
    host: Option<String>,
}

/// How the WASM engine is set up.
#[cfg(feature = "wasm")]
#[derive(Debug)]
enum Wasm {
    /// As the runner's limits and cache folder say.
    WithinLimits,
    /// So.
    With(crate::wasm::WasmConfig),
}

/// Where the instance lies.
#[derive(Debug, Default)]
enum Folder {
    /// A folder of its own below `/tmp`, which goes with the runner.
    #[default]
    Private,
    /// This one.
    At(PathBuf),
    /// The first below this one, with this name and a number, that nobody uses.
    FirstFree(PathBuf, String),
}

impl RunnerBuilder {
    /// Runs WebAssembly jobs with wasmtime, within this runner's limits.
    #[cfg(feature = "wasm")]
    pub fn wasm(mut self) -> Self {
        self.wasm = Some(Wasm::WithinLimits);
        self
    }

    /// Runs WebAssembly jobs with wasmtime, set up as given.
    #[cfg(feature = "wasm")]
    pub fn wasm_with(mut self, config: crate::wasm::WasmConfig) -> Self {
        self.wasm = Some(Wasm::With(config));
        self
    }

    /// Runs jobs of another engine type.
    pub fn engine(mut self, engine: Arc<dyn Engine>) -> Self {
        self.engines.push(engine);
        self
    }

    /// Takes inputs of another source type.
    pub fn input_source(mut self, source: Arc<dyn InputSource>) -> Self {
        self.inputs.push(source);
        self
    }

    /// Keeps executions in this folder; one runner at a time uses it.
    ///
    /// Without it the runner has a folder of its own, which is removed with it.
    pub fn data_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Folder::At(folder.into());
        self
    }

    /// Keeps executions in the first folder `<root>/<name>-<n>` that nobody uses.
    pub fn first_free_data_dir(mut self, root: impl Into<PathBuf>, name: impl Into<String>) -> Self {
        self.folder = Folder::FirstFree(root.into(), name.into());
        self
    }

    /// Keeps compiled modules and fetched inputs in this folder, shared by this user's runners.
    ///
    /// Without it nothing is cached on disk.
    pub fn cache_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache_dir = Some(folder.into());
        self
    }

    /// Says what survives of the records.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Records executions in a journal of the caller's.
    pub fn journal(mut self, journal: Arc<dyn Journal>) -> Self {
        self.journal = Some(journal);
        self
    }

    /// Takes times from a clock of the caller's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Works within these limits.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Gives containers, labels and variables these names.
    pub fn naming(mut self, naming: Naming) -> Self {
        self.naming = naming;
        self
    }

    /// Uses this much of the host instead of all of it.
    pub fn capacity(mut self, total: Amounts) -> Self {
        self.total = Some(total);
        self
    }

    /// Passes variables of the host; a job gets those whose names match one of the globs, by `env:NAME`.
    pub fn forward_env(
        mut self,
        variables: BTreeMap<String, String>,
        globs: impl IntoIterator<Item = String>,
    ) -> Self {
        self.host_env = HostVariables { values: variables, allow: globs.into_iter().collect() };
        self
    }

    /// Allows local paths that jobs name: globs, `:rw` at the end lets jobs write.
    pub fn allow_paths(mut self, globs: impl IntoIterator<Item = String>) -> Self {
        self.allow_paths.extend(globs);
        self
    }

    /// Says what receipts call this host; the kernel's node name otherwise.
    pub fn host(mut self, name: impl Into<String>) -> Self {
        self.host = Some(name.into());
        self
    }
}

impl RunnerBuilder {
    /// Opens the folder, settles what a killed process left in it, and starts.
    ///
    /// # Errors
    /// No tokio runtime; the folder is in use, not ours, or from a newer version; the journal cannot be read.
    pub async fn build(self) -> Result<Runner, Error> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Error::NoRuntime);
        }
        let limits = Arc::new(self.limits);
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock::new()));
        let (instance, root) = blocking::elsewhere(move || open(self.folder)).await?;
        let interrupted = instance.interrupted().is_some();
        let journal_path = instance.journal_path();
        let home = Home::new(instance)?;
        let durable = self.durability == Durability::Process && !home.is_private();
        let keeps_nothing = self.journal.is_none() && !durable;
        let journal: Arc<dyn Journal> = match self.journal {
            Some(journal) => journal,
            None if durable => {
                let open = move || FileJournal::open(&journal_path, journal::Durability::Process);
                Arc::new(blocking::elsewhere(open).await?)
            }
            None => Arc::new(MemoryJournal::new()),
        };
        let total = match self.total {
            Some(total) => total,
            None => host_totals(home.folder()).map_err(|source| Error::Io {
                doing: "measuring the host for",
                path: home.folder().to_owned(),
                source,
            })?,
        };
        #[cfg_attr(not(feature = "wasm"), expect(unused_mut, reason = "only built-in engines are added"))]
        let mut engines = self.engines;
        #[cfg(feature = "wasm")]
        if let Some(config) = self.wasm {
            engines.push(wasm_engine(config, &limits, self.cache_dir.as_deref())?);
        }
        let engines: BTreeMap<&'static str, Arc<dyn Engine>> =
            engines.into_iter().map(|engine| (engine.engine_type(), engine)).collect();
        let mut reconciled = Reconciled::default();
        let now = clock.wall();
        // A journal in memory knows nothing of what an earlier process kept: it is no judge of it.
        if interrupted && !keeps_nothing {
            reconcile::settle(&*journal, home.executions(), &engines, now, &mut reconciled).await?;
        }
        if let Some(root) = root {
            reconcile::settle_dead(&root, home.folder(), &engines, now, &mut reconciled).await;
        }
        let allowed =
            self.allow_paths.iter().map(|text| text.parse()).collect::<Result<Vec<AllowedPath>, _>>()?;
        let sources: [Arc<dyn InputSource>; 2] =
            [Arc::new(InlineInputs), Arc::new(LocalInputs::new(allowed))];
        let shared = Arc::new(Shared {
            home,
            journal,
            engines,
            inputs: InputSources::new(sources.into_iter().chain(self.inputs)),
            identities: Identities::default(),
            capacity: Capacity::new(total, limits.queue_max),
            clock,
            limits,
            naming: self.naming,
            host_env: self.host_env,
            host: self.host.unwrap_or_else(node_name),
            registry: Registry::default(),
            reservations: Reservations::default(),
            tasks: TaskTracker::new(),
            removals: TaskTracker::new(),
            reconciled,
            keeps_nothing,
        });
        if !shared.home.is_private() {
            shared.home.answer(Arc::new(Control::new(&shared)), &shared.limits)?;
        }
        Ok(Runner::new(shared))
    }
}

/// The instance, and the folder in and below which its kin lie.
fn open(folder: Folder) -> Result<(Instance, Option<PathBuf>), Error> {
    Ok(match folder {
        Folder::Private => (Instance::private()?, None),
        Folder::At(folder) => (Instance::open(&folder)?, Some(folder)),
        Folder::FirstFree(root, name) => (Instance::open_first_free(&root, &name)?, Some(root)),
    })
}

/// The kernel's name for this host.
fn node_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(feature = "wasm")]
fn wasm_engine(
    wasm: Wasm,
    limits: &Limits,
    cache_dir: Option<&std::path::Path>,
) -> Result<Arc<dyn Engine>, Error> {
    let config = match wasm {
        Wasm::With(config) => config,
        Wasm::WithinLimits => {
            let mut config = crate::wasm::WasmConfig::from_limits(limits);
            config.cache_dir = cache_dir.map(|folder| folder.join("modules"));
            config
        }
    };
    Ok(Arc::new(crate::wasm::WasmEngine::new(config).map_err(Error::Refused)?))
}
