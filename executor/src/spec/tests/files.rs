//! Job files of the repository's fixtures, where that folder is there.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::spec::{EngineSpec, Job, job_schema};

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(folder)
}

fn jobs_in(folder: &Path) -> Vec<PathBuf> {
    let is_job = |path: &PathBuf| {
        let job = path
            .extension()
            .is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known));
        job && path.file_name().is_some_and(|name| name != "expected.json")
    };
    let entries = std::fs::read_dir(folder).unwrap();
    let mut jobs: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(is_job).collect();
    jobs.sort();
    jobs
}

#[test]
fn every_good_job_file_is_read_and_its_normalised_form_fits_the_schema() {
    let folder = fixtures("good-jobs");
    let validator = jsonschema::validator_for(&job_schema()).unwrap();
    let jobs = jobs_in(&folder);
    assert!(!jobs.is_empty());
    for path in jobs {
        let job = Job::from_slice(&std::fs::read(&path).unwrap())
            .unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let value = job.normalised().to_value();
        assert!(validator.is_valid(&value), "{path:?}: {value}");
    }
}

/// What `expected.json` says about a good job, taken from the normalised job under the same names.
fn facts(job: &Job) -> Value {
    let task = &job.task;
    let resources = task.resources.parse().unwrap();
    let millis = |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap();
    let inputs: Vec<Value> = task
        .input_sources
        .iter()
        .map(|i| json!({"type": i.source.type_name(), "target": i.target}))
        .collect();
    let mut facts = json!({
        "name": job.name, "type": job.job_type.as_str(), "count": job.count, "engine": task.engine.type_name(),
        "env": task.env, "inputs": inputs, "publisher": task.publisher.spec_type,
        "outputs": task.result_paths.iter().map(|o| json!({"name": o.name, "path": o.path})).collect::<Vec<_>>(),
        "cpu_millis": resources.cpu.millis(), "memory_bytes": resources.memory.bytes(),
        "disk_bytes": resources.disk.bytes(), "gpu": resources.gpu,
        "network": task.network.network_type, "domains": task.network.domains,
        "execution_timeout_ms": millis(task.timeouts.execution), "queue_timeout_ms": millis(task.timeouts.queue),
        "total_timeout_ms": millis(task.timeouts.total),
    });
    match &task.engine {
        EngineSpec::Wasm(params) => {
            facts["entry_module"] = json!(params.entry_module);
            facts["entrypoint"] = json!(params.entrypoint);
            facts["parameters"] = json!(params.parameters);
            facts["import_modules"] = json!(params.import_modules);
        }
        EngineSpec::Docker(params) => {
            facts["image"] = json!(params.image);
            facts["entrypoint"] = json!(params.entrypoint);
            facts["parameters"] = json!(params.parameters);
        }
        EngineSpec::Other(_) => {}
    }
    facts
}

#[test]
fn every_good_job_file_means_what_is_expected() {
    let folder = fixtures("good-jobs");
    let expected: Value =
        serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap();
    let mut wrong = Vec::new();
    for path in jobs_in(&folder) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let job = Job::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let facts = facts(&job.normalised());
        let Some(expected) = expected[&name].as_object() else { panic!("{name} is not in expected.json") };
        for (key, value) in expected {
            // Two entries say something about the file or the module, not about the job.
            if !matches!(key.as_str(), "beyond_bacalhau" | "entry_module_bytes_base64")
                && facts[key] != *value
            {
                wrong.push(format!("{name}: {key} is {}, not {value}", facts[key]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `expected.json` gives for each bad file the field that is wrong, or `syntax` when it is the file as a whole.
#[test]
fn every_bad_job_file_is_refused_at_the_expected_field() {
    let folder = fixtures("bad-jobs");
    let expected: Value =
        serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap();
    let mut wrong = Vec::new();
    let jobs = jobs_in(&folder);
    assert!(!jobs.is_empty());
    for path in jobs {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let field = expected[&name].as_str().unwrap_or_else(|| panic!("{name} is not in expected.json"));
        // A field within the expected one is the same place, said more exactly.
        let fits = |seen: &str| match field {
            "syntax" => seen.is_empty(),
            _ => seen.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '['])),
        };
        match Job::from_slice(&std::fs::read(&path).unwrap()) {
            Ok(_) => wrong.push(format!("{name} is accepted")),
            Err(error) if error.problems.iter().any(|problem| fits(&problem.field)) => {}
            Err(error) => wrong.push(format!("{name}: nothing at {field:?}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
