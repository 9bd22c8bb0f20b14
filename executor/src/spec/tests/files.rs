//! Job files of the repository's fixtures, where that folder is there.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::spec::{Job, job_schema};

fn fixtures(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(folder);
    path.is_dir().then_some(path)
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
    let Some(folder) = fixtures("good-jobs") else { return };
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

/// `expected.json` names for each bad file texts that the error holds: `{"file.yaml": ["text", …]}` or one text.
#[test]
fn every_bad_job_file_is_refused_with_the_expected_words() {
    let Some(folder) = fixtures("bad-jobs") else { return };
    let expected: Value =
        serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap();
    let jobs = jobs_in(&folder);
    assert!(!jobs.is_empty());
    for path in jobs {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Err(error) = Job::from_slice(&std::fs::read(&path).unwrap()) else {
            panic!("{name} is accepted")
        };
        let shown = error.to_string();
        let mut texts = Vec::new();
        leaves(&expected[&name], &mut texts);
        for text in texts {
            assert!(shown.contains(&text), "{name}: no {text:?} in\n{shown}");
        }
    }
}

fn leaves(value: &Value, to: &mut Vec<String>) {
    match value {
        Value::String(text) => to.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, to)),
        Value::Object(map) => map.values().for_each(|item| leaves(item, to)),
        _ => {}
    }
}
