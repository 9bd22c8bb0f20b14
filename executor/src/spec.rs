//! The job model: Bacalhau's v1.

/// What a task may use.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resources {}

/// What a task may reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkConfig {}

/// One piece of work of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// What runs it.
    pub engine: EngineSpec,
}

/// Parameters of the WASM engine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WasmParams {
    /// Path of the entry module in the job's file system.
    pub entry_module: String,
    /// The function that is called.
    pub entrypoint: String,
    /// Arguments from `argv[1]` on.
    pub parameters: Vec<String>,
    /// Paths of modules that are instantiated first.
    pub import_modules: Vec<String>,
}

/// Engine type and parameters.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum EngineSpec {
    /// A WebAssembly module.
    Wasm(WasmParams),
}
