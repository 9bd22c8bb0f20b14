//! The runner: doors, states, capacity, handles, shutdown.

use std::sync::Arc;
use std::time::Duration;

use frogfish::capacity::Amounts;
use frogfish::conformance::scripted::{ScriptedEngine, Step};
use frogfish::journal::{Filter, Journal, MemoryJournal, Page};
use frogfish::spec::NetworkType;
use frogfish::{
    Admission, Cancelled, Execution, ExecutionHandle, Failure, Limits, Outcome, Prepared, ReasonCode, Runner,
    RunnerBuilder, State,
};

const PATIENCE: Duration = Duration::from_secs(30);

struct Bench {
    runner: Runner,
    engine: Arc<ScriptedEngine>,
    journal: Arc<MemoryJournal>,
    data: tempfile::TempDir,
}

async fn bench_with(change: impl FnOnce(RunnerBuilder) -> RunnerBuilder) -> Bench {
    let data = tempfile::tempdir().unwrap();
    let (engine, journal) = (Arc::new(ScriptedEngine::new()), Arc::new(MemoryJournal::new()));
    let builder = Runner::builder().engine(engine.clone()).journal(journal.clone()).data_dir(data.path());
    let runner = change(builder).build().await.unwrap();
    Bench { runner, engine, journal, data }
}

async fn bench() -> Bench {
    bench_with(|builder| builder).await
}

/// Room for exactly one execution of the default size.
fn one_at_a_time(builder: RunnerBuilder) -> RunnerBuilder {
    let bytes = 1_000_000_000;
    builder.capacity(Amounts { cpu_milli: 500, memory_bytes: bytes, disk_bytes: bytes, gpus: 0 })
}

fn program(steps: &[Step]) -> Execution {
    ScriptedEngine::execution(steps, &[]).cpu_milli(500).memory_bytes_max(1_000_000)
}

async fn ended(handle: &ExecutionHandle) -> Outcome {
    tokio::time::timeout(PATIENCE, handle.wait()).await.expect("it ends").unwrap()
}

async fn in_state(handle: &ExecutionHandle, state: State) {
    tokio::time::timeout(PATIENCE, handle.reached(state)).await.expect("it gets there").unwrap();
}

#[tokio::test]
async fn an_execution_goes_through_every_state_and_the_journal_has_each_first() {
    let bench = bench().await;
    let handle = bench.runner.start(program(&[Step::Exit(3)])).await.unwrap();
    let outcome = ended(&handle).await;
    assert_eq!((outcome.state, outcome.exit_code), (State::Completed, 3));
    let record = bench.journal.get(handle.id()).await.unwrap().unwrap();
    let entered: Vec<State> = record.entered.keys().copied().collect();
    assert_eq!(
        entered,
        [State::Queued, State::Preparing, State::Running, State::Collecting, State::Completed]
    );
    let recorded = record.outcome.as_ref().unwrap();
    assert_eq!(recorded.exit_code, Some(3));
    assert_eq!(recorded.cid, Some(outcome.cid.to_string()));
    assert_eq!(recorded.results, outcome.results);
    assert!(record.reservation.is_none(), "an ended execution holds nothing");
}

#[tokio::test]
async fn results_hash_to_the_cid_of_the_outcome_and_the_receipt() {
    let bench = bench().await;
    let execution = ScriptedEngine::execution(
        &[Step::Stdout("hi\n".into()), Step::Write { path: "/out/a.txt".into(), content: "A".into() }],
        &[("made", "/out")],
    );
    let outcome = ended(&bench.runner.start(execution).await.unwrap()).await;
    let results = outcome.results.as_ref().unwrap();
    let again = frogfish_verifier::hash_path(results, &frogfish_verifier::HashOptions::default()).unwrap();
    assert_eq!(again.cid, outcome.cid);
    assert_eq!(again.root, outcome.manifest);
    let receipt = std::fs::read(outcome.receipt_path.as_ref().unwrap()).unwrap();
    let limits = frogfish_verifier::ReceiptLimits::default();
    let receipt = frogfish_verifier::Receipt::from_json(&receipt, &limits).unwrap();
    assert_eq!(receipt.claim.cid, Some(outcome.cid));
    assert_eq!(receipt.observation.execution_id, outcome.execution_id.as_str());
    assert_eq!(&receipt, outcome.receipt.as_deref().unwrap());
    let schema = frogfish_verifier::receipt_schema();
    let json = serde_json::to_value(&receipt).unwrap();
    assert!(schema.is_object() && json.is_object());
}

#[tokio::test]
async fn a_failure_of_the_engine_keeps_output_and_reason() {
    let bench = bench().await;
    let steps = [Step::Stdout("before".into()), Step::Fail(ReasonCode::Trap, "unreachable".into())];
    let outcome = ended(&bench.runner.start(program(&steps)).await.unwrap()).await;
    assert_eq!(outcome.state, State::Failed);
    assert_eq!(outcome.failure.as_ref().unwrap().code, ReasonCode::Trap);
    assert_eq!(std::fs::read(outcome.results.unwrap().join("stdout")).unwrap(), b"before");
    assert_eq!(outcome.receipt.unwrap().claim.outcome.reason_code.as_deref(), Some("Trap"));
}

#[tokio::test]
async fn an_engine_that_panics_fails_its_execution_and_nothing_else() {
    let bench = bench().await;
    let handle = bench.runner.start(program(&[Step::Panic])).await.unwrap();
    let outcome = ended(&handle).await;
    assert_eq!((outcome.state, outcome.failure.unwrap().code), (State::Failed, ReasonCode::Internal));
    let next = bench.runner.start(program(&[Step::Exit(0)])).await.unwrap();
    assert_eq!(ended(&next).await.state, State::Completed);
    assert_eq!(bench.runner.capacity().load().holders, 0, "the panicking execution gave its share back");
}

#[tokio::test]
async fn only_as_many_run_at_once_as_the_host_holds_and_the_rest_wait_in_order() {
    let bench = bench_with(one_at_a_time).await;
    let first = bench.runner.start(program(&[Step::Forever])).await.unwrap();
    in_state(&first, State::Running).await;
    let second = bench.runner.start(program(&[Step::Exit(2)])).await.unwrap();
    let third = bench.runner.start(program(&[Step::Exit(3)])).await.unwrap();
    assert_eq!((second.state(), third.state()), (State::Queued, State::Queued));
    first.cancel();
    assert_eq!(ended(&second).await.exit_code, 2);
    assert_eq!(ended(&third).await.exit_code, 3);
    let order = [first.id().clone(), second.id().clone(), third.id().clone()];
    assert_eq!(bench.engine.ran(), order);
}

#[tokio::test]
async fn q_24_a_job_larger_than_the_node_is_refused_at_once() {
    let bench = bench_with(one_at_a_time).await;
    let execution = program(&[Step::Exit(0)]).cpu_milli(501);
    let Admission::Never(failure) = bench.runner.check(&execution).await else { panic!("admitted") };
    assert_eq!(failure.code, ReasonCode::NotEnoughCapacity);
    let error = bench.runner.start(execution).await.unwrap_err();
    assert!(error.to_string().contains("not enough capacity to run job"), "{error}");
}

#[tokio::test]
async fn check_tells_never_from_not_now() {
    let bench = bench_with(one_at_a_time).await;
    assert_eq!(bench.runner.check(&program(&[Step::Exit(0)])).await, Admission::Now);
    let running = bench.runner.start(program(&[Step::Forever])).await.unwrap();
    in_state(&running, State::Running).await;
    assert!(matches!(bench.runner.check(&program(&[Step::Exit(0)])).await, Admission::Later(_)));
    let other = Execution::wasm("x.wasm");
    let Admission::Never(failure) = bench.runner.check(&other).await else { panic!("admitted") };
    assert!(failure.message.contains("this node does not support wasm"), "{failure}");
    assert_eq!(
        bench.journal.list(&Filter::all(), Page::first(10)).await.unwrap().len(),
        1,
        "checks leave no record"
    );
}

#[tokio::test(start_paused = true)]
async fn a_reservation_holds_until_it_is_used_dropped_or_over() {
    let bench = bench_with(one_at_a_time).await;
    let execution = program(&[Step::Exit(0)]);
    let reservation = bench.runner.reserve(&execution, 60_000).await.unwrap();
    assert!(matches!(bench.runner.reserve(&program(&[]), 1).await, Err(Admission::Later(_))));
    let outcome = ended(&bench.runner.start(execution).await.unwrap()).await;
    assert_eq!(outcome.state, State::Completed, "it used what was reserved for it");
    assert!(!reservation.is_held());

    drop(bench.runner.reserve(&program(&[]), 60_000).await.unwrap());
    let over = bench.runner.reserve(&program(&[]), 5).await.unwrap();
    assert!(over.is_held());
    tokio::time::sleep(Duration::from_millis(6)).await;
    assert!(!over.is_held());
    assert_eq!(bench.runner.check(&program(&[])).await, Admission::Now);
}

#[tokio::test]
async fn q_26_cancel_in_the_queue_never_starts_and_leaves_no_folder() {
    let bench = bench_with(one_at_a_time).await;
    let first = bench.runner.start(program(&[Step::Forever])).await.unwrap();
    in_state(&first, State::Running).await;
    let waiting = bench.runner.start(program(&[Step::Exit(0)])).await.unwrap();
    assert_eq!(waiting.cancel(), Cancelled::Asked);
    let outcome = ended(&waiting).await;
    assert_eq!((outcome.state, outcome.exit_code), (State::Cancelled, -1));
    assert!(outcome.results.is_none());
    assert!(!bench.data.path().join("executions").join(waiting.id().as_str()).exists());
    first.cancel();
    ended(&first).await;
    assert_eq!(bench.engine.ran(), [first.id().clone()]);
}

#[tokio::test(start_paused = true)]
async fn a_queue_timeout_is_its_own_reason() {
    let bench = bench_with(one_at_a_time).await;
    let first = bench.runner.start(program(&[Step::Forever])).await.unwrap();
    in_state(&first, State::Running).await;
    let mut waiting = program(&[Step::Exit(0)]).job().clone();
    waiting.task.timeouts.queue = Duration::from_secs(3);
    let outcome = bench.runner.start(waiting).await.unwrap().wait().await.unwrap();
    let failure = outcome.failure.unwrap();
    assert_eq!(failure.code, ReasonCode::QueueTimedOut);
    assert!(failure.message.contains("3s"), "{failure}");
    first.cancel();
}

#[tokio::test]
async fn prepared_folders_are_used_as_they_are_and_wait_for_nothing() {
    let bench = bench_with(one_at_a_time).await;
    let first = bench.runner.start(program(&[Step::Forever])).await.unwrap();
    in_state(&first, State::Running).await;
    let host = tempfile::tempdir().unwrap();
    std::fs::write(host.path().join("in.txt"), "given").unwrap();
    let prepared =
        Prepared::new(host.path().join("results")).input(host.path().join("in.txt"), "/in.txt", true);
    let execution = program(&[Step::Cat("/in.txt".into()), Step::Exit(4)]);
    let outcome = ended(&bench.runner.start_prepared(execution, prepared).await.unwrap()).await;
    assert_eq!((outcome.state, outcome.exit_code), (State::Completed, 4), "{:?}", outcome.failure);
    assert_eq!(std::fs::read(host.path().join("results/stdout")).unwrap(), b"given");
    assert_eq!(outcome.results.unwrap(), host.path().join("results"));
    first.cancel();
}

#[tokio::test]
async fn dropping_a_handle_changes_nothing_and_it_can_be_found_again() {
    let bench = bench().await;
    let handle = bench.runner.start(program(&[Step::SleepMs(20), Step::Exit(5)])).await.unwrap();
    let id = handle.id().clone();
    drop(handle);
    let again = bench.runner.execution(&id).unwrap();
    assert_eq!(ended(&again).await.exit_code, 5);
}

#[tokio::test]
async fn dropping_the_last_runner_stops_what_runs() {
    let Bench { runner, journal, data: _data, .. } = bench().await;
    let handle = runner.start(program(&[Step::Forever])).await.unwrap();
    in_state(&handle, State::Running).await;
    let other = runner.clone();
    drop(runner);
    assert_eq!(handle.state(), State::Running, "another runner of the same kind is left");
    drop(other);
    let outcome = ended(&handle).await;
    assert_eq!(outcome.failure.unwrap().code, ReasonCode::Interrupted);
    assert_eq!(journal.get(handle.id()).await.unwrap().unwrap().state, State::Failed);
}

#[tokio::test]
async fn shutdown_waits_until_nothing_runs_and_then_takes_nothing() {
    let bench = bench().await;
    let handle = bench.runner.start(program(&[Step::Forever])).await.unwrap();
    in_state(&handle, State::Running).await;
    tokio::time::timeout(PATIENCE, bench.runner.shutdown()).await.unwrap();
    assert!(handle.state().is_terminal());
    let error = bench.runner.start(program(&[])).await.unwrap_err();
    assert_eq!(error.code(), "ShuttingDown");
}

#[tokio::test]
async fn many_at_once_all_end_and_give_everything_back() {
    let bench = bench().await;
    let mut handles = Vec::new();
    for code in 0..200 {
        handles.push((code, bench.runner.start(program(&[Step::Exit(code)])).await.unwrap()));
    }
    for (code, handle) in handles {
        assert_eq!(ended(&handle).await.exit_code, code);
    }
    let load = bench.runner.capacity().load();
    assert_eq!((load.holders, load.waiting), (0, 0));
    assert!(bench.runner.live().is_empty());
}

#[tokio::test]
async fn what_is_remembered_of_ended_executions_is_bounded_and_so_are_their_folders() {
    let mut limits = Limits::default();
    limits.ended_in_memory_max = 3;
    let data = tempfile::tempdir().unwrap();
    let builder = Runner::builder().engine(Arc::new(ScriptedEngine::new())).data_dir(data.path());
    let runner = builder.limits(limits).build().await.unwrap();
    let mut outcomes = Vec::new();
    for _ in 0..9 {
        outcomes.push(ended(&runner.start(program(&[])).await.unwrap()).await);
    }
    let kept = outcomes.iter().filter(|outcome| runner.execution(&outcome.execution_id).is_ok()).count();
    assert!((3..=6).contains(&kept), "{kept}");
    let forgotten = outcomes.remove(0);
    assert!(runner.execution(&forgotten.execution_id).is_err());
    let results = forgotten.results.clone().unwrap();
    assert!(results.exists(), "somebody still has its outcome");
    runner.drain().await;
    drop(forgotten);
    assert!(!results.exists());
    let last = outcomes.pop().unwrap().results.unwrap();
    drop((outcomes, runner));
    assert!(last.exists(), "what was not forgotten stays where it was asked to be");
}

#[tokio::test]
async fn an_invalid_job_names_every_field_that_is_wrong() {
    let bench = bench().await;
    let execution = program(&[]).output("../evil", "relative").network(NetworkType::None);
    let error = bench.runner.start(execution).await.unwrap_err();
    assert_eq!(error.code(), "SpecError");
    assert!(error.to_string().contains("ResultPaths"), "{error}");
}

#[tokio::test]
async fn an_engine_that_is_down_says_so() {
    let bench = bench().await;
    let reason = Failure::new(ReasonCode::EngineUnavailable, "gone fishing");
    bench.engine.set_down(Some(reason.clone()));
    let health = bench.runner.health().await;
    assert!(format!("{health:?}").contains("gone fishing"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn run_is_start_and_wait_and_can_be_cancelled_from_another_task() {
    let bench = bench_with(one_at_a_time).await;
    let outcome = bench.runner.run(program(&[Step::Exit(6)])).await.unwrap();
    assert_eq!(outcome.exit_code, 6);
    let endless = program(&[Step::Forever]);
    let (runner, id) = (bench.runner.clone(), endless.id().clone());
    let running = tokio::spawn(async move { runner.run(endless).await });
    while bench.runner.execution(&id).is_err() {
        tokio::task::yield_now().await;
    }
    in_state(&bench.runner.execution(&id).unwrap(), State::Running).await;
    bench.runner.cancel(&id).unwrap();
    assert_eq!(running.await.unwrap().unwrap().state, State::Cancelled);
    assert_eq!(
        bench.runner.run(program(&[])).await.unwrap().state,
        State::Completed,
        "its share is free again"
    );
}
