//! What every [`Engine`](crate::engine::Engine) keeps to, seen through a runner.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::engine::Health;
use crate::error::Error;
use crate::execution::Execution;
use crate::failure::ReasonCode;
use crate::id::ExecutionId;
use crate::logs::{LogOptions, LogStream};
use crate::runner::{Cancelled, Outcome, Runner};
use crate::state::State;

/// How long the suite waits for anything before it gives up.
const PATIENCE: Duration = Duration::from_mins(1);

/// The programs that the suite runs, in the engine's own form.
pub trait Programs {
    /// Prints `out` to standard output, `err` to standard error, and ends with status 123.
    fn prints(&self, out: &str, err: &str) -> Execution;
    /// Prints `begun` and a newline, and then waits for ever.
    fn waits(&self) -> Execution;
    /// Uses its processor for ever.
    fn spins(&self) -> Execution;
    /// Prints its environment, a line `NAME=value` for each.
    fn prints_environment(&self) -> Execution;
    /// Prints the file at a path.
    fn copies(&self, path: &str) -> Execution;
    /// Writes `content` to a path, and then ends with status 0.
    fn writes(&self, path: &str, content: &str) -> Execution;
}

/// Checks everything; `runner` has the engine, and `scratch` is an empty folder.
///
/// # Panics
/// Where the engine does not keep to its contract.
pub async fn check(runner: &Runner, programs: &dyn Programs, scratch: &Path) {
    is_healthy(runner).await;
    a_01_to_03_unknown_executions_are_named(runner).await;
    b_01_output_and_status_are_kept(runner, programs).await;
    a_05_a_06_an_ended_execution_is_not_started_again(runner, programs).await;
    a_starting_twice_leaves_the_first_alone(runner, programs).await;
    a_08_cancel_keeps_what_was_printed(runner, programs).await;
    a_cancel_ends_a_spinning_program(runner, programs).await;
    a_13_a_14_timeout_keeps_what_was_printed(runner, programs).await;
    l_17_lines_arrive_live(runner, programs).await;
    e_01_the_environment_is_the_tasks_and_the_systems(runner, programs).await;
    inputs_are_read_and_outputs_are_collected(runner, programs, scratch).await;
    equal_work_has_an_equal_claim(runner, programs).await;
}

async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work)
        .await
        .unwrap_or_else(|_| panic!("{what} took longer than {PATIENCE:?}"))
}

async fn run(runner: &Runner, execution: Execution) -> Outcome {
    let handle = runner.start(execution).await.expect("the execution starts");
    soon("an execution", handle.wait()).await.expect("the execution ends")
}

fn file(outcome: &Outcome, name: &str) -> String {
    let results = outcome.results.as_deref().expect("an execution that ran has results");
    let bytes = fs::read(results.join(name)).unwrap_or_else(|error| panic!("reading {name}: {error}"));
    String::from_utf8_lossy(&bytes).into_owned()
}

fn reason(outcome: &Outcome) -> Option<ReasonCode> {
    outcome.failure.as_ref().map(|failure| failure.code)
}

async fn is_healthy(runner: &Runner) {
    for (engine, _, health) in runner.health().await {
        assert_eq!(health, Health::Ready, "{engine}");
    }
}

async fn a_01_to_03_unknown_executions_are_named(runner: &Runner) {
    let nope = ExecutionId::try_new("nope").expect("a usable name");
    let waited = runner.wait(&nope).await.expect_err("A-01");
    assert_eq!(waited.code(), "ExecutionNotFound", "A-01");
    assert!(waited.to_string().contains("waiting on execution (nope)"), "A-01: {waited}");
    let cancelled = runner.cancel(&nope).expect_err("A-02");
    assert_eq!(cancelled.code(), "ExecutionNotFound", "A-02");
    assert!(cancelled.to_string().contains("canceling execution (nope)"), "A-02: {cancelled}");
    let logs = runner.logs(&nope, LogOptions::default()).await.expect_err("A-03");
    assert_eq!(logs.code(), "ExecutionNotFound", "A-03");
    assert!(logs.to_string().contains("getting outputs for execution (nope)"), "A-03: {logs}");
}

async fn b_01_output_and_status_are_kept(runner: &Runner, programs: &dyn Programs) {
    let outcome = run(runner, programs.prints("standard output", "standard error")).await;
    assert_eq!((outcome.state, outcome.exit_code), (State::Completed, 123), "B-01: {outcome:?}");
    assert_eq!(outcome.failure, None, "B-01");
    assert_eq!(file(&outcome, "stdout"), "standard output", "B-01");
    assert_eq!(file(&outcome, "stderr"), "standard error", "B-01");
    assert_eq!(file(&outcome, "exitCode"), "123", "B-01");
    let output = outcome.output.expect("an execution that ran has output");
    assert_eq!(output.stdout.summary, b"standard output", "B-01");
    assert!(!output.stdout.truncated && !output.stderr.truncated, "B-01");
}

async fn a_05_a_06_an_ended_execution_is_not_started_again(runner: &Runner, programs: &dyn Programs) {
    let execution = programs.prints("once", "");
    let first = run(runner, execution.clone()).await;
    let again = runner.start(execution).await.expect_err("A-05");
    assert!(matches!(again, Error::ExecutionAlreadyComplete(_)), "A-05: {again}");
    assert_eq!(again.code(), "ExecutionAlreadyComplete", "A-05");
    for _ in 0..2 {
        let waited = runner.wait(&first.execution_id).await.expect("A-06");
        assert_eq!((waited.cid, waited.exit_code), (first.cid, first.exit_code), "A-06");
    }
}

async fn a_starting_twice_leaves_the_first_alone(runner: &Runner, programs: &dyn Programs) {
    let execution = programs.waits();
    let handle = runner.start(execution.clone()).await.expect("the execution starts");
    let again = runner.start(execution).await.expect_err("the ID is taken");
    assert!(matches!(again, Error::ExecutionAlreadyStarted(_)), "{again}");
    assert!(!handle.state().is_terminal());
    handle.cancel();
    let outcome = soon("a cancel", handle.wait()).await.expect("it ends");
    assert_eq!(outcome.state, State::Cancelled);
}

async fn a_08_cancel_keeps_what_was_printed(runner: &Runner, programs: &dyn Programs) {
    let handle = runner.start(programs.waits()).await.expect("the execution starts");
    printed(runner, handle.id(), "begun\n").await;
    assert_eq!(handle.cancel(), Cancelled::Asked, "A-08");
    let outcome = soon("a cancel", handle.wait()).await.expect("A-08");
    assert_eq!(
        (outcome.state, reason(&outcome)),
        (State::Cancelled, Some(ReasonCode::ExecutionCancelled)),
        "A-08"
    );
    let message = outcome.failure.as_ref().map(ToString::to_string).unwrap_or_default();
    assert!(message.contains("already cancelled"), "A-08: {message}");
    assert_eq!(file(&outcome, "stdout"), "begun\n", "A-08");
    assert_eq!(handle.cancel(), Cancelled::AlreadyEnded(State::Cancelled), "A-08");
}

async fn a_cancel_ends_a_spinning_program(runner: &Runner, programs: &dyn Programs) {
    let handle = runner.start(programs.spins()).await.expect("the execution starts");
    soon("running", handle.reached(State::Running)).await.expect("it runs");
    handle.cancel();
    let outcome = soon("a cancel", handle.wait()).await.expect("it ends");
    assert_eq!(outcome.state, State::Cancelled);
}

async fn a_13_a_14_timeout_keeps_what_was_printed(runner: &Runner, programs: &dyn Programs) {
    let outcome = run(runner, programs.waits().timeout(Duration::from_millis(400))).await;
    assert_eq!(
        (outcome.state, reason(&outcome)),
        (State::Failed, Some(ReasonCode::ExecutionTimedOut)),
        "A-13"
    );
    let message = outcome.failure.as_ref().map(ToString::to_string).unwrap_or_default();
    assert!(message.contains("Execution timed out after 400ms"), "A-13: {message}");
    assert_eq!(file(&outcome, "stdout"), "begun\n", "A-14");
}

async fn l_17_lines_arrive_live(runner: &Runner, programs: &dyn Programs) {
    let handle = runner.start(programs.waits()).await.expect("the execution starts");
    printed(runner, handle.id(), "begun\n").await;
    assert_eq!(handle.state(), State::Running, "L-17: the line arrived before the end");
    handle.cancel();
    soon("a cancel", handle.wait()).await.expect("it ends");
}

/// Follows an execution's log until this was printed.
async fn printed(runner: &Runner, id: &ExecutionId, text: &str) {
    let options = LogOptions { follow: true, ..LogOptions::default() };
    let mut logs = soon("a log", runner.logs(id, options)).await.expect("the log is there");
    let mut found = Vec::new();
    while !found.ends_with(text.as_bytes()) {
        let entry = soon("a log entry", logs.next()).await.expect("the log is readable");
        let entry =
            entry.unwrap_or_else(|| panic!("the log ended after {:?}", String::from_utf8_lossy(&found)));
        if entry.stream == LogStream::Stdout {
            found.extend(entry.bytes);
        }
    }
}

async fn e_01_the_environment_is_the_tasks_and_the_systems(runner: &Runner, programs: &dyn Programs) {
    let execution = programs.prints_environment().env("FROG", "fish").env("EMPTY", "");
    let id = execution.id().to_string();
    let outcome = run(runner, execution).await;
    let stdout = file(&outcome, "stdout");
    for line in ["FROG=fish", "EMPTY=", "FROGFISH_PARTITION_INDEX=0", "FROGFISH_PARTITION_COUNT=1"] {
        assert!(stdout.lines().any(|found| found == line), "E-01: no {line:?} in {stdout:?}");
    }
    assert!(stdout.lines().any(|found| found == format!("FROGFISH_EXECUTION_ID={id}")), "E-01: {stdout:?}");
}

async fn inputs_are_read_and_outputs_are_collected(runner: &Runner, programs: &dyn Programs, scratch: &Path) {
    let source = scratch.join("input.txt");
    fs::write(&source, "from the host\n").expect("the scratch folder is writable");
    let outcome = run(runner, programs.copies("/data/file.txt").input(&source, "/data/file.txt")).await;
    assert_eq!((outcome.exit_code, file(&outcome, "stdout").as_str()), (0, "from the host\n"), "{outcome:?}");

    let outcome = run(runner, programs.writes("/out/made.txt", "by the job").output("made", "/out")).await;
    assert_eq!(outcome.exit_code, 0, "{outcome:?}");
    assert_eq!(file(&outcome, "made/made.txt"), "by the job");
}

async fn equal_work_has_an_equal_claim(runner: &Runner, programs: &dyn Programs) {
    let mut claims = Vec::new();
    for out in ["same", "same", "other"] {
        let outcome = run(runner, programs.prints(out, "")).await;
        let receipt = outcome.receipt.expect("an execution that ran has a receipt");
        assert_eq!(receipt.claim.cid.as_ref(), Some(&outcome.cid));
        claims.push(receipt.claim.digest().expect("a claim has a digest"));
    }
    assert_eq!(claims[0], claims[1]);
    assert_ne!(claims[0], claims[2]);
}
