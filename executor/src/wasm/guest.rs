//! What belongs to one running guest: the data of its store.

use std::sync::Arc;

use wasmtime::ResourceLimiter;

use crate::capture::Capture;
use crate::failure::Failure;
use crate::limits::Limits;
use crate::stop::Stop;
use crate::wasm::chance::{Clocks, Random};
use crate::wasm::preview1::Descriptors;
use crate::wasm::vfs::Vfs;

/// Memories and tables that all modules of one execution may have together.
const MEMORIES_MAX: usize = 256;

/// One guest's view of the world, and what is kept of it.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) fs: Vfs,
    pub(crate) descriptors: Descriptors,
    /// argv, without trailing NUL.
    pub(crate) args: Vec<String>,
    /// `KEY=VALUE`, in the order of the keys.
    pub(crate) env: Vec<String>,
    pub(crate) clocks: Clocks,
    pub(crate) random: Random,
    pub(crate) capture: Arc<Capture>,
    pub(crate) stop: Stop,
    pub(crate) memory: MemoryLimiter,
    /// Where a write of many small parts is put together.
    pub(crate) scratch: Vec<u8>,
}

/// Why the host ends a guest in the middle of a call.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Halt {
    /// The guest called `proc_exit`.
    #[error("the guest exited with status {0}")]
    Exit(u32),
    /// Somebody asked to stop; the reason is with the stop.
    #[error("the guest was asked to stop")]
    Stopped,
    /// The host failed the guest.
    #[error("{0}")]
    Host(Failure),
}

/// Bounds memories and tables of one execution, over all its modules.
#[derive(Debug)]
pub(crate) struct MemoryLimiter {
    memory_bytes_max: u64,
    table_elements_max: usize,
    modules_max: usize,
    memory_bytes: u64,
    /// What the last growth that was allowed added.
    growth_bytes: u64,
    table_elements: usize,
    /// The bytes in all that were refused last, by growing or at instantiation.
    refused: Option<u64>,
}

impl MemoryLimiter {
    /// Bounds for an execution that may use `memory_bytes_max` bytes.
    pub(crate) fn new(memory_bytes_max: u64, limits: &Limits) -> Self {
        Self {
            memory_bytes_max,
            table_elements_max: limits.wasm_table_elements_max,
            modules_max: limits.modules_max,
            memory_bytes: 0,
            growth_bytes: 0,
            table_elements: 0,
            refused: None,
        }
    }

    /// The largest sum of all memories so far: a WASM memory never shrinks.
    pub(crate) fn peak_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// The bytes of all memories that were asked for in vain, if so.
    pub(crate) fn refused_bytes(&self) -> Option<u64> {
        self.refused
    }

    /// The bytes that all memories may have.
    pub(crate) fn bytes_max(&self) -> u64 {
        self.memory_bytes_max
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false); // The module's own limit, not ours.
        }
        let growth = desired.saturating_sub(current) as u64;
        let total = self.memory_bytes.saturating_add(growth);
        if total > self.memory_bytes_max {
            self.refused = Some(total);
            return Ok(false);
        }
        (self.memory_bytes, self.growth_bytes) = (total, growth);
        Ok(true)
    }

    /// The host could not give what was allowed.
    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused = Some(self.memory_bytes);
        self.memory_bytes = self.memory_bytes.saturating_sub(std::mem::take(&mut self.growth_bytes));
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let total = self.table_elements.saturating_add(desired.saturating_sub(current));
        if total > self.table_elements_max {
            return Ok(false);
        }
        self.table_elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.modules_max
    }

    fn tables(&self) -> usize {
        MEMORIES_MAX
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX
    }
}
