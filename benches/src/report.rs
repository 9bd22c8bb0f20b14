//! What a measurement found: every sample, and the figures derived from them.
//!
//! *Layout*: a report has scenarios, a scenario has pairs (subject and one peer, or the subject alone) with every sample in
//! the order of the runs. Medians, ratios, drift and verdicts are computed from the samples with the report's seed.

pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod svg;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::peer::About;
use crate::sample::{Gauges, Sample, count};
use crate::scenario::{Budget, Scenario};
use crate::schedule::{Phase, repeated_rounds};
use crate::stats::{self, Ratio, Summary};

/// Name and version of the JSON layout.
pub(crate) const SCHEMA: &str = "frogfish-bench/1";
/// Change of the first measurement, repeated last, beyond which a scenario is marked.
pub(crate) const DRIFT_PERCENT_MAX: f64 = 10.0;
/// Seed of every bootstrap.
pub(crate) const SEED: u64 = 20_261_122;

/// A whole measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) schema: String,
    pub(crate) started: String,
    pub(crate) finished: String,
    pub(crate) quick: bool,
    pub(crate) drift_percent_max: f64,
    pub(crate) seed: u64,
    pub(crate) machine: Machine,
    pub(crate) scenarios: Vec<ScenarioReport>,
}

/// One case of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ScenarioReport {
    pub(crate) scenario: Scenario,
    pub(crate) quick: bool,
    pub(crate) sides: BTreeMap<String, SideReport>,
    pub(crate) pairs: Vec<PairReport>,
    pub(crate) verdicts: Vec<Verdict>,
}

/// One side's words about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SideReport {
    #[serde(flatten)]
    pub(crate) about: About,
    /// The process's readings after the last run.
    #[serde(default)]
    pub(crate) gauges: Gauges,
    #[serde(default)]
    pub(crate) not_run: Option<String>,
}

/// The runs of two sides that alternated, or of one alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PairReport {
    /// The subject, then the peer if there is one.
    pub(crate) sides: Vec<String>,
    pub(crate) samples: Vec<Sample>,
    /// Why the runs ended before their time.
    #[serde(default)]
    pub(crate) stopped: Option<String>,
}

/// A budget and what was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) budget: Budget,
    /// `None` when a side it needs did not run.
    pub(crate) found: Option<f64>,
    pub(crate) met: Option<bool>,
}

impl Report {
    /// The title; a report in which no peer ran says so here.
    pub(crate) fn title(&self) -> String {
        let compared = self.scenarios.iter().any(|scenario| scenario.pairs.iter().any(PairReport::compared));
        let kind = if self.quick { "Frogfish measurements (quick run)" } else { "Frogfish measurements" };
        let peer = if compared { "" } else { ": no peer ran, nothing is compared" };
        format!("{kind}{peer}")
    }
}

impl SideReport {
    pub(crate) fn not_run(reason: &str) -> Self {
        Self { about: About::default(), gauges: Gauges::new(), not_run: Some(reason.to_owned()) }
    }
}

impl PairReport {
    fn compared(&self) -> bool {
        self.sides.len() == 2 && self.sides.iter().all(|side| !self.measured(side).is_empty())
    }

    /// Milliseconds of a side's measured runs, in order.
    pub(crate) fn measured(&self, side: &str) -> Vec<f64> {
        self.millis(side, Phase::Measured)
    }

    fn millis(&self, side: &str, phase: Phase) -> Vec<f64> {
        let of_side = self.samples.iter().filter(|sample| sample.side == side && sample.phase == phase);
        of_side.map(|sample| millis(sample.nanos)).collect()
    }

    pub(crate) fn summary(&self, side: &str) -> Option<Summary> {
        stats::summary(&self.measured(side))
    }

    /// The subject's median over the peer's.
    pub(crate) fn ratio(&self, scenario: &str, seed: u64) -> Option<Ratio> {
        let [subject, peer] = self.sides.as_slice() else { return None };
        let seed = stats::seed_of(seed, &[scenario, subject, peer]);
        stats::median_ratio(&self.measured(subject), &self.measured(peer), seed)
    }

    /// Change in per cent from a side's first runs to the same number of runs after all others.
    pub(crate) fn drift_percent(&self, side: &str) -> Option<f64> {
        let measured = self.measured(side);
        let first = repeated_rounds(u32::try_from(measured.len()).ok()?) as usize;
        let before = stats::median(&measured[..first])?;
        let after = stats::median(&self.millis(side, Phase::Repeat))?;
        (before > 0.0).then(|| (after / before - 1.0) * 100.0)
    }
}

impl ScenarioReport {
    pub(crate) fn new(scenario: &Scenario, quick: bool) -> Self {
        let (sides, pairs, verdicts) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { scenario: scenario.clone(), quick, sides, pairs, verdicts }
    }

    /// Judges the scenario's budgets on the samples.
    pub(crate) fn judge(&mut self) {
        let verdict = |budget: &Budget| {
            let found = self.found(budget);
            let met = found.map(|found| met(budget, found));
            Verdict { budget: budget.clone(), found, met }
        };
        self.verdicts = self.scenario.budget.iter().map(verdict).collect();
    }

    /// Whether every side ran to its end and no judged budget was missed.
    pub(crate) fn holds(&self) -> bool {
        let ran = self.sides.values().all(|side| side.not_run.is_none());
        let ended = !self.pairs.is_empty() && self.pairs.iter().all(|pair| pair.stopped.is_none());
        ran && ended && self.verdicts.iter().all(|verdict| verdict.met != Some(false))
    }

    /// The side and size of the largest drift, where it is beyond the limit.
    pub(crate) fn drifted(&self, limit_percent: f64) -> Option<(String, f64)> {
        let sides = self.pairs.iter().flat_map(|pair| pair.sides.iter().map(move |side| (pair, side)));
        let drifts = sides.filter_map(|(pair, side)| Some((side.clone(), pair.drift_percent(side)?)));
        let largest = drifts.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
        (largest.1.abs() > limit_percent).then_some(largest)
    }

    fn found(&self, budget: &Budget) -> Option<f64> {
        let subject = &self.scenario.subject;
        let summary = || self.pairs.first()?.summary(subject);
        let against = |name: &str| {
            let pair = self.pairs.iter().find(|pair| pair.sides.get(1).is_some_and(|side| side == name))?;
            let (ours, theirs) = (pair.summary(subject)?.p50, pair.summary(name)?.p50);
            (ours > 0.0 && theirs > 0.0).then_some((ours, theirs))
        };
        match budget {
            Budget::P50Ms { .. } => summary().map(|summary| summary.p50),
            Budget::P99OverP50 { .. } => summary().map(|summary| summary.p99 / summary.p50),
            Budget::TimesPeer { peer, .. } => against(peer).map(|(ours, theirs)| ours / theirs),
            Budget::FasterThanPeer { peer, .. } => against(peer).map(|(ours, theirs)| theirs / ours),
            Budget::PerSecond { .. } => {
                summary().map(|summary| f64::from(self.scenario.jobs) / summary.p50 * 1e3)
            }
            Budget::GrowthPercent { gauge, .. } => self.growth_percent(gauge),
        }
    }

    fn growth_percent(&self, gauge: &str) -> Option<f64> {
        let pair = self.pairs.first()?;
        let of_subject = pair
            .samples
            .iter()
            .filter(|sample| sample.side == self.scenario.subject && sample.phase == Phase::Measured);
        let readings: Vec<f64> = of_subject.filter_map(|sample| sample.gauges.get(gauge).copied()).collect();
        let (first, last) = (*readings.first()?, *readings.last()?);
        // From nothing, one of anything is all of it.
        Some((last - first) / first.max(1.0) * 100.0)
    }
}

fn met(budget: &Budget, found: f64) -> bool {
    match budget {
        Budget::P50Ms { max }
        | Budget::P99OverP50 { max }
        | Budget::TimesPeer { max, .. }
        | Budget::GrowthPercent { max, .. } => found <= *max,
        Budget::FasterThanPeer { min, .. } | Budget::PerSecond { min } => found >= *min,
    }
}

impl Verdict {
    /// The promise in words.
    pub(crate) fn promise(&self) -> String {
        match &self.budget {
            Budget::P50Ms { max } => format!("p50 at most {max} ms"),
            Budget::P99OverP50 { max } => format!("p99 at most {max} × p50"),
            Budget::TimesPeer { peer, max } => format!("p50 at most {max} × {peer}"),
            Budget::FasterThanPeer { peer, min } => format!("at least {min} × faster than {peer}"),
            Budget::PerSecond { min } => format!("at least {min} jobs/s"),
            Budget::GrowthPercent { gauge, max } => format!("{gauge} grows by at most {max} %"),
        }
    }

    /// `met`, `missed` or `not judged`.
    pub(crate) fn word(&self) -> &'static str {
        match self.met {
            Some(true) => "met",
            Some(false) => "missed",
            None => "not judged",
        }
    }
}

/// Nanoseconds as milliseconds.
#[expect(clippy::cast_precision_loss, reason = "2^53 ns are 104 days")]
pub(crate) fn millis(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}

/// A time with three significant digits and its unit.
pub(crate) fn time(milliseconds: f64) -> String {
    let (value, unit) = match milliseconds {
        ms if ms.abs() >= 1e3 => (ms / 1e3, "s"),
        ms if ms.abs() >= 1.0 => (ms, "ms"),
        ms => (ms * 1e3, "µs"),
    };
    format!("{} {unit}", digits(value))
}

/// A number with three significant digits.
pub(crate) fn digits(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// A ratio with its interval.
pub(crate) fn interval(ratio: &Ratio) -> String {
    format!("{} [{} – {}]", digits(ratio.value), digits(ratio.low), digits(ratio.high))
}

/// Whole counts as text, for tables.
pub(crate) fn runs(n: usize) -> String {
    if n == 1 { "1 run".to_owned() } else { format!("{} runs", count(n)) }
}

#[cfg(test)]
pub(crate) mod tests;
