//! `frogfish describe`: everything known about an execution.

use serde_json::{Map, Value, json};

use crate::args::Describe;
use crate::files;
use crate::instances::{self, Seen};
use crate::out;
use crate::problem::Problem;
use crate::receipts;
use crate::session;
use crate::settings::Settings;

pub(super) fn run(args: &Describe, settings: &Settings) -> Result<u8, Problem> {
    let root = &settings.data_dir.value;
    let found = session::small_runtime()?.block_on(instances::find(root, &args.id))?;
    // Of several executions of one job, the one that was made last.
    let Some(seen) = found.last() else { return Ok(0) };
    let others = found.len() - 1;
    if args.json {
        out::json(&Value::Object(to_map(seen)))?;
    } else {
        out::bytes(words(seen).as_bytes())?;
        if others > 0 {
            out::say(&format!("{others} more executions of this job: `frogfish ps --all` lists them"));
        }
    }
    Ok(0)
}

fn to_map(seen: &Seen) -> Map<String, Value> {
    let record = &seen.record;
    let outcome = record.outcome.as_ref();
    let Value::Object(mut map) = super::ps::to_value(seen) else { return Map::new() };
    let entered = record.entered.iter().map(|(state, at)| (state.as_str().to_owned(), json!(at.to_string())));
    let error = seen.failure().map(|failure| Problem::from(failure).to_value());
    let receipt = outcome.and_then(|outcome| outcome.receipt.clone()).filter(|path| path.exists());
    let durations = receipt.as_deref().and_then(|path| receipts::read(path).ok());
    let durations = durations.map(|receipt| receipt.observation.durations_us);
    let more = [
        ("entered", Value::Object(entered.collect())),
        ("durations_us", json!(durations)),
        ("error", json!(error)),
        ("cid", json!(outcome.and_then(|outcome| outcome.cid.clone()))),
        ("manifest", json!(outcome.and_then(|outcome| outcome.manifest_root))),
        ("instruction_count", json!(outcome.and_then(|outcome| outcome.instruction_count))),
        ("results", json!(seen.results().map(files::text))),
        ("receipt", json!(receipt.map(files::text))),
        ("log", json!(seen.log().filter(|path| path.exists()).map(files::text))),
        ("job", serde_json::from_str(record.job.get()).unwrap_or_default()),
    ];
    map.extend(more.map(|(name, value)| (name.to_owned(), value)));
    map
}

/// The same for people: one fact on a line, without what there is none of.
fn words(seen: &Seen) -> String {
    let map = to_map(seen);
    let mut rows = Vec::new();
    for (name, value) in &map {
        match (name.as_str(), value) {
            (_, Value::Null) | ("job", _) => {}
            ("entered", Value::Object(states)) => {
                rows.extend(states.iter().map(|(state, at)| vec![format!("  {state}"), plain(at)]));
            }
            ("durations_us", Value::Object(phases)) => {
                let phases = phases
                    .iter()
                    .filter_map(|(phase, took)| Some(format!("{phase} {:.3} ms", took.as_f64()? / 1_000.0)));
                rows.push(vec!["phases".to_owned(), phases.collect::<Vec<_>>().join(", ")]);
            }
            ("error", Value::Object(error)) => {
                for (name, part) in error.iter().filter(|(_, part)| !part.is_null()) {
                    let name = if name == "message" { "error" } else { name };
                    rows.push(vec![name.to_owned(), plain(part)]);
                }
            }
            (name, value) => rows.push(vec![name.replace('_', " "), plain(value)]),
        }
    }
    out::table(&rows)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), out::printable)
}
