//! The engine: from an execution to its end.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Handle, RuntimeFlavor};
use wasmtime::Store;

use crate::engine::{Engine, EngineEnd, EngineRun, Health, Usage};
use crate::failure::{Failure, ReasonCode};
use crate::limits::Limits;
use crate::spec::{EngineSpec, Resources, Task, WasmParams};
use crate::stop::{Stop, StopReason};
use crate::wasm::cache::{Compiler, ModuleCache};
use crate::wasm::chance::{Clocks, Random};
use crate::wasm::config::{Mode, WASMTIME_VERSION, WasmConfig};
use crate::wasm::end;
use crate::wasm::guest::{Guest, MemoryLimiter};
use crate::wasm::interrupt::Interrupter;
use crate::wasm::link::{LoadError, Loader};
use crate::wasm::mounts;
use crate::wasm::preview1::{self, Descriptors};
use crate::wasm::vfs::{self, Vfs};

/// A WASM page.
const PAGE_BYTES: u64 = 64 << 10;
/// What a 32-bit memory can have at most.
const WASM_MEMORY_BYTES_MAX: u64 = 4 << 30;

/// Runs WebAssembly modules with preview 1 in this process.
///
/// Clones share compiled modules. The first value made in a process sets wasmtime's signal handlers.
#[derive(Clone)]
pub struct WasmEngine(Arc<Inner>);

struct Inner {
    ordinary: Tier,
    /// Made when the first deterministic run asks for it.
    deterministic: OnceLock<Result<Tier, Failure>>,
    cache: ModuleCache,
    config: WasmConfig,
    health: Health,
}

struct Tier {
    compiler: Compiler,
    interrupter: Interrupter,
}

impl Tier {
    fn new(mode: Mode, config: &WasmConfig) -> Result<Self, Failure> {
        let compiler = Compiler::new(mode, config).map_err(|error| {
            let message = format!("setting up wasmtime {WASMTIME_VERSION}: {error:#}");
            Failure::new(ReasonCode::EngineUnavailable, message)
        })?;
        let interrupter = Interrupter::new(&compiler.engine);
        Ok(Self { compiler, interrupter })
    }
}

impl WasmEngine {
    /// An engine with these settings.
    ///
    /// # Errors
    /// wasmtime refuses the settings or this machine.
    pub fn new(config: WasmConfig) -> Result<Self, Failure> {
        let health = match vfs::probe() {
            Ok(()) => Health::Ready,
            Err(errno) => Health::Down(
                Failure::new(
                    ReasonCode::EngineUnavailable,
                    format!("the kernel cannot open files beneath a folder (openat2): {errno}"),
                )
                .with_hint("Linux 5.6 or later is needed, and no seccomp filter that refuses openat2"),
            ),
        };
        Ok(Self(Arc::new(Inner {
            ordinary: Tier::new(Mode::Ordinary, &config)?,
            deterministic: OnceLock::new(),
            cache: ModuleCache::new(&config),
            config,
            health,
        })))
    }
}

#[cfg(test)]
impl WasmEngine {
    pub(crate) fn compilations(&self) -> u64 {
        self.0.cache.compilations()
    }
}

impl fmt::Debug for WasmEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasmEngine").field("config", &self.0.config).finish_non_exhaustive()
    }
}

/// Asks a run to stop when nobody waits for it any more.
struct StopWhenDropped(Option<Stop>);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        if let Some(stop) = &self.0 {
            stop.request(StopReason::Cancelled);
        }
    }
}

#[async_trait]
impl Engine for WasmEngine {
    fn occupies_thread(&self) -> bool {
        true
    }

    fn engine_type(&self) -> &'static str {
        "wasm"
    }

    fn version(&self) -> String {
        format!("wasmtime {WASMTIME_VERSION}")
    }

    async fn health(&self) -> Health {
        self.0.health.clone()
    }

    async fn check(&self, task: &Task) -> Result<(), Failure> {
        let resources =
            task.resources.parse().map_err(|error| Failure::new(ReasonCode::SpecError, error.to_string()))?;
        let limits = Limits::default();
        check_params(params(&task.engine)?, &limits)?;
        memory_bytes_max(&resources, &limits).map(drop)
    }

    /// On a runtime with several threads the guest runs on the calling thread, which is fastest; what
    /// else the calling *task* wants to do meanwhile (a timeout, say) belongs into another task.
    async fn run(&self, run: EngineRun) -> EngineEnd {
        let inner = self.0.clone();
        match Handle::try_current().map(|handle| handle.runtime_flavor()) {
            Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(|| inner.run(&run)),
            Ok(_) => {
                let mut waiting = StopWhenDropped(Some(run.stop.clone()));
                let ended = tokio::task::spawn_blocking(move || inner.run(&run)).await;
                waiting.0 = None;
                ended.unwrap_or_else(|error| {
                    let message = format!("WASM executor failed with an internal error: {error}");
                    EngineEnd::failed(Failure::new(ReasonCode::Internal, message))
                })
            }
            // Polled outside tokio: there is only this thread.
            Err(_) => inner.run(&run),
        }
    }
}

fn params(engine: &EngineSpec) -> Result<&WasmParams, Failure> {
    match engine {
        EngineSpec::Wasm(params) => Ok(params),
        other => {
            let message = format!("invalid WASM spec: the engine is {:?}", other.type_name());
            Err(Failure::new(ReasonCode::SpecError, message))
        }
    }
}

fn check_params(params: &WasmParams, limits: &Limits) -> Result<(), Failure> {
    let refuse =
        |message: String| Err(Failure::new(ReasonCode::SpecError, format!("invalid WASM spec: {message}")));
    if params.entry_module.is_empty() {
        return refuse("invalid wasm engine entry module. target path cannot be empty".to_owned());
    }
    if params.import_modules.iter().any(String::is_empty) {
        return refuse("invalid wasm engine import module. target path cannot be empty".to_owned());
    }
    if params.import_modules.len() >= limits.modules_max {
        return refuse(format!("more than {} modules", limits.modules_max));
    }
    if params.parameters.iter().any(|parameter| parameter.contains('\0')) {
        return refuse("a parameter has a NUL in it".to_owned());
    }
    let bytes: usize = params.parameters.iter().map(|parameter| parameter.len() + 1).sum();
    if bytes > limits.args_bytes_max {
        return refuse(format!("the parameters have {bytes} bytes, the limit is {}", limits.args_bytes_max));
    }
    Ok(())
}

/// What all memories of an execution may have together: what the job asks for, in whole pages.
fn memory_bytes_max(resources: &Resources, limits: &Limits) -> Result<u64, Failure> {
    let asked = resources.memory.bytes();
    if asked == 0 {
        return Ok(limits.wasm_memory_bytes_max);
    }
    if asked > WASM_MEMORY_BYTES_MAX {
        #[allow(clippy::cast_precision_loss, reason = "two decimals are shown")]
        let gb = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        let message = format!(
            "requested memory exceeds the wasm limit - {:.2} GB > {:.2} GB",
            gb(asked),
            gb(WASM_MEMORY_BYTES_MAX)
        );
        return Err(Failure::new(ReasonCode::MemoryLimitError, message));
    }
    Ok(asked.div_ceil(PAGE_BYTES) * PAGE_BYTES)
}

/// Processor time of this thread, in microseconds.
fn thread_cpu_us() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0) / 1_000
}

impl Inner {
    /// Runs on this thread, and never unwinds into the caller.
    fn run(&self, run: &EngineRun) -> EngineEnd {
        let before_us = thread_cpu_us();
        let guarded = catch_unwind(AssertUnwindSafe(|| self.run_guest(run)));
        let mut end = guarded.unwrap_or_else(|panic| EngineEnd::failed(preview1::internal(&*panic)));
        end.usage.cpu_us = Some(thread_cpu_us().saturating_sub(before_us));
        end
    }

    fn tier(&self, mode: Mode) -> Result<&Tier, Failure> {
        match mode {
            Mode::Ordinary => Ok(&self.ordinary),
            Mode::Deterministic => {
                let tier = self.deterministic.get_or_init(|| Tier::new(Mode::Deterministic, &self.config));
                tier.as_ref().map_err(Clone::clone)
            }
        }
    }

    fn run_guest(&self, run: &EngineRun) -> EngineEnd {
        let deterministic = run.determinism.is_on();
        let prepared = self.prepare(run, deterministic);
        let (params, tier, guest) = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => return EngineEnd::failed(failure),
        };
        let mut store = Store::new(&tier.compiler.engine, guest);
        store.limiter(|guest| &mut guest.memory);
        if deterministic && let Err(error) = store.set_fuel(u64::MAX) {
            return EngineEnd::failed(Failure::new(
                ReasonCode::Internal,
                format!("counting instructions: {error:#}"),
            ));
        }
        let interruptible = tier.interrupter.attach(&mut store, &run.stop);
        let mut code = Vec::with_capacity(1);
        let ended = Loader::new(&self.cache, &tier.compiler, &run.limits, &mut store, &mut code).run(params);
        drop(interruptible);
        let mut end = match ended {
            Ok(()) => EngineEnd::exited(0),
            Err(LoadError::Failed(failure)) => EngineEnd::failed(failure),
            Err(LoadError::Ended(error)) => end::of_error(&error, store.data()),
        };
        // A trap loses instructions that were counted in a register.
        if deterministic && end.failure.is_none() {
            end.instruction_count = store.get_fuel().ok().map(|left| u64::MAX - left);
        }
        let memory_peak_bytes = Some(store.data().memory.peak_bytes());
        EngineEnd { code, usage: Usage { cpu_us: None, memory_peak_bytes }, ..end }
    }

    fn prepare<'a>(
        &'a self,
        run: &'a EngineRun,
        deterministic: bool,
    ) -> Result<(&'a WasmParams, &'a Tier, Guest), Failure> {
        if let Health::Down(failure) = &self.health {
            return Err(failure.clone());
        }
        let params = params(&run.engine)?;
        check_params(params, &run.limits)?;
        let memory = MemoryLimiter::new(memory_bytes_max(&run.resources, &run.limits)?, &run.limits);
        let tree = mounts::tree(&run.inputs, &run.outputs)?;
        let fs = Vfs::new(tree, deterministic);
        let root = fs.root().map_err(|errno| {
            Failure::new(ReasonCode::InputConfigError, format!("opening the folder mounted at /: {errno}"))
        })?;
        let program = params.entry_module.rsplit('/').find(|part| !part.is_empty()).unwrap_or("main.wasm");
        let guest = Guest {
            fs,
            descriptors: Descriptors::new(root, run.limits.wasm_descriptors_max),
            args: std::iter::once(program.to_owned()).chain(params.parameters.iter().cloned()).collect(),
            env: run.env.iter().map(|(key, value)| format!("{key}={value}")).collect(),
            clocks: Clocks::new(deterministic),
            random: Random::new(deterministic.then_some(run.determinism.seed)),
            capture: run.capture.clone(),
            stop: run.stop.clone(),
            memory,
            scratch: Vec::new(),
        };
        let mode = if deterministic { Mode::Deterministic } else { Mode::Ordinary };
        Ok((params, self.tier(mode)?, guest))
    }
}
