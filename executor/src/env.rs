//! The environment that an execution sees: the task's own variables, then those that describe the execution.
//!
//! This crate reads no environment itself: variables of the host are those that the caller gives.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::failure::{Failure, ReasonCode};
use crate::glob;
use crate::id::{ExecutionId, JobId};
use crate::limits::Limits;
use crate::naming::Naming;
use crate::spec::{JobType, StringMap};

/// Begins a value that stands for a variable of the host: `env:HOME`.
pub const HOST_VARIABLE_PREFIX: &str = "env:";

/// Which variables of the host a task may ask for.
#[derive(Debug, Clone, Default)]
pub struct HostVariables {
    /// Names and values.
    pub values: BTreeMap<String, String>,
    /// Globs for names; each must match the whole name. None allows none.
    pub allow: Vec<String>,
}

impl HostVariables {
    fn resolve(&self, name: &str) -> Result<&str, Failure> {
        if !self.allow.iter().any(|pattern| glob::matches(pattern, name)) {
            let message = format!("environment variable '{name}' is not in allowed patterns");
            return Err(Failure::new(ReasonCode::Refused, message)
                .with_hint("allow the name in this node's environment allow-list"));
        }
        self.values.get(name).map(String::as_str).ok_or_else(|| {
            let message = format!("required environment variable '{name}' not found");
            Failure::new(ReasonCode::Refused, message).with_hint("set it where the node runs")
        })
    }
}

/// What an execution is told of itself.
#[derive(Debug, Clone, Copy)]
pub struct ExecutionFacts<'a> {
    /// The execution.
    pub execution_id: &'a ExecutionId,
    /// Its job, if it has one.
    pub job: Option<JobFacts<'a>>,
}

/// What an execution is told of its job.
#[derive(Debug, Clone, Copy)]
pub struct JobFacts<'a> {
    /// The job.
    pub id: &'a JobId,
    /// On how many nodes it runs.
    pub job_type: JobType,
    /// Which of the executions of the job this is, from 0.
    pub partition_index: u32,
    /// How many there are; 0, as of a job that runs on every node, is told as 1.
    pub partition_count: u32,
    /// Ports that were allocated.
    pub ports: &'a [PortFacts],
}

/// One allocated port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortFacts {
    /// Its name; the case is kept.
    pub name: String,
    /// The host's port, if known.
    pub host: Option<u16>,
    /// The port inside, if known.
    pub target: Option<u16>,
}

/// The whole environment: task variables resolved, system variables over them.
///
/// # Errors
/// A name or value that no process can be given, a host variable that is not allowed or not there, or more than
/// `env_bytes_max` in all.
pub fn build(
    task: &StringMap,
    facts: Option<&ExecutionFacts<'_>>,
    naming: &Naming,
    host: &HostVariables,
    limits: &Limits,
) -> Result<BTreeMap<String, String>, Failure> {
    let mut env = BTreeMap::new();
    for (name, value) in task {
        check_text(name, value)?;
        let value = match value.strip_prefix(HOST_VARIABLE_PREFIX) {
            Some(host_name) => host.resolve(host_name)?,
            None => value,
        };
        env.insert(name.clone(), value.to_owned());
    }
    if let Some(facts) = facts {
        env.extend(system(facts, &naming.env_prefix));
    }
    // As a process gets them: NAME=value and a null.
    let bytes: usize = env.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    if bytes > limits.env_bytes_max {
        let message = format!("environment has {bytes} bytes, env_bytes_max is {}", limits.env_bytes_max);
        return Err(Failure::new(ReasonCode::SpecError, message));
    }
    Ok(env)
}

/// Whether a task may name its variables so: a letter, then letters, digits and underscores, not the system's prefix.
///
/// # Errors
/// The first name that it may not use, and why.
pub fn check_names(task: &StringMap, naming: &Naming) -> Result<(), Failure> {
    for name in task.keys() {
        let why = if name.is_empty() {
            "is empty".to_owned()
        } else if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            "must start with a letter".to_owned()
        } else if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            "can only contain letters, digits and underscores".to_owned()
        } else if has_prefix(name, &naming.env_prefix) {
            format!("cannot start with {}", naming.env_prefix)
        } else {
            continue;
        };
        return Err(Failure::new(ReasonCode::SpecError, format!("environment variable '{name}' {why}")));
    }
    Ok(())
}

fn has_prefix(name: &str, prefix: &str) -> bool {
    !prefix.is_empty() && name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn check_text(name: &str, value: &str) -> Result<(), Failure> {
    if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
        let message =
            format!("environment variable {name:?} has a name or value that no process can be given");
        return Err(Failure::new(ReasonCode::SpecError, message));
    }
    Ok(())
}

fn system(facts: &ExecutionFacts<'_>, prefix: &str) -> Vec<(String, String)> {
    let mut env = vec![(format!("{prefix}EXECUTION_ID"), facts.execution_id.to_string())];
    let Some(job) = &facts.job else { return env };
    for (name, value) in [
        ("JOB_ID", job.id.to_string()),
        ("JOB_TYPE", job.job_type.as_str().to_owned()),
        ("PARTITION_INDEX", job.partition_index.to_string()),
        ("PARTITION_COUNT", job.partition_count.max(1).to_string()),
    ] {
        env.push((format!("{prefix}{name}"), value));
    }
    for port in job.ports {
        for (kind, number) in [("HOST_PORT", port.host), ("PORT", port.target)] {
            if let Some(number) = number {
                env.push((format!("{prefix}{kind}_{}", port.name), number.to_string()));
            }
        }
    }
    env
}
