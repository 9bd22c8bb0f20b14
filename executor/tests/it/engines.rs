//! The engine conformance suite on every engine.

use std::sync::Arc;

use frogfish::Runner;
use frogfish::conformance::scripted::ScriptedEngine;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scripted_engine_keeps_to_the_contract() {
    let (data, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = Arc::new(ScriptedEngine::new());
    let runner = Runner::builder().engine(engine.clone()).data_dir(data.path()).build().await.unwrap();
    frogfish::conformance::engine::check(&runner, &*engine, scratch.path()).await;
}

#[tokio::test]
async fn the_contract_holds_on_a_runtime_with_one_thread() {
    let (data, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = Arc::new(ScriptedEngine::new());
    let runner = Runner::builder().engine(engine.clone()).data_dir(data.path()).build().await.unwrap();
    frogfish::conformance::engine::check(&runner, &*engine, scratch.path()).await;
}
