//! A runner for one command: a short-lived instance below the data folder.

use std::ffi::OsString;
use std::path::Path;

use frogfish::{Durability, Runner};
use tokio::runtime::{self, Runtime};

use crate::problem::Problem;
use crate::settings::{self, Settings};

/// Names the folders of one-shot instances: `run-1`, `run-2`, ….
pub(crate) const INSTANCE_NAME: &str = "run";

/// Threads that run tasks; guests have threads of their own kind on top.
const WORKERS: usize = 2;

/// A runtime for one command.
pub(crate) fn runtime() -> Result<Runtime, Problem> {
    runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .map_err(|error| Problem::failed(format!("starting threads: {error}")))
}

/// A runtime for one command that only asks: one thread, this one.
pub(crate) fn small_runtime() -> Result<Runtime, Problem> {
    runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::failed(format!("starting: {error}")))
}

/// What a runner is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To run jobs: what they leave is kept below the data folder.
    Run,
    /// To look, or to check: nothing is kept.
    Nothing,
}

/// Opens a runner with these settings; `allow_paths` are added to theirs.
pub(crate) async fn open(
    settings: &Settings,
    allow_paths: &[String],
    purpose: Purpose,
) -> Result<Runner, Problem> {
    let root = &settings.data_dir.value;
    let allowed = settings.allow_paths.value.iter().chain(allow_paths).flat_map(|path| below(path));
    let mut builder = Runner::builder()
        .limits(settings.limits.value.clone())
        .allow_paths(allowed)
        .forward_env(settings.variables.clone(), settings.forward_env.value.iter().cloned());
    builder = match purpose {
        Purpose::Run => builder
            .first_free_data_dir(root, INSTANCE_NAME)
            .cache_dir(root.join("cache"))
            .durability(durability(settings)),
        Purpose::Nothing => builder,
    };
    #[cfg(feature = "wasm")]
    {
        builder = builder.wasm();
    }
    builder.build().await.map_err(|error| {
        let problem = Problem::from(error);
        if problem.hint.is_some() {
            problem
        } else {
            problem.with_hint("`frogfish doctor` looks for the cause")
        }
    })
}

/// Opens an instance that nobody owns, to see to what it keeps.
pub(crate) async fn reopen(folder: &Path, settings: &Settings) -> Result<Runner, frogfish::Error> {
    let limits = settings.limits.value.clone();
    let builder = Runner::builder().limits(limits).data_dir(folder).durability(Durability::Process);
    builder.build().await
}

fn durability(settings: &Settings) -> Durability {
    match settings.durability.value {
        settings::Durability::Memory => Durability::Memory,
        settings::Durability::Process => Durability::Process,
    }
}

/// The globs for a path that is allowed: itself, absolute, and what is below it.
fn below(path: &str) -> Vec<String> {
    let (path, suffix) = match path.strip_suffix(":rw") {
        Some(path) => (path, ":rw"),
        None => (path, ""),
    };
    let absolute = std::path::absolute(path).unwrap_or_else(|_| Path::new(path).to_owned());
    let Some(text) = absolute.to_str() else { return Vec::new() };
    let text = text.trim_end_matches('/');
    if text.ends_with('*') {
        return vec![format!("{text}{suffix}")];
    }
    vec![format!("{}{suffix}", if text.is_empty() { "/" } else { text }), format!("{text}/**{suffix}")]
}

/// Sends what the library says of itself to stderr, as far as the settings want it.
pub(crate) fn log(settings: &Settings) -> Result<(), Problem> {
    use tracing_subscriber::filter::Targets;
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;
    let setting = &settings.log;
    let targets: Targets = setting.value.parse().map_err(|error| {
        Problem::usage(format!("log is {:?} ({}): {error}", setting.value, setting.origin))
            .with_hint("write error, warn, info, debug or trace, or MODULE=LEVEL, with commas between them")
    })?;
    let ansi = crate::out::colours();
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(ansi);
    // Only this function installs a subscriber, and a command calls it once.
    let _ = tracing_subscriber::registry().with(targets).with(layer).try_init();
    Ok(())
}

/// A variable of this process, as text.
pub(crate) fn variable((name, value): (OsString, OsString)) -> Option<(String, String)> {
    Some((name.into_string().ok()?, value.into_string().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowed_folder_allows_what_is_below_it() {
        assert_eq!(below("/data/"), ["/data", "/data/**"]);
        assert_eq!(below("/data:rw"), ["/data:rw", "/data/**:rw"]);
        assert_eq!(below("/data/*:rw"), ["/data/*:rw"]);
        let here = std::env::current_dir().unwrap();
        assert_eq!(below(".")[0], here.to_str().unwrap());
    }
}
