//! Conformance group W, and what the engine promises beyond it.

mod bench;
mod containment;
mod determinism;
mod ends;
mod files;
mod harness;
mod modules;
mod programs;
mod stopping;
