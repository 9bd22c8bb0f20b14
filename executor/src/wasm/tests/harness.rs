//! One job over temporary folders, run to its end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use frogfish_fixtures::guests::Guest;
use tempfile::TempDir;

use crate::capture::Capture;
use crate::clock::SystemClock;
use crate::engine::{Determinism, Engine, EngineEnd, EngineRun, Mount, OutputMount};
use crate::failure::{Failure, ReasonCode};
use crate::limits::Limits;
use crate::results::ResultsFolder;
use crate::spec::{ByteSize, EngineSpec, NetworkConfig, Resources, WasmParams};
use crate::stop::Stop;
use crate::wasm::{WasmConfig, WasmEngine};

/// How long anything may take that should happen at once.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

pub(super) fn engine() -> WasmEngine {
    WasmEngine::new(WasmConfig::default()).unwrap()
}

pub(super) struct Job {
    pub(super) dir: TempDir,
    pub(super) engine: WasmEngine,
    pub(super) params: WasmParams,
    pub(super) env: BTreeMap<String, String>,
    pub(super) inputs: Vec<Mount>,
    outputs: Vec<(String, String)>,
    pub(super) memory: u64,
    pub(super) determinism: Determinism,
    pub(super) limits: Limits,
    pub(super) stop: Stop,
}

pub(super) struct Ran {
    pub(super) end: EngineEnd,
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) results: PathBuf,
    /// Whatever the job's folders hold stays while this does.
    pub(super) dir: TempDir,
}

impl Ran {
    pub(super) fn failure(&self) -> &Failure {
        self.end
            .failure
            .as_ref()
            .unwrap_or_else(|| panic!("it did not fail: {:?}, stderr {}", self.end, self.stderr))
    }

    /// Checks that the program came to its own end, with this exit code.
    #[track_caller]
    pub(super) fn exits(&self, code: i64) -> &Self {
        assert_eq!(
            (self.end.exit_code, &self.end.failure),
            (Some(code), &None),
            "{} {}",
            self.stdout,
            self.stderr
        );
        self
    }

    #[track_caller]
    pub(super) fn fails(&self, code: ReasonCode, text: &str) -> &Self {
        let failure = self.failure();
        assert_eq!(failure.code, code, "{failure:?}");
        assert!(failure.message.contains(text), "{failure:?}");
        self
    }

    pub(super) fn output(&self, path: &str) -> String {
        std::fs::read_to_string(self.results.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

impl Job {
    /// A job whose module `main.wasm` has these bytes.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        let mut job = Self {
            dir: tempfile::tempdir().unwrap(),
            engine: engine(),
            params: WasmParams::default(),
            env: BTreeMap::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            memory: 0,
            determinism: Determinism::default(),
            limits: Limits::default(),
            stop: Stop::new(),
        };
        job.params.entry_module = "main.wasm".to_owned();
        job.file("main.wasm", bytes)
    }

    pub(super) fn of(guest: Guest) -> Self {
        Self::of_bytes(&guest.bytes())
    }

    pub(super) fn wat(text: &str) -> Self {
        Self::of_bytes(&wat::parse_str(text).unwrap())
    }

    /// A new host file or folder of the job, outside its results.
    pub(super) fn host(&self, name: &str) -> PathBuf {
        self.dir.path().join("host").join(name)
    }

    /// An input file with these bytes.
    pub(super) fn file(self, target: &str, bytes: &[u8]) -> Self {
        let source = self.host(&format!("file-{}", self.inputs.len()));
        std::fs::create_dir_all(source.parent().unwrap()).unwrap();
        std::fs::write(&source, bytes).unwrap();
        self.input(&source, target)
    }

    /// An input folder with these files.
    pub(super) fn folder(self, target: &str, files: &[(&str, &[u8])]) -> Self {
        let source = self.host(&format!("folder-{}", self.inputs.len()));
        std::fs::create_dir_all(&source).unwrap();
        for (name, bytes) in files {
            let path = source.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        self.input(&source, target)
    }

    pub(super) fn input(mut self, source: &Path, target: &str) -> Self {
        self.inputs.push(Mount { source: source.to_owned(), target: target.to_owned(), read_only: true });
        self
    }

    pub(super) fn output(mut self, name: &str, target: &str) -> Self {
        self.outputs.push((name.to_owned(), target.to_owned()));
        self
    }

    pub(super) fn args(mut self, args: &[&str]) -> Self {
        self.params.parameters = args.iter().map(|arg| (*arg).to_owned()).collect();
        self
    }

    pub(super) fn env(mut self, key: &str, value: &str) -> Self {
        self.env.insert(key.to_owned(), value.to_owned());
        self
    }

    pub(super) fn entry(mut self, module: &str) -> Self {
        self.params.entry_module = module.to_owned();
        self
    }

    pub(super) fn entrypoint(mut self, name: &str) -> Self {
        self.params.entrypoint = name.to_owned();
        self
    }

    pub(super) fn imports(mut self, paths: &[&str]) -> Self {
        self.params.import_modules = paths.iter().map(|path| (*path).to_owned()).collect();
        self
    }

    pub(super) fn memory(mut self, bytes: u64) -> Self {
        self.memory = bytes;
        self
    }

    pub(super) fn deterministic(mut self, seed: u64) -> Self {
        self.determinism = Determinism { seed, ..Determinism::anywhere() };
        self
    }

    pub(super) fn engine(mut self, engine: &WasmEngine) -> Self {
        self.engine = engine.clone();
        self
    }

    /// What the engine is given, and where the results are.
    pub(super) fn prepare(&self) -> (EngineRun, ResultsFolder) {
        // Names that the results folder would refuse are for the engine to refuse here.
        let named: Vec<_> =
            self.outputs.iter().map(|(name, _)| name.as_str()).filter(|name| !name.is_empty()).collect();
        let results = ResultsFolder::create(self.dir.path().join("execution"), named).unwrap();
        let limits = Arc::new(self.limits.clone());
        let capture = Capture::create(&results, Arc::new(SystemClock::new()), limits.clone()).unwrap();
        let outputs = self.outputs.iter().map(|(name, target)| OutputMount {
            name: name.clone(),
            target: target.clone(),
            source: results.output_path(name),
        });
        let resources = Resources { memory: ByteSize::from_bytes(self.memory), ..Resources::default() };
        let run = EngineRun {
            execution_id: "e-1".parse().unwrap(),
            job_id: "j-1".parse().unwrap(),
            engine: EngineSpec::Wasm(self.params.clone()),
            env: self.env.clone(),
            inputs: self.inputs.clone(),
            outputs: outputs.collect(),
            network: NetworkConfig::default(),
            resources,
            determinism: self.determinism,
            limits,
            capture: Arc::new(capture),
            stop: self.stop.clone(),
        };
        (run, results)
    }

    pub(super) fn run(self) -> Ran {
        self.run_while(|_, _| ())
    }

    /// Runs it, and meanwhile calls `beside` on a thread of its own.
    pub(super) fn run_while(self, beside: impl FnOnce(&Capture, &Stop) + Send) -> Ran {
        let (run, results) = self.prepare();
        let (capture, stop) = (run.capture.clone(), self.stop.clone());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let engine = self.engine.clone();
        let end = std::thread::scope(|scope| {
            scope.spawn(|| beside(&capture, &stop));
            runtime.block_on(async move { tokio::spawn(async move { engine.run(run).await }).await.unwrap() })
        });
        capture.finish();
        let read = |name: &str| std::fs::read(results.path().join(name)).unwrap_or_default();
        let text = |name| String::from_utf8_lossy(&read(name)).into_owned();
        Ran {
            end,
            stdout: text("stdout"),
            stderr: text("stderr"),
            results: results.path().to_owned(),
            dir: self.dir,
        }
    }
}

/// Waits until the program has written something.
pub(super) fn wait_for_output(capture: &Capture) {
    let (length, until) = (capture.length(), Instant::now() + PATIENCE);
    while length.borrow().bytes == 0 {
        assert!(Instant::now() < until, "the program wrote nothing");
        std::thread::yield_now();
    }
}

/// The lines of `NAME<tab>VALUE`, by name.
pub(super) fn table(text: &str) -> BTreeMap<&str, &str> {
    text.lines().filter_map(|line| line.split_once('\t')).collect()
}
