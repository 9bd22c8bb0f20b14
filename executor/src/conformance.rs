//! Suites that check an implementation of one of this crate's traits.
//!
//! Each panics with what was expected and what was found. Run them from an ordinary test.

pub mod clock;
pub mod engine;
pub mod inputs;
pub mod journal;
pub mod scripted;
