//! What was run and what came of it, for others to check.

use std::collections::BTreeMap;

use frogfish_verifier::receipt::{
    Claim, ClaimInput, Determinism, DeterminismLevel, Observation, Outcome as ClaimedOutcome, Program,
    Receipt, Truncation, Usage,
};
use frogfish_verifier::{HamtBoundary, Hashed, Profile};
use serde_json::{Value, json};

use crate::clock::rfc3339_nanos;
use crate::engine::{self, EngineEnd};
use crate::runner::line::Line;
use crate::runner::outcome::Outcome;
use crate::runner::phases::Phase;
use crate::runner::prepare::Identified;

/// The receipt of an execution that ran.
pub(super) fn make(
    line: &Line,
    outcome: &Outcome,
    end: &EngineEnd,
    hashed: Option<&Hashed>,
    inputs: &[Identified],
) -> Receipt {
    Receipt::new(claim(line, outcome, end, hashed, inputs), observation(line, end, hashed))
}

fn claim(
    line: &Line,
    outcome: &Outcome,
    end: &EngineEnd,
    hashed: Option<&Hashed>,
    inputs: &[Identified],
) -> Claim {
    let job = claimed_job(line);
    let output = outcome.output.as_ref();
    let claim = |input: &Identified| ClaimInput {
        source_type: input.source_type.clone(),
        target: input.mount.target.clone(),
        content: input.content,
    };
    Claim {
        job_digest: frogfish_verifier::canonical::digest(&job)
            .unwrap_or_else(|_| frogfish_verifier::Digest::of(b"")),
        job,
        engine: line.engine.engine_type().to_owned(),
        program: end.code.first().map(|code| Program::Module(code.digest)),
        inputs: inputs.iter().map(claim).collect(),
        determinism: determinism(line.execution.determinism),
        outcome: ClaimedOutcome {
            state: outcome.state.as_str().to_owned(),
            exit_code: end.exit_code,
            reason_code: outcome.failure.as_ref().map(|failure| failure.code.as_str().to_owned()),
            reproducible: end.reproducible,
        },
        truncated: Truncation {
            stdout: output.is_some_and(|output| output.stdout.truncated),
            stderr: output.is_some_and(|output| output.stderr.truncated),
            outputs: false,
        },
        instruction_count: end.instruction_count,
        cid: hashed.map(|hashed| hashed.cid),
        manifest: hashed.map(|hashed| hashed.root),
        profile: Profile::default(),
        hamt_boundary: HamtBoundary::default(),
    }
}

/// The part of the job that decides what it computes: names, sources and publishers do not.
fn claimed_job(line: &Line) -> Value {
    let task = &line.execution.job.task;
    let outputs: Vec<Value> =
        task.result_paths.iter().map(|path| json!({"Name": path.name, "Path": path.path})).collect();
    json!({
        "Engine": task.engine,
        "Env": task.env,
        "Network": task.network,
        "Partition": {"Count": line.execution.partition.count, "Index": line.execution.partition.index},
        "Resources": task.resources,
        "ResultPaths": outputs,
        "Timeouts": task.timeouts,
    })
}

fn determinism(determinism: engine::Determinism) -> Determinism {
    let level = match determinism.level {
        engine::DeterminismLevel::None => DeterminismLevel::None,
        engine::DeterminismLevel::Machine => DeterminismLevel::Machine,
        engine::DeterminismLevel::Class => DeterminismLevel::Class,
        engine::DeterminismLevel::Anywhere => DeterminismLevel::Anywhere,
    };
    let settings = if determinism.is_on() { settings(determinism) } else { BTreeMap::new() };
    Determinism { level, settings }
}

fn settings(determinism: engine::Determinism) -> BTreeMap<String, Value> {
    [
        ("clock", json!("virtual")),
        ("fuel_schedule", json!("wasmtime-48")),
        ("nan", json!("canonical")),
        ("network", json!("none")),
        ("randomness", json!("seeded")),
        ("relaxed_simd", json!("deterministic")),
        ("seed", json!(determinism.seed.to_string())),
        ("threads", json!("none")),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn observation(line: &Line, end: &EngineEnd, hashed: Option<&Hashed>) -> Observation {
    let shared = &line.shared;
    let now = shared.clock.monotonic();
    let finished = shared.clock.wall();
    let took = |phase| line.phases.took(phase, now);
    let micros = |duration: std::time::Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    let durations_us = [
        ("queue", took(Phase::Queue)),
        ("prepare", took(Phase::Prepare)),
        ("run", took(Phase::Run)),
        ("collect", took(Phase::Collect)),
    ]
    .into_iter()
    .filter_map(|(name, took)| Some((name.to_owned(), micros(took?))))
    .collect();
    let versions = [
        ("frogfish".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("engine".to_owned(), line.engine.version()),
    ];
    Observation {
        execution_id: line.live.id.to_string(),
        job_id: line.live.job_id.to_string(),
        instance: shared.home.id().to_string(),
        host: shared.host.clone(),
        versions: versions.into(),
        started_at: rfc3339_nanos(finished.saturating_sub(now.saturating_sub(line.phases.first()))),
        finished_at: rfc3339_nanos(finished),
        durations_us,
        usage: Usage {
            cpu_time_us: end.usage.cpu_us,
            memory_peak_bytes: end.usage.memory_peak_bytes,
            input_bytes: None,
            result_bytes: hashed.map(|hashed| hashed.bytes),
        },
        hidden: hashed.map(|hashed| hashed.hidden.clone()).unwrap_or_default(),
        hidden_count: hashed.map_or(0, |hashed| hashed.hidden_count),
        job: serde_json::to_value(&line.execution.job).ok(),
        ..Observation::default()
    }
}
