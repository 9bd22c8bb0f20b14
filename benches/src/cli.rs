//! The harness's command line.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;

use crate::error::Error;
use crate::machine::{self, Machine};
use crate::measure::{self, Plan};
use crate::peer::{PeerSpec, Programs, library};
use crate::report::{
    DRIFT_PERCENT_MAX, Report, SCHEMA, SEED, ScenarioReport, digits, html, interval, json, time,
};
use crate::scenario::Scenario;
use crate::{compare, peer};

/// Measures Frogfish beside other programs, run by run.
#[derive(Debug, Parser)]
#[command(name = "frogfish-benches", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios; writes a JSON file with every sample and an HTML page.
    Run(RunArgs),
    /// Say which of two reports is faster, scenario by scenario.
    Compare { a: PathBuf, b: PathBuf },
    /// Make the HTML page of a report again.
    Render { report: PathBuf },
    /// List the built-in scenarios.
    List,
    /// Serve one of the library peers on stdin and stdout.
    #[command(hide = true)]
    Peer { name: String },
}

#[derive(Debug, Args)]
struct RunArgs {
    /// Fewer runs and smaller inputs.
    #[arg(long)]
    quick: bool,
    /// A built-in scenario or FILE.toml; may be repeated. All built-in ones when absent.
    #[arg(long = "scenario", value_name = "NAME|FILE.toml", num_args = 1..)]
    scenarios: Vec<String>,
    /// wasmtime-loop, bacalhau, kubo, none, NAME=command:'…' or NAME=lines:'…'; may be repeated.
    /// The peers of each scenario when absent.
    #[arg(long, value_name = "PEER", num_args = 1..)]
    against: Vec<PeerSpec>,
    /// Parent of the folder that runs write to; /dev/shm where it exists, else the temporary folder.
    #[arg(long, value_name = "DIR")]
    work_dir: Option<PathBuf>,
    /// Where the report goes, without its ending; target/bench/TIME when absent.
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// The frogfish binary; the one beside this program when absent.
    #[arg(long, value_name = "FILE")]
    frogfish: Option<PathBuf>,
    /// Exit with status 1 when a budget is missed or a side could not run.
    #[arg(long)]
    strict: bool,
}

/// Runs the command; gives whether everything asked for holds.
pub(crate) fn run(cli: Cli) -> Result<bool, Error> {
    match cli.command {
        Command::Run(args) => measure_all(&args),
        Command::Compare { a, b } => {
            print!("{}", compare::table(&json::read(&a)?, &json::read(&b)?));
            Ok(true)
        }
        Command::Render { report } => {
            let page = html::page(&json::read(&report)?);
            let path = report.with_extension("html");
            std::fs::write(&path, page).map_err(Error::io("write page", &path))?;
            println!("{}", path.display());
            Ok(true)
        }
        Command::List => {
            for scenario in Scenario::all_built_in()? {
                println!("{:<22} {}", scenario.name, scenario.title);
            }
            Ok(true)
        }
        Command::Peer { name } => {
            let mut peer = library::find(&name)?;
            peer::serve::serve(peer.as_mut(), std::io::stdin().lock(), std::io::stdout().lock())?;
            Ok(true)
        }
    }
}

fn measure_all(args: &RunArgs) -> Result<bool, Error> {
    let scenarios = if args.scenarios.is_empty() {
        Scenario::built_in()?
    } else {
        args.scenarios.iter().map(|name| Scenario::load(name)).collect::<Result<_, _>>()?
    };
    let programs = programs(args)?;
    let parent = args.work_dir.clone().unwrap_or_else(machine::default_work_parent);
    let work = tempfile::Builder::new().prefix("frogfish-bench-").tempdir_in(&parent);
    let work = work.map_err(Error::io("create a work folder in", &parent))?;
    let against: Vec<PeerSpec> = args.against.iter().filter(|peer| peer.name() != "none").cloned().collect();
    let plan = Plan {
        quick: args.quick,
        against: (!args.against.is_empty()).then_some(against.as_slice()),
        programs: &programs,
        work: work.path(),
    };

    let started = Timestamp::now();
    let mut report = Report {
        schema: SCHEMA.to_owned(),
        started: shown(started),
        finished: String::new(),
        quick: args.quick,
        drift_percent_max: DRIFT_PERCENT_MAX,
        seed: SEED,
        machine: Machine::read(work.path(), &programs.frogfish),
        scenarios: Vec::new(),
    };
    for case in scenarios.into_iter().flat_map(Scenario::cases) {
        eprintln!("{}", case.name);
        let found = measure::scenario(&case, &plan)?;
        print_scenario(&found, report.drift_percent_max, report.seed);
        report.scenarios.push(found);
    }
    report.machine.load_after = machine::load();
    report.finished = shown(Timestamp::now());
    write(&report, args, &programs, started)?;
    Ok(!args.strict || report.scenarios.iter().all(ScenarioReport::holds))
}

fn shown(time: Timestamp) -> String {
    format!("{time:.0}")
}

/// The binaries lie together in cargo's target folder; built peers are kept two levels up.
fn programs(args: &RunArgs) -> Result<Programs, Error> {
    let harness = std::env::current_exe().map_err(Error::io("find", "this program"))?;
    let beside = harness.parent().unwrap_or(Path::new("."));
    let frogfish = args.frogfish.clone().unwrap_or_else(|| beside.join("frogfish"));
    let cache = beside.parent().unwrap_or(beside).join("bench-peers");
    Ok(Programs { frogfish, harness, cache })
}

fn write(report: &Report, args: &RunArgs, programs: &Programs, started: Timestamp) -> Result<(), Error> {
    let stem = args.out.clone().unwrap_or_else(|| {
        let target = programs.cache.parent().unwrap_or(Path::new("."));
        target.join("bench").join(started.strftime("%Y%m%dT%H%M%SZ").to_string())
    });
    if let Some(folder) = stem.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    }
    let ending = |ending: &str| PathBuf::from(format!("{}.{ending}", stem.display()));
    json::write(report, &ending("json"))?;
    let page = ending("html");
    std::fs::write(&page, html::page(report)).map_err(Error::io("write page", &page))?;
    println!("{}", report.title());
    println!("samples: {}\nreport:  {}", ending("json").display(), page.display());
    Ok(())
}

fn print_scenario(found: &ScenarioReport, drift_percent_max: f64, seed: u64) {
    for pair in &found.pairs {
        for side in &pair.sides {
            let Some(s) = pair.summary(side) else { continue };
            let per_second = f64::from(found.scenario.jobs) / s.p50 * 1e3;
            println!(
                "  {side:<16} p50 {:>9}  p25–p75 {} – {}  p99 {:>9}  n {}  {} jobs/s",
                time(s.p50),
                time(s.p25),
                time(s.p75),
                time(s.p99),
                s.n,
                digits(per_second)
            );
        }
        if let Some(ratio) = pair.ratio(&found.scenario.name, seed) {
            println!("  {} / {} = {}", pair.sides[0], pair.sides[1], interval(&ratio));
        }
    }
    for verdict in &found.verdicts {
        let value = verdict.found.map_or_else(|| "–".to_owned(), digits);
        println!("  {}: {} (found {value})", verdict.word(), verdict.promise());
    }
    if let Some((side, percent)) = found.drifted(drift_percent_max) {
        println!("  marked: {side} drifted by {percent:+.0} % (limit {drift_percent_max} %)");
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// Longest time that the self-test may take in CI.
    const SELF_TEST_LIMIT: Duration = Duration::from_secs(5);

    #[test]
    fn the_self_test_measures_two_commands_and_writes_both_files() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("self");
        let shown = out.display().to_string();
        let args =
            ["frogfish-benches", "run", "--quick", "--scenario", "self-test", "--out", &shown, "--strict"];
        let began = Instant::now();
        let work = dir.path().display().to_string();
        let cli = Cli::parse_from(args.into_iter().chain(["--work-dir", &work]));
        assert!(run(cli).unwrap());
        assert!(began.elapsed() < SELF_TEST_LIMIT);
        let report = json::read(&out.with_extension("json")).unwrap();
        let pair = &report.scenarios[0].pairs[0];
        assert_eq!(pair.sides, ["true", "sh"]);
        assert_eq!(pair.samples.len(), 2 * (2 + 20 + 3));
        assert!(std::fs::read_to_string(out.with_extension("html")).unwrap().contains("<svg"));
    }

    #[test]
    fn own_peers_come_from_the_command_line_and_a_missing_one_is_loud() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("own").display().to_string();
        let work = dir.path().display().to_string();
        let args = [
            "frogfish-benches",
            "run",
            "--quick",
            "--scenario",
            "self-test",
            "--out",
            &out,
            "--work-dir",
            &work,
        ];
        let against = ["--against", "mine=command:sh -c 'exit 0'", "gone=command:/nonexistent/program"];
        assert!(run(Cli::parse_from(args.into_iter().chain(against))).unwrap());
        let report = json::read(Path::new(&format!("{out}.json"))).unwrap();
        let scenario = &report.scenarios[0];
        assert_eq!(scenario.pairs[0].sides, ["true", "mine"]);
        assert!(scenario.pairs[1].stopped.as_ref().unwrap().contains("/nonexistent/program"));
        assert!(!scenario.holds());
    }
}
