//! `frogfish config show`: every setting in force, as a settings file would say it.

use serde_json::Value;

use crate::args::ConfigCommand;
use crate::out;
use crate::problem::Problem;
use crate::settings::Settings;

pub(super) fn run(args: &ConfigCommand, settings: &Settings) -> Result<u8, Problem> {
    let ConfigCommand::Show { origin } = args;
    let rows = settings.rows();
    let mut lines = Vec::new();
    let mut in_limits = false;
    for (name, value, from) in &rows {
        let name = match name.strip_prefix("limits.") {
            Some(limit) => {
                if !in_limits {
                    in_limits = true;
                    lines.push(Vec::new());
                    lines.push(vec!["[limits]".to_owned()]);
                }
                limit
            }
            None => name.as_str(),
        };
        let mut line = vec![format!("{name} = {}", toml(value))];
        if *origin {
            line.push(format!("# {from}"));
        }
        lines.push(line);
    }
    out::bytes(out::table(&lines).as_bytes())?;
    Ok(0)
}

/// A value as TOML writes it; JSON's texts, numbers and lists of these are TOML too.
fn toml(value: &Value) -> String {
    value.to_string()
}
