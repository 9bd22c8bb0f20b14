//! The command as scripts and people see it: the real program, each time with a data folder of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
#[cfg(feature = "wasm")]
mod checking;
mod house;
#[cfg(feature = "wasm")]
mod jobs;
#[cfg(feature = "wasm")]
mod processes;
#[cfg(feature = "wasm")]
mod results;
#[cfg(feature = "wasm")]
mod statuses;
#[cfg_attr(not(feature = "wasm"), allow(dead_code, reason = "most of it is for jobs that run"))]
mod support;
#[cfg(feature = "wasm")]
mod trouble;
