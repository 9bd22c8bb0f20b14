//! Running one job from the command line, from the flags to the exit status.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use frogfish::spec::Job;
use frogfish::{Admission, Execution, ExecutionHandle, Outcome, Partition, Runner};
use serde_json::json;

use crate::args::RunOptions;
use crate::exit;
use crate::follow::{self, DRAW_MS, Screen};
use crate::mounts::Granted;
use crate::out;
use crate::out_dir::OutDir;
use crate::problem::Problem;
use crate::report::{self, Report};
use crate::session::{self, Purpose};
use crate::settings::Settings;
use crate::signals::{Interrupt, Signals};

/// Executions of one job that one command runs.
const PARTITIONS_MAX: u32 = 1_024;

/// What is to be run, and how.
pub(crate) struct Request<'o> {
    pub(crate) job: Job,
    /// Paths that the caller named and thereby allows.
    pub(crate) granted: Vec<Granted>,
    pub(crate) options: &'o RunOptions,
}

/// Runs a job and returns the command's exit status.
pub(crate) fn run(request: &Request<'_>, settings: &Settings) -> Result<u8, Problem> {
    session::log(settings)?;
    let runtime = session::runtime()?;
    let status = runtime.block_on(async {
        if request.options.dry_run {
            return dry_run(request, settings).await;
        }
        start(request, settings).await
    });
    // A guest that was given up may still run on a thread; nobody waits for it.
    runtime.shutdown_background();
    status
}

/// Says what would run and whether it could.
async fn dry_run(request: &Request<'_>, settings: &Settings) -> Result<u8, Problem> {
    let runner = session::open(settings, &request.options.allow_path, Purpose::Nothing).await?;
    let admission = match executions(request)?.into_iter().next() {
        Some(execution) => runner.check(&execution).await,
        None => Admission::Now,
    };
    let (word, status) = match &admission {
        Admission::Now => ("now", 0),
        Admission::Later(_) => ("later", 0),
        Admission::Never(failure) => ("never", exit::of_reason(failure.code)),
    };
    let job = request.job.normalised().to_value();
    let problem = admission.reason().cloned().map(Problem::from);
    if request.options.json {
        let error = problem.as_ref().map(Problem::to_value);
        out::json(&json!({ "job": job, "admission": word, "error": error }))?;
    } else {
        out::json(&job)?;
        out::say(&format!("this job would start {word}"));
        if let Some(problem) = &problem {
            out::problem(problem, false);
        }
    }
    runner.shutdown().await;
    Ok(status)
}

/// The executions of a job: one for each partition.
fn executions(request: &Request<'_>) -> Result<Vec<Execution>, Problem> {
    let job = &request.job;
    let count = if job.job_type.runs_everywhere() { 1 } else { job.count.max(1) };
    if count > PARTITIONS_MAX {
        return Err(Problem::refused(format!(
            "Count: {count} executions; one command runs at most {PARTITIONS_MAX}"
        )));
    }
    if count > 1 && request.options.out.is_some() {
        return Err(Problem::usage(
            "--out takes the results of one execution, and this job has more (Count)",
        ));
    }
    let first = Execution::new(job.clone());
    let job_id = first.job_id().clone();
    let make = |index| {
        let mut execution = Execution::new(job.clone())
            .with_job_id(job_id.clone())
            .with_partition(Partition { index, count });
        for granted in &request.granted {
            execution = execution.allow_path(granted.path.clone(), granted.read_write);
        }
        if request.options.deterministic { execution.deterministic() } else { execution }
    };
    Ok((0..count).map(make).collect())
}

async fn start(request: &Request<'_>, settings: &Settings) -> Result<u8, Problem> {
    let options = request.options;
    let executions = executions(request)?;
    let out_dir = options.out.as_deref().map(OutDir::prepare).transpose()?;
    let mut signals = Signals::new()?;
    let runner = session::open(settings, &options.allow_path, Purpose::Run).await?;
    let mut handles = Vec::with_capacity(executions.len());
    for execution in executions {
        match runner.start(execution).await {
            Ok(handle) => handles.push(handle),
            Err(error) => {
                runner.shutdown().await;
                return Err(Problem::from(error));
            }
        }
    }
    let output_goes_on = !options.json && !options.cid;
    let screen = Arc::new(Screen::new(output_goes_on));
    let ended = tokio::spawn(wait(handles.clone(), output_goes_on.then(|| screen.clone())));
    let ended = async {
        ended.await.unwrap_or_else(|error| Err(Problem::failed(format!("waiting for the job: {error}"))))
    };
    let (ended, interrupt) = attend(&handles, ended, &screen, &mut signals).await;
    screen.clear();
    let Some(ended) = ended else {
        out::say("left at once; the next command settles what is left of the job");
        return Ok(interrupt.map_or(exit::FAILED, Interrupt::status));
    };
    let (outcomes, passed_on) = ended?;
    let reports = settle(&runner, outcomes, out_dir.as_ref(), settings);
    runner.shutdown().await;
    let reports = reports?;
    show(&reports, options)?;
    passed_on?;
    Ok(status(&reports, interrupt))
}

/// Waits for every execution; passes their output on meanwhile, that of later partitions after that of earlier ones.
async fn wait(
    handles: Vec<ExecutionHandle>,
    pass_on_to: Option<Arc<Screen>>,
) -> Result<(Vec<Outcome>, Result<(), Problem>), Problem> {
    let mut outcomes = Vec::with_capacity(handles.len());
    let mut passed_on = Ok(());
    for handle in handles {
        if let Some(screen) = &pass_on_to {
            let passed = follow::pass_on(handle.clone(), screen).await;
            passed_on = passed_on.and(passed);
        }
        outcomes.push(handle.wait().await?);
    }
    Ok((outcomes, passed_on))
}

/// Sees to signals and to the line of progress until the job has ended, or a second signal came.
async fn attend<T>(
    handles: &[ExecutionHandle],
    ended: impl Future<Output = T>,
    screen: &Screen,
    signals: &mut Signals,
) -> (Option<T>, Option<Interrupt>) {
    let began = Instant::now();
    let mut draw = tokio::time::interval(Duration::from_millis(DRAW_MS));
    let mut interrupt = None;
    tokio::pin!(ended);
    loop {
        tokio::select! {
            ended = &mut ended => return (Some(ended), interrupt),
            signal = signals.next() => {
                if interrupt.is_some() {
                    return (None, Some(signal));
                }
                interrupt = Some(signal);
                for handle in handles {
                    handle.cancel();
                }
                screen.clear();
                out::say("stopping the job; once more leaves at once");
            }
            _ = draw.tick(), if screen.draws() => {
                let state = handles.iter().map(ExecutionHandle::state).find(|state| !state.is_terminal());
                screen.draw(state.map_or("Ending", |state| state.as_str()), began.elapsed());
            }
        }
    }
}

/// Puts the results where the caller wants them.
fn settle(
    runner: &Runner,
    outcomes: Vec<Outcome>,
    out_dir: Option<&OutDir>,
    settings: &Settings,
) -> Result<Vec<Report>, Problem> {
    let _ = runner;
    let mut reports = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        let report = match (out_dir, &outcome.results) {
            (Some(out_dir), Some(results)) => {
                let receipt = out_dir.fill(results, outcome.receipt_path.as_deref())?;
                Report { results: Some(out_dir.path().to_owned()), receipt, kept_s: None, outcome }
            }
            _ => Report {
                results: outcome.results.clone(),
                receipt: outcome.receipt_path.clone(),
                kept_s: Some(settings.limits.value.retention_s),
                outcome,
            },
        };
        reports.push(report);
    }
    Ok(reports)
}

fn show(reports: &[Report], options: &RunOptions) -> Result<(), Problem> {
    if options.json {
        return out::json(&report::to_value(reports));
    }
    for report in reports {
        if options.cid && report.outcome.results.is_some() {
            out::line(&report.outcome.cid.to_string())?;
        }
        report.say();
    }
    Ok(())
}

/// The first status that is not 0, in the order of the partitions.
fn status(reports: &[Report], interrupt: Option<Interrupt>) -> u8 {
    let interrupted = interrupt == Some(Interrupt::Interrupted);
    let statuses = reports.iter().map(|report| exit::of_outcome(&report.outcome, interrupted));
    statuses.into_iter().find(|status| *status != 0).unwrap_or(0)
}
