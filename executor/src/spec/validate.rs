//! What a job must satisfy once its fields are known.
//!
//! Source: Bacalhau v1.9.3's `Validate` of job, task, network, paths and engine parameters, in its words. Deviations: variable
//! names may be in lower case and values empty; domains are matched as a whole; a result's name is one safe path component
//! and no name of a result file; targets may be relative for WASM and must be absolute for Docker; result paths need no
//! publisher, for results are kept here.

use std::collections::HashSet;
use std::fmt::Arguments;
use std::path::Path;

use super::engine::{DockerParams, EngineSpec, StringMap, WasmParams};
use super::error::{Problem, SpecError, quote};
use super::input::{S3Partition, S3PartitionType, Source};
use super::job::{Constraint, Job, Operator, Task};
use super::resources::Timeouts;
use super::units::GoDuration;

mod network;
mod paths;

/// The prefix of the variables that every execution is given; a job may not set one.
pub(super) const RESERVED_PREFIX: &str = "BACALHAU_";

impl Job {
    /// Checks that the job can be accepted.
    ///
    /// *Errors*: everything that is wrong with it, by field.
    pub fn validate(&self) -> Result<(), SpecError> {
        let problems = problems(self);
        if problems.is_empty() { Ok(()) } else { Err(SpecError { problems }) }
    }
}

/// Everything that is wrong with a job.
pub(super) fn problems(job: &Job) -> Vec<Problem> {
    let mut to = Vec::new();
    if job.job_type.runs_everywhere() && job.count > 1 {
        let kind = job.job_type.as_str();
        let message = format!("{kind} jobs cannot specify count > 1 as they run on all matching nodes");
        to.push(Problem::new("Count", message).found(job.count).allowed("0 or 1"));
    }
    if job.name.contains('\0') {
        to.push(Problem::new("Name", "job Name contains a null character").found(quote(&job.name)));
    }
    if job.id.contains('\0') || job.id.contains(' ') {
        to.push(Problem::new("ID", "job ID contains a space or a null character").found(quote(&job.id)));
    }
    for (index, constraint) in job.constraints.iter().enumerate() {
        check_constraint(constraint, format_args!("Constraints[{index}]"), &mut to);
    }
    check_task(&job.task, format_args!("Tasks[0]"), &mut to);
    to
}

fn check_constraint(constraint: &Constraint, at: Arguments<'_>, to: &mut Vec<Problem>) {
    if blank(&constraint.key) {
        to.push(
            Problem::new(format!("{at}.Key"), "selector key cannot be blank").allowed("the name of a label"),
        );
    }
    let count = constraint.values.len();
    let (fits, message) = match constraint.operator {
        Operator::In | Operator::NotIn => {
            (count > 0, "selector values cannot be empty for In or NotIn operators")
        }
        Operator::Exists | Operator::DoesNotExist => {
            (count == 0, "selector values must be empty for Exists or KeyNotInImap operators")
        }
        _ => (count == 1, "selector values must have exactly one value for other operators"),
    };
    if !fits {
        to.push(Problem::new(format!("{at}.Values"), message).found(format!("{count} values")));
    }
}

fn check_task(task: &Task, at: Arguments<'_>, to: &mut Vec<Problem>) {
    if blank(&task.name) {
        to.push(Problem::new(format!("{at}.Name"), "missing task name").allowed("a name such as main"));
    }
    if task.name.contains('\0') {
        to.push(Problem::new(format!("{at}.Name"), "task name cannot contain null characters"));
    }
    check_env(&task.env, format_args!("{at}.Env"), to);
    match &task.engine {
        EngineSpec::Wasm(params) => to.extend(wasm_problems(params, format_args!("{at}.Engine.Params"))),
        EngineSpec::Docker(params) => to.extend(docker_problems(params, format_args!("{at}.Engine.Params"))),
        EngineSpec::Other(spec) if blank(&spec.spec_type) => {
            to.push(Problem::new(format!("{at}.Engine.Type"), "invalid engine: missing spec type"));
        }
        EngineSpec::Other(_) => {}
    }
    check_publisher(task, format_args!("{at}.Publisher"), to);
    paths::check(task, at, to);
    if let Err(error) = task.resources.parse() {
        to.extend(error.problems.into_iter().map(|mut problem| {
            problem.field = format!("{at}.Resources.{}", problem.field);
            problem
        }));
    }
    network::check(&task.network, format_args!("{at}.Network"), to);
    check_timeouts(&task.timeouts, format_args!("{at}.Timeouts"), to);
}

/// Whether a text is empty or holds white space alone.
fn blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn check_env(env: &StringMap, at: Arguments<'_>, to: &mut Vec<Problem>) {
    for (name, value) in env {
        let what = || format!("environment variable '{}'", quote(name).trim_matches('"'));
        let first = name.chars().next();
        let message = if first.is_none() {
            "environment variable name cannot be empty".to_owned()
        } else if !first.is_some_and(char::is_alphabetic) {
            format!("{} must start with a letter", what())
        } else if !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            format!("{} can only contain letters, numbers, and underscores", what())
        } else if reserved(name) {
            format!("{} cannot start with {RESERVED_PREFIX}", what())
        } else if value.contains('\0') {
            format!("{} holds a null character", what())
        } else {
            continue;
        };
        to.push(Problem::new(format!("{at}.{}", quote(name).trim_matches('"')), message));
    }
}

fn reserved(name: &str) -> bool {
    name.get(..RESERVED_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(RESERVED_PREFIX))
}

/// What is wrong with the parameters of the WASM engine.
pub(super) fn wasm_problems(params: &WasmParams, at: Arguments<'_>) -> Vec<Problem> {
    let mut to = Vec::new();
    if params.entry_module.is_empty() {
        let message = "invalid wasm engine entry module. target path cannot be empty";
        to.push(Problem::new(format!("{at}.EntryModule"), message).allowed("the target of an input source"));
    }
    for (index, import) in params.import_modules.iter().enumerate() {
        if import.is_empty() {
            let message = "invalid wasm engine import module. target path cannot be empty";
            to.push(Problem::new(format!("{at}.ImportModules[{index}]"), message));
        }
    }
    check_arguments(&params.parameters, format_args!("{at}.Parameters"), &mut to);
    to
}

/// What is wrong with the parameters of the Docker engine.
pub(super) fn docker_problems(params: &DockerParams, at: Arguments<'_>) -> Vec<Problem> {
    let mut to = Vec::new();
    if params.image.is_empty() {
        let message = "invalid docker engine param: 'Image' cannot be empty";
        to.push(
            Problem::new(format!("{at}.Image"), message).allowed("an image reference such as busybox:1.37"),
        );
    }
    let folder = &params.working_directory;
    if !folder.is_empty() && !folder.starts_with('/') {
        let message = format!(
            "invalid docker engine param: 'WorkingDirectory' ({}) must contain absolute path",
            quote(folder)
        );
        to.push(Problem::new(format!("{at}.WorkingDirectory"), message).allowed("a path that begins with /"));
    }
    for (index, pair) in params.environment_variables.iter().enumerate() {
        let name = pair.split('=').next().unwrap_or_default();
        if reserved(name) {
            let name = quote(name);
            let name = name.trim_matches('"');
            let message = format!(
                "invalid docker engine param: environment variable '{name}' cannot start with {RESERVED_PREFIX}"
            );
            to.push(Problem::new(format!("{at}.EnvironmentVariables[{index}]"), message));
        }
    }
    check_arguments(&params.environment_variables, format_args!("{at}.EnvironmentVariables"), &mut to);
    check_arguments(&params.entrypoint, format_args!("{at}.Entrypoint"), &mut to);
    check_arguments(&params.parameters, format_args!("{at}.Parameters"), &mut to);
    to
}

/// No kernel and no WASI call carries a null character in an argument.
fn check_arguments(arguments: &[String], at: Arguments<'_>, to: &mut Vec<Problem>) {
    for (index, argument) in arguments.iter().enumerate() {
        if argument.contains('\0') {
            let problem = Problem::new(format!("{at}[{index}]"), "the text contains a null character");
            to.push(problem.found(quote(argument)));
        }
    }
}

/// What is wrong with the parameters of an input source.
pub(super) fn source_problems(source: &Source, at: Arguments<'_>) -> Vec<Problem> {
    let mut to = Vec::new();
    let mut refuse = |field: &str, message: String, allowed: &str| {
        to.push(Problem::new(format!("{at}.{field}"), message).allowed(allowed));
    };
    match source {
        Source::Inline(inline) if blank(&inline.url) => {
            refuse("URL", "invalid inline params: url cannot be empty".to_owned(), "a data: URL");
        }
        Source::Inline(inline)
            if !inline.url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) =>
        {
            refuse(
                "URL",
                format!("invalid inline params: {} is no data: URL", quote(&inline.url)),
                "a data: URL",
            );
        }
        Source::Local(local) if blank(&local.source_path) => {
            refuse(
                "SourcePath",
                "invalid local params: SourcePath cannot be empty".to_owned(),
                "a path of the host",
            );
        }
        Source::Local(local) if local.source_path.contains('\0') => {
            refuse(
                "SourcePath",
                "invalid local params: SourcePath has a null character".to_owned(),
                "a path",
            );
        }
        Source::Url(url) => {
            if let Err(message) = check_url(&url.url) {
                refuse(
                    "URL",
                    format!("invalid url storage params: {message}"),
                    "an http or https URL of a file",
                );
            }
        }
        Source::S3(s3) => {
            if s3.bucket.is_empty() {
                let message = "invalid s3 storage params: bucket cannot be empty".to_owned();
                refuse("Bucket", message, "the name of a bucket");
            }
            if let Err((field, message)) = check_partition(&s3.partition) {
                refuse(field, message.to_owned(), "see the partition types of S3 inputs");
            }
        }
        Source::Ipfs(ipfs) if ipfs.cid.is_empty() => {
            refuse("CID", "invalid ipfs params. cid cannot be empty".to_owned(), "a CID");
        }
        _ => {}
    }
    to
}

/// Checks what an URL input is fetched from; blanks and quotes around it are not part of it.
fn check_url(url: &str) -> Result<(), String> {
    let url = url.trim_matches([' ', '"', '\'']);
    if url.is_empty() {
        return Err("url cannot be empty".to_owned());
    }
    let (scheme, rest) = url.split_once("://").unwrap_or((url.split(':').next().unwrap_or_default(), ""));
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        let scheme = quote(scheme);
        let scheme = scheme.trim_matches('"');
        return Err(format!("URLs must begin with 'http' or 'https'. The submitted one began with {scheme}"));
    }
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if host.is_empty() {
        return Err("the URL names no host".to_owned());
    }
    if !path.starts_with('/') {
        return Err("URL must end with a file name".to_owned());
    }
    Ok(())
}

fn check_partition(partition: &S3Partition) -> Result<(), (&'static str, &'static str)> {
    match partition.partition_type {
        S3PartitionType::Regex if partition.pattern.is_empty() => {
            Err(("Partition.Pattern", "regex pattern cannot be empty"))
        }
        S3PartitionType::Substring if partition.end_index <= partition.start_index => {
            Err(("Partition.EndIndex", "end index must be greater than start index"))
        }
        S3PartitionType::Date if partition.date_format.is_empty() => {
            Err(("Partition.DateFormat", "date format cannot be empty"))
        }
        _ => Ok(()),
    }
}

fn check_publisher(task: &Task, at: Arguments<'_>, to: &mut Vec<Problem>) {
    let publisher = &task.publisher;
    if publisher.spec_type.is_empty() && !publisher.params.is_empty() {
        to.push(Problem::new(format!("{at}.Type"), "invalid publisher: missing spec type"));
    }
    if !publisher.is_type("s3") {
        return;
    }
    let text = |key: &str| publisher.params.get(key).and_then(|value| value.as_str()).unwrap_or_default();
    for key in ["Bucket", "Key"] {
        if text(key).is_empty() {
            let message = format!("invalid s3 params. {} cannot be empty", key.to_lowercase());
            to.push(Problem::new(format!("{at}.Params.{key}"), message));
        }
    }
    let encoding = text("Encoding");
    if !matches!(encoding, "" | "gzip" | "plain") {
        let message = "invalid s3 params. encoding must be either 'plain' or 'gzip'";
        to.push(Problem::new(format!("{at}.Params.Encoding"), message).found(quote(encoding)));
    }
}

fn check_timeouts(timeouts: &Timeouts, at: Arguments<'_>, to: &mut Vec<Problem>) {
    if timeouts.total.is_zero() || timeouts.execution.saturating_add(timeouts.queue) <= timeouts.total {
        return;
    }
    let shown = |duration| GoDuration::from_std(duration);
    let message = format!(
        "execution timeout {} and queue timeout {} should be less than total timeout {}",
        shown(timeouts.execution),
        shown(timeouts.queue),
        shown(timeouts.total)
    );
    to.push(Problem::new(format!("{at}.TotalTimeout"), message).allowed("their sum, or more"));
}

/// Whether a path climbs with `..`, in any place.
fn climbs(path: &str) -> bool {
    Path::new(path).components().any(|part| part == std::path::Component::ParentDir)
}

/// Notes the second of two equal names.
fn note_repeats<'n>(names: impl Iterator<Item = (usize, &'n str)>, mut note: impl FnMut(usize, &'n str)) {
    let mut seen = HashSet::new();
    for (index, name) in names {
        if !name.is_empty() && !seen.insert(name) {
            note(index, name);
        }
    }
}
