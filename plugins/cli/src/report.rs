//! How an execution ended, for people and for programs.

use std::path::PathBuf;

use frogfish::{Failure, Outcome};
use serde_json::{Map, Value, json};

use crate::files;
use crate::out;
use crate::problem::Problem;

/// An ended execution, and where what it left lies now.
pub(crate) struct Report {
    pub(crate) outcome: Outcome,
    pub(crate) results: Option<PathBuf>,
    pub(crate) receipt: Option<PathBuf>,
    /// Seconds that the results are kept; absent where they are the caller's.
    pub(crate) kept_s: Option<u64>,
}

impl Report {
    /// One execution as an object.
    fn to_map(&self) -> Map<String, Value> {
        let Self { outcome, results, receipt, .. } = self;
        let ran = outcome.results.is_some();
        let value = json!({
            "job_id": outcome.job_id,
            "execution_id": outcome.execution_id,
            "state": outcome.state.as_str(),
            "reason_code": outcome.failure.as_ref().map(|failure| failure.code.as_str()),
            "exit_code": (ran && outcome.exit_code >= 0).then_some(outcome.exit_code),
            "results": results.as_deref().map(files::text),
            "cid": ran.then(|| outcome.cid.to_string()),
            "manifest": ran.then(|| outcome.manifest.to_string()),
            "receipt": receipt.as_deref().map(files::text),
            "instruction_count": outcome.instruction_count,
            "error": outcome.failure.as_ref().map(error),
        });
        match value {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    /// Says on stderr how it ended and where what it left lies.
    pub(crate) fn say(&self) {
        if let Some(failure) = &self.outcome.failure {
            out::problem(&Problem::from(failure.clone()), false);
        }
        if let Some(output) = &self.outcome.output {
            for (name, end) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
                if end.truncated {
                    let (kept, total) = (end.bytes_kept, end.bytes_total);
                    out::say(&format!("warning: {name} was cut: {kept} of {total} bytes are in the results"));
                }
            }
        }
        if let Some(results) = &self.results {
            let kept = self.kept_s.map_or_else(String::new, |kept| {
                format!(" (kept for {}, until `frogfish prune`)", seconds_in_words(kept))
            });
            out::say(&format!("results: {}{kept}", results.display()));
            out::say(&format!("cid:     {}", self.outcome.cid));
        }
        if let Some(receipt) = &self.receipt {
            out::say(&format!("receipt: {}", receipt.display()));
        }
    }
}

fn error(failure: &Failure) -> Value {
    Problem::from(failure.clone()).to_value()
}

/// The executions of one job as the object that `--json` prints: the first partition's fields, and all of them.
pub(crate) fn to_value(reports: &[Report]) -> Value {
    let mut object = reports.first().map(Report::to_map).unwrap_or_default();
    object.insert(
        "executions".to_owned(),
        reports.iter().map(|report| Value::Object(report.to_map())).collect(),
    );
    Value::Object(object)
}

/// The object of a job that was never started.
pub(crate) fn never_started(problem: &Problem) -> Value {
    let reason =
        frogfish::ReasonCode::ALL.iter().map(|code| code.as_str()).find(|code| *code == problem.kind);
    json!({
        "job_id": null, "execution_id": null, "state": null, "reason_code": reason, "exit_code": null,
        "results": null, "cid": null, "manifest": null, "receipt": null, "instruction_count": null,
        "error": problem.to_value(), "executions": [],
    })
}

/// A time as people say it.
pub(crate) fn seconds_in_words(seconds: u64) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let (size, name) = units
        .into_iter()
        .find(|(size, _)| seconds >= *size && seconds.is_multiple_of(*size))
        .unwrap_or((1, "second"));
    let count = seconds / size;
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

/// A size as people say it.
pub(crate) fn bytes_in_words(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(size, _)| bytes >= *size) {
        Some((size, name)) => format!("{}.{} {name}", bytes / size, bytes % size * 10 / size),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_in_the_largest_unit_that_fits() {
        for (bytes, words) in
            [(0, "0 bytes"), (1_023, "1023 bytes"), (1_536, "1.5 KiB"), (3 << 30, "3.0 GiB")]
        {
            assert_eq!(bytes_in_words(bytes), words);
        }
    }

    #[test]
    fn times_are_said_in_the_largest_unit_that_fits() {
        for (seconds, words) in [
            (604_800, "7 days"),
            (86_400, "1 day"),
            (5_400, "90 minutes"),
            (61, "61 seconds"),
            (0, "0 seconds"),
        ] {
            assert_eq!(seconds_in_words(seconds), words);
        }
    }
}
