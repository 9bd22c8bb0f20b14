//! After the engine: results are completed, hashed, and put on record.

use std::fs;
use std::io;
use std::sync::{Arc, LazyLock};

use frogfish_verifier::unixfs::FolderHasher;
use frogfish_verifier::{
    Cid, Digest, HamtBoundary, HashOptions, Hashed, Manifest, Profile, hash_files, hash_path,
};

use crate::blocking;
use crate::capture::{Captured, StreamEnd};
use crate::engine::{EngineEnd, Usage};
use crate::failure::{Failure, ReasonCode};
use crate::journal;
use crate::results::ResultsFolder;
use crate::runner::line::{Left, Line};
use crate::runner::live::Live;
use crate::runner::outcome::Outcome;
use crate::runner::receipt;
use crate::state::State;

/// The file of a receipt, in the execution's folder.
pub(crate) const RECEIPT: &str = "receipt.json";

/// What the journal knows while results are being gathered.
pub(super) fn pending(end: &EngineEnd) -> journal::Outcome {
    journal::Outcome {
        exit_code: end.exit_code,
        failure: end.failure.clone(),
        instruction_count: end.instruction_count,
        usage: end.usage,
        ..journal::Outcome::default()
    }
}

/// Where an execution ends that failed so, or did not.
pub(super) fn end_state(failure: Option<&Failure>) -> State {
    match failure {
        None => State::Completed,
        Some(failure) if failure.code == ReasonCode::ExecutionCancelled => State::Cancelled,
        Some(_) => State::Failed,
    }
}

/// Completes the results, hashes them and writes the receipt.
pub(super) async fn collect(line: &Line, left: Left) -> Outcome {
    let Left { end, results, capture, inputs } = left;
    if let Some(failure) = &end.failure {
        // A note that cannot be written is in the capture's own failure.
        let _ = capture.note(&format!("{failure}\n"));
    }
    let captured = capture.finish();
    let mut failure = end.failure.clone().or_else(|| captured.failure.clone());
    let exit_code = end.exit_code.unwrap_or(-1);
    let (folder, entries_max) = (results.clone(), line.shared.limits.result_entries_max);
    let finish = move || folder.finish(Some(exit_code), entries_max);
    // Counting what is in outputs takes as long as there is much; without any it is one small file.
    let finished = if results.may_hold_more() { blocking::run(finish).await } else { finish() };
    if let Err(error) = finished {
        failure.get_or_insert_with(|| error.into());
    }
    let hashed = match hash(&results, &captured, exit_code).await {
        Ok(hashed) => Some(hashed),
        Err(error) => {
            failure.get_or_insert(error);
            None
        }
    };
    let mut outcome = Outcome {
        execution_id: line.live.id.clone(),
        job_id: line.live.job_id.clone(),
        state: end_state(failure.as_ref()),
        exit_code,
        failure,
        cid: hashed.as_ref().map_or_else(|| NOTHING.0, |hashed| hashed.cid),
        manifest: hashed.as_ref().map_or(NOTHING.1, |hashed| hashed.root),
        results: Some(results.path().to_owned()),
        receipt_path: None,
        receipt: None,
        output: Some(captured),
        instruction_count: end.instruction_count,
        usage: end.usage,
        _guard: line.live.guard.clone(),
    };
    let receipt = receipt::make(line, &outcome, &end, hashed.as_ref(), &inputs);
    let path = line.live.folder.join(RECEIPT);
    match receipt.to_json().map_err(io::Error::from).and_then(|json| fs::write(&path, json)) {
        Ok(()) => outcome.receipt_path = Some(path),
        Err(error) => {
            let message = format!("writing the receipt {}: {error}", path.display());
            outcome.failure.get_or_insert_with(|| Failure::new(ReasonCode::ResultsError, message));
            outcome.state = end_state(outcome.failure.as_ref());
        }
    }
    outcome.receipt = Some(Arc::new(receipt));
    outcome
}

/// Hashes the results: from memory where everything in them is at hand, which nobody else could have changed.
async fn hash(results: &ResultsFolder, captured: &Captured, exit_code: i64) -> Result<Hashed, Failure> {
    let options = HashOptions::default().with_entries(false);
    let failed = |error| Failure::new(ReasonCode::ResultsError, format!("hashing the results: {error}"));
    if let (false, Some(stdout), Some(stderr)) =
        (results.may_hold_more(), whole(&captured.stdout), whole(&captured.stderr))
    {
        let exit_code = exit_code.to_string();
        let files = [(&b"stdout"[..], stdout), (b"stderr", stderr), (b"exitCode", exit_code.as_bytes())];
        return hash_files(&files, &options).map_err(failed);
    }
    let folder = results.path().to_owned();
    blocking::run(move || hash_path(&folder, &options)).await.map_err(failed)
}

/// A result file's content, if the capture has it in memory.
fn whole(stream: &StreamEnd) -> Option<&[u8]> {
    (stream.bytes_kept == stream.bytes_total && stream.summary.len() as u64 == stream.bytes_kept)
        .then_some(&stream.summary[..])
}

/// The outcome of an execution that left nothing.
pub(super) fn without_results(live: &Live, state: State, failure: Failure) -> Outcome {
    Outcome {
        execution_id: live.id.clone(),
        job_id: live.job_id.clone(),
        state,
        exit_code: -1,
        failure: Some(failure),
        cid: NOTHING.0,
        manifest: NOTHING.1,
        results: None,
        receipt_path: None,
        receipt: None,
        output: None,
        instruction_count: None,
        usage: Usage::default(),
        _guard: None,
    }
}

/// CID and manifest root of a folder with nothing in it.
static NOTHING: LazyLock<(Cid, Digest)> = LazyLock::new(|| {
    let folder = FolderHasher::new(Profile::default(), HamtBoundary::default()).finish();
    let manifest = Manifest::new(Profile::default(), Vec::new());
    let link = folder.expect("a folder without entries is one block");
    (link.cid(), manifest.expect("a manifest without entries is in order").root())
});

/// What the journal keeps of an outcome.
pub(super) fn record(outcome: &Outcome) -> journal::Outcome {
    let ran = outcome.results.is_some();
    journal::Outcome {
        exit_code: (ran && outcome.exit_code >= 0).then_some(outcome.exit_code),
        failure: outcome.failure.clone(),
        cid: ran.then(|| outcome.cid.to_string()),
        manifest_root: ran.then_some(outcome.manifest),
        results: outcome.results.clone(),
        receipt: outcome.receipt_path.clone(),
        summary: outcome.output.as_ref().map(summary).unwrap_or_default(),
        instruction_count: outcome.instruction_count,
        usage: outcome.usage,
        published: None,
        publish_error: None,
    }
}

fn summary(captured: &Captured) -> journal::Summary {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    journal::Summary {
        stdout: text(&captured.stdout.summary),
        stdout_truncated: captured.stdout.summary_truncated,
        stderr: text(&captured.stderr.summary),
        stderr_truncated: captured.stderr.summary_truncated,
    }
}
