//! Frogfish executes WebAssembly and Docker jobs and gives every result a hash that anyone can check.

#![warn(missing_docs)]

pub mod capacity;
pub mod capture;
pub mod clock;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod engine;
mod failure;
mod id;
pub mod instance;
pub mod journal;
pub mod limits;
pub mod logs;
mod naming;
pub mod results;
pub mod spec;
mod state;
mod stop;

pub use failure::{ErrorKind, Failure, ReasonCode};
pub use id::{ExecutionId, ID_BYTES_MAX, InstanceId, InvalidId, JobId};
pub use limits::Limits;
pub use naming::Naming;
pub use state::State;
pub use stop::{Stop, StopGuard, StopReason};
