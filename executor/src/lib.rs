//! Frogfish executes WebAssembly and Docker jobs and gives every result a hash that anyone can check.

#![warn(missing_docs)]

mod blocking;
pub mod capacity;
pub mod capture;
pub mod clock;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod engine;
pub mod env;
mod error;
mod execution;
mod failure;
mod glob;
mod id;
pub mod inputs;
pub mod instance;
pub mod journal;
pub mod limits;
pub mod logs;
mod naming;
pub mod results;
mod runner;
pub mod spec;
mod state;
mod stop;
#[cfg(feature = "wasm")]
pub mod wasm;

pub use error::Error;
pub use execution::{Execution, Partition, Prepared};
pub use failure::{ErrorKind, Failure, ReasonCode};
pub use id::{ExecutionId, ID_BYTES_MAX, InstanceId, InvalidId, JobId};
pub use limits::Limits;
pub use naming::Naming;
pub use runner::{
    Admission, Cancelled, Durability, ExecutionHandle, Outcome, Reconciled, Reservation, Runner,
    RunnerBuilder,
};
pub use state::State;
pub use stop::{Stop, StopGuard, StopReason};
