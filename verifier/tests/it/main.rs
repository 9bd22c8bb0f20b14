//! What the crate promises, shown on real files.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)] // Test data may stop a test.

mod golden;
mod tree;
mod walk;
