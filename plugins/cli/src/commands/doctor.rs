//! `frogfish doctor`: what works here, what does not, why, and what mends it.

mod checks;

use serde_json::{Value, json};

use crate::args::Doctor;
use crate::exit;
use crate::out;
use crate::problem::Problem;
use crate::session;
use crate::settings::Settings;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Ok,
    Warn,
    Fail,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug)]
struct Check {
    name: &'static str,
    level: Level,
    /// What was found, or why it is not well.
    what: String,
    /// The command that mends it.
    mend: Option<String>,
}

impl Check {
    fn new(name: &'static str, level: Level, what: impl Into<String>) -> Self {
        Self { name, level, what: what.into(), mend: None }
    }

    fn mend(mut self, command: impl Into<String>) -> Self {
        self.mend = Some(command.into());
        self
    }

    fn to_value(&self) -> Value {
        json!({ "name": self.name, "level": self.level.as_str(), "what": self.what, "mend": self.mend })
    }
}

pub(super) fn run(args: &Doctor, settings: &Settings) -> Result<u8, Problem> {
    let checks = session::runtime()?.block_on(checks::all(settings));
    let worst =
        [Level::Fail, Level::Warn].into_iter().find(|level| checks.iter().any(|check| check.level == *level));
    let worst = worst.unwrap_or(Level::Ok);
    if args.json {
        let checks: Vec<Value> = checks.iter().map(Check::to_value).collect();
        out::json(&json!({ "level": worst.as_str(), "checks": checks }))?;
    } else {
        let mut rows = Vec::new();
        for check in &checks {
            rows.push(vec![check.level.as_str().to_owned(), check.name.to_owned(), check.what.clone()]);
            if let Some(mend) = &check.mend {
                rows.push(vec![String::new(), String::new(), format!("mend: {mend}")]);
            }
        }
        out::bytes(out::table(&rows).as_bytes())?;
    }
    Ok(if worst == Level::Fail { exit::FAILED } else { 0 })
}
