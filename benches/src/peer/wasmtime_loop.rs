//! The bare loop: wasmtime with the engine settings of Frogfish, and the files of an execution folder, nothing else.
//!
//! What it lacks is what Frogfish adds: admission, states, limits, capture, digests. What it shares is counted on both
//! sides: a store per run, a memory limit, an epoch deadline, and the same files on the same file system.

mod preview1;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use wasmtime::{Config, Engine, InstancePre, Linker, Module, OptLevel, Store, StoreLimitsBuilder};

use super::{About, Case, Peer, Run, Settings};
use crate::error::Error;
use crate::sample::Measured;
use preview1::{Exit, Guest};

const NAME: &str = "wasmtime-loop";
/// Linear memory of one guest; the default of a Frogfish WASM job.
const MEMORY_BYTES_MAX: usize = 4 << 30;
/// Size of the receipt that each run writes; about that of a Frogfish receipt.
const RECEIPT_BYTES: usize = 2_600;

/// Runs the module in a loop of this process.
#[derive(Default)]
pub(crate) struct WasmtimeLoop {
    ready: Option<Ready>,
}

struct Ready {
    case: Case,
    engine: Engine,
    linker: Linker<Guest>,
    module: Option<InstancePre<Guest>>,
    receipt: String,
}

impl Peer for WasmtimeLoop {
    fn name(&self) -> &str {
        NAME
    }

    fn about(&self) -> About {
        let settings = [
            ("compiled module cache", "one module held in memory"),
            ("engine", "wasmtime, Cranelift speed, epoch interruption, no ticks"),
            (
                "execution folder",
                "results/stdout, stderr, exitCode, log, receipt of fixed text; never read back",
            ),
            ("isolation", "in-process"),
            ("journal", "none"),
            ("memory limit", "4 GiB"),
            ("process", "child, warm"),
            ("result hash", "none"),
        ];
        let settings: Settings = settings.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        About { version: format!("wasmtime {WASMTIME_VERSION}"), settings }
    }

    fn prepare(&mut self, case: &Case) -> Result<(), Error> {
        let failed = |error: wasmtime::Error| Error::peer(NAME, format!("{error:#}"));
        let mut config = Config::new();
        config.cranelift_opt_level(OptLevel::Speed).epoch_interruption(true).native_unwind_info(false);
        let engine = Engine::new(&config).map_err(failed)?;
        let mut linker = Linker::new(&engine);
        preview1::add_to(&mut linker).map_err(failed)?;
        let receipt = format!("{{\"claim\":\"{}\"}}\n", "0".repeat(RECEIPT_BYTES));
        let mut ready = Ready { case: case.clone(), engine, linker, module: None, receipt };
        if !case.cold {
            let module =
                case.module.as_deref().ok_or_else(|| Error::peer(NAME, "the scenario has no module"))?;
            ready.module = Some(ready.compile(module)?);
        }
        self.ready = Some(ready);
        Ok(())
    }

    fn run_once(&mut self, run: &Run) -> Result<Measured, Error> {
        let ready = self.ready.as_ref().ok_or_else(|| Error::peer(NAME, "run before prepare"))?;
        let executions = ready.case.work.join("executions");
        std::fs::create_dir_all(&executions).map_err(Error::io("create", &executions))?;

        let began = Instant::now();
        let exit_code = match (&ready.module, &run.module) {
            (_, Some(unseen)) => ready.jobs(&ready.compile(unseen)?, &executions)?,
            (Some(module), None) => ready.jobs(module, &executions)?,
            (None, None) => return Err(Error::peer(NAME, "a cold run needs a module")),
        };
        let nanos = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);

        std::fs::remove_dir_all(&executions).map_err(Error::io("remove", &executions))?;
        Ok(Measured { nanos, exit_code, ..Measured::default() })
    }
}

impl Ready {
    fn compile(&self, path: &Path) -> Result<InstancePre<Guest>, Error> {
        let module =
            Module::from_file(&self.engine, path).and_then(|module| self.linker.instantiate_pre(&module));
        module.map_err(|error| Error::peer(NAME, format!("{}: {error:#}", path.display())))
    }

    /// Runs the case's jobs, so many at once as it says, and gives the largest exit code.
    fn jobs(&self, module: &InstancePre<Guest>, executions: &Path) -> Result<i32, Error> {
        if self.case.jobs == 1 {
            return self.execution(module, &executions.join("e-0"));
        }
        let next = AtomicU32::new(0);
        let work = || {
            let mut largest = 0;
            loop {
                let job = next.fetch_add(1, Ordering::Relaxed);
                if job >= self.case.jobs {
                    return Ok(largest);
                }
                largest = largest.max(self.execution(module, &executions.join(format!("e-{job}")))?);
            }
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..self.case.in_flight).map(|_| scope.spawn(work)).collect();
            workers.into_iter().try_fold(0_i32, |largest, worker| match worker.join() {
                Ok(code) => Ok(largest.max(code?)),
                Err(_) => Err(Error::peer(NAME, "a worker panicked")),
            })
        })
    }

    fn execution(&self, module: &InstancePre<Guest>, folder: &Path) -> Result<i32, Error> {
        let results = folder.join("results");
        std::fs::create_dir(folder).map_err(Error::io("create", folder))?;
        std::fs::create_dir(&results).map_err(Error::io("create", &results))?;
        let guest = Guest {
            args: std::iter::once(String::new()).chain(self.case.args.iter().cloned()).collect(),
            env: self.case.env.iter().map(|(key, value)| format!("{key}={value}")).collect(),
            stdout: create(results.join("stdout"))?,
            stderr: create(results.join("stderr"))?,
            log: create(folder.join("log"))?,
            limits: StoreLimitsBuilder::new().memory_size(MEMORY_BYTES_MAX).build(),
        };
        let mut store = Store::new(&self.engine, guest);
        store.limiter(|guest| &mut guest.limits);
        store.set_epoch_deadline(1);
        let ended = module
            .instantiate(&mut store)
            .and_then(|instance| instance.get_typed_func::<(), ()>(&mut store, "_start"))
            .and_then(|start| start.call(&mut store, ()));
        let exit_code = match ended {
            Ok(()) => 0,
            Err(error) => match error.downcast_ref::<Exit>() {
                Some(Exit(code)) => *code,
                None => return Err(Error::peer(NAME, format!("{error:#}"))),
            },
        };
        write(results.join("exitCode"), exit_code.to_string().as_bytes())?;
        write(folder.join("receipt.json"), self.receipt.as_bytes())?;
        Ok(exit_code)
    }
}

fn create(path: PathBuf) -> Result<File, Error> {
    File::create(&path).map_err(Error::io("create", path))
}

fn write(path: PathBuf, bytes: &[u8]) -> Result<(), Error> {
    create(path.clone())?.write_all(bytes).map_err(Error::io("write", path))
}

/// Of the workspace's lock file; wasmtime does not say it at run time.
const WASMTIME_VERSION: &str = "48";

#[cfg(test)]
mod tests;
