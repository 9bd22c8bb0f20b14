//! What the crate promises, shown on real files.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)] // Test data may stop a test.

mod golden;
mod tree;
mod walk;

/// A folder in memory where there is one: these tests make tens of thousands of small files.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}
