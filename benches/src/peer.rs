//! The sides of a measurement, all behind one trait.
//!
//! ```text
//! harness ── Command   one process per run; the clock is in the harness
//!         └─ Lines ──► child process that lives for a case; the clock is in the child
//!                      frogfish-benches peer frogfish | wasmtime-loop   (this binary again)
//!                      bacalhau-peer                                    (Go, built on demand)
//!                      NAME=lines:'…'                                   (yours, in any language)
//! ```

pub(crate) mod bacalhau;
pub(crate) mod command;
#[cfg(feature = "library")]
pub(crate) mod frogfish;
pub(crate) mod library;
pub(crate) mod lines;
pub(crate) mod serve;
#[cfg(feature = "library")]
pub(crate) mod wasmtime_loop;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::sample::Measured;
use crate::scenario::{Durability, Kind, Scenario};

/// What differs between sides and is worth a row in the table of settings.
pub(crate) type Settings = BTreeMap<String, String>;

/// One side of a measurement.
pub(crate) trait Peer {
    fn name(&self) -> &str;
    /// Gives version and settings, after `prepare`.
    fn about(&self) -> About;
    /// Gets ready for a case; called once before the first run.
    fn prepare(&mut self, case: &Case) -> Result<(), Error>;
    /// Runs once and gives the wall time that counts.
    fn run_once(&mut self, run: &Run) -> Result<Measured, Error>;
    /// The process whose memory, threads and descriptors are this side's, if one lives between runs.
    fn process(&self) -> Option<u32> {
        None
    }
}

/// What a side says about itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct About {
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) settings: Settings,
}

/// A scenario made concrete for one side: paths instead of names. This is the `prepare` message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// An empty folder of this side's own on the measured file system.
    pub(crate) work: PathBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) module: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) input: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) image: Option<String>,
    pub(crate) cold: bool,
    pub(crate) args: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) jobs: u32,
    pub(crate) in_flight: u32,
    pub(crate) durability: Durability,
}

impl Case {
    pub(crate) fn new(scenario: &Scenario, work: &Path, module: Option<&Path>, input: Option<&Path>) -> Self {
        Self {
            name: scenario.name.clone(),
            kind: scenario.kind,
            work: work.to_owned(),
            module: module.map(Path::to_owned),
            input: input.map(Path::to_owned),
            image: scenario.image.clone(),
            cold: scenario.cold,
            args: scenario.args.clone(),
            env: scenario.env.clone(),
            jobs: scenario.jobs,
            in_flight: scenario.in_flight,
            durability: scenario.durability,
        }
    }
}

/// One run: its number, and the module where each run has another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) run: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) module: Option<PathBuf>,
}

/// A peer as named on the command line or in a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PeerSpec {
    /// A peer that the harness or the scenario's command table knows.
    Named(String),
    /// `NAME=command:LINE`: one process per run.
    Command { name: String, line: String },
    /// `NAME=lines:LINE`: a child that speaks the line protocol.
    Lines { name: String, line: String },
}

impl PeerSpec {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Named(name) | Self::Command { name, .. } | Self::Lines { name, .. } => name,
        }
    }
}

impl std::str::FromStr for PeerSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, how)) = text.split_once('=') else { return Ok(Self::Named(text.to_owned())) };
        let line = |line: &str| match command::split(line)?.as_slice() {
            [] => Err(format!("{name}: the command line is empty")),
            _ => Ok(line.to_owned()),
        };
        if name.is_empty() {
            return Err(format!("{text}: a peer needs a name before '='"));
        }
        match how.split_once(':') {
            Some(("command", rest)) => Ok(Self::Command { name: name.to_owned(), line: line(rest)? }),
            Some(("lines", rest)) => Ok(Self::Lines { name: name.to_owned(), line: line(rest)? }),
            _ => Err(format!("{name}: expected NAME=command:'…' or NAME=lines:'…', got {how:?}")),
        }
    }
}

/// What the harness knows of this machine to start peers.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    /// The `frogfish` binary.
    pub(crate) frogfish: PathBuf,
    /// This harness, started again as a child for the library peers.
    pub(crate) harness: PathBuf,
    /// Where built peers are kept.
    pub(crate) cache: PathBuf,
}

/// Gives a peer for a scenario, or why it cannot run here.
pub(crate) fn find(
    spec: &PeerSpec,
    scenario: &Scenario,
    programs: &Programs,
) -> Result<Box<dyn Peer>, Error> {
    let name = spec.name();
    let line = match spec {
        PeerSpec::Lines { line, .. } => {
            return Ok(Box::new(lines::Lines::start(name, &command::split_checked(name, line)?)?));
        }
        PeerSpec::Command { line, .. } => Some(line),
        PeerSpec::Named(name) => scenario.command.get(name),
    };
    if let Some(line) = line {
        let before = scenario.prepare.get(name).map(String::as_str);
        return Ok(Box::new(command::Command::new(name, line, before, programs)?));
    }
    match (name, scenario.kind) {
        (name, Kind::Wasm) if serve::NAMES.contains(&name) => {
            let argv = [programs.harness.display().to_string(), "peer".to_owned(), name.to_owned()];
            Ok(Box::new(lines::Lines::start(name, &argv)?))
        }
        ("bacalhau", Kind::Wasm | Kind::Docker) => {
            let binary = bacalhau::build(&programs.cache)?;
            Ok(Box::new(lines::Lines::start(name, &[binary.display().to_string()])?))
        }
        _ => Err(Error::peer(name, format!("has no way to run scenario {}", scenario.name))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_without_rust_are_named_on_the_command_line() {
        let parsed: PeerSpec = "kubo=command:ipfs add -Qrn {input}".parse().unwrap();
        assert_eq!(parsed, PeerSpec::Command { name: "kubo".into(), line: "ipfs add -Qrn {input}".into() });
        let parsed: PeerSpec = "mine=lines:python3 peer.py".parse().unwrap();
        assert_eq!(parsed, PeerSpec::Lines { name: "mine".into(), line: "python3 peer.py".into() });
        assert_eq!("bacalhau".parse(), Ok(PeerSpec::Named("bacalhau".into())));
    }

    #[test]
    fn a_wrong_peer_says_what_was_expected() {
        for (text, part) in [
            ("x=shell:ls", "NAME=command"),
            ("=command:ls", "name"),
            ("x=command:", "empty"),
            ("x=command:'a", "quote"),
        ] {
            let error = text.parse::<PeerSpec>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
