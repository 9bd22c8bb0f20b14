use serde_json::{Value, json};

use super::{docker_job, good, wasm_job};
use crate::spec::job_schema;

fn is_valid(value: &Value) -> bool {
    jsonschema::validator_for(&job_schema()).unwrap().is_valid(value)
}

#[test]
fn normalised_jobs_fit_the_schema() {
    let jobs = [
        wasm_job(""),
        docker_job("    Timeouts: {ExecutionTimeout: 1.5s, TotalTimeout: 60}\n"),
        docker_job("    Network: {Type: Bridge, Ports: [{Name: http, Static: 2000, Target: 80}]}\n"),
        wasm_job(
            "    InputSources: [{Source: {Type: s3, Params: {Bucket: b, Partition: {Type: object}}}, Target: /s}]\n",
        ),
        wasm_job("    InputSources: [{Source: {Type: s3managed, Params: {JobID: j}}, Target: /s}]\n"),
    ];
    for text in jobs {
        let value = good(&text).normalised().to_value();
        assert!(is_valid(&value), "{value}");
        assert!(is_valid(&good(&text).to_value()));
    }
}

#[test]
fn the_schema_asks_for_no_more_than_the_reader() {
    assert!(is_valid(&json!({
        "Tasks": [{"Name": "main", "Engine": {"Type": "wasm", "Params": {"EntryModule": "m"}}}],
    })));
}

#[test]
fn the_schema_refuses_unknown_keys_and_wrong_kinds() {
    let good = good(&wasm_job("")).to_value();
    let with = |pointer: &str, value: Value| {
        let mut job = good.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        job.pointer_mut(parent).unwrap()[key] = value;
        job
    };
    for bad in [
        with("/Extra", json!(1)),
        with("/Type", json!("bach")),
        with("/Tasks", json!([])),
        with("/Tasks/0/Engine/Params/Imgae", json!("x")),
        with("/Tasks/0/Resources/CPU", json!(1)),
        with("/Tasks/0/Network/Type", json!("full")),
    ] {
        assert!(!is_valid(&bad), "{bad}");
    }
}
