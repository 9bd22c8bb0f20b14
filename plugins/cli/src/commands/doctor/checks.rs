//! The checks of `frogfish doctor`, each with its own cause and cure.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use frogfish::capacity::host_totals;
use frogfish::engine::Health;
use frogfish::instance::Life;
use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags, ResolveFlags};

use super::{Check, Level};
use crate::commands::prune;
use crate::instances;
use crate::report::bytes_in_words;
use crate::session::{self, Purpose};
use crate::settings::Settings;

/// Free bytes below which results soon find no room, and below which they find none now.
const FREE_BYTES_WARN: u64 = 1 << 30;
const FREE_BYTES_MIN: u64 = 64 << 20;

/// Where Docker listens.
const DOCKER_SOCKET: &str = "/var/run/docker.sock";

pub(super) async fn all(settings: &Settings) -> Vec<Check> {
    let root = &settings.data_dir.value;
    let mut checks = vec![data_folder(root), host(root), free_space(root), resolution()];
    checks.extend(engines(settings).await);
    checks.push(instances(root));
    checks.push(cache(root));
    checks.push(docker());
    checks
}

/// Whether this user alone can keep things in the data folder.
fn data_folder(root: &Path) -> Check {
    const NAME: &str = "data folder";
    let shown = root.display();
    let elsewhere = "frogfish --data-dir DIR … names another folder";
    let metadata = match fs::metadata(root) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return to_be_made(root),
        Err(error) => return Check::new(NAME, Level::Fail, format!("{shown}: {error}")).mend(elsewhere),
    };
    if !metadata.is_dir() {
        return Check::new(NAME, Level::Fail, format!("{shown} is no folder")).mend(elsewhere);
    }
    let me = rustix::process::geteuid().as_raw();
    if metadata.uid() != me {
        let what = format!("{shown} belongs to user {}, and this is user {me}", metadata.uid());
        return Check::new(NAME, Level::Fail, what).mend(elsewhere);
    }
    if let Err(error) = rustix::fs::accessat(CWD, root, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)
    {
        return Check::new(NAME, Level::Fail, format!("{shown} cannot be written: {error}"))
            .mend(format!("chmod u+rwx {shown}, or mount it writable"));
    }
    if metadata.mode() & 0o022 != 0 {
        let what = format!("{shown} has mode {:o}: others may write in it", metadata.mode() & 0o7777);
        return Check::new(NAME, Level::Warn, what).mend(format!("chmod go-w {shown}"));
    }
    Check::new(NAME, Level::Ok, format!("{shown}, mode {:o}", metadata.mode() & 0o7777))
}

/// A data folder that is not there yet: can it be made?
fn to_be_made(root: &Path) -> Check {
    const NAME: &str = "data folder";
    let shown = root.display();
    let parent = root.ancestors().skip(1).find(|parent| parent.exists()).unwrap_or(Path::new("/"));
    match rustix::fs::accessat(CWD, parent, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS) {
        Ok(()) => Check::new(NAME, Level::Ok, format!("{shown} is made by the first job")),
        Err(error) => {
            let what = format!("{shown} cannot be made in {}: {error}", parent.display());
            Check::new(NAME, Level::Fail, what).mend("frogfish --data-dir DIR … names another folder")
        }
    }
}

/// What this process may use of the host.
fn host(root: &Path) -> Check {
    match host_totals(root) {
        Ok(totals) => {
            let memory = bytes_in_words(totals.memory_bytes);
            let cores = totals.cpu_milli;
            let what = format!("{}.{:03} cores, {memory} memory", cores / 1_000, cores % 1_000);
            Check::new("capacity", Level::Ok, what)
        }
        Err(error) => Check::new("capacity", Level::Fail, format!("measuring the host: {error}"))
            .mend("mount /proc and /sys/fs/cgroup"),
    }
}

fn free_space(root: &Path) -> Check {
    const NAME: &str = "free space";
    let free = match host_totals(root) {
        Ok(totals) => totals.disk_bytes,
        Err(error) => return Check::new(NAME, Level::Warn, format!("unknown: {error}")),
    };
    let level = match free {
        ..FREE_BYTES_MIN => Level::Fail,
        FREE_BYTES_MIN..FREE_BYTES_WARN => Level::Warn,
        _ => Level::Ok,
    };
    let check = Check::new(NAME, level, format!("{} for results", bytes_in_words(free)));
    if level == Level::Ok { check } else { check.mend("frogfish prune --all --caches") }
}

/// Whether the kernel keeps a guest's paths below their folder.
fn resolution() -> Check {
    const NAME: &str = "openat2";
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match rustix::fs::openat2(CWD, "/", flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS) {
        Ok(_) => Check::new(NAME, Level::Ok, "paths of guests are kept below their folders by the kernel"),
        Err(error) => {
            let what = format!("refused: {error}; paths of guests are resolved one part at a time");
            Check::new(NAME, Level::Warn, what)
                .mend("use Linux 5.6 or later, and a seccomp profile that allows openat2")
        }
    }
}

async fn engines(settings: &Settings) -> Vec<Check> {
    const NAME: &str = "engine";
    let runner = match session::open(settings, &[], Purpose::Nothing).await {
        Ok(runner) => runner,
        Err(problem) => {
            let check = Check::new(NAME, Level::Fail, problem.message);
            return vec![match problem.hint {
                Some(hint) => check.mend(hint),
                None => check,
            }];
        }
    };
    let health = runner.health().await;
    runner.shutdown().await;
    if health.is_empty() {
        let check = Check::new(NAME, Level::Warn, "this build has none: it validates, hashes and compares");
        return vec![check.mend("cargo install with the feature wasm")];
    }
    let check = |(name, version, health): (&'static str, String, Health)| match health {
        Health::Ready => Check::new(NAME, Level::Ok, format!("{name}: {version}")),
        Health::Down(failure) => {
            let check = Check::new(NAME, Level::Fail, format!("{name}: {version}: {failure}"));
            match failure.hint {
                Some(hint) => check.mend(hint),
                None => check,
            }
        }
    };
    health.into_iter().map(check).collect()
}

fn instances(root: &Path) -> Check {
    const NAME: &str = "instances";
    let found = match instances::list(root) {
        Ok(found) => found,
        Err(problem) => return Check::new(NAME, Level::Fail, problem.message),
    };
    let count = |fits: fn(Life) -> bool| found.iter().filter(|found| fits(found.life)).count();
    let live = count(|life| matches!(life, Life::Live { .. }));
    let dead = count(|life| matches!(life, Life::Dead { .. }));
    let what = format!("{live} running, {} at rest, {dead} whose process died", found.len() - live - dead);
    if dead == 0 {
        return Check::new(NAME, Level::Ok, what);
    }
    Check::new(NAME, Level::Warn, what).mend("the next job settles them, and so does: frogfish prune")
}

fn cache(root: &Path) -> Check {
    let (files, bytes) = prune::size(&root.join("cache"));
    let what = format!("{files} compiled modules, {}", bytes_in_words(bytes));
    Check::new("cache", Level::Ok, what)
}

/// Docker is not used by this build; whether it is there tells what a later one could use.
fn docker() -> Check {
    let what = match UnixStream::connect(DOCKER_SOCKET) {
        Ok(_) => format!("{DOCKER_SOCKET} answers; the engine is not in this build"),
        Err(error) => format!("{DOCKER_SOCKET}: {error}; the engine is not in this build anyhow"),
    };
    Check::new("docker", Level::Ok, what)
}
