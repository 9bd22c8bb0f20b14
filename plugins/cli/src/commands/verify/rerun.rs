//! Doing the work of a receipt again: offline, with exactly the inputs that it names.

use std::path::{Path, PathBuf};

use frogfish::engine::{Determinism, DeterminismLevel};
use frogfish::spec::{Job, NetworkType, Source, SpecConfig};
use frogfish::{Execution, Partition, Runner};
use frogfish_verifier::receipt::{ContentId, DeterminismLevel as Claimed};
use frogfish_verifier::{HashOptions, Receipt, hash_path};

use super::field;
use crate::problem::Problem;
use crate::session::{self, Purpose};
use crate::settings::Settings;

/// Re-runs of one receipt.
const RERUNS_MAX: u32 = 1_000;

/// Receipts of new runs of the same work, or why it cannot be done again.
type Reruns = (Vec<Receipt>, Option<String>);

/// Runs the work of a receipt again.
///
/// *Errors*: the runner failed; work that cannot be done again is no error.
pub(super) fn run(
    receipt: &Receipt,
    times: u32,
    inputs: Option<&Path>,
    settings: &Settings,
) -> Result<Reruns, Problem> {
    if times > RERUNS_MAX {
        return Err(Problem::usage(format!("--rerun {times}: at most {RERUNS_MAX} re-runs are made")));
    }
    session::log(settings)?;
    let execution = match execution(receipt, inputs) {
        Ok(execution) => execution,
        Err(why) => return Ok((Vec::new(), Some(why))),
    };
    // What the settings allow to other jobs is not allowed to a stranger's.
    let mut settings = settings.clone();
    settings.allow_paths.value.clear();
    settings.forward_env.value.clear();
    let runtime = session::runtime()?;
    let reruns = runtime.block_on(async {
        let runner = session::open(&settings, &[], Purpose::Nothing).await?;
        let reruns = repeat(&runner, &execution, times).await;
        runner.shutdown().await;
        Ok(reruns)
    });
    runtime.shutdown_background();
    reruns
}

async fn repeat(runner: &Runner, execution: &Execution, times: u32) -> Reruns {
    let mut receipts = Vec::new();
    for _ in 0..times {
        let again = execution.clone().with_id(frogfish::ExecutionId::random());
        let ended = match runner.start(again).await {
            Ok(handle) => handle.wait().await,
            Err(error) => Err(error),
        };
        match ended {
            Ok(outcome) => match (outcome.receipt, outcome.failure) {
                (Some(receipt), _) => receipts.push(receipt.as_ref().clone()),
                (None, failure) => {
                    let why = failure.map_or_else(|| "it did not run".to_owned(), |failure| failure.message);
                    return (receipts, Some(why));
                }
            },
            Err(error) => return (receipts, Some(error.to_string())),
        }
    }
    (receipts, None)
}

/// The execution that does the work of a receipt again, or why there is none.
fn execution(receipt: &Receipt, inputs: Option<&Path>) -> Result<Execution, String> {
    let claim = &receipt.claim;
    let job = receipt.observation.job.as_ref().ok_or("the receipt does not hold its job")?;
    let mut job: Job =
        serde_json::from_value(job.clone()).map_err(|error| format!("its job cannot be read: {error}"))?;
    let network = job.task.network.network_type;
    if !matches!(network, NetworkType::None | NetworkType::Default) {
        return Err("the job asks for a network, and re-runs are offline".to_owned());
    }
    job.task.publisher = SpecConfig::default();
    let mut granted = Vec::new();
    for input in &mut job.task.input_sources {
        let Source::Local(local) = &mut input.source else {
            continue;
        };
        if local.read_write {
            return Err(format!(
                "the job may write to its input {}: doing so again is no re-run",
                input.target
            ));
        }
        let claimed = claim.inputs.iter().find(|claimed| claimed.target == input.target);
        let content = claimed.and_then(|claimed| claimed.content);
        let Some(ContentId::Cid(cid)) = content else {
            return Err(format!("the receipt does not say what its input {} was", input.target));
        };
        let path = find(&local.source_path, &input.target, inputs, |path| {
            let options = HashOptions::default().with_entries(false).with_boundary(claim.hamt_boundary);
            hash_path(path, &options).is_ok_and(|hashed| hashed.cid == cid)
        })
        .ok_or_else(|| {
            format!("input {} with the CID {cid} is not there: {}", input.target, local.source_path)
        })?;
        path.to_str().ok_or("a path of an input is not UTF-8")?.clone_into(&mut local.source_path);
        granted.push(path);
    }
    let partition = partition(&claim.job);
    let execution = Execution::new(job).with_partition(partition).determinism(determinism(receipt));
    Ok(granted.into_iter().fold(execution, |execution, path| execution.allow_path(path, false)))
}

/// Where an input with the right content lies: where the job named it, or below the folder that the caller names.
fn find(source: &str, target: &str, inputs: Option<&Path>, fits: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let source = Path::new(source);
    let candidates = match inputs {
        None => vec![source.to_owned()],
        Some(folder) => {
            let below = |path: &Path| folder.join(path.strip_prefix("/").unwrap_or(path));
            let mut candidates = vec![below(Path::new(target)), below(source)];
            candidates.extend(source.file_name().map(|name| folder.join(name)));
            candidates
        }
    };
    let absolute = |path: PathBuf| path.canonicalize().ok();
    candidates.into_iter().filter_map(absolute).find(|path| fits(path))
}

/// Which part of the job the claim is about.
fn partition(job: &serde_json::Value) -> Partition {
    let number = |name| {
        let value = field(field(job, "Partition"), name).as_u64();
        value.and_then(|value| u32::try_from(value).ok())
    };
    Partition { index: number("Index").unwrap_or(0), count: number("Count").unwrap_or(1).max(1) }
}

/// The switches of the claim's run.
fn determinism(receipt: &Receipt) -> Determinism {
    let claimed = &receipt.claim.determinism;
    let level = match claimed.level {
        Claimed::None => DeterminismLevel::None,
        Claimed::Machine => DeterminismLevel::Machine,
        Claimed::Class => DeterminismLevel::Class,
        Claimed::Anywhere => DeterminismLevel::Anywhere,
    };
    let seed = claimed.settings.get("seed").and_then(|seed| seed.as_str()).and_then(|seed| seed.parse().ok());
    Determinism { level, seed: seed.unwrap_or(0) }
}
