//! One execution, from left to right: the task that owns it.
//!
//! ```text
//! queue ─► prepare ─► run ─► collect ─► end
//! ```
//! Each step writes its edge to the journal before it announces it. A step that fails ends the
//! line: before the engine ran directly, afterwards through `Collecting`, so that output is kept.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::capacity::{Amounts, Held};
use crate::capture::Capture;
use crate::engine::{Engine, EngineEnd, EngineRun, Mount, OutputMount};
use crate::execution::{Execution, Prepared};
use crate::failure::{Failure, ReasonCode};
use crate::journal::{Change, Edge, Notes, Patch, Reservation};
use crate::results::ResultsFolder;
use crate::runner::live::Live;
use crate::runner::phases::{Phase, Phases};
use crate::runner::shared::{Shared, remove_tree};
use crate::runner::{collect, prepare};
use crate::spec::Resources;
use crate::state::State;
use crate::stop::StopReason;

/// Where an execution enters the line.
pub(super) enum Entry {
    /// At the beginning.
    Whole {
        /// Capacity that was reserved for it before.
        held: Option<Held>,
    },
    /// At the engine, with folders that somebody else prepared.
    Prepared(Box<Prepared>),
}

/// Everything that the owning task knows.
pub(super) struct Line {
    pub(super) shared: Arc<Shared>,
    pub(super) live: Arc<Live>,
    pub(super) execution: Execution,
    pub(super) engine: Arc<dyn Engine>,
    pub(super) resources: Resources,
    pub(super) amounts: Amounts,
    pub(super) phases: Phases,
}

/// What the engine left, to be collected.
pub(super) struct Left {
    pub(super) end: EngineEnd,
    pub(super) results: ResultsFolder,
    pub(super) capture: Arc<Capture>,
    pub(super) inputs: Vec<prepare::Identified>,
}

/// What must be there before the engine starts.
pub(super) struct Ready {
    results: ResultsFolder,
    capture: Arc<Capture>,
    mounts: Vec<Mount>,
    inputs: Vec<prepare::Identified>,
    outputs: Vec<OutputMount>,
    env: BTreeMap<String, String>,
    held: Option<Held>,
}

impl Line {
    /// Takes the execution to its end.
    pub(super) async fn run(mut self, entry: Entry) {
        let ended = match entry {
            Entry::Whole { held } => self.whole(held).await,
            Entry::Prepared(prepared) => self.prepared(*prepared).await,
        };
        if let Err(failure) = ended {
            self.end_early(failure).await;
        }
    }

    async fn whole(&mut self, held: Option<Held>) -> Result<(), Failure> {
        let held = match held {
            Some(held) => held,
            None => self.queue().await?,
        };
        self.phases.enter(Phase::Prepare, self.shared.clock.monotonic());
        let reservation = Reservation::new(held.amounts());
        let patch = Patch {
            reservation: Change::Set(reservation),
            folder: Change::Set(self.live.folder.clone()),
            ..Patch::default()
        };
        self.step(State::Preparing, patch).await?;
        let ready = self.prepare(held).await?;
        self.execute(ready).await
    }

    async fn prepared(&mut self, prepared: Prepared) -> Result<(), Failure> {
        self.phases.enter(Phase::Prepare, self.shared.clock.monotonic());
        let patch = Patch { folder: Change::Set(self.live.folder.clone()), ..Patch::default() };
        self.step(State::Preparing, patch).await?;
        fs::create_dir_all(&prepared.results)
            .map_err(|error| host("making the results folder", &prepared.results, &error))?;
        let names = self.output_names();
        let results =
            ResultsFolder::adopt(&self.live.folder, &prepared.results, names.iter().map(String::as_str))?;
        let mut env = self.env()?;
        env.extend(prepared.env);
        let mut outputs = self.output_mounts(&results);
        outputs.extend(prepared.outputs);
        let capture = self.capture(&results)?;
        let inputs = Vec::new();
        let ready = Ready { results, capture, mounts: prepared.inputs, inputs, outputs, env, held: None };
        self.execute(ready).await
    }

    /// Waits until the execution's share of the host is free.
    async fn queue(&mut self) -> Result<Held, Failure> {
        let (stop, timeouts) = (self.live.stop.clone(), self.execution.job.task.timeouts);
        let priority = i32::try_from(self.execution.job.priority).unwrap_or(i32::MAX);
        let waiting =
            self.shared.capacity.queue(&self.amounts, priority).map_err(|shortage| shortage.to_failure())?;
        let limit = if timeouts.queue.is_zero() { Duration::MAX } else { timeouts.queue };
        tokio::select! {
            biased;
            held = waiting => held.map_err(|shortage| shortage.to_failure()),
            reason = stop.requested() => Err(reason.to_failure()),
            () = tokio::time::sleep(limit), if limit != Duration::MAX => Err(Failure::new(
                ReasonCode::QueueTimedOut,
                format!("Execution timed out in the queue after {}", go_duration(limit)),
            )),
        }
    }

    async fn prepare(&mut self, held: Held) -> Result<Ready, Failure> {
        let names = self.output_names();
        let results = ResultsFolder::create(&self.live.folder, names.iter().map(String::as_str))?;
        let capture = self.capture(&results)?;
        let env = self.env()?;
        let stop = self.live.stop.clone();
        let inputs = tokio::select! {
            biased;
            inputs = prepare::inputs(&self.shared, &self.execution, &self.live.folder) => inputs?,
            reason = stop.requested() => return Err(reason.to_failure()),
        };
        let mounts = inputs.iter().map(|input| input.mount.clone()).collect();
        let outputs = self.output_mounts(&results);
        Ok(Ready { results, capture, mounts, inputs, outputs, env, held: Some(held) })
    }

    async fn execute(&mut self, ready: Ready) -> Result<(), Failure> {
        if let Some(reason) = self.live.stop.reason() {
            return Err(reason.to_failure());
        }
        self.phases.enter(Phase::Run, self.shared.clock.monotonic());
        self.step(State::Running, Patch::default()).await?;
        let task = &self.execution.job.task;
        let run = EngineRun {
            execution_id: self.live.id.clone(),
            job_id: self.live.job_id.clone(),
            engine: task.engine.clone(),
            env: ready.env,
            inputs: ready.mounts,
            outputs: ready.outputs,
            network: task.network.clone(),
            resources: self.resources,
            determinism: self.execution.determinism,
            limits: self.shared.limits.clone(),
            capture: ready.capture.clone(),
            stop: self.live.stop.clone(),
        };
        let timer = self.start_timer(task.timeouts.execution_limit());
        let end = self.engine.run(run).await;
        if let Some(timer) = timer {
            timer.abort();
        }
        let left = Left { end, results: ready.results, capture: ready.capture, inputs: ready.inputs };
        self.collect(left, ready.held).await
    }

    /// A service or daemon has no end of its own; everything else stops when its time is over.
    fn start_timer(&self, limit: Option<Duration>) -> Option<tokio::task::JoinHandle<()>> {
        let limit = limit.filter(|_| !self.execution.job.job_type.is_long_running())?;
        let stop = self.live.stop.clone();
        Some(tokio::spawn(async move {
            tokio::time::sleep(limit).await;
            stop.request(StopReason::TimedOut {
                after_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
            });
        }))
    }

    async fn collect(&mut self, left: Left, held: Option<Held>) -> Result<(), Failure> {
        self.phases.enter(Phase::Collect, self.shared.clock.monotonic());
        let pending = collect::pending(&left.end);
        self.step(State::Collecting, Patch { outcome: Change::Set(pending), ..Patch::default() }).await?;
        let outcome = collect::collect(self, left).await;
        // The host is free again only now: nothing of the execution runs or is being read any more.
        drop(held);
        self.announce_end(outcome).await
    }

    async fn announce_end(&mut self, outcome: crate::Outcome) -> Result<(), Failure> {
        let state = outcome.state;
        let record = collect::record(&outcome);
        let patch = Patch { outcome: Change::Set(record), reservation: Change::Clear, ..Patch::default() };
        let at = self.commit(state, patch).await?;
        self.shared.retire(&self.live.id).await;
        self.live.announce_end(state, at, Arc::new(outcome));
        Ok(())
    }

    /// Ends an execution that never ran, or whose record cannot be written any more.
    async fn end_early(&mut self, failure: Failure) {
        let state = collect::end_state(Some(&failure));
        let outcome = collect::without_results(&self.live, state, failure);
        if let Some(capture) = self.live.capture.get() {
            // Followers must come to an end too.
            let _ = capture.note(&outcome.failure.as_ref().map(ToString::to_string).unwrap_or_default());
            capture.finish();
        }
        // Nothing will read them: what was stored for an execution that never ran goes at once.
        let _ = remove_tree(&self.live.folder.join(crate::inputs::INPUTS));
        let patch = Patch {
            outcome: Change::Set(collect::record(&outcome)),
            reservation: Change::Clear,
            ..Patch::default()
        };
        let from = self.live.state();
        if from.may_become(state)
            && let Err(error) = self.commit(state, patch).await
        {
            tracing::error!(execution = %self.live.id, %error, "the end of an execution could not be recorded");
        }
        let at = self.shared.clock.wall();
        self.shared.retire(&self.live.id).await;
        self.live.announce_end(state, at, Arc::new(outcome));
    }

    /// Journals an edge, then announces it.
    async fn step(&self, to: State, patch: Patch) -> Result<(), Failure> {
        let at = self.commit(to, patch).await?;
        self.live.announce(to, at);
        Ok(())
    }

    async fn commit(&self, to: State, patch: Patch) -> Result<Duration, Failure> {
        let at = self.shared.clock.wall();
        let edge = Edge::step(self.live.id.clone(), self.live.state(), to, at).with(patch);
        self.shared.journal.commit(edge, Notes::none()).await.map_err(|error| {
            Failure::new(
                ReasonCode::Internal,
                format!("recording that execution {} is {to}: {error}", self.live.id),
            )
        })?;
        Ok(at)
    }

    fn capture(&self, results: &ResultsFolder) -> Result<Arc<Capture>, Failure> {
        let capture = Capture::create(results, self.shared.clock.clone(), self.shared.limits.clone())
            .map_err(|error| host("creating the log in", &self.live.folder, &error))?;
        let capture = Arc::new(capture);
        let _ = self.live.capture.set(capture.clone());
        self.live.touch();
        Ok(capture)
    }

    fn env(&self) -> Result<BTreeMap<String, String>, Failure> {
        prepare::env(&self.shared, &self.execution)
    }

    fn output_names(&self) -> Vec<String> {
        self.execution.job.task.result_paths.iter().map(|path| path.name.clone()).collect()
    }

    fn output_mounts(&self, results: &ResultsFolder) -> Vec<OutputMount> {
        let mount = |path: &crate::spec::ResultPath| OutputMount {
            name: path.name.clone(),
            target: path.path.clone(),
            source: results.path().join(&path.name),
        };
        self.execution.job.task.result_paths.iter().map(mount).collect()
    }
}

fn go_duration(duration: Duration) -> crate::spec::GoDuration {
    crate::spec::GoDuration::from_std(duration)
}

fn host(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Failure {
    Failure::new(ReasonCode::Internal, format!("{doing} {}: {error}", path.display()))
}

/// The folder of an execution below an instance's.
pub(super) fn folder_of(executions: &std::path::Path, id: &crate::ExecutionId) -> PathBuf {
    executions.join(id.as_str())
}
