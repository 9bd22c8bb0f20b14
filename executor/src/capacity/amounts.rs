//! How much of each countable resource.

use serde::{Deserialize, Serialize};

/// How much of each countable resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Amounts {
    /// Processor time, in thousandths of a core.
    pub cpu_milli: u64,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Disk space, in bytes.
    pub disk_bytes: u64,
}
