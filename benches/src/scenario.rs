//! Scenario files (TOML): what is run, how often, on which input, and the budget it is judged by.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Longest scenario file that is read.
const SCENARIO_BYTES_MAX: u64 = 1 << 20;
/// Most runs of one side that a scenario may ask for.
const ROUNDS_MAX: u32 = 100_000;

/// The scenarios that come with the harness, in the order in which they run.
const BUILT_IN: &[(&str, &str)] = &[
    ("wasm-noop-warm", include_str!("../scenarios/wasm-noop-warm.toml")),
    ("wasm-libc-warm", include_str!("../scenarios/wasm-libc-warm.toml")),
    ("wasm-noop-cold", include_str!("../scenarios/wasm-noop-cold.toml")),
    ("wasm-command", include_str!("../scenarios/wasm-command.toml")),
    ("cli-version", include_str!("../scenarios/cli-version.toml")),
    ("runner-throughput-2", include_str!("../scenarios/runner-throughput-2.toml")),
    ("runner-throughput-16", include_str!("../scenarios/runner-throughput-16.toml")),
    ("memory-10000", include_str!("../scenarios/memory-10000.toml")),
    ("hash-1gib", include_str!("../scenarios/hash-1gib.toml")),
    ("hash-20000x1k", include_str!("../scenarios/hash-20000x1k.toml")),
    ("wasm-kernels", include_str!("../scenarios/wasm-kernels.toml")),
    ("self-test", include_str!("../scenarios/self-test.toml")),
];

/// What one run of a scenario is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// WASM jobs inside a process that lives on: the clock is in that process.
    Wasm,
    /// Docker jobs started by a process that lives on.
    Docker,
    /// A whole command, from process start to exit.
    Command,
}

/// What a killed process or a lost machine may cost; the modes of the Frogfish runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Durability {
    #[default]
    Memory,
    Process,
    Power,
}

/// One scenario as its file says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) about: String,
    pub(crate) kind: Kind,
    /// The side that every ratio is about.
    #[serde(default = "frogfish")]
    pub(crate) subject: String,
    /// The peers that run unless `--against` names others.
    #[serde(default)]
    pub(crate) peers: Vec<String>,
    /// Left out of a run that names no scenario.
    #[serde(default)]
    pub(crate) only_by_name: bool,
    pub(crate) rounds: Rounds,
    /// Jobs per run; the clock covers all of them.
    #[serde(default = "one")]
    pub(crate) jobs: u32,
    #[serde(default = "one")]
    pub(crate) in_flight: u32,
    #[serde(default)]
    pub(crate) durability: Durability,
    /// Every run gets a module that no process has seen.
    #[serde(default)]
    pub(crate) cold: bool,
    /// Memory, descriptors, threads and files are read after every run.
    #[serde(default)]
    pub(crate) gauges: bool,
    /// Guests of the fixtures, each with its arguments behind it; more than one gives a case each.
    #[serde(default)]
    pub(crate) guests: Vec<String>,
    /// A module of your own, relative to the scenario file.
    #[serde(default)]
    pub(crate) module: Option<PathBuf>,
    /// A Docker image that is already on the host.
    #[serde(default)]
    pub(crate) image: Option<String>,
    #[serde(default)]
    pub(crate) args: Vec<String>,
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) input: Option<Input>,
    /// Command lines by side, with placeholders; see the README.
    #[serde(default)]
    pub(crate) command: BTreeMap<String, String>,
    /// Command lines by side that run once, before the first run.
    #[serde(default)]
    pub(crate) prepare: BTreeMap<String, String>,
    /// All sides must print the same text.
    #[serde(default)]
    pub(crate) same_output: bool,
    #[serde(default)]
    pub(crate) budget: Vec<Budget>,
}

fn frogfish() -> String {
    "frogfish".to_owned()
}

fn one() -> u32 {
    1
}

/// How often each side runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Rounds {
    pub(crate) full: u32,
    pub(crate) quick: u32,
    #[serde(default)]
    pub(crate) warmup: u32,
}

/// Files made before the first run, the same bytes every time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Input {
    /// One file when absent, otherwise a folder of so many files.
    #[serde(default)]
    pub(crate) files: Option<u32>,
    pub(crate) bytes_each: u64,
    /// `bytes_each` of a quick run.
    #[serde(default)]
    pub(crate) quick_bytes_each: Option<u64>,
    #[serde(default)]
    pub(crate) quick_files: Option<u32>,
}

/// A promise, judged on the measured samples of the subject.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "of")]
pub(crate) enum Budget {
    /// Median of a run, in milliseconds.
    P50Ms { max: f64 },
    /// 99th percentile over the median.
    P99OverP50 { max: f64 },
    /// Subject's median over the peer's.
    TimesPeer { peer: String, max: f64 },
    /// Peer's median over the subject's.
    FasterThanPeer { peer: String, min: f64 },
    /// Jobs per second at the median.
    PerSecond { min: f64 },
    /// Growth of a gauge from the first measured run to the last, in per cent.
    GrowthPercent { gauge: String, max: f64 },
}

impl Scenario {
    /// Reads a scenario by built-in name, or from a path ending in `.toml`.
    pub(crate) fn load(name: &str) -> Result<Self, Error> {
        if Path::new(name).extension().is_some_and(|ext| ext == "toml") {
            return Self::read(Path::new(name));
        }
        let found = BUILT_IN.iter().find(|(built_in, _)| *built_in == name);
        let (_, text) = found.ok_or_else(|| {
            let names: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
            Error::Usage(format!("no scenario {name}; there are {}, or a path FILE.toml", names.join(", ")))
        })?;
        Self::parse(text, name)
    }

    /// The built-in scenarios that run when none is named.
    pub(crate) fn built_in() -> Result<Vec<Self>, Error> {
        Ok(Self::all_built_in()?.into_iter().filter(|scenario| !scenario.only_by_name).collect())
    }

    /// Every built-in scenario.
    pub(crate) fn all_built_in() -> Result<Vec<Self>, Error> {
        BUILT_IN.iter().map(|(name, text)| Self::parse(text, name)).collect()
    }

    fn read(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::metadata(path).map_err(Error::io("read scenario", path))?.len();
        let shown = path.display().to_string();
        if bytes > SCENARIO_BYTES_MAX {
            return Err(Error::scenario(
                &shown,
                format!("{bytes} bytes, at most {SCENARIO_BYTES_MAX} are read"),
            ));
        }
        let text = std::fs::read_to_string(path).map_err(Error::io("read scenario", path))?;
        let mut scenario = Self::parse(&text, &shown)?;
        if let (Some(module), Some(folder)) = (&scenario.module, path.parent()) {
            scenario.module = Some(folder.join(module));
        }
        Ok(scenario)
    }

    /// Parses and checks the text of a scenario file; `origin` names it in errors.
    pub(crate) fn parse(text: &str, origin: &str) -> Result<Self, Error> {
        let scenario: Self = toml::from_str(text).map_err(|error| Error::scenario(origin, error))?;
        scenario.check().map_err(|message| Error::scenario(origin, message))?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), String> {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
        if self.name.is_empty() || !self.name.chars().all(good) {
            return Err("name must be letters, digits, '-', '_', '.' or '/'".to_owned());
        }
        for (field, count) in [("rounds.full", self.rounds.full), ("rounds.quick", self.rounds.quick)] {
            if !(1..=ROUNDS_MAX).contains(&count) {
                return Err(format!("{field} is {count}, allowed are 1 to {ROUNDS_MAX}"));
            }
        }
        if self.jobs == 0 || self.in_flight == 0 {
            return Err("jobs and in-flight must be at least 1".to_owned());
        }
        match self.kind {
            Kind::Wasm if self.guests.is_empty() && self.module.is_none() => {
                Err("kind wasm needs guests or module".to_owned())
            }
            Kind::Docker if self.image.is_none() => Err("kind docker needs image".to_owned()),
            Kind::Command if !self.command.contains_key(&self.subject) => {
                Err(format!("kind command needs command.{}", self.subject))
            }
            _ => Ok(()),
        }
    }

    /// One scenario per guest, each with the guest in its name where there are several.
    pub(crate) fn cases(self) -> Vec<Self> {
        let several = self.guests.len() > 1;
        let case = |line: &String| {
            let mut words = line.split_whitespace().map(str::to_owned);
            let guest = words.next().unwrap_or_default();
            let mut case = self.clone();
            case.args.extend(words);
            if several {
                case.name = format!("{}/{guest}", self.name);
                case.title = format!("{}: {line}", self.title);
            }
            case.guests = vec![guest];
            case
        };
        if self.guests.is_empty() { vec![self] } else { self.guests.iter().map(case).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_scenario_parses_and_carries_its_own_name() {
        for (name, text) in BUILT_IN {
            assert_eq!(Scenario::parse(text, name).unwrap().name, *name);
        }
    }

    #[test]
    fn unknown_keys_and_empty_rounds_are_refused_by_name() {
        let good = "name='a'\ntitle='A'\nkind='command'\nsubject='x'\ncommand={x='true'}\n";
        let parse = |more: &str| Scenario::parse(&format!("{good}{more}"), "f.toml");
        assert!(parse("rounds={full=1,quick=1}").is_ok());
        let unknown = parse("rounds={full=1,quick=1}\nruns=3").unwrap_err().to_string();
        assert!(unknown.contains("f.toml") && unknown.contains("runs"), "{unknown}");
        let zero = parse("rounds={full=0,quick=1}").unwrap_err().to_string();
        assert!(zero.contains("rounds.full is 0"), "{zero}");
    }

    #[test]
    fn several_guests_give_a_case_each_with_their_own_arguments() {
        let text =
            "name='k'\ntitle='K'\nkind='wasm'\nargs=['x']\nguests=['a','b 1 2']\nrounds={full=1,quick=1}";
        let cases = Scenario::parse(text, "k").unwrap().cases();
        let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names, ["k/a", "k/b"]);
        assert_eq!(
            (&cases[1].guests[..], &cases[1].args[..]),
            (&["b".into()][..], &["x", "1", "2"].map(String::from)[..])
        );
    }

    #[test]
    fn an_unknown_scenario_names_those_that_exist() {
        assert!(Scenario::load("nope").unwrap_err().to_string().contains("wasm-noop-warm"));
    }
}
