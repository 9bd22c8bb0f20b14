//! Frogfish as a library, through its front door.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use frogfish::{Execution, Runner};
use tokio::runtime::Runtime;

use super::{About, Case, Peer, Run, Settings};
use crate::error::Error;
use crate::sample::Measured;
use crate::scenario::Durability;

const NAME: &str = "frogfish";

/// A runner in this process, with a data folder and a cache of its own.
#[derive(Default)]
pub(crate) struct Frogfish {
    ready: Option<Ready>,
}

struct Ready {
    case: Arc<Case>,
    runtime: Runtime,
    runner: Runner,
}

impl Peer for Frogfish {
    fn name(&self) -> &str {
        NAME
    }

    fn about(&self) -> About {
        let settings = [
            ("compiled module cache", "in memory and on disk"),
            ("engine", "wasmtime, Cranelift speed, epoch interruption"),
            ("execution folder", "results/stdout, stderr, exitCode, log, receipt"),
            ("isolation", "in-process"),
            ("journal", "the scenario's durability"),
            ("memory limit", "4 GiB"),
            ("process", "child, warm"),
            ("result hash", "CID, manifest and receipt of every run"),
        ];
        let settings: Settings = settings.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        About { version: format!("frogfish {}", env!("CARGO_PKG_VERSION")), settings }
    }

    fn prepare(&mut self, case: &Case) -> Result<(), Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::peer(NAME, format!("no tokio runtime: {error}")))?;
        let durability = match case.durability {
            Durability::Memory => frogfish::Durability::Memory,
            Durability::Process => frogfish::Durability::Process,
            Durability::Power => return Err(Error::peer(NAME, "this build has no power durability")),
        };
        let builder = Runner::builder()
            .wasm()
            .data_dir(case.work.join("data"))
            .cache_dir(case.work.join("cache"))
            .durability(durability);
        let runner = runtime.block_on(builder.build()).map_err(|error| Error::peer(NAME, error))?;
        self.ready = Some(Ready { case: Arc::new(case.clone()), runtime, runner });
        Ok(())
    }

    fn run_once(&mut self, run: &Run) -> Result<Measured, Error> {
        let ready = self.ready.as_ref().ok_or_else(|| Error::peer(NAME, "run before prepare"))?;
        let case = match &run.module {
            None => ready.case.clone(),
            unseen => Arc::new(Case { module: unseen.clone(), ..Case::clone(&ready.case) }),
        };
        ready.runtime.block_on(async {
            let began = Instant::now();
            let exit_code = jobs(&ready.runner, &case).await?;
            let nanos = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
            ready.runner.prune(Duration::ZERO).await.map_err(|error| Error::peer(NAME, error))?;
            Ok(Measured { nanos, exit_code, ..Measured::default() })
        })
    }
}

/// Runs the case's jobs, so many at once as it says, and gives the largest exit code.
async fn jobs(runner: &Runner, case: &Arc<Case>) -> Result<i32, Error> {
    if case.jobs == 1 {
        return one(runner, case).await;
    }
    let next = Arc::new(AtomicU32::new(0));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..case.in_flight {
        let (runner, case, next) = (runner.clone(), case.clone(), next.clone());
        workers.spawn(async move {
            let mut largest = 0;
            while next.fetch_add(1, Ordering::Relaxed) < case.jobs {
                largest = largest.max(one(&runner, &case).await?);
            }
            Ok(largest)
        });
    }
    let mut largest = 0;
    while let Some(worker) = workers.join_next().await {
        let ended: Result<i32, Error> = worker.map_err(|error| Error::peer(NAME, error))?;
        largest = largest.max(ended?);
    }
    Ok(largest)
}

async fn one(runner: &Runner, case: &Case) -> Result<i32, Error> {
    let module = case.module.as_deref().ok_or_else(|| Error::peer(NAME, "the scenario has no module"))?;
    let job = Execution::wasm(module).args(case.args.iter().cloned());
    let job = case.env.iter().fold(job, |job, (key, value)| job.env(key, value));
    let ended = if case.jobs == 1 {
        runner.run(job).await
    } else {
        async { runner.start(job).await?.wait().await }.await
    };
    let ended = ended.map_err(|error| Error::peer(NAME, error))?;
    if let Some(failure) = ended.failure {
        return Err(Error::peer(NAME, failure.to_string()));
    }
    i32::try_from(ended.exit_code).map_err(|_| Error::peer(NAME, format!("exit code {}", ended.exit_code)))
}
