//! An engine that does what the job's parameters say, step by step: for tests of everything around engines.

use std::collections::VecDeque;
use std::fs;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use frogfish_verifier::Digest;
use serde::{Deserialize, Serialize};

use crate::capture::Stream;
use crate::engine::{CodeDigest, Engine, EngineEnd, EngineRun, Health};
use crate::execution::Execution;
use crate::failure::{Failure, ReasonCode};
use crate::id::ExecutionId;
use crate::spec::{EngineSpec, Job, ResultPath, SpecConfig, Task};
use crate::stop::Stop;

/// The engine type of [`ScriptedEngine`].
pub const ENGINE_SCRIPTED: &str = "scripted";

/// One step of a scripted program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Step {
    /// Prints to standard output.
    Stdout(String),
    /// Prints to standard error.
    Stderr(String),
    /// Prints every variable, a line `NAME=value` for each, sorted.
    PrintEnv,
    /// Prints the content of an input that is a file.
    Cat(String),
    /// Writes a file into an output.
    Write {
        /// The file's path, below an output's.
        path: String,
        /// What is in it.
        content: String,
    },
    /// Sleeps so many milliseconds, or until it is stopped.
    SleepMs(u64),
    /// Sleeps until it is stopped.
    Forever,
    /// Ends with a status.
    Exit(i64),
    /// Ends without one, for this reason.
    Fail(ReasonCode, String),
    /// Panics: an engine with a defect.
    Panic,
}

/// An engine that does what the job's parameters say.
#[derive(Debug, Default)]
pub struct ScriptedEngine {
    /// Executions that it ran, in order.
    ran: Mutex<Vec<ExecutionId>>,
    down: Mutex<Option<Failure>>,
}

impl ScriptedEngine {
    /// A healthy engine that ran nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// An execution of these steps, with this output if any is named.
    pub fn execution(steps: &[Step], outputs: &[(&str, &str)]) -> Execution {
        let mut params = serde_json::Map::new();
        params.insert("Steps".to_owned(), serde_json::to_value(steps).unwrap_or_default());
        let engine = EngineSpec::Other(SpecConfig { spec_type: ENGINE_SCRIPTED.to_owned(), params });
        let result_paths = outputs
            .iter()
            .map(|(name, path)| ResultPath { name: (*name).into(), path: (*path).into() })
            .collect();
        let task = Task { name: "main".to_owned(), engine, result_paths, ..Task::default() };
        Execution::new(Job { name: "scripted".to_owned(), count: 1, task, ..Job::default() })
    }

    /// Executions that it ran, in order.
    pub fn ran(&self) -> Vec<ExecutionId> {
        self.ran.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on it says that it is down, or ready again.
    pub fn set_down(&self, reason: Option<Failure>) {
        *self.down.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }
}

impl crate::conformance::engine::Programs for ScriptedEngine {
    fn prints(&self, out: &str, err: &str) -> Execution {
        Self::execution(&[Step::Stdout(out.into()), Step::Stderr(err.into()), Step::Exit(123)], &[])
    }

    fn waits(&self) -> Execution {
        Self::execution(&[Step::Stdout("begun\n".into()), Step::Forever], &[])
    }

    fn spins(&self) -> Execution {
        Self::execution(&[Step::Forever], &[])
    }

    fn prints_environment(&self) -> Execution {
        Self::execution(&[Step::PrintEnv], &[])
    }

    fn copies(&self, path: &str) -> Execution {
        Self::execution(&[Step::Cat(path.into())], &[])
    }

    fn writes(&self, path: &str, content: &str) -> Execution {
        Self::execution(&[Step::Write { path: path.into(), content: content.into() }], &[])
    }
}

fn steps_of(engine: &EngineSpec) -> Result<VecDeque<Step>, Failure> {
    let wrong =
        |why: String| Failure::new(ReasonCode::SpecError, format!("invalid scripted engine params: {why}"));
    let EngineSpec::Other(spec) = engine else { return Err(wrong("another engine's".to_owned())) };
    let steps = spec.params.get("Steps").cloned().unwrap_or_default();
    serde_json::from_value(steps).map_err(|error| wrong(error.to_string()))
}

#[async_trait]
impl Engine for ScriptedEngine {
    fn engine_type(&self) -> &'static str {
        ENGINE_SCRIPTED
    }

    fn version(&self) -> String {
        "scripted 1".to_owned()
    }

    async fn health(&self) -> Health {
        let down = self.down.lock().unwrap_or_else(PoisonError::into_inner).clone();
        down.map_or(Health::Ready, Health::Down)
    }

    async fn check(&self, task: &Task) -> Result<(), Failure> {
        steps_of(&task.engine).map(|_| ())
    }

    async fn run(&self, run: EngineRun) -> EngineEnd {
        self.ran.lock().unwrap_or_else(PoisonError::into_inner).push(run.execution_id.clone());
        let steps = match steps_of(&run.engine) {
            Ok(steps) => steps,
            Err(failure) => return EngineEnd::failed(failure),
        };
        let code = CodeDigest {
            name: ENGINE_SCRIPTED.to_owned(),
            digest: Digest::of(format!("{steps:?}").as_bytes()),
        };
        for step in steps {
            if let Some(end) = take(step, &run).await {
                return EngineEnd { code: vec![code], ..end };
            }
        }
        EngineEnd { code: vec![code], ..EngineEnd::exited(0) }
    }
}

/// Takes one step; an end if the program ends with it.
async fn take(step: Step, run: &EngineRun) -> Option<EngineEnd> {
    let print = |stream, bytes: &[u8]| run.capture.write(stream, bytes).map_err(|error| error.to_string());
    let done = match step {
        Step::Stdout(text) => print(Stream::Stdout, text.as_bytes()),
        Step::Stderr(text) => print(Stream::Stderr, text.as_bytes()),
        Step::PrintEnv => {
            let lines: Vec<String> =
                run.env.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
            print(Stream::Stdout, lines.concat().as_bytes())
        }
        Step::Cat(target) => cat(&target, run),
        Step::Write { path, content } => write(&path, &content, run),
        Step::SleepMs(ms) => return sleep(&run.stop, Some(Duration::from_millis(ms))).await,
        Step::Forever => return sleep(&run.stop, None).await,
        Step::Exit(code) => return Some(EngineEnd::exited(code)),
        Step::Fail(code, message) => return Some(EngineEnd::failed(Failure::new(code, message))),
        Step::Panic => panic!("the scripted engine was told to panic"),
    };
    done.err().map(|message| EngineEnd::failed(Failure::new(ReasonCode::Internal, message)))
}

fn cat(target: &str, run: &EngineRun) -> Result<(), String> {
    let input = run
        .inputs
        .iter()
        .find(|input| input.target.trim_start_matches('/') == target.trim_start_matches('/'));
    let input = input.ok_or_else(|| format!("no input at {target}"))?;
    let bytes = fs::read(&input.source).map_err(|error| error.to_string())?;
    run.capture.write(Stream::Stdout, &bytes).map_err(|error| error.to_string())
}

fn write(path: &str, content: &str, run: &EngineRun) -> Result<(), String> {
    let below =
        |target: &str| path.strip_prefix(target).and_then(|rest| rest.strip_prefix('/')).map(str::to_owned);
    let found = run.outputs.iter().find_map(|output| Some((output, below(&output.target)?)));
    let (output, file) = found.ok_or_else(|| format!("{path} is below no output"))?;
    fs::write(output.source.join(file), content).map_err(|error| error.to_string())
}

async fn sleep(stop: &Stop, duration: Option<Duration>) -> Option<EngineEnd> {
    let asleep = async {
        match duration {
            Some(duration) => tokio::time::sleep(duration).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        reason = stop.requested() => Some(EngineEnd::failed(reason.to_failure())),
        () = asleep => None,
    }
}
