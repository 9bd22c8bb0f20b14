//! `frogfish wasm run`: runs a module without a job file.

use std::time::Duration;

use frogfish::spec::{EngineSpec, GoDuration, InputSource, Job, LocalSource, Source, WasmParams};

use crate::args::RunWasm;
use crate::execute::{self, Request};
use crate::mounts::{self, Granted};
use crate::problem::Problem;
use crate::settings::Settings;

pub(super) fn run(args: &RunWasm, settings: &Settings) -> Result<u8, Problem> {
    let (job, granted) = job(args, settings)?;
    execute::run(&Request { job, granted, options: &args.options }, settings)
}

/// The job that the flags describe, and the paths that they name and thereby allow.
fn job(args: &RunWasm, settings: &Settings) -> Result<(Job, Vec<Granted>), Problem> {
    let module = std::path::absolute(&args.module)
        .map_err(|error| Problem::refused(format!("module {}: {error}", args.module.display())))?;
    let (Some(path), Some(name)) = (module.to_str(), module.file_name().and_then(|name| name.to_str()))
    else {
        return Err(Problem::refused(format!("module {}: this is no UTF-8 file name", module.display())));
    };
    let target = format!("/{name}");
    let mut granted = vec![Granted { path: module.clone(), read_write: false }];

    let mut wasm = WasmParams::default();
    wasm.entry_module.clone_from(&target);
    if let Some(entrypoint) = &args.entrypoint {
        wasm.entrypoint.clone_from(entrypoint);
    }
    wasm.parameters.clone_from(&args.args);
    wasm.import_modules.clone_from(&args.import_modules);

    let mut job = Job::default();
    name.clone_into(&mut job.name);
    job.count = 1;
    let task = &mut job.task;
    "main".clone_into(&mut task.name);
    task.engine = EngineSpec::Wasm(wasm);
    let mut source = LocalSource::default();
    path.clone_into(&mut source.source_path);
    task.input_sources.push(InputSource { source: Source::Local(source), alias: String::new(), target });
    for text in &args.input {
        let input = mounts::input(text)?;
        granted.extend(input.granted);
        task.input_sources.push(input.source);
    }
    for text in &args.output {
        task.result_paths.push(mounts::output(text)?);
    }
    for text in &args.env {
        let (name, value) = mounts::variable(text, |name| settings.variables.get(name).cloned())?;
        task.env.insert(name, value);
    }
    let resource = |flag: &Option<String>| flag.clone().unwrap_or_default();
    task.resources.cpu = resource(&args.cpu);
    task.resources.memory = resource(&args.memory);
    task.resources.disk = resource(&args.disk);
    if let Some(text) = &args.timeout {
        task.timeouts.execution = duration(text)?;
    }
    job.validate()?;
    Ok((job, granted))
}

/// Seconds (`90`, `0.5`), or a duration as Go writes it (`1m30s`).
fn duration(text: &str) -> Result<Duration, Problem> {
    let parsed = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => text.parse::<GoDuration>().ok().and_then(GoDuration::to_std),
    };
    parsed.filter(|duration| !duration.is_zero()).ok_or_else(|| {
        Problem::usage(format!("--timeout {text}: this is no time")).with_hint("write seconds, or 1m30s")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_durations() {
        assert_eq!(duration("90").unwrap(), Duration::from_secs(90));
        assert_eq!(duration("0.25").unwrap(), Duration::from_millis(250));
        assert_eq!(duration("1m30s").unwrap(), Duration::from_secs(90));
        for text in ["", "0", "-1", "soon", "NaN", "1e99"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
