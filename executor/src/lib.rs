//! Frogfish executes WebAssembly and Docker jobs and gives every result a hash that anyone can check.
//!
//! ```no_run
//! use frogfish::{Execution, Runner};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), frogfish::Error> {
//!     let runner = Runner::builder().wasm().build().await?;
//!     let job = Execution::wasm("wordcount.wasm").input("./corpus", "/in").output("out", "/out");
//!     let done = runner.start(job).await?.wait().await?;
//!     println!("exit {} -> {}", done.exit_code, done.cid);
//!     Ok(())
//! }
//! ```
//!
//! A [`Runner`] takes an [`Execution`] from its job to its [`Outcome`]: it waits for capacity, prepares inputs, runs the
//! job's engine, gathers what it left, hashes it, and writes a receipt. The CID of the results is what
//! `ipfs add -Qrn` prints for the same folder.
//!
//! # What is global
//! Nothing of this crate's: no subscriber, signal handler, panic hook, TLS provider or variable of the environment is
//! read or set. wasmtime sets handlers for the signals that a trapping guest raises when the first engine is made, and
//! passes on what is not a guest's.
//!
//! # What dropping does
//! | dropped | effect |
//! |---|---|
//! | [`ExecutionHandle`] | none: the execution goes on and can be found again |
//! | the future of [`ExecutionHandle::wait`] | none |
//! | the future of [`Runner::run`] | none: an execution that began goes on |
//! | [`Reservation`] | what it holds is free again |
//! | [`logs::Logs`] | following ends; nothing else |
//! | the last [`Runner`] | every live execution is asked to stop and ends as interrupted; nothing new is taken |
//! | [`Outcome`] | none; without a data folder the last clone takes the results with it, once the runner has forgotten them |
//!
//! # Features
//! | feature | adds |
//! |---|---|
//! | `wasm` (default) | the WebAssembly engine, on wasmtime |
//! | `conformance` | the suites that check implementations of this crate's traits |

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
pub use frogfish_verifier as verifier;
pub use id::{ExecutionId, ID_BYTES_MAX, InstanceId, InvalidId, JobId};
pub use limits::Limits;
pub use naming::Naming;
pub use runner::{
    Admission, Cancelled, Durability, ExecutionHandle, Outcome, Reconciled, Reservation, Runner,
    RunnerBuilder,
};
pub use state::State;
pub use stop::{Stop, StopGuard, StopReason};
