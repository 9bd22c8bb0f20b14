//! The examples, run as their README says, against results that another runtime gave.

use frogfish_fixtures::files;
use serde_json::Value;

use crate::support::{Home, Ran, names};

fn same_text(expected: &Value, found: &str) -> bool {
    match expected.get("text") {
        Some(text) => text == found,
        None => expected["bytes"] == found.len(),
    }
}

#[test]
fn every_example_gives_its_golden_result() {
    let golden = std::fs::read(files::golden().join("examples.json")).unwrap();
    let golden: Value = serde_json::from_slice(&golden).unwrap();
    let repository = files::repository().canonicalize().unwrap();
    let home = Home::new();
    let examples = names(&files::example_jobs());
    assert!(examples.len() >= 9);
    for name in examples {
        let expected = &golden[&name];
        let out = home.path(&format!("{name}.out"));
        let file = format!("examples/jobs/{name}");
        let mut command =
            home.frogfish(["run", "--json", "--allow-path", ".", "--out", out.to_str().unwrap(), &file]);
        let ran = Ran::new(command.current_dir(&repository).output().unwrap());
        assert_eq!(i64::from(ran.status), expected["exit_code"].as_i64().unwrap(), "{name}: {ran:?}");
        let read = |file: &str| std::fs::read_to_string(out.join(file)).unwrap();
        for stream in ["stdout", "stderr"] {
            assert!(same_text(&expected[stream], &read(stream)), "{name}: {stream}: {}", read(stream));
        }
        assert_eq!(read("exitCode"), expected["exit_code"].to_string(), "{name}");
        for (file, known) in expected["outputs"].as_object().unwrap() {
            let bytes =
                std::fs::read(out.join(file)).unwrap_or_else(|error| panic!("{name}: {file}: {error}"));
            assert_eq!(known["bytes"], bytes.len(), "{name}: {file}");
            let digest = frogfish_verifier::Digest::of(&bytes).to_string();
            assert!(digest.ends_with(known["sha256"].as_str().unwrap()), "{name}: {file}: {digest}");
        }
    }
}

#[test]
fn a_local_path_of_a_job_file_is_refused_unless_it_is_allowed() {
    let home = Home::new();
    let mut command = home.frogfish(["run", "examples/jobs/hello.yaml"]);
    let ran = Ran::new(command.current_dir(files::repository()).output().unwrap());
    assert_eq!(ran.status, 126, "{ran:?}");
    assert!(ran.stderr.contains("noop.wasm") && ran.stderr.contains("--allow-path"), "{ran:?}");
    let mut command = home.frogfish(["run", "--allow-path", "fixtures/data", "examples/jobs/hello.yaml"]);
    assert_eq!(command.current_dir(files::repository()).output().unwrap().status.code(), Some(126));
    let mut command = home.frogfish(["run", "examples/jobs/hello.yaml"]);
    let allowed = files::repository().canonicalize().unwrap();
    command.current_dir(files::repository()).env("FROGFISH_ALLOW_PATHS", allowed);
    assert_eq!(command.output().unwrap().status.code(), Some(0));
}
