//! The library from outside: one binary, a module for each theme.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod crash;
mod engines;
mod inputs;
mod runner;
