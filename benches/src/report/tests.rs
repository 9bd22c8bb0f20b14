use std::path::PathBuf;

use super::*;
use crate::peer::Settings;

fn machine() -> Machine {
    Machine {
        cpu: "a cpu".to_owned(),
        cores: 2,
        memory_mib: 1024,
        kernel: "Linux 6".to_owned(),
        work_folder: PathBuf::from("/dev/shm"),
        file_system: "tmpfs".to_owned(),
        fsync_us_p50: Some(1.5),
        fsync_us_max: Some(9.0),
        load_before: "0 0 0".to_owned(),
        load_after: "1 0 0".to_owned(),
        versions: BTreeMap::from([("frogfish".to_owned(), "0.1.0".to_owned())]),
    }
}

fn sample(side: &str, phase: Phase, nanos: u64) -> Sample {
    Sample { side: side.to_owned(), phase, nanos, gauges: Gauges::from([("rss_kib".to_owned(), 100.0)]) }
}

fn side(process: &str) -> SideReport {
    let settings: Settings = [("process", process), ("memory limit", "64 MiB")]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    SideReport {
        about: About { version: "1".to_owned(), settings },
        gauges: Gauges::from([("threads".to_owned(), 3.0)]),
        not_run: None,
    }
}

const SCENARIO: &str = "
name = 'noop'
title = 'No-op'
kind = 'wasm'
guests = ['noop']
jobs = 10
rounds = { full = 4, quick = 4 }
[[budget]]
of = 'times-peer'
peer = 'other'
max = 1.3
[[budget]]
of = 'faster-than-peer'
peer = 'absent'
min = 200
[[budget]]
of = 'per-second'
min = 2000
[[budget]]
of = 'growth-percent'
gauge = 'rss_kib'
max = 5
[[budget]]
of = 'p50-ms'
max = 1
";

/// Frogfish takes 2 ms, the other side 1 ms; the repetition of Frogfish takes 3 ms; a third side did not run.
pub(crate) fn report() -> Report {
    let mut samples = Vec::new();
    for _ in 0..4 {
        samples.push(sample("frogfish", Phase::Measured, 2_000_000));
        samples.push(sample("other", Phase::Measured, 1_000_000));
    }
    for _ in 0..3 {
        samples.push(sample("frogfish", Phase::Repeat, 3_000_000));
        samples.push(sample("other", Phase::Repeat, 1_000_000));
    }
    let scenario = Scenario::parse(SCENARIO, "test").unwrap();
    let mut noop = ScenarioReport::new(&scenario, false);
    noop.sides.insert("frogfish".to_owned(), side("child"));
    noop.sides.insert("other".to_owned(), side("one per run"));
    noop.sides.insert("bacalhau".to_owned(), SideReport::not_run("no Go"));
    let sides = vec!["frogfish".to_owned(), "other".to_owned()];
    noop.pairs.push(PairReport { sides, samples, stopped: None });
    noop.judge();
    Report {
        schema: SCHEMA.to_owned(),
        started: "2026-01-01T00:00:00Z".to_owned(),
        finished: "2026-01-01T00:01:00Z".to_owned(),
        quick: false,
        drift_percent_max: DRIFT_PERCENT_MAX,
        seed: SEED,
        machine: machine(),
        scenarios: vec![noop],
    }
}

pub(crate) fn report_without_peer() -> Report {
    let mut report = report();
    let pair = &mut report.scenarios[0].pairs[0];
    pair.sides.truncate(1);
    pair.samples.retain(|sample| sample.side == "frogfish");
    report
}

#[test]
fn ratio_drift_and_verdicts_follow_from_the_samples() {
    let report = report();
    let scenario = &report.scenarios[0];
    let pair = &scenario.pairs[0];
    assert_near(pair.ratio("noop", SEED).unwrap().value, 2.0);
    assert_near(pair.drift_percent("frogfish").unwrap(), 50.0);
    assert_near(pair.drift_percent("other").unwrap(), 0.0);
    assert_eq!(scenario.drifted(10.0).unwrap().0, "frogfish");
    assert_eq!(scenario.drifted(60.0), None);
    let words: Vec<&str> = scenario.verdicts.iter().map(Verdict::word).collect();
    assert_eq!(words, ["missed", "not judged", "met", "met", "missed"]);
    assert_eq!(scenario.verdicts[2].found, Some(5000.0));
}

#[test]
fn warm_up_and_repeated_runs_enter_no_median() {
    let mut report = report();
    let pair = &mut report.scenarios[0].pairs[0];
    pair.samples.insert(0, sample("frogfish", Phase::Warmup, 900_000_000));
    assert_near(pair.summary("frogfish").unwrap().max, 2.0);
}

#[test]
fn times_carry_the_unit_that_fits() {
    assert_eq!([0.08, 36.2, 1500.0].map(time), ["80.0 µs", "36.2 ms", "1.50 s"]);
}

fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found}, expected {expected}");
}
