//! One run's figures, as they stand in a report.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::schedule::Phase;

/// Named readings beside a run's time, such as `rss_kib`.
pub(crate) type Gauges = BTreeMap<String, f64>;

/// What a peer answers for one run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Wall time of the run.
    pub(crate) nanos: u64,
    #[serde(default)]
    pub(crate) exit_code: i32,
    #[serde(default, skip_serializing_if = "Gauges::is_empty")]
    pub(crate) gauges: Gauges,
    /// What the run printed, where the scenario compares it; not kept in reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) output: Option<String>,
}

/// One run in a report, in the order in which the runs happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) side: String,
    pub(crate) phase: Phase,
    pub(crate) nanos: u64,
    #[serde(default, skip_serializing_if = "Gauges::is_empty")]
    pub(crate) gauges: Gauges,
}

/// Reads memory, threads and descriptors of a live process; what cannot be read is left out.
pub(crate) fn process_gauges(process: u32) -> Gauges {
    let proc = Path::new("/proc").join(process.to_string());
    let status = std::fs::read_to_string(proc.join("status")).unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.split_whitespace().next()?.parse::<f64>().ok()
    };
    let mut gauges = Gauges::new();
    for (gauge, name) in [("rss_kib", "VmRSS"), ("rss_peak_kib", "VmHWM"), ("threads", "Threads")] {
        gauges.extend(field(name).map(|value| (gauge.to_owned(), value)));
    }
    if let Ok(descriptors) = std::fs::read_dir(proc.join("fd")) {
        gauges.insert("descriptors".to_owned(), count(descriptors.count()));
    }
    gauges
}

/// Counts files and folders below `folder`, itself not counted.
pub(crate) fn files_below(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| {
            1 + if entry.file_type().is_ok_and(|t| t.is_dir()) { files_below(&entry.path()) } else { 0 }
        })
        .sum()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) fn count(value: usize) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_process_has_memory_threads_and_descriptors() {
        let gauges = process_gauges(std::process::id());
        for name in ["rss_kib", "rss_peak_kib", "threads", "descriptors"] {
            assert!(gauges[name] >= 1.0, "{name} in {gauges:?}");
        }
        assert!(process_gauges(u32::MAX).is_empty());
    }

    #[test]
    fn files_and_folders_below_are_counted() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("a")).unwrap();
        std::fs::write(dir.path().join("a/b"), "").unwrap();
        assert_eq!(files_below(dir.path()), 2);
    }
}
