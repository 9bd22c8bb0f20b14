mod bad_input;
mod conformance;
mod files;
mod properties;
mod reading;
mod recorded;
mod schema;
mod speed;

use super::{Job, SpecError};

/// A WASM job whose lines after the engine are the ones given, indented by four.
pub(super) fn wasm_job(rest: &str) -> String {
    let head = "Name: job\nType: batch\nTasks:\n  - Name: main\n    Engine: {Type: wasm, Params: {EntryModule: /m.wasm}}\n";
    format!("{head}{rest}")
}

/// The same with Docker.
pub(super) fn docker_job(rest: &str) -> String {
    let head = "Name: job\nType: batch\nTasks:\n  - Name: main\n    Engine: {Type: docker, Params: {Image: busybox}}\n";
    format!("{head}{rest}")
}

pub(super) fn read(text: &str) -> Result<Job, SpecError> {
    Job::from_slice(text.as_bytes())
}

pub(super) fn good(text: &str) -> Job {
    read(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The problem that the text has at a field; fails when there is none.
pub(super) fn problem_at(text: &str, field: &str) -> String {
    let error = read(text).expect_err("the job is wrong");
    let problem = error.problems.iter().find(|problem| problem.field == field);
    problem.unwrap_or_else(|| panic!("no problem at {field}:\n{error}")).to_string()
}
