//! Jobs as Go wrote them: messages of a 1.9.3 orchestrator, requests of Lilypad, parameters of 1.0.4 and 1.4.0 plugins.

use serde_json::Value;

use crate::spec::{EngineSpec, Job, NetworkType, ReadOptions, Source};

const RECORDED: [(&str, &str); 8] = [
    ("lilypad_1.6", include_str!("recorded/lilypad_1.6.json")),
    ("orchestrator_1.9.3_docker", include_str!("recorded/orchestrator_1.9.3_docker.json")),
    ("orchestrator_1.9.3_partitioned", include_str!("recorded/orchestrator_1.9.3_partitioned.json")),
    ("orchestrator_1.9.3_s3managed", include_str!("recorded/orchestrator_1.9.3_s3managed.json")),
    ("orchestrator_1.9.3_service", include_str!("recorded/orchestrator_1.9.3_service.json")),
    ("orchestrator_1.9.3_wasm", include_str!("recorded/orchestrator_1.9.3_wasm.json")),
    ("plugin_1.0.4_wasm", include_str!("recorded/plugin_1.0.4_wasm.json")),
    ("plugin_1.4.0_docker", include_str!("recorded/plugin_1.4.0_docker.json")),
];

fn recorded(name: &str) -> Job {
    let (_, text) = RECORDED.iter().find(|(known, _)| *known == name).expect("a recorded job");
    ReadOptions::wire().read(text.as_bytes()).unwrap()
}

#[test]
fn every_recorded_job_is_read_and_valid() {
    for (name, text) in RECORDED {
        let job = ReadOptions::wire().read(text.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
        job.validate().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(serde_json::from_str::<Job>(text).unwrap(), job, "{name}");
    }
}

#[test]
fn what_go_wrote_is_written_again_but_for_fields_of_the_orchestrator() {
    for (name, text) in RECORDED {
        if name == "plugin_1.0.4_wasm" {
            continue; // Its legacy module is converted.
        }
        let Value::Object(mut theirs) = serde_json::from_str(text).unwrap() else { panic!("an object") };
        for field in ["State", "Version", "Revision", "CreateTime", "ModifyTime"] {
            theirs.remove(field);
        }
        let mut ours = ReadOptions::wire().read(text.as_bytes()).unwrap().to_value();
        // Defaults that Go leaves out are written, empty ones that Go writes are left out.
        drop_empty(&mut ours);
        let mut theirs = Value::Object(theirs);
        drop_empty(&mut theirs);
        let text = theirs.to_string().replace("localDirectory", "local");
        assert_eq!(ours, serde_json::from_str::<Value>(&text).unwrap(), "{name}");
    }
}

/// Removes nulls, empty texts, lists and objects, defaults of the network and of local sources.
fn drop_empty(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(drop_empty);
            map.retain(|key, value| match value {
                Value::Null => false,
                Value::String(text) => {
                    !(text.is_empty() || (key == "Type" && text == "Default") || text == "noCreate")
                }
                Value::Array(items) => !items.is_empty(),
                Value::Object(inner) => !inner.is_empty(),
                _ => true,
            });
        }
        Value::Array(items) => items.iter_mut().for_each(drop_empty),
        _ => {}
    }
}

#[test]
fn a_job_of_1_0_4_carries_its_module_as_an_input() {
    let job = recorded("plugin_1.0.4_wasm");
    let EngineSpec::Wasm(params) = &job.task.engine else { panic!("wasm") };
    assert_eq!(
        (params.entry_module.as_str(), params.parameters.as_slice()),
        ("/wasm/entry.wasm", &["_start".to_owned()][..])
    );
    assert!(
        matches!(&job.task.input_sources[0].source, Source::Inline(s) if s.url.starts_with("data:application/wasm"))
    );
    assert_eq!(job.task.network.network_type, NetworkType::None);
}

#[test]
fn a_job_of_lilypad_has_its_engine_resources_and_limit() {
    let job = recorded("lilypad_1.6");
    let resources = job.task.resources.parse().unwrap();
    assert_eq!((resources.cpu.millis(), resources.memory.bytes(), resources.gpu), (1000, 2_000_000_000, 1));
    assert_eq!(job.task.timeouts.execution_limit().unwrap().as_secs(), 1800);
}
