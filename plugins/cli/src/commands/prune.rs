//! `frogfish prune`: removes what ended executions left, and caches.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use frogfish::Error;
use frogfish::clock::{Clock as _, SystemClock};
use frogfish::instance::{Found, InstanceError, Life};
use frogfish::journal::{Filter, JOURNAL_FILE, Timestamp};
use serde_json::json;

use crate::args::Prune;
use crate::instances;
use crate::out;
use crate::problem::Problem;
use crate::session;
use crate::settings::Settings;

/// What went, or would go.
#[derive(Default)]
struct Removed {
    executions: u64,
    cache_files: u64,
    cache_bytes: u64,
    /// Instances that were left alone, for a process owns them.
    live: u64,
}

pub(super) fn run(args: &Prune, settings: &Settings) -> Result<u8, Problem> {
    session::log(settings)?;
    let removed = session::runtime()?.block_on(prune(args, settings))?;
    let Removed { executions, cache_files, cache_bytes, live } = removed;
    if args.json {
        out::json(&json!({
            "dry_run": args.dry_run,
            "executions": executions,
            "cache_files": cache_files,
            "cache_bytes": cache_bytes,
            "live_instances": live,
        }))?;
        return Ok(0);
    }
    let word = if args.dry_run { "would remove" } else { "removed" };
    out::line(&format!("{word} {executions} executions"))?;
    if args.caches {
        out::line(&format!("{word} {cache_files} compiled modules, {cache_bytes} bytes"))?;
    }
    if live > 0 {
        out::say(&format!("left alone: {live} instances that a process owns"));
    }
    Ok(0)
}

async fn prune(args: &Prune, settings: &Settings) -> Result<Removed, Problem> {
    let older_than =
        if args.all { Duration::ZERO } else { Duration::from_secs(settings.limits.value.retention_s) };
    let mut removed = Removed::default();
    for found in instances::list(&settings.data_dir.value)? {
        if matches!(found.life, Life::Live { .. }) {
            removed.live += 1;
        } else if found.folder.join(JOURNAL_FILE).exists() {
            let went = if args.dry_run {
                Some(ended(&found, older_than).await?)
            } else {
                prune_instance(&found, older_than, settings).await?
            };
            match went {
                Some(went) => removed.executions += went,
                None => removed.live += 1,
            }
        }
    }
    if args.caches {
        let cache = settings.data_dir.value.join("cache");
        (removed.cache_files, removed.cache_bytes) = size(&cache);
        if !args.dry_run {
            remove_cache(&cache)?;
        }
    }
    Ok(removed)
}

/// How many executions of an instance ended so long ago.
async fn ended(found: &Found, older_than: Duration) -> Result<u64, Problem> {
    let before = SystemClock::new().wall().saturating_sub(older_than);
    let seen = instances::executions_of(found, &Filter::all()).await?;
    let before = Timestamp::from_unix(before);
    let gone = seen.iter().filter(|seen| seen.state().is_terminal() && seen.record.modified <= before);
    Ok(gone.count() as u64)
}

/// Owns an instance as long as its old executions are removed; none if a process has taken it since it was found.
async fn prune_instance(
    found: &Found,
    older_than: Duration,
    settings: &Settings,
) -> Result<Option<u64>, Problem> {
    let runner = match session::reopen(&found.folder, settings).await {
        Ok(runner) => runner,
        Err(Error::Instance(InstanceError::Held { .. })) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let removed = runner.prune(older_than).await.map_err(Problem::from);
    runner.shutdown().await;
    removed.map(Some)
}

/// Files and bytes in a folder and below.
pub(super) fn size(folder: &Path) -> (u64, u64) {
    let (mut files, mut bytes) = (0, 0);
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => waiting.push(entry.path()),
                Ok(metadata) => {
                    files += 1;
                    bytes += metadata.len();
                }
                Err(_) => {}
            }
        }
    }
    (files, bytes)
}

fn remove_cache(cache: &Path) -> Result<(), Problem> {
    match fs::remove_dir_all(cache) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Problem::failed(format!("removing {}: {error}", cache.display())))
        }
        _ => Ok(()),
    }
}
