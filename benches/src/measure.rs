//! Runs one case: every pair of sides in turn, each pair alternating run by run.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::input;
use crate::peer::{self, Case, Peer, PeerSpec, Programs, Run};
use crate::report::{PairReport, ScenarioReport, SideReport};
use crate::sample::{Measured, Sample, count, files_below, process_gauges};
use crate::scenario::Scenario;
use crate::schedule::{self, Turn};

/// How a whole measurement is made.
pub(crate) struct Plan<'a> {
    pub(crate) quick: bool,
    /// Peers from the command line; `None` takes those of each scenario.
    pub(crate) against: Option<&'a [PeerSpec]>,
    pub(crate) programs: &'a Programs,
    /// A folder on the measured file system.
    pub(crate) work: &'a Path,
}

/// A side that is ready to run.
struct Side {
    peer: Box<dyn Peer>,
    runs: u64,
    work: PathBuf,
}

/// Measures one case; a side that cannot run is in the report with its reason.
pub(crate) fn scenario(scenario: &Scenario, plan: &Plan<'_>) -> Result<ScenarioReport, Error> {
    let folder = tempfile::Builder::new().prefix("case-").tempdir_in(plan.work);
    let folder = folder.map_err(Error::io("create a folder in", plan.work))?;
    let files = Files {
        module: input::write_module(scenario, folder.path())?,
        input: input::write_input(scenario.input.as_ref(), plan.quick, folder.path())?,
        folder: folder.path(),
    };
    let mut report = ScenarioReport::new(scenario, plan.quick);
    let subject = PeerSpec::Named(scenario.subject.clone());
    let named: Vec<PeerSpec> = scenario.peers.iter().cloned().map(PeerSpec::Named).collect();
    let peers = plan.against.unwrap_or(&named);

    for peer in peers.iter().filter(|peer| peer.name() != scenario.subject) {
        pair(scenario, plan, &files, &[subject.clone(), peer.clone()], &mut report);
    }
    if report.pairs.is_empty() {
        pair(scenario, plan, &files, &[subject], &mut report);
    }
    report.judge();
    Ok(report)
}

struct Files<'a> {
    module: Option<PathBuf>,
    input: Option<PathBuf>,
    folder: &'a Path,
}

fn pair(
    scenario: &Scenario,
    plan: &Plan<'_>,
    files: &Files<'_>,
    specs: &[PeerSpec],
    report: &mut ScenarioReport,
) {
    let mut sides = Vec::new();
    for spec in specs {
        match ready(scenario, plan, files, spec, report.pairs.len()) {
            Ok(side) => sides.push(side),
            Err(error) => {
                eprintln!("  {}: not run: {error}", spec.name());
                report.sides.insert(spec.name().to_owned(), SideReport::not_run(&error.to_string()));
                return;
            }
        }
    }
    let rounds = if plan.quick { scenario.rounds.quick } else { scenario.rounds.full };
    let turns = schedule::turns(sides.len(), scenario.rounds.warmup, rounds);
    let names: Vec<String> = sides.iter().map(|side| side.peer.name().to_owned()).collect();
    let mut pair = PairReport { sides: names, samples: Vec::with_capacity(turns.len()), stopped: None };
    if let Err(error) = alternate(scenario, &turns, files, &mut sides, &mut pair) {
        eprintln!("  stopped: {error}");
        pair.stopped = Some(error.to_string());
    }
    for side in &sides {
        let gauges = side.peer.process().map(process_gauges).unwrap_or_default();
        let about = side.peer.about();
        report.sides.insert(side.peer.name().to_owned(), SideReport { about, gauges, not_run: None });
    }
    report.pairs.push(pair);
}

fn ready(
    scenario: &Scenario,
    plan: &Plan<'_>,
    files: &Files<'_>,
    spec: &PeerSpec,
    pair: usize,
) -> Result<Side, Error> {
    let work = files.folder.join(format!("pair-{pair}-{}", spec.name().replace('/', "_")));
    std::fs::create_dir_all(&work).map_err(Error::io("create", &work))?;
    let mut peer = peer::find(spec, scenario, plan.programs)?;
    peer.prepare(&Case::new(scenario, &work, files.module.as_deref(), files.input.as_deref()))?;
    Ok(Side { peer, runs: 0, work })
}

fn alternate(
    scenario: &Scenario,
    turns: &[Turn],
    files: &Files<'_>,
    sides: &mut [Side],
    pair: &mut PairReport,
) -> Result<(), Error> {
    let mut first_output: Option<String> = None;
    for turn in turns {
        let side = &mut sides[turn.side];
        let mut measured = run(scenario, files, side)?;
        if scenario.gauges {
            measured.gauges.extend(side.peer.process().map(process_gauges).unwrap_or_default());
            measured.gauges.insert("files_left".to_owned(), count(files_below(&side.work)));
        }
        if let (true, Some(output)) = (scenario.same_output, &measured.output) {
            let expected = first_output.get_or_insert_with(|| output.clone());
            if expected != output {
                let message = format!("printed {output:?} where the first run printed {expected:?}");
                return Err(Error::peer(side.peer.name(), message));
            }
        }
        let side = side.peer.name().to_owned();
        pair.samples.push(Sample { side, phase: turn.phase, nanos: measured.nanos, gauges: measured.gauges });
    }
    Ok(())
}

fn run(scenario: &Scenario, files: &Files<'_>, side: &mut Side) -> Result<Measured, Error> {
    side.runs += 1;
    let mut run = Run { run: side.runs, module: None };
    if let (true, Some(module)) = (scenario.cold, &files.module) {
        let bytes = std::fs::read(module).map_err(Error::io("read", module))?;
        let path = side.work.join(format!("unseen-{}.wasm", side.runs));
        std::fs::write(&path, input::unseen(&bytes, nonce())).map_err(Error::io("write", &path))?;
        run.module = Some(path);
    }
    let measured = side.peer.run_once(&run)?;
    if let Some(path) = run.module {
        std::fs::remove_file(&path).map_err(Error::io("remove", &path))?;
    }
    Ok(measured)
}

/// A number that no earlier process used, for caches that outlive one.
fn nonce() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
