use std::time::Duration;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use crate::spec::{
    Constraint, DockerParams, EngineSpec, InlineSource, InputSource, Job, JobType, LocalSource,
    NetworkConfig, NetworkType, Operator, ReadOptions, ResourcesConfig, ResultPath, Source, SpecConfig, Task,
    Timeouts, UrlSource, WasmParams,
};

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9]{0,8}"
}

/// Texts that a careless writer would change: quotes, colons, numbers, booleans, umlauts.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just("yes".to_owned()), Just("0x1f".to_owned()), Just("~".to_owned()), "[ -~äß\n]{0,12}"]
}

fn engine() -> impl Strategy<Value = EngineSpec> {
    let wasm = (name(), name(), vec(text(), 0..3), vec(name(), 0..2)).prop_map(
        |(module, entrypoint, parameters, imports)| {
            EngineSpec::Wasm(WasmParams {
                entry_module: module,
                entrypoint,
                parameters,
                import_modules: imports,
            })
        },
    );
    let docker =
        (name(), vec(text(), 0..3), vec(text(), 0..3)).prop_map(|(image, entrypoint, parameters)| {
            let environment_variables = vec!["A=1".to_owned()];
            let working_directory = "/w".to_owned();
            EngineSpec::Docker(DockerParams {
                image,
                entrypoint,
                parameters,
                environment_variables,
                working_directory,
            })
        });
    prop_oneof![wasm, docker]
}

fn source() -> impl Strategy<Value = Source> {
    prop_oneof![
        text().prop_map(|data| Source::Inline(InlineSource::new(format!("data:,{data}")))),
        (name(), any::<bool>()).prop_map(|(path, read_write)| {
            Source::Local(LocalSource { source_path: path, read_write, ..LocalSource::default() })
        }),
        name().prop_map(|host| Source::Url(UrlSource { url: format!("https://{host}.org/f") })),
    ]
}

fn task() -> impl Strategy<Value = Task> {
    let env = btree_map("[A-Z][A-Z0-9]{0,5}", text(), 0..3);
    let size = prop_oneof![Just(String::new()), "[1-9][0-9]{0,3}( MB|GiB|k|)"];
    let timeouts = (0..100_u64, 0..1_000_u64).prop_map(|(secs, millis)| Timeouts {
        execution: Duration::from_millis(millis),
        queue: Duration::from_secs(secs),
        total: Duration::ZERO,
    });
    let network = prop_oneof![Just(NetworkType::Default), Just(NetworkType::Full), Just(NetworkType::Http)];
    (name(), engine(), env, vec(source(), 0..4), any::<bool>(), size, network, timeouts).prop_map(
        |(name, engine, env, sources, output, size, network_type, timeouts)| {
            let inputs = sources.into_iter().enumerate();
            let inputs = inputs.map(|(index, source)| InputSource {
                source,
                alias: String::new(),
                target: format!("/in{index}"),
            });
            let domains =
                if network_type == NetworkType::Http { vec!["example.org".to_owned()] } else { Vec::new() };
            let output =
                output.then(|| ResultPath { name: "outputs".to_owned(), path: "/outputs".to_owned() });
            Task {
                name,
                engine,
                publisher: SpecConfig::new("local"),
                env,
                input_sources: inputs.collect(),
                result_paths: output.into_iter().collect(),
                resources: ResourcesConfig { memory: size, ..ResourcesConfig::default() },
                network: NetworkConfig { network_type, domains, ports: Vec::new() },
                timeouts,
                ..Task::default()
            }
        },
    )
}

fn job() -> impl Strategy<Value = Job> {
    let job_type =
        prop_oneof![Just(JobType::Batch), Just(JobType::Ops), Just(JobType::Service), Just(JobType::Daemon)];
    let maps = (btree_map(text(), text(), 0..3), btree_map(name(), text(), 0..3));
    (text(), job_type, any::<i64>(), 0..5_u32, maps, task()).prop_map(
        |(name, job_type, priority, count, (meta, labels), task)| {
            let constraint =
                Constraint { key: "k".to_owned(), operator: Operator::In, values: vec![name.clone()] };
            Job {
                name,
                job_type,
                priority,
                count: if job_type.runs_everywhere() { 0 } else { count },
                constraints: vec![constraint],
                meta,
                labels,
                task,
                ..Job::default()
            }
        },
    )
}

proptest! {
    #[test]
    fn a_job_is_read_back_as_it_was_written(job in job()) {
        let text = job.to_value().to_string();
        prop_assert_eq!(Job::from_slice(text.as_bytes()).map_err(|e| e.to_string()), Ok(job.clone()));
        // The same text through the YAML reader, which a comment in front selects.
        let yaml = format!("# yaml\n{text}");
        prop_assert_eq!(Job::from_slice(yaml.as_bytes()).map_err(|e| e.to_string()), Ok(job.clone()));
        prop_assert_eq!(ReadOptions::job_file().read_value(&job.to_value()).map_err(|e| e.to_string()), Ok(job));
    }

    #[test]
    fn normalising_twice_changes_nothing_and_reading_it_gives_the_same(job in job()) {
        let once = job.normalised();
        prop_assert_eq!(&once.normalised(), &once);
        let text = once.to_value().to_string();
        prop_assert_eq!(Job::from_slice(text.as_bytes()).map_err(|e| e.to_string()), Ok(once));
    }

    #[test]
    fn arbitrary_bytes_are_a_job_or_an_error(bytes in vec(any::<u8>(), 0..300)) {
        let _ = Job::from_slice(&bytes);
    }

    #[test]
    fn arbitrary_yaml_like_text_is_a_job_or_an_error(text in r#"[-\[\]{}:,&*!|>'"%@`#?~<\n\t aN0.\\]{0,200}"#) {
        let _ = Job::from_slice(text.as_bytes());
        let _ = ReadOptions::wire().read(text.as_bytes());
    }

    #[test]
    fn a_damaged_job_is_a_job_or_an_error(job in job(), at in any::<prop::sample::Index>(), byte: u8, cut: bool) {
        let mut bytes = job.to_value().to_string().into_bytes();
        let index = at.index(bytes.len());
        if cut { bytes.truncate(index) } else { bytes[index] = byte }
        let _ = Job::from_slice(&bytes);
        let mut yaml = b"# yaml\n".to_vec();
        yaml.extend(bytes);
        let _ = Job::from_slice(&yaml);
    }
}
