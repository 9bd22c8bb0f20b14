//! Inputs while they are being made ready.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use frogfish::conformance::scripted::{ScriptedEngine, Step};
use frogfish::inputs::{InputContext, InputPlace, InputSize, InputSource, Prepared};
use frogfish::spec::{self, Source, SpecConfig};
use frogfish::{Failure, ReasonCode, Runner, State};
use tokio::sync::Notify;

/// A source that is never done, and says when it began.
#[derive(Debug, Default)]
struct Endless {
    began: Notify,
}

#[async_trait]
impl InputSource for Endless {
    fn source_type(&self) -> &'static str {
        "endless"
    }

    async fn check(&self, _: &spec::InputSource, _: &InputContext) -> Result<InputSize, Failure> {
        Ok(InputSize { bytes: 0, is_here: false })
    }

    async fn prepare(
        &self,
        _: &spec::InputSource,
        _: &InputContext,
        place: &InputPlace,
    ) -> Result<Prepared, Failure> {
        place.make_parent().map_err(|error| Failure::new(ReasonCode::InputFailed, error.to_string()))?;
        std::fs::write(place.path(), "a part").unwrap();
        self.began.notify_one();
        std::future::pending().await
    }
}

fn endless() -> Source {
    Source::Other(SpecConfig::new("endless"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_10_cancel_while_inputs_are_made_ready_never_runs_anything() {
    let data = tempfile::tempdir().unwrap();
    let (engine, source) = (Arc::new(ScriptedEngine::new()), Arc::new(Endless::default()));
    let builder = Runner::builder().engine(engine.clone()).input_source(source.clone()).data_dir(data.path());
    let runner = builder.build().await.unwrap();
    let handle = runner
        .start(ScriptedEngine::execution(&[Step::Exit(0)], &[]).source(endless(), "/in"))
        .await
        .unwrap();
    source.began.notified().await;
    assert_eq!(handle.state(), State::Preparing);
    handle.cancel();
    let outcome = tokio::time::timeout(Duration::from_secs(30), handle.wait()).await.unwrap().unwrap();
    assert_eq!(outcome.state, State::Cancelled);
    assert!(engine.ran().is_empty());
    assert_eq!(runner.capacity().load().holders, 0);
    let inputs = data.path().join("executions").join(handle.id().as_str()).join("inputs");
    assert!(!inputs.exists(), "the part that was stored is gone");
}

#[tokio::test]
async fn i_all_01_an_input_that_fails_fails_the_execution_and_leaves_no_inputs() {
    let data = tempfile::tempdir().unwrap();
    let engine = Arc::new(ScriptedEngine::new());
    let runner = Runner::builder().engine(engine.clone()).data_dir(data.path()).build().await.unwrap();
    let inline = |text: &str| Source::Inline(spec::InlineSource::new(format!("data:,{text}")));
    let missing = data.path().join("missing");
    let execution = ScriptedEngine::execution(&[Step::Exit(0)], &[])
        .source(inline("one"), "/one")
        .input(&missing, "/two")
        .source(inline("three"), "/three");
    let id = execution.id().clone();
    let error = runner.start(execution).await.unwrap_err();
    assert!(error.to_string().contains("does not exist"), "{error}");
    assert!(error.to_string().contains("missing"), "{error}");
    assert!(!data.path().join("executions").join(id.as_str()).exists());
    assert!(engine.ran().is_empty());
}

#[tokio::test]
async fn a_15_a_16_engines_and_sources_that_are_not_here_are_named() {
    let data = tempfile::tempdir().unwrap();
    let engine = Arc::new(ScriptedEngine::new());
    let runner = Runner::builder().engine(engine).data_dir(data.path()).build().await.unwrap();
    let mut job = ScriptedEngine::execution(&[], &[]).job().clone();
    job.task.engine = spec::EngineSpec::Other(SpecConfig::new("vroomvroom"));
    let error = runner.start(job).await.unwrap_err();
    assert!(error.to_string().contains("does not support vroomvroom"), "{error}");
    let execution = ScriptedEngine::execution(&[], &[]).source(endless(), "/in");
    let error = runner.start(execution).await.unwrap_err();
    assert!(error.to_string().contains("does not support input source \"endless\""), "{error}");
}

#[tokio::test]
async fn inputs_are_in_the_receipt_by_content() {
    let data = tempfile::tempdir().unwrap();
    let host = tempfile::tempdir().unwrap();
    std::fs::write(host.path().join("a"), "hello world\n").unwrap();
    let engine = Arc::new(ScriptedEngine::new());
    let runner = Runner::builder().engine(engine).data_dir(data.path()).build().await.unwrap();
    let execution = ScriptedEngine::execution(&[Step::Exit(0)], &[])
        .input(host.path().join("a"), "/a")
        .input_writable(host.path(), "/writable");
    let outcome = runner.start(execution).await.unwrap().wait().await.unwrap();
    let inputs = outcome.receipt.unwrap().claim.inputs.clone();
    let cid = "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o".parse().unwrap();
    assert_eq!(inputs[0].content, Some(frogfish::verifier::receipt::ContentId::Cid(cid)));
    assert_eq!(inputs[1].content, None, "what the program may change is no fixed content");
}

#[tokio::test]
async fn the_built_in_sources_keep_to_the_contract() {
    use frogfish::conformance::inputs::{Cases, check};
    use frogfish::inputs::{GrantedPath, InlineInputs, LocalInputs};

    let (host, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = |name: &str| {
        let folder = scratch.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::canonicalize(folder).unwrap()
    };
    std::fs::write(host.path().join("given"), "given").unwrap();
    let input = |source| spec::InputSource { source, alias: String::new(), target: "/in".into() };
    let inline = |url: &str| input(Source::Inline(spec::InlineSource::new(url)));
    let local = |name: &str| {
        let job = frogfish::Execution::wasm(host.path().join(name)).job().clone();
        job.task.input_sources[0].clone()
    };
    let context = InputContext {
        grants: vec![GrantedPath { path: host.path().to_owned(), read_write: false }],
        ..InputContext::default()
    };

    let cases =
        Cases { file: inline("data:,given"), wrong: inline("http://not.data"), foreign: local("given") };
    check(&InlineInputs, &cases, &context, &folder("inline")).await;
    let cases = Cases { file: local("given"), wrong: local("missing"), foreign: inline("data:,given") };
    check(&LocalInputs::new([]), &cases, &context, &folder("local")).await;
}

#[test]
fn clocks_keep_to_the_contract() {
    use frogfish::clock::{Clock, SystemClock};
    use frogfish::conformance::clock::{StandingClock, check};

    check(&SystemClock::new());
    let standing = StandingClock::at(Duration::from_hours(500_000));
    check(&standing);
    standing.pass(Duration::from_secs(5));
    assert_eq!((standing.wall().as_secs(), standing.monotonic().as_secs()), (1_800_000_005, 5));
}

#[test]
fn every_port_is_object_safe() {
    fn of<T: ?Sized>(_: Option<Arc<T>>) {}
    of::<dyn frogfish::engine::Engine>(None);
    of::<dyn frogfish::journal::Journal>(None);
    of::<dyn frogfish::clock::Clock>(None);
    of::<dyn InputSource>(None);
}
