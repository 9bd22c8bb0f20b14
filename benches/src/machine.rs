//! What a figure depends on: processor, memory, kernel, file system, load, versions.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::stats;

/// Writes of one fsync probe.
const FSYNC_PROBES: usize = 30;
/// Bytes of each write.
const FSYNC_BYTES: usize = 4096;

/// The machine of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) memory_mib: u64,
    pub(crate) kernel: String,
    pub(crate) work_folder: PathBuf,
    pub(crate) file_system: String,
    /// 4 KiB written and fsynced on the work folder's file system, before the first scenario.
    pub(crate) fsync_us_p50: Option<f64>,
    pub(crate) fsync_us_max: Option<f64>,
    /// Load averages over 1, 5 and 15 minutes, before and after.
    pub(crate) load_before: String,
    pub(crate) load_after: String,
    pub(crate) versions: BTreeMap<String, String>,
}

impl Machine {
    /// Reads this machine; `work` is the folder on the measured file system.
    pub(crate) fn read(work: &Path, frogfish: &Path) -> Self {
        let fsync = fsync_probe(work).unwrap_or_default();
        let summary = stats::summary(&fsync);
        let uname = rustix::system::uname();
        let kernel = format!(
            "{} {} {}",
            uname.sysname().to_string_lossy(),
            uname.release().to_string_lossy(),
            uname.machine().to_string_lossy()
        );
        Self {
            cpu: cpu_model(&file("/proc/cpuinfo")),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: memory_mib(&file("/proc/meminfo")),
            kernel,
            work_folder: work.to_owned(),
            file_system: file_system(work),
            fsync_us_p50: summary.map(|summary| summary.p50),
            fsync_us_max: summary.map(|summary| summary.max),
            load_before: load(),
            load_after: String::new(),
            versions: versions(frogfish),
        }
    }
}

/// The folder that runs write to unless the caller names one: memory-backed where the host has it.
pub(crate) fn default_work_parent() -> PathBuf {
    let shared_memory = Path::new("/dev/shm");
    if shared_memory.is_dir() { shared_memory.to_owned() } else { std::env::temp_dir() }
}

/// The three load averages as the kernel prints them.
pub(crate) fn load() -> String {
    file("/proc/loadavg").split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

fn file(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn cpu_model(cpuinfo: &str) -> String {
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, model)| model.trim().to_owned())
}

fn memory_mib(meminfo: &str) -> u64 {
    let kib = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next());
    kib.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Names the file system by its magic number (statfs(2)).
fn file_system(path: &Path) -> String {
    let Ok(stat) = rustix::fs::statfs(path) else { return "unknown".to_owned() };
    let name = match stat.f_type {
        0x0102_1994 => "tmpfs",
        0xEF53 => "ext4",
        0x5846_5342 => "xfs",
        0x9123_683E => "btrfs",
        0x794C_7630 => "overlay",
        0x2FC1_2FC1 => "zfs",
        0x6969 => "nfs",
        0x6573_5546 => "fuse",
        0x0102_1997 => "9p",
        other => return format!("magic {other:#x}"),
    };
    name.to_owned()
}

/// Microseconds of so many appends, each followed by fsync.
fn fsync_probe(work: &Path) -> Result<Vec<f64>, Error> {
    let path = work.join("fsync-probe");
    let mut file = std::fs::File::create(&path).map_err(Error::io("create", &path))?;
    let mut times = Vec::with_capacity(FSYNC_PROBES);
    for _ in 0..FSYNC_PROBES {
        let began = Instant::now();
        file.write_all(&[0x5a; FSYNC_BYTES]).map_err(Error::io("write", &path))?;
        file.sync_all().map_err(Error::io("fsync", &path))?;
        times.push(began.elapsed().as_secs_f64() * 1e6);
    }
    std::fs::remove_file(&path).map_err(Error::io("remove", &path))?;
    Ok(times)
}

fn versions(frogfish: &Path) -> BTreeMap<String, String> {
    let mut versions =
        BTreeMap::from([("frogfish-benches".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
    let frogfish = frogfish.display().to_string();
    let asked: [(&str, &str, &[&str]); 4] = [
        ("frogfish", &frogfish, &["--version"]),
        ("commit", "git", &["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty"]),
        ("go", "go", &["version"]),
        ("ipfs", "ipfs", &["--version"]),
    ];
    for (name, program, args) in asked {
        let shown = Command::new(program).args(args).output().ok().filter(|shown| shown.status.success());
        let Some(shown) = shown else { continue };
        let text = String::from_utf8_lossy(&shown.stdout);
        versions.insert(name.to_owned(), text.lines().next().unwrap_or_default().to_owned());
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_and_memory_are_read_from_the_kernels_texts() {
        assert_eq!(cpu_model("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n"), "Some CPU @ 2 GHz");
        assert_eq!(memory_mib("MemTotal:       2097152 kB\nMemFree: 1 kB\n"), 2048);
        assert_eq!(memory_mib(""), 0);
    }

    #[test]
    fn this_machine_has_cores_a_kernel_and_an_fsync_time() {
        let dir = tempfile::tempdir().unwrap();
        let machine = Machine::read(dir.path(), Path::new("/nonexistent/frogfish"));
        assert!(machine.cores >= 1 && !machine.kernel.is_empty());
        assert!(machine.fsync_us_p50.unwrap() > 0.0);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
