//! A process that is killed, and the next one.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use frogfish::conformance::scripted::{ScriptedEngine, Step};
use frogfish::journal::{Filter, Page};
use frogfish::{Durability, ExecutionId, ReasonCode, Runner, RunnerBuilder, State};

/// Names the folder in which [`a_process_that_will_be_killed`] plays its part.
const ROOT: &str = "CRASH_TEST_ROOT";

fn builder(engine: &Arc<ScriptedEngine>) -> RunnerBuilder {
    Runner::builder().engine(engine.clone()).durability(Durability::Process)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "no test of its own: the process that the others kill"]
async fn a_process_that_will_be_killed() {
    let root = std::env::var(ROOT).expect("it is started by the other tests");
    let engine = Arc::new(ScriptedEngine::new());
    let runner = builder(&engine).first_free_data_dir(&root, "run").build().await.unwrap();
    let running = ScriptedEngine::execution(&[Step::Stdout("kept\n".into()), Step::Forever], &[]);
    let handle = runner.start(running).await.unwrap();
    let ended = runner.start(ScriptedEngine::execution(&[Step::Exit(3)], &[])).await.unwrap();
    ended.wait().await.unwrap();
    let options = frogfish::logs::LogOptions { follow: true, ..Default::default() };
    handle.reached(State::Running).await.unwrap();
    handle.logs(options).await.unwrap().next().await.unwrap().unwrap();
    println!("\nready {}", handle.id());
    std::future::pending::<()>().await;
}

/// Starts the other process, waits until it runs something, and kills it.
fn kill_one(root: &Path) -> ExecutionId {
    let mut child: Child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "crash::a_process_that_will_be_killed", "--nocapture"])
        .env(ROOT, root)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let id = lines.find_map(|line| line.strip_prefix("ready ").map(str::to_owned));
    child.kill().unwrap();
    child.wait().unwrap();
    id.expect("the other process ran something").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn q_34_what_a_killed_process_ran_has_failed_and_its_output_is_kept() {
    let root = tempfile::tempdir().unwrap();
    let id = kill_one(root.path());
    let orphan = root.path().join("run-0/executions/e-orphan");
    std::fs::create_dir_all(orphan.join("results")).unwrap();

    let engine = Arc::new(ScriptedEngine::new());
    let runner = builder(&engine).first_free_data_dir(root.path(), "run").build().await.unwrap();
    assert_eq!(runner.data_dir(), root.path().join("run-0"), "the dead process's folder is free");
    let found = runner.reconciled();
    assert_eq!((found.interrupted, found.orphans), (1, 1));
    assert!(!orphan.exists());

    let record = runner.record_of(&id).await.unwrap().unwrap();
    let outcome = record.outcome.as_ref().unwrap();
    assert_eq!(
        (record.state, outcome.failure.as_ref().unwrap().code),
        (State::Failed, ReasonCode::Interrupted)
    );
    assert_eq!(std::fs::read(outcome.results.as_ref().unwrap().join("stdout")).unwrap(), b"kept\n");
    assert!(engine.ran().is_empty(), "nothing is started again");
    let all = runner.records(&Filter::all(), Page::first(10)).await.unwrap();
    assert_eq!(all.len(), 2, "what had ended before stays as it was");
    assert!(all.iter().any(|record| record.state == State::Completed));
    let error = runner.start(ScriptedEngine::execution(&[], &[]).with_id(id)).await.unwrap_err();
    assert_eq!(error.code(), "ExecutionAlreadyComplete");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_neighbour_is_settled_and_a_live_one_is_left_alone() {
    let root =
        tempfile::Builder::new().permissions(std::fs::Permissions::from_mode(0o700)).tempdir().unwrap();
    let engine = Arc::new(ScriptedEngine::new());
    let id = kill_one(root.path());
    let node = builder(&engine).data_dir(root.path()).build().await.unwrap();
    assert_eq!((node.reconciled().instances, node.reconciled().interrupted), (1, 1));
    let live = node.start(ScriptedEngine::execution(&[Step::Forever], &[])).await.unwrap();
    live.reached(State::Running).await.unwrap();

    let other = builder(&engine).first_free_data_dir(root.path(), "run").build().await.unwrap();
    assert_eq!(other.reconciled().instances, 0);
    assert_eq!(live.state(), State::Running);
    assert_eq!(other.record_of(&id).await.unwrap().unwrap().state, State::Failed);
    live.cancel();
}
