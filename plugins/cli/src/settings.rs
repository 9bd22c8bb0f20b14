//! Settings: flag > `FROGFISH_*` > `--config FILE` > default. The only place that reads them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use frogfish::Limits;
use serde::{Deserialize, Serialize};

use crate::args::Global;
use crate::problem::Problem;

/// Bytes of a settings file.
const CONFIG_BYTES_MAX: u64 = 1 << 20;

/// A setting's value and where it comes from.
#[derive(Debug, Clone)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File(PathBuf),
    Variable(String),
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// What a settings file may hold.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) log: Option<String>,
    pub(crate) durability: Option<Durability>,
    pub(crate) allow_paths: Vec<String>,
    pub(crate) forward_env: Vec<String>,
    pub(crate) limits: BTreeMap<String, u64>,
}

/// How durable the journal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Durability {
    Memory,
    Process,
}

/// Every setting, resolved.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) data_dir: Setting<PathBuf>,
    pub(crate) log: Setting<String>,
    pub(crate) durability: Setting<Durability>,
    pub(crate) allow_paths: Setting<Vec<String>>,
    pub(crate) forward_env: Setting<Vec<String>>,
    pub(crate) limits: Setting<Limits>,
    /// This process's variables, of which jobs may ask for those that `forward_env` names.
    pub(crate) variables: Variables,
}

/// What the environment says, taken once.
pub(crate) type Variables = BTreeMap<String, String>;

impl Settings {
    /// Resolves every setting.
    ///
    /// # Errors
    /// The file cannot be read, is no TOML, or names a setting that there is none of; a value is none.
    pub(crate) fn resolve(global: &Global, variables: &Variables) -> Result<Self, Problem> {
        check_variables(variables)?;
        // A flag is filled in from its variable: only their values tell which it was.
        let from = |flag: &'static str, name: &str, value: &OsStr| match variables.get(name) {
            Some(text) if OsStr::new(text) == value => Origin::Variable(name.to_owned()),
            _ => Origin::Flag(flag),
        };
        let (file, path) = match &global.config {
            Some(path) => (read(path)?, Some(path.clone())),
            None => (File::default(), None),
        };
        let of_file = || path.clone().map_or(Origin::Default, Origin::File);
        let data_dir = match (&global.data_dir, file.data_dir) {
            (Some(dir), _) => Setting {
                value: dir.clone(),
                origin: from("--data-dir", "FROGFISH_DATA_DIR", dir.as_os_str()),
            },
            (None, Some(dir)) => Setting { value: dir, origin: of_file() },
            (None, None) => default_data_dir(variables)?,
        };
        let log = match (&global.log, file.log) {
            (Some(log), _) => {
                Setting { value: log.clone(), origin: from("--log", "FROGFISH_LOG", log.as_ref()) }
            }
            (None, Some(log)) => Setting { value: log, origin: of_file() },
            (None, None) => Setting { value: "warn".to_owned(), origin: Origin::Default },
        };
        let durability = match (variables.get("FROGFISH_DURABILITY"), file.durability) {
            (Some(text), _) => Setting {
                value: parse_durability(text)?,
                origin: Origin::Variable("FROGFISH_DURABILITY".to_owned()),
            },
            (None, Some(durability)) => Setting { value: durability, origin: of_file() },
            (None, None) => Setting { value: Durability::Process, origin: Origin::Default },
        };
        let list = |name: &str, file: Vec<String>| match variables.get(name) {
            Some(text) => Setting {
                value: text.split(':').filter(|part| !part.is_empty()).map(str::to_owned).collect(),
                origin: Origin::Variable(name.to_owned()),
            },
            None if file.is_empty() => Setting { value: file, origin: Origin::Default },
            None => Setting { value: file, origin: of_file() },
        };
        let limits_origin = if file.limits.is_empty() { Origin::Default } else { of_file() };
        Ok(Self {
            data_dir,
            log,
            durability,
            allow_paths: list("FROGFISH_ALLOW_PATHS", file.allow_paths),
            forward_env: list("FROGFISH_FORWARD_ENV", file.forward_env),
            limits: Setting { value: limits(file.limits)?, origin: limits_origin },
            variables: variables.clone(),
        })
    }

    /// Every setting as a table of name, value and origin.
    pub(crate) fn rows(&self) -> Vec<(String, serde_json::Value, String)> {
        let json = |value: &dyn erased::Json| value.json();
        let mut rows = vec![
            ("data_dir".to_owned(), json(&self.data_dir.value), self.data_dir.origin.to_string()),
            ("log".to_owned(), json(&self.log.value), self.log.origin.to_string()),
            ("durability".to_owned(), json(&self.durability.value), self.durability.origin.to_string()),
            ("allow_paths".to_owned(), json(&self.allow_paths.value), self.allow_paths.origin.to_string()),
            ("forward_env".to_owned(), json(&self.forward_env.value), self.forward_env.origin.to_string()),
        ];
        let defaults = json(&Limits::default());
        if let serde_json::Value::Object(limits) = json(&self.limits.value) {
            for (name, value) in limits {
                let changed = defaults.get(&name) != Some(&value);
                let origin =
                    if changed { self.limits.origin.to_string() } else { Origin::Default.to_string() };
                rows.push((format!("limits.{name}"), value, origin));
            }
        }
        rows
    }
}

mod erased {
    /// Anything that is written as JSON.
    pub(super) trait Json {
        fn json(&self) -> serde_json::Value;
    }

    impl<T: serde::Serialize> Json for T {
        fn json(&self) -> serde_json::Value {
            serde_json::to_value(self).unwrap_or_default()
        }
    }
}

/// Every variable that means something; others that begin so are mistakes.
const VARIABLES: [&str; 6] = [
    "FROGFISH_DATA_DIR",
    "FROGFISH_CONFIG",
    "FROGFISH_LOG",
    "FROGFISH_DURABILITY",
    "FROGFISH_ALLOW_PATHS",
    "FROGFISH_FORWARD_ENV",
];

fn check_variables(variables: &Variables) -> Result<(), Problem> {
    for name in variables.keys().filter(|name| name.starts_with("FROGFISH_")) {
        if !VARIABLES.contains(&name.as_str()) && !is_of_an_execution(name) {
            let hint = nearest(name, VARIABLES.iter().copied());
            return Err(Problem::usage(format!("the variable {name} is no setting")).with_hint(hint));
        }
    }
    Ok(())
}

/// Variables that Frogfish sets for jobs: a job may itself call this program.
fn is_of_an_execution(name: &str) -> bool {
    let rest = name.trim_start_matches("FROGFISH_");
    ["EXECUTION_ID", "JOB_", "PARTITION_", "HOST_PORT_", "PORT_"].iter().any(|known| rest.starts_with(known))
}

fn default_data_dir(variables: &Variables) -> Result<Setting<PathBuf>, Problem> {
    let variable = |name: &str| variables.get(name).filter(|value| value.starts_with('/')).map(PathBuf::from);
    let found = |value: PathBuf, name: &str| Ok(Setting { value, origin: Origin::Variable(name.to_owned()) });
    if let Some(dir) = variable("STATE_DIRECTORY") {
        return found(dir, "STATE_DIRECTORY");
    }
    if let Some(dir) = variable("XDG_DATA_HOME") {
        return found(dir.join("frogfish"), "XDG_DATA_HOME");
    }
    if let Some(home) = variable("HOME") {
        return Ok(Setting { value: home.join(".local/share/frogfish"), origin: Origin::Default });
    }
    Err(Problem::usage("no data folder: HOME is not set").with_hint("name one with --data-dir DIR"))
}

fn read(path: &Path) -> Result<File, Problem> {
    let text = crate::files::read_text(path, CONFIG_BYTES_MAX)?;
    toml::from_str(&text).map_err(|error| {
        let known = ["data_dir", "log", "durability", "allow_paths", "forward_env", "limits"];
        let hint = error.message().split('`').nth(1).map(|name| nearest(name, known));
        let problem = Problem::usage(format!("settings in {}: {error}", path.display()));
        match hint {
            Some(hint) if error.message().starts_with("unknown field") => problem.with_hint(hint),
            _ => problem,
        }
    })
}

fn limits(given: BTreeMap<String, u64>) -> Result<Limits, Problem> {
    let mut all = serde_json::to_value(Limits::default()).unwrap_or_default();
    for (name, value) in given {
        match all.get_mut(&name) {
            Some(slot) => *slot = value.into(),
            None => {
                let known = serde_json::to_value(Limits::default()).unwrap_or_default();
                let names: Vec<String> =
                    known.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect();
                let hint = nearest(&name, names.iter().map(String::as_str));
                return Err(Problem::usage(format!("limits.{name} is no setting")).with_hint(hint));
            }
        }
    }
    serde_json::from_value(all).map_err(|error| Problem::usage(format!("limits: {error}")))
}

fn parse_durability(text: &str) -> Result<Durability, Problem> {
    match text {
        "memory" => Ok(Durability::Memory),
        "process" => Ok(Durability::Process),
        other => {
            Err(Problem::usage(format!("FROGFISH_DURABILITY is {other:?}; allowed are memory and process")))
        }
    }
}

/// Advice that names the known word which is nearest to a mistaken one.
fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let best = known.into_iter().min_by_key(|candidate| distance(word, candidate));
    best.map_or_else(String::new, |best| format!("did you mean {best}?"))
}

/// Edits between two words (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let change = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// The JSON schema of a settings file.
pub(crate) fn schema() -> serde_json::Value {
    let limits = serde_json::to_value(Limits::default()).unwrap_or_default();
    let properties: serde_json::Map<String, serde_json::Value> = limits
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| {
            (name.clone(), serde_json::json!({"type": "integer", "minimum": 0, "default": value}))
        })
        .collect();
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Frogfish settings",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "data_dir": {"type": "string", "description": "where executions and caches are kept"},
            "log": {"type": "string", "description": "what is said on stderr", "default": "warn"},
            "durability": {"enum": ["memory", "process"], "default": "process"},
            "allow_paths": {
                "type": "array", "items": {"type": "string"},
                "description": "local paths that jobs may name: globs, `:rw` at the end lets them write"
            },
            "forward_env": {
                "type": "array", "items": {"type": "string"},
                "description": "globs of this host's variables that jobs may ask for with env:NAME"
            },
            "limits": {"type": "object", "additionalProperties": false, "properties": properties},
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn global() -> Global {
        Global { data_dir: None, config: None, log: None }
    }

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_flag_wins_over_a_file_and_a_file_over_the_default() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("frogfish.toml");
        std::fs::write(&path, "data_dir = '/from/file'\n[limits]\ninputs_max = 7\n").unwrap();
        let mut global = Global { config: Some(path.clone()), ..global() };
        let of_file = Settings::resolve(&global, &variables(&[("HOME", "/h")])).unwrap();
        assert_eq!(of_file.data_dir.value, Path::new("/from/file"));
        assert_eq!(of_file.data_dir.origin, Origin::File(path));
        assert_eq!(of_file.limits.value.inputs_max, 7);
        global.data_dir = Some("/from/flag".into());
        let of_flag = Settings::resolve(&global, &variables(&[("HOME", "/h")])).unwrap();
        assert_eq!(of_flag.data_dir.value, Path::new("/from/flag"));
        assert_eq!(of_flag.data_dir.origin, Origin::Flag("--data-dir"));
    }

    #[test]
    fn the_data_folder_follows_systemd_then_xdg_then_home() {
        for (pairs, dir) in [
            (&[("HOME", "/h")][..], "/h/.local/share/frogfish"),
            (&[("HOME", "/h"), ("XDG_DATA_HOME", "/x")], "/x/frogfish"),
            (&[("HOME", "/h"), ("XDG_DATA_HOME", "/x"), ("STATE_DIRECTORY", "/var/lib/f")], "/var/lib/f"),
            (&[("HOME", "/h"), ("XDG_DATA_HOME", "relative")], "/h/.local/share/frogfish"),
        ] {
            assert_eq!(
                Settings::resolve(&global(), &variables(pairs)).unwrap().data_dir.value,
                Path::new(dir)
            );
        }
        assert!(Settings::resolve(&global(), &Variables::new()).is_err());
    }

    #[test]
    fn an_unknown_setting_is_an_error_with_the_nearest_name() {
        let dir = tempfile::tempdir().unwrap();
        for (text, hint) in
            [("data_dirr = '/x'", "data_dir"), ("[limits]\ninput_max = 1", "limits.input_max is no setting")]
        {
            let path = dir.path().join("f.toml");
            std::fs::write(&path, text).unwrap();
            let global = Global { config: Some(path), ..global() };
            let error = Settings::resolve(&global, &variables(&[("HOME", "/h")])).unwrap_err();
            assert!(error.to_string().contains(hint), "{error}");
            assert!(error.hint.is_some(), "{error}");
        }
        let error = Settings::resolve(&global(), &variables(&[("HOME", "/h"), ("FROGFISH_DATADIR", "x")]))
            .unwrap_err();
        assert_eq!(error.hint.as_deref(), Some("did you mean FROGFISH_DATA_DIR?"));
    }
}
