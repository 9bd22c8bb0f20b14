//! What this host has, as far as this process may use it.
//!
//! Cores are what its affinity and its cgroups' quotas leave, memory what its cgroups' limits
//! leave, disk what is free for an unprivileged user. Versions 1 and 2 of cgroups count, at every
//! level from the process's own up to the mount.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::capacity::Amounts;

/// Bytes read of a file below `/proc` or `/sys`.
const KERNEL_FILE_BYTES_MAX: u64 = 1 << 20;

/// What this process may use: cores, memory, and disk space free in `folder`.
///
/// GPUs are 0: they are counted by whoever can tell them apart.
///
/// # Errors
/// The kernel's files or the file system could not be read.
pub fn host_totals(folder: &Path) -> io::Result<Amounts> {
    let kernel = Kernel { root: PathBuf::from("/") };
    Ok(Amounts {
        cpu_milli: kernel.cpu_milli()?,
        memory_bytes: kernel.memory_bytes()?,
        disk_bytes: disk_bytes(folder)?,
        gpus: 0,
    })
}

/// Disk space that is free for an unprivileged user where a folder is or will be.
fn disk_bytes(folder: &Path) -> io::Result<u64> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for existing in folder.ancestors() {
        let existing = if existing.as_os_str().is_empty() { Path::new(".") } else { existing };
        match rustix::fs::statvfs(existing) {
            Ok(stat) => return Ok(stat.f_bavail.saturating_mul(stat.f_frsize)),
            Err(error) => last = error.into(),
        }
    }
    Err(last)
}

/// The kernel's files, below `/` or, in tests, below another folder.
struct Kernel {
    root: PathBuf,
}

/// A control group of this process: its folder, and the folder at which its file system is mounted.
struct Group {
    folder: PathBuf,
    mount: PathBuf,
}

impl Group {
    fn levels(&self) -> impl Iterator<Item = &Path> {
        self.folder.ancestors().take_while(|folder| folder.starts_with(&self.mount))
    }
}

impl Kernel {
    fn read(&self, path: &str) -> io::Result<String> {
        read_small(&self.root.join(path))
    }

    fn cpu_milli(&self) -> io::Result<u64> {
        let status = self.read("proc/self/status")?;
        let mask =
            field(&status, "Cpus_allowed:").ok_or_else(|| missing("Cpus_allowed in /proc/self/status"))?;
        let cores: u64 =
            mask.chars().filter_map(|digit| digit.to_digit(16)).map(|d| u64::from(d.count_ones())).sum();
        if cores == 0 {
            return Err(missing("a core in Cpus_allowed in /proc/self/status"));
        }
        let quota = self.groups("cpu").iter().flat_map(|g| g.levels().filter_map(cpu_quota_milli)).min();
        Ok(quota.map_or(cores * 1_000, |quota| quota.min(cores * 1_000)))
    }

    fn memory_bytes(&self) -> io::Result<u64> {
        let meminfo = self.read("proc/meminfo")?;
        let kib = field(&meminfo, "MemTotal:")
            .and_then(|value| value.split_ascii_whitespace().next()?.parse::<u64>().ok())
            .ok_or_else(|| missing("MemTotal in /proc/meminfo"))?;
        let physical = kib.saturating_mul(1_024);
        let limit =
            self.groups("memory").iter().flat_map(|g| g.levels().filter_map(memory_limit_bytes)).min();
        Ok(limit.map_or(physical, |limit| limit.min(physical)))
    }

    /// This process's groups that may limit what `controller` controls: version 1's and version 2's.
    fn groups(&self, controller: &str) -> Vec<Group> {
        // A host without control groups limits nothing.
        let (Ok(own), Ok(mounts)) = (self.read("proc/self/cgroup"), self.read("proc/self/mountinfo")) else {
            return Vec::new();
        };
        let mut groups = Vec::new();
        for line in own.lines() {
            let mut parts = line.splitn(3, ':');
            let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
                continue;
            };
            if controllers.is_empty() || controllers.split(',').any(|name| name == controller) {
                let mount = mounts.lines().find_map(|line| cgroup_mount(line, controllers));
                groups.extend(mount.and_then(|(root, point)| self.group(path, &root, &point)));
            }
        }
        groups
    }

    fn group(&self, path: &str, root: &str, point: &str) -> Option<Group> {
        let mount = self.root.join(point.strip_prefix('/')?);
        // Inside a container the mount begins at the container's own group.
        let below = Path::new(path).strip_prefix(root).unwrap_or(Path::new(""));
        let safe = below.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        let folder = if safe { mount.join(below) } else { mount.clone() };
        Some(Group { folder, mount })
    }
}

/// Root and mount point of a line of mountinfo, if it mounts the hierarchy with these controllers.
fn cgroup_mount(line: &str, controllers: &str) -> Option<(String, String)> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(3);
    let (root, point) = (before.next()?, before.next()?);
    let mut after = after.split(' ');
    let kind = after.next()?;
    let options = after.nth(1)?;
    let mounted = if controllers.is_empty() {
        kind == "cgroup2"
    } else {
        kind == "cgroup" && controllers.split(',').all(|name| options.split(',').any(|o| o == name))
    };
    mounted.then(|| (unescape(root), unescape(point)))
}

/// Mountinfo writes space, tab, newline and backslash as three octal digits.
fn unescape(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

fn cpu_quota_milli(folder: &Path) -> Option<u64> {
    let number = |name: &str| read_small(&folder.join(name)).ok()?.trim().parse::<u64>().ok();
    let (quota, period) = match read_small(&folder.join("cpu.max")) {
        Ok(text) => {
            let mut parts = text.split_ascii_whitespace();
            (parts.next()?.parse::<u64>().ok()?, parts.next()?.parse::<u64>().ok()?)
        }
        // Version 1 writes -1 for no quota, which is no number here.
        Err(_) => (number("cpu.cfs_quota_us")?, number("cpu.cfs_period_us")?),
    };
    (period > 0).then(|| (quota.saturating_mul(1_000) / period).max(1))
}

fn memory_limit_bytes(folder: &Path) -> Option<u64> {
    // Version 2 writes `max` for no limit, version 1 a number above any memory.
    let text = read_small(&folder.join("memory.max"))
        .or_else(|_| read_small(&folder.join("memory.limit_in_bytes")))
        .ok()?;
    text.trim().parse().ok()
}

fn read_small(path: &Path) -> io::Result<String> {
    use io::Read;
    let mut text = String::new();
    fs::File::open(path)?.take(KERNEL_FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

fn missing(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("measuring this host: found no {what}"))
}

#[cfg(test)]
mod tests;
