//! Input targets and result paths: safe, unique, apart from each other.

use std::collections::HashMap;
use std::fmt::Arguments;

use super::{blank, climbs, note_repeats, source_problems};
use crate::spec::engine::EngineSpec;
use crate::spec::error::{Problem, quote};
use crate::spec::input::{ResultPath, Source};
use crate::spec::job::Task;

/// Names that the files of every result have.
const RESULT_FILES: [&str; 3] = ["stdout", "stderr", "exitCode"];
/// Bytes of a file name on the file systems that results lie on.
const NAME_BYTES_MAX: usize = 255;

pub(super) fn check(task: &Task, at: Arguments<'_>, to: &mut Vec<Problem>) {
    let wasm = matches!(task.engine, EngineSpec::Wasm(_));
    for (index, input) in task.input_sources.iter().enumerate() {
        let here = format_args!("{at}.InputSources[{index}]");
        if let Source::Other(spec) = &input.source
            && blank(&spec.spec_type)
        {
            to.push(Problem::new(format!("{here}.Source.Type"), "invalid input source: missing spec type"));
        }
        to.extend(source_problems(&input.source, format_args!("{here}.Source.Params")));
        check_target(&input.target, format_args!("{here}.Target"), &task.engine, to);
    }
    check_input_repeats(task, at, wasm, to);
    for (index, output) in task.result_paths.iter().enumerate() {
        check_output(output, format_args!("{at}.ResultPaths[{index}]"), to);
    }
    check_output_repeats(task, at, to);
    check_conflicts(task, at, wasm, to);
}

fn check_target(target: &str, at: Arguments<'_>, engine: &EngineSpec, to: &mut Vec<Problem>) {
    let problem = |message: &str| Problem::new(at.to_string(), message).found(quote(target));
    if blank(target) {
        to.push(
            Problem::new(at.to_string(), "input source is missing a target")
                .allowed("a path such as /inputs"),
        );
    } else if target.contains('\0') {
        to.push(problem("the target contains a null character"));
    } else if climbs(target) {
        to.push(problem("the target climbs with ..").allowed("a path without .."));
    } else if matches!(engine, EngineSpec::Docker(_)) && !target.starts_with('/') {
        to.push(problem("the target of a docker job must be absolute").allowed("a path that begins with /"));
    } else if canonical(target).is_empty() {
        to.push(problem("the target is the root folder").allowed("a path such as /inputs"));
    }
}

/// A path as both engines compare it: no slashes around it, none doubled, no `.`.
fn canonical(path: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    parts.collect::<Vec<_>>().join("/")
}

fn check_input_repeats(task: &Task, at: Arguments<'_>, wasm: bool, to: &mut Vec<Problem>) {
    let inputs = || task.input_sources.iter().enumerate();
    note_repeats(inputs().map(|(index, input)| (index, input.alias.as_str())), |index, alias| {
        let message = format!("input source with alias '{alias}' already exists");
        to.push(
            Problem::new(format!("{at}.InputSources[{index}].Alias"), message).allowed("an alias of its own"),
        );
    });
    let targets: Vec<String> = inputs().map(|(_, input)| canonical(&input.target)).collect();
    note_repeats(targets.iter().map(String::as_str).enumerate(), |index, _| {
        let target = &task.input_sources[index].target;
        let exists = format!("input source with target '{target}' already exists");
        let message = if wasm {
            format!("input configuration error: failed to mount input {}: {exists}", quote(target))
        } else {
            exists
        };
        to.push(
            Problem::new(format!("{at}.InputSources[{index}].Target"), message)
                .allowed("a target of its own"),
        );
    });
}

fn check_output(output: &ResultPath, at: Arguments<'_>, to: &mut Vec<Problem>) {
    let name = &output.name;
    let name_at = || format!("{at}.Name");
    if blank(name) {
        to.push(Problem::new(name_at(), "invalid output: missing name: output volume has no name"));
    } else if matches!(name.as_str(), "." | "..")
        || name.contains(['/', '\\', '\0'])
        || name.len() > NAME_BYTES_MAX
    {
        let problem = Problem::new(name_at(), "invalid output: the name is no single folder name");
        to.push(
            problem.found(quote(name)).allowed("a name such as outputs, without / and at most 255 bytes"),
        );
    } else if RESULT_FILES.contains(&name.as_str()) {
        let problem = Problem::new(name_at(), "invalid output: the name is that of a file of every result");
        to.push(problem.found(quote(name)).allowed(format!("any other than {}", RESULT_FILES.join(", "))));
    }
    let path = &output.path;
    let path_at = || format!("{at}.Path");
    if blank(path) {
        to.push(Problem::new(path_at(), "invalid output: missing path: output volume has no path"));
    } else if !path.starts_with('/') {
        let message =
            format!("invalid output: result path `{}` must be absolute", quote(path).trim_matches('"'));
        to.push(Problem::new(path_at(), message).allowed("a path that begins with /"));
    } else if climbs(path) || path.contains('\0') {
        let problem =
            Problem::new(path_at(), "invalid output: the path climbs with .. or has a null character");
        to.push(problem.found(quote(path)).allowed("a path without .."));
    } else if canonical(path).is_empty() {
        let problem = Problem::new(path_at(), "invalid output: the path is the root folder");
        to.push(problem.found(quote(path)).allowed("a path such as /outputs"));
    }
}

fn check_output_repeats(task: &Task, at: Arguments<'_>, to: &mut Vec<Problem>) {
    let outputs = || task.result_paths.iter().enumerate();
    note_repeats(outputs().map(|(index, output)| (index, output.name.as_str())), |index, name| {
        let message = format!("result path with name '{name}' already exists");
        to.push(
            Problem::new(format!("{at}.ResultPaths[{index}].Name"), message).allowed("a name of its own"),
        );
    });
    let paths: Vec<String> = outputs().map(|(_, output)| canonical(&output.path)).collect();
    note_repeats(paths.iter().map(String::as_str).enumerate(), |index, _| {
        let message = format!("result path '{}' already exists", task.result_paths[index].path);
        to.push(
            Problem::new(format!("{at}.ResultPaths[{index}].Path"), message).allowed("a path of its own"),
        );
    });
}

/// An output where an input lies would hide it, or be hidden.
fn check_conflicts(task: &Task, at: Arguments<'_>, wasm: bool, to: &mut Vec<Problem>) {
    if task.result_paths.is_empty() {
        return;
    }
    let inputs = task.input_sources.iter().map(|input| (canonical(&input.target), input.target.as_str()));
    let targets: HashMap<String, &str> = inputs.filter(|(target, _)| !target.is_empty()).collect();
    for (index, output) in task.result_paths.iter().enumerate() {
        let here = format_args!("{at}.ResultPaths[{index}]");
        if let Some(target) = targets.get(&canonical(&output.path)) {
            let (path, target) = (quote(&output.path), quote(target));
            let message = format!(
                "output configuration error: output path {path} conflicts with input target {target}"
            );
            to.push(Problem::new(format!("{here}.Path"), message).allowed("a path that no input has"));
        } else if wasm && let Some(target) = targets.get(&output.name) {
            // A WASM job finds its outputs under their names as well.
            let (name, target) = (quote(&output.name), quote(target));
            let message = format!(
                "output configuration error: output name {name} conflicts with input target {target}"
            );
            to.push(
                Problem::new(format!("{here}.Name"), message)
                    .allowed("a name that no input has as its target"),
            );
        }
    }
}
