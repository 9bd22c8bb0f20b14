mod inline;
mod local;

use super::*;
use crate::spec::{InlineSource, InputSource as Input, Source};
use std::fs;
use tempfile::TempDir;

fn input(source: Source, target: &str) -> Input {
    Input { source, alias: String::new(), target: target.to_owned() }
}

fn inline(url: &str) -> Input {
    input(Source::Inline(InlineSource::new(url)), "/in")
}

fn sources() -> InputSources {
    InputSources::new([Arc::new(InlineInputs) as Arc<dyn InputSource>, Arc::new(LocalInputs::default())])
}

/// An execution's folder.
fn execution() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let execution = dir.path().join("e-1");
    fs::create_dir(&execution).unwrap();
    (dir, execution)
}

#[tokio::test]
async fn inputs_are_prepared_in_their_order_below_the_executions_folder() {
    let (_dir, execution) = execution();
    let inputs: Vec<_> = (0..20).map(|i| inline(&format!("data:,text%20{i}"))).collect();
    let prepared = sources().prepare(&inputs, &InputContext::default(), &execution).await.unwrap();
    for (i, input) in prepared.iter().enumerate() {
        assert_eq!(fs::read_to_string(&input.path).unwrap(), format!("text {i}"));
        assert_eq!(input.path, execution.join("inputs").join(i.to_string()));
    }
    let mounts = mounts(&inputs, &prepared);
    assert_eq!((mounts[3].target.as_str(), mounts[3].read_only), ("/in", true));
    assert_eq!(mounts[3].source, prepared[3].path);
    let checked = sources().check(&inputs, &InputContext::default()).await.unwrap();
    assert_eq!(checked, InputSize { bytes: 10 * 6 + 10 * 7, is_here: true });
}

#[tokio::test]
async fn every_input_that_fails_is_named() {
    let (_dir, execution) = execution();
    let mut inputs = vec![inline("nonsense"), inline("data:,good"), inline("data:;base64,%%%")];
    for (input, target) in inputs.iter_mut().zip(["/a", "/b", "/c"]) {
        target.clone_into(&mut input.target);
    }
    inputs.push(input(Source::default(), "/d"));
    let failure = sources().prepare(&inputs, &InputContext::default(), &execution).await.unwrap_err();
    assert_eq!(failure.code, ReasonCode::InputConfigError);
    for target in ["/a", "/c", "/d"] {
        assert!(failure.message.contains(&format!("input \"{target}\": ")), "{}", failure.message);
    }
    assert!(!failure.message.contains("/b"), "{}", failure.message);
    let checked = sources().check(&inputs, &InputContext::default()).await.unwrap_err();
    assert_eq!(checked, failure);
}

#[tokio::test]
async fn an_unknown_source_is_refused_with_those_that_are_known() {
    let (_dir, execution) = execution();
    let inputs = [input(Source::default(), "/in")];
    let failure = sources().prepare(&inputs, &InputContext::default(), &execution).await.unwrap_err();
    assert_eq!(failure.code, ReasonCode::Refused);
    assert_eq!(failure.hint.as_deref(), Some("it supports: inline, local"));
}

#[tokio::test]
async fn more_inputs_than_allowed_are_refused() {
    let limits = Limits { inputs_max: 1, ..Limits::default() };
    let context = InputContext { limits: Arc::new(limits), grants: Vec::new() };
    let inputs = [inline("data:,a"), inline("data:,b")];
    let failure = sources().check(&inputs, &context).await.unwrap_err();
    assert_eq!(failure.message, "2 inputs, inputs_max is 1");
}

#[tokio::test]
async fn a_dropped_preparation_leaves_only_what_is_in_the_executions_folder() {
    let (dir, execution) = execution();
    let (context, inputs) = (InputContext::default(), vec![inline("data:,a"); 8]);
    drop(sources().prepare(&inputs, &context, &execution));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}
