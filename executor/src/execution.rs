//! One attempt at a job, as it is handed to a runner.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::engine::{Determinism, OutputMount};
use crate::id::{ExecutionId, JobId};
use crate::inputs::GrantedPath;
use crate::spec::{
    ByteSize, CreateAs, EngineSpec, InputSource, Job, LocalSource, MilliCpu, NetworkType, Problem,
    ResultPath, Source, WasmParams,
};

/// One attempt at a job: the job, its identity, and what the caller allows it.
///
/// Made from a job file with [`Execution::new`], or step by step from [`Execution::wasm`]. Two executions never
/// share an ID; a clone is the same execution.
#[derive(Debug, Clone)]
pub struct Execution {
    pub(crate) id: ExecutionId,
    pub(crate) job_id: JobId,
    pub(crate) job: Job,
    pub(crate) determinism: Determinism,
    pub(crate) partition: Partition,
    pub(crate) granted: Vec<GrantedPath>,
    pub(crate) owner: Option<Value>,
    pub(crate) problems: Vec<Problem>,
}

/// Which part of a job's work an execution does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    /// Counted from 0.
    pub index: u32,
    /// How many there are, at least 1.
    pub count: u32,
}

impl Default for Partition {
    fn default() -> Self {
        Self { index: 0, count: 1 }
    }
}

impl Execution {
    /// An attempt at this job, with new IDs.
    pub fn new(job: Job) -> Self {
        let job_id = JobId::try_new(&job.id).unwrap_or_else(|_| JobId::random());
        let partition = Partition { index: 0, count: job.count.max(1) };
        Self {
            id: ExecutionId::random(),
            job_id,
            job,
            determinism: Determinism::default(),
            partition,
            granted: Vec::new(),
            owner: None,
            problems: Vec::new(),
        }
    }

    /// A batch job that runs a WASM module of this host, and nothing else yet.
    ///
    /// Everything that the caller names here and in the following steps is allowed by that.
    pub fn wasm(module: impl AsRef<Path>) -> Self {
        let module = module.as_ref();
        let name = module.file_name().and_then(|name| name.to_str()).unwrap_or("main.wasm");
        let target = format!("/{name}");
        let mut job = Job { name: name.to_owned(), count: 1, ..Job::default() };
        "main".clone_into(&mut job.task.name);
        job.task.engine =
            EngineSpec::Wasm(WasmParams { entry_module: target.clone(), ..WasmParams::default() });
        Self::new(job).input(module, target)
    }

    /// Adds an argument for the program.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        match &mut self.job.task.engine {
            EngineSpec::Wasm(wasm) => wasm.parameters.push(argument.into()),
            EngineSpec::Docker(docker) => docker.parameters.push(argument.into()),
            EngineSpec::Other(_) => {
                let message = "only wasm and docker tasks take arguments";
                self.problems.push(Problem::new("Tasks[0].Engine", message));
            }
        }
        self
    }

    /// Adds arguments for the program.
    #[must_use]
    pub fn args<T: Into<String>>(self, arguments: impl IntoIterator<Item = T>) -> Self {
        arguments.into_iter().fold(self, Self::arg)
    }

    /// Names the function that is called instead of `_start`.
    #[must_use]
    pub fn entrypoint(mut self, function: impl Into<String>) -> Self {
        match &mut self.job.task.engine {
            EngineSpec::Wasm(wasm) => wasm.entrypoint = function.into(),
            EngineSpec::Docker(docker) => docker.entrypoint = vec![function.into()],
            EngineSpec::Other(_) => {
                let message = "only wasm and docker tasks have an entrypoint";
                self.problems.push(Problem::new("Tasks[0].Engine", message));
            }
        }
        self
    }

    /// Sets a variable of the program's environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.job.task.env.insert(name.into(), value.into());
        self
    }

    /// Shows the program a file or folder of this host at `target`, read-only.
    #[must_use]
    pub fn input(self, source: impl AsRef<Path>, target: impl Into<String>) -> Self {
        self.local_input(source.as_ref(), target.into(), false)
    }

    /// Shows the program a file or folder of this host at `target` and lets it write there.
    #[must_use]
    pub fn input_writable(self, source: impl AsRef<Path>, target: impl Into<String>) -> Self {
        self.local_input(source.as_ref(), target.into(), true)
    }

    fn local_input(mut self, source: &Path, target: String, read_write: bool) -> Self {
        let Some(path) = source.to_str() else {
            let field = format!(
                "Tasks[0].InputSources[{}].Source.Params.SourcePath",
                self.job.task.input_sources.len()
            );
            self.problems.push(Problem::new(field, "the path is not UTF-8").found(source.display()));
            return self;
        };
        let local = LocalSource { source_path: path.to_owned(), read_write, create_as: CreateAs::NoCreate };
        self.granted.push(GrantedPath { path: source.to_owned(), read_write });
        self.source(Source::Local(local), target)
    }

    /// Adds an input from any source.
    #[must_use]
    pub fn source(mut self, source: Source, target: impl Into<String>) -> Self {
        let input = InputSource { source, alias: String::new(), target: target.into() };
        self.job.task.input_sources.push(input);
        self
    }

    /// Makes the folder at `path`, into which the program may write, a result named `name`.
    #[must_use]
    pub fn output(mut self, name: impl Into<String>, path: impl Into<String>) -> Self {
        self.job.task.result_paths.push(ResultPath { name: name.into(), path: path.into() });
        self
    }

    /// Limits the program's memory, in bytes.
    #[must_use]
    pub fn memory_bytes_max(mut self, bytes: u64) -> Self {
        self.job.task.resources.memory = ByteSize::from_bytes(bytes).to_string();
        self
    }

    /// Asks for processor time, in thousandths of a core.
    #[must_use]
    pub fn cpu_milli(mut self, milli: u64) -> Self {
        self.job.task.resources.cpu = MilliCpu::from_millis(milli).to_string();
        self
    }

    /// Limits how long the program may run.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.job.task.timeouts.execution = limit;
        self
    }

    /// Says what the program may reach.
    #[must_use]
    pub fn network(mut self, network: NetworkType) -> Self {
        self.job.task.network.network_type = network;
        self
    }

    /// Keeps chance out: virtual clock, seeded randomness, canonical NaN, counted instructions.
    #[must_use]
    pub fn deterministic(mut self) -> Self {
        self.determinism = Determinism::anywhere();
        self
    }

    /// Says how repeatable the run must be.
    #[must_use]
    pub fn determinism(mut self, determinism: Determinism) -> Self {
        self.determinism = determinism;
        self
    }

    /// Allows a local path that the job names, and what lies below it.
    #[must_use]
    pub fn allow_path(mut self, path: impl Into<PathBuf>, read_write: bool) -> Self {
        self.granted.push(GrantedPath { path: path.into(), read_write });
        self
    }

    /// Uses an ID that somebody else gave: starting it twice is refused.
    #[must_use]
    pub fn with_id(mut self, id: ExecutionId) -> Self {
        self.id = id;
        self
    }

    /// Uses a job ID that somebody else gave.
    #[must_use]
    pub fn with_job_id(mut self, id: JobId) -> Self {
        self.job_id = id;
        self
    }

    /// Says which part of the job this execution does.
    #[must_use]
    pub fn with_partition(mut self, partition: Partition) -> Self {
        self.partition = Partition { index: partition.index, count: partition.count.max(1) };
        self
    }

    /// Keeps a note of the caller's in the record, to be found again after a restart.
    #[must_use]
    pub fn with_owner(mut self, owner: Value) -> Self {
        self.owner = Some(owner);
        self
    }

    /// The execution's ID.
    pub fn id(&self) -> &ExecutionId {
        &self.id
    }

    /// The job's ID.
    pub fn job_id(&self) -> &JobId {
        &self.job_id
    }

    /// The job.
    pub fn job(&self) -> &Job {
        &self.job
    }
}

impl From<Job> for Execution {
    fn from(job: Job) -> Self {
        Self::new(job)
    }
}

/// Folders that somebody else prepared: the execution starts at the engine and nothing is published.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Prepared {
    /// Inputs, as host paths.
    pub inputs: Vec<crate::engine::Mount>,
    /// Where the results go; made if missing.
    pub results: PathBuf,
    /// Environment that is added to the task's, and wins.
    pub env: std::collections::BTreeMap<String, String>,
    /// Output folders other than `<results>/<name>`.
    pub outputs: Vec<OutputMount>,
}

impl Prepared {
    /// Results go to this folder; no inputs yet.
    pub fn new(results: impl Into<PathBuf>) -> Self {
        Self { results: results.into(), ..Self::default() }
    }

    /// Adds an input.
    #[must_use]
    pub fn input(mut self, source: impl Into<PathBuf>, target: impl Into<String>, read_only: bool) -> Self {
        self.inputs.push(crate::engine::Mount { source: source.into(), target: target.into(), read_only });
        self
    }
}
