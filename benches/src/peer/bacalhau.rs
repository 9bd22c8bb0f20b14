//! Builds the Go program that runs Bacalhau's own executors.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;

/// Sources of the Go module, beside this package's manifest.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/bacalhau");

/// Builds `bacalhau-peer` into `cache` and gives its path; Go's own build cache makes a second call quick.
pub(crate) fn build(cache: &Path) -> Result<PathBuf, Error> {
    std::fs::create_dir_all(cache).map_err(Error::io("create", cache))?;
    let binary = cache.join("bacalhau-peer");
    if !binary.exists() {
        eprintln!("  building the Bacalhau peer with Go; the first time takes minutes");
    }
    let built = Command::new("go")
        .args(["build", "-mod=readonly", "-trimpath", "-o"])
        .arg(&binary)
        .arg(".")
        .current_dir(SOURCES)
        .output()
        .map_err(|error| Error::peer("bacalhau", format!("needs Go: {error}")))?;
    if built.status.success() {
        return Ok(binary);
    }
    let stderr = String::from_utf8_lossy(&built.stderr);
    let last = stderr.lines().last().unwrap_or("no message");
    Err(Error::peer("bacalhau", format!("go build in {SOURCES} failed: {last}")))
}
