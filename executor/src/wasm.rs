//! The WebAssembly engine, on wasmtime, in this process.
//!
//! ```text
//! engine ─► mounts ─► vfs          the guest's files
//!        ─► link ─► source ─► cache  modules, compiled once
//!        ─► preview1 ─► vfs, capture, chance   what the guest calls
//!        ─► interrupt              how it is stopped
//!        ─► end                    how its end is told
//! ```
//!
//! Nothing outside this module names wasmtime. A guest runs on one thread, its host calls with it;
//! a guest that is asked to stop ends at its next call or loop round, after at most one bulk memory
//! operation or one compilation.

mod cache;
mod chance;
mod config;
mod end;
mod engine;
mod guest;
mod interrupt;
mod link;
mod mounts;
mod preview1;
mod source;
mod vfs;

#[cfg(test)]
mod tests;

pub use config::WasmConfig;
pub use engine::WasmEngine;
