//! Frogfish.

pub mod spec;
