//! How guests are compiled, for ordinary and for deterministic runs.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use wasmtime::{Config, Engine, WasmBacktraceDetails};

use crate::limits::Limits;

/// The version of wasmtime that is linked, exactly as `Cargo.lock` says (a test compares them).
pub(crate) const WASMTIME_VERSION: &str = "48.0.8";
/// Frames of a guest's stack that a trap's text shows.
const BACKTRACE_FRAMES_MAX: usize = 20;

/// Settings of a [`WasmEngine`](super::WasmEngine).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WasmConfig {
    /// Folder for compiled modules, made if absent, mode 0700; `None` keeps them in memory only.
    pub cache_dir: Option<PathBuf>,
    /// Bytes of compiled modules kept in memory.
    pub memory_cache_bytes_max: u64,
    /// Bytes of compiled modules kept on disk.
    pub disk_cache_bytes_max: u64,
    /// Bytes of native stack that a guest may use; the calling thread's stack must be larger.
    pub stack_bytes_max: usize,
}

impl WasmConfig {
    /// The settings that a runner's limits imply, without a folder.
    pub fn from_limits(limits: &Limits) -> Self {
        Self {
            cache_dir: None,
            memory_cache_bytes_max: limits.module_memory_cache_bytes_max,
            disk_cache_bytes_max: limits.module_disk_cache_bytes_max,
            stack_bytes_max: limits.wasm_stack_bytes_max,
        }
    }
}

impl Default for WasmConfig {
    fn default() -> Self {
        Self::from_limits(&Limits::default())
    }
}

/// Whether a module is compiled for an ordinary or a deterministic run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Mode {
    Ordinary,
    Deterministic,
}

/// A wasmtime engine for this mode.
///
/// wasmtime's process-wide handlers (SIGSEGV, SIGILL, SIGBUS, SIGFPE, passed on when no guest
/// caused them) stay on: without them every memory access would be checked in code. They are set
/// when the first engine is made.
pub(crate) fn engine(mode: Mode, settings: &WasmConfig) -> wasmtime::Result<Engine> {
    let deterministic = mode == Mode::Deterministic;
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .consume_fuel(deterministic)
        .cranelift_nan_canonicalization(deterministic)
        .relaxed_simd_deterministic(deterministic)
        .max_wasm_stack(settings.stack_bytes_max)
        .wasm_backtrace_max_frames(NonZeroUsize::new(BACKTRACE_FRAMES_MAX))
        // Otherwise a variable of the environment decides.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        // Nobody unwinds through a guest: panics of our calls are caught before they reach it.
        .native_unwind_info(false);
    Engine::new(&config)
}
