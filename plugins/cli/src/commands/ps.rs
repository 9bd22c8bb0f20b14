//! `frogfish ps`: the executions below the data folder.

use frogfish::clock::{Clock as _, SystemClock};
use frogfish::journal::Filter;
use serde_json::{Value, json};

use crate::args::Ps;
use crate::files;
use crate::instances::{self, Seen};
use crate::out;
use crate::problem::Problem;
use crate::report::seconds_in_words;
use crate::session;
use crate::settings::Settings;

/// Characters of an ID that a table shows: enough to tell a few thousand apart.
const SHORT_ID: usize = 10;

pub(super) fn run(args: &Ps, settings: &Settings) -> Result<u8, Problem> {
    let filter = if args.all { Filter::all() } else { Filter::live() };
    let root = &settings.data_dir.value;
    let seen = session::small_runtime()?.block_on(instances::executions(root, &filter, !args.all))?;
    if args.json {
        out::json(&seen.iter().map(to_value).collect())?;
    } else {
        let head = ["EXECUTION", "JOB", "NAME", "STATE", "EXIT", "AGE"].map(str::to_owned).to_vec();
        let now = SystemClock::new().wall();
        let rows: Vec<_> = std::iter::once(head).chain(seen.iter().map(|seen| row(seen, now))).collect();
        out::bytes(out::table(&rows).as_bytes())?;
    }
    Ok(0)
}

/// An execution as the object of `ps --json`; `describe --json` adds to it.
pub(super) fn to_value(seen: &Seen) -> Value {
    let record = &seen.record;
    let outcome = record.outcome.as_ref().filter(|_| seen.state().is_terminal());
    json!({
        "execution_id": record.execution_id,
        "job_id": record.job_id,
        "name": seen.job_name(),
        "state": seen.state().as_str(),
        "reason_code": seen.failure().map(|failure| failure.code.as_str()),
        "exit_code": outcome.and_then(|outcome| outcome.exit_code),
        "created": record.created.to_string(),
        "modified": record.modified.to_string(),
        "instance": files::text(&seen.instance),
        "live": seen.live,
    })
}

fn row(seen: &Seen, now: std::time::Duration) -> Vec<String> {
    let record = &seen.record;
    let short = |id: &str| id.chars().take(SHORT_ID).collect::<String>();
    let outcome = record.outcome.as_ref().filter(|_| seen.state().is_terminal());
    let state = match seen.failure() {
        Some(failure) => format!("{} ({})", seen.state(), failure.code),
        None => seen.state().to_string(),
    };
    let age = now.saturating_sub(record.created.since_unix()).as_secs();
    // Seconds matter while there are few of them.
    let age = if age >= 3_600 {
        age - age % 3_600
    } else if age >= 60 {
        age - age % 60
    } else {
        age
    };
    vec![
        short(record.execution_id.as_str()),
        short(record.job_id.as_str()),
        out::printable(&seen.job_name()),
        state,
        outcome.and_then(|outcome| outcome.exit_code).map_or_else(|| "-".to_owned(), |code| code.to_string()),
        seconds_in_words(age),
    ]
}
