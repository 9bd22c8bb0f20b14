//! The journal from outside: killed processes and throughput.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail them too")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use frogfish::journal::{
    Durability, Edge, FileJournal, Filter, JOURNAL_FILE, Journal, MemoryJournal, Notes, Page, read_journal,
};
use frogfish::{ExecutionId, JobId, State};
use serde_json::value::RawValue;

const CHILD: &str = "FROGFISH_TEST_JOURNAL_CHILD";
const LINE: [State; 5] =
    [State::Queued, State::Preparing, State::Running, State::Collecting, State::Completed];

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap()
}

fn edges(name: &str) -> impl Iterator<Item = Edge> + use<> {
    let id = ExecutionId::try_new(name).unwrap();
    let job: Arc<RawValue> = RawValue::from_string(r#"{"Name":"noop"}"#.into()).unwrap().into();
    let at = std::time::Duration::from_secs(1);
    let create = Edge::create(id.clone(), JobId::try_new("j-1").unwrap(), job, State::Queued, at);
    let steps: Vec<Edge> = LINE.windows(2).map(|pair| Edge::step(id.clone(), pair[0], pair[1], at)).collect();
    std::iter::once(create).chain(steps)
}

#[test]
#[ignore = "no test of its own: what the next one starts and kills"]
fn child_that_commits_until_it_is_killed() {
    let folder = std::env::var_os(CHILD).expect("it is started by the next test");
    runtime().block_on(async {
        let path = Path::new(&folder).join(JOURNAL_FILE);
        let journal = Arc::new(FileJournal::open(&path, Durability::Process).unwrap());
        let begin = journal.list(&Filter::all(), Page::newest(1)).await.unwrap();
        let begin = begin.first().map_or(0, |record| record.sequence + 1);
        let mut tasks = tokio::task::JoinSet::new();
        for lane in 0..4 {
            let journal = Arc::clone(&journal);
            tasks.spawn(async move {
                for n in 0_u64.. {
                    let name = format!("e-{begin}-{lane}-{n}");
                    for edge in edges(&name) {
                        let state = edge.to;
                        let notes = Notes::none().put(format!("{name}/{state}"), "noted");
                        let revision = journal.commit(edge, notes).await.unwrap();
                        let mut out = std::io::stdout().lock();
                        writeln!(out, "acknowledged {name} {revision} {state}").unwrap();
                        out.flush().unwrap();
                    }
                }
            });
        }
        tasks.join_all().await;
    });
}

#[test]
fn every_acknowledged_edge_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(JOURNAL_FILE);
    let mut acknowledged = std::collections::BTreeMap::new();
    for round in 0..20_usize {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "child_that_commits_until_it_is_killed", "--nocapture"])
            .env(CHILD, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut seen = 0;
        for line in BufReader::new(child.stdout.take().unwrap()).split(b'\n') {
            // The harness may print on the same line; the last line may be cut off by the kill.
            let line = line.unwrap();
            let text = String::from_utf8_lossy(&line);
            let Some((_, words)) = text.split_once("acknowledged ") else { continue };
            let [name, revision, state] = words.split(' ').collect::<Vec<_>>()[..] else { continue };
            let Some(state) = LINE.iter().find(|known| known.as_str() == state) else { continue };
            acknowledged.insert(name.to_owned(), (revision.parse::<u64>().unwrap(), *state));
            seen += 1;
            if seen == 20 + round * 3 {
                child.kill().unwrap();
            }
        }
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        let view = read_journal(&path).unwrap();
        for (name, (revision, state)) in &acknowledged {
            let record = view.get(&ExecutionId::try_new(name).unwrap()).unwrap();
            let record = record.unwrap_or_else(|| panic!("round {round}: {name} is lost"));
            assert!(record.revision.0 >= *revision, "round {round}: {name} lost an edge");
            let notes = view.notes(&format!("{name}/")).unwrap();
            assert_eq!(notes.len() as u64, record.revision.0, "edges and notes go together");
            assert!(notes.iter().any(|note| note.key == format!("{name}/{state}")));
        }
    }
    assert!(acknowledged.len() > 20);
}

async fn jobs_per_second(journal: Arc<dyn Journal>, lanes: usize, jobs: usize) -> f64 {
    let begin = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for lane in 0..lanes {
        let journal = Arc::clone(&journal);
        tasks.spawn(async move {
            for n in 0..jobs / lanes {
                for edge in edges(&format!("e-{lane}-{n}")) {
                    journal.commit(edge, Notes::none()).await.unwrap();
                }
            }
        });
    }
    tasks.join_all().await;
    f64::from(u32::try_from(jobs).unwrap()) / begin.elapsed().as_secs_f64()
}

#[test]
#[ignore = "measures: run it alone, in release"]
fn throughput() {
    let cpu = || {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        let after = stat.rsplit(')').next().unwrap().split(' ').collect::<Vec<_>>();
        (after[12].parse::<f64>().unwrap() + after[13].parse::<f64>().unwrap()) / 100.0
    };
    let root = std::env::var_os("FROGFISH_TEST_JOURNAL_FOLDER").unwrap_or_else(|| "/dev/shm".into());
    runtime().block_on(async {
        for lanes in [1, 2, 8, 64, 256] {
            let folder = tempfile::tempdir_in(&root).unwrap();
            let path = folder.path().join(JOURNAL_FILE);
            let begin = Instant::now();
            let journal = Arc::new(FileJournal::open(&path, Durability::Process).unwrap());
            let opened = begin.elapsed();
            let (jobs, before) = (if lanes < 8 { 2_000 } else { 20_480 }, cpu());
            let rate = jobs_per_second(Arc::clone(&journal) as _, lanes, jobs).await;
            let cpu_us = (cpu() - before) * 1e6 / f64::from(u32::try_from(jobs).unwrap());
            let begin = Instant::now();
            drop(journal);
            let closed = begin.elapsed();
            let bytes = std::fs::metadata(&path).unwrap().len();
            let begin = Instant::now();
            drop(FileJournal::open(&path, Durability::Process).unwrap());
            let reopened = begin.elapsed();
            println!(
                "{lanes:4} in flight: {rate:8.0} jobs/s of 5 edges, {cpu_us:.0} us of CPU each, file {bytes}, \
                 made in {opened:?}, closed in {closed:?}, opened and closed in {reopened:?}"
            );
        }
        let memory = jobs_per_second(Arc::new(MemoryJournal::new()), 1, 100_000).await;
        println!("memory: {:.2} us an edge", 1e6 / memory / 5.0);
    });
}
