//! From bytes to a job: limits, format, fields, legacy spellings.

use serde_json::Value;

use super::error::{Problem, SpecError};
use super::job::Job;
use super::tree::json::JsonError;
use super::tree::{Budget, Node, SpecLimits, json, yaml};
use super::validate;
use fields::{At, Reader};

mod engine;
mod fields;
mod input;
mod job;

/// How a job is read: its limits, and what is refused in it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReadOptions {
    /// How large it may be.
    pub limits: SpecLimits,
    /// Whether keys that the model does not have are ignored, as Bacalhau does below the top, instead of refused.
    pub ignore_unknown_keys: bool,
    /// Whether the fields that an orchestrator sets (`ID`, `State`, `Version`, …) may be there.
    pub system_fields: bool,
    /// Whether engines, sources and publishers that Bacalhau does not have may be named.
    pub custom_types: bool,
    /// Whether [`Job::validate`] is part of reading.
    pub validate: bool,
}

impl ReadOptions {
    /// For a file that a person wrote: everything that would be ignored is refused.
    pub fn job_file() -> Self {
        Self {
            limits: SpecLimits::default(),
            ignore_unknown_keys: false,
            system_fields: false,
            custom_types: false,
            validate: true,
        }
    }

    /// For a job that another program wrote, which may be newer or older than this one.
    pub fn wire() -> Self {
        Self {
            ignore_unknown_keys: true,
            system_fields: true,
            custom_types: true,
            validate: false,
            ..Self::job_file()
        }
    }

    /// The job in a JSON or YAML text.
    ///
    /// *Errors*: over a limit, not UTF-8, no JSON and no YAML, or everything that is wrong with its fields.
    pub fn read(&self, bytes: &[u8]) -> Result<Job, SpecError> {
        if bytes.len() > self.limits.bytes_max {
            let problem =
                Problem::new("", "the job file is too large").found(format!("{} bytes", bytes.len()));
            return Err(problem.allowed(format!("{} bytes (bytes_max)", self.limits.bytes_max)).into());
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            Problem::new("", format!("the job file is not UTF-8 at byte {}", error.valid_up_to()))
                .allowed("JSON or YAML in UTF-8")
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        self.finish(tree(text, self.limits)?)
    }

    /// The job in a JSON value.
    ///
    /// *Errors*: as [`ReadOptions::read`].
    pub fn read_value(&self, value: &Value) -> Result<Job, SpecError> {
        self.finish(Node::from_value(value, &mut Budget::new(self.limits), 0)?)
    }

    fn finish(&self, node: Node<'_>) -> Result<Job, SpecError> {
        let mut reader = Reader::new(self);
        let job = reader.job(node, &At::root());
        let (mut problems, mut more) = (reader.problems, reader.more);
        // After so many problems a job is not read far enough to say more about it.
        if self.validate && more == 0 {
            let known = problems.len();
            for problem in validate::problems(&job) {
                // A field that could not be read holds a default, about which there is nothing to say.
                let unread = problems[..known].iter().any(|seen| covers(&seen.field, &problem.field));
                if !unread {
                    problems.push(problem);
                }
            }
        }
        more += problems.len().saturating_sub(self.limits.problems_max);
        problems.truncate(self.limits.problems_max);
        if more > 0 {
            problems.push(Problem::new("", format!("and {more} problems more")));
        }
        if problems.is_empty() { Ok(job) } else { Err(SpecError { problems }) }
    }
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self::job_file()
    }
}

/// Whether a problem at `seen` says enough about `field` too.
fn covers(seen: &str, field: &str) -> bool {
    field.strip_prefix(seen).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// JSON first where it looks like it, for its reader is the faster; YAML otherwise.
fn tree(text: &str, limits: SpecLimits) -> Result<Node<'_>, SpecError> {
    let mut json_error = None;
    if text.trim_start().starts_with(['{', '[']) {
        match json::parse(text, &mut Budget::new(limits)) {
            Ok(node) => return Ok(node),
            Err(JsonError::Limit(problem)) => return Err(problem.into()),
            Err(JsonError::Syntax(error)) => json_error = Some(error),
        }
    }
    yaml::parse(text, &mut Budget::new(limits)).map_err(|mut problem| {
        if let Some(error) = json_error {
            problem.message = format!("{} (as JSON: {error})", problem.message);
        }
        problem.into()
    })
}
