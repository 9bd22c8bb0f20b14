use std::time::Duration;

use serde_json::json;

use super::{docker_job, good, problem_at, read, wasm_job};
use crate::spec::tree::{Budget, Node, SpecLimits, yaml};
use crate::spec::{
    CreateAs, EngineSpec, Job, JobType, NetworkType, Operator, ReadOptions, Resources, S3PartitionType,
    Source, WasmParams,
};

fn wasm(job: &Job) -> &WasmParams {
    match &job.task.engine {
        EngineSpec::Wasm(params) => params,
        other => panic!("no WASM engine: {other:?}"),
    }
}

#[test]
fn every_field_of_a_job_is_read_from_yaml() {
    let job = good(
        r#"
Name: full
Namespace: team
Type: service
Priority: 7
Count: 3
Constraints:
  - {Key: region, Operator: in, Values: [eu, us]}
  - {Key: gpu, Operator: exists}
Meta: {note: hi}
Labels: {team: x}
Tasks:
  - Name: main
    Engine:
      Type: wasm
      Params: {EntryModule: /app/m.wasm, Entrypoint: run, Parameters: [a, "b c"], ImportModules: [/lib/l.wasm]}
    Publisher: {Type: s3, Params: {bucket: b, Key: k, Encoding: plain}}
    Env: {A: "1", HOST: "env:HOME"}
    Meta: {m: o}
    InputSources:
      - {Source: {Type: inline, Params: {URL: "data:,x"}}, Target: /app/m.wasm, Alias: mod}
      - {Source: {Type: local, Params: {SourcePath: /data, ReadWrite: "true", CreateAs: DIR}}, Target: data}
      - {Source: {Type: urlDownload, Params: {url: "https://example.org/f"}}, Target: /u}
      - {Source: {Type: s3, Params: {Bucket: b, Key: "k/*", Partition: {Type: regex, Pattern: "x"}}}, Target: /s}
      - {Source: {Type: ipfs, Params: {CID: bafy}}, Target: /i}
    ResultPaths: [{Name: outputs, Path: /outputs}]
    Resources: {CPU: 500m, Memory: 1GiB, Disk: 10GB, GPU: "1"}
    Network: {Type: HTTP, Domains: [Example.org]}
    Timeouts: {ExecutionTimeout: 60, QueueTimeout: 1m, TotalTimeout: 1h}
"#,
    );
    assert_eq!((job.name.as_str(), job.namespace.as_str(), job.job_type), ("full", "team", JobType::Service));
    assert_eq!((job.priority, job.count), (7, 3));
    assert_eq!((job.constraints[0].operator, job.constraints[1].operator), (Operator::In, Operator::Exists));
    assert_eq!((job.meta["note"].as_str(), job.labels["team"].as_str()), ("hi", "x"));
    let params = wasm(&job);
    assert_eq!((params.entry_module.as_str(), params.entrypoint.as_str()), ("/app/m.wasm", "run"));
    assert_eq!((params.parameters.len(), params.import_modules[0].as_str()), (2, "/lib/l.wasm"));
    let task = &job.task;
    assert_eq!(task.publisher.params["Bucket"], "b");
    assert_eq!((task.env["HOST"].as_str(), task.meta["m"].as_str()), ("env:HOME", "o"));
    let [inline, local, url, s3, ipfs] = task.input_sources.as_slice() else { panic!("five inputs") };
    assert!(matches!(&inline.source, Source::Inline(source) if &*source.url == "data:,x"));
    assert_eq!((inline.alias.as_str(), inline.target.as_str()), ("mod", "/app/m.wasm"));
    assert!(
        matches!(&local.source, Source::Local(source) if source.read_write && source.create_as == CreateAs::Dir)
    );
    assert!(matches!(&url.source, Source::Url(source) if source.url == "https://example.org/f"));
    assert!(
        matches!(&s3.source, Source::S3(s) if s.key == "k/*" && s.partition.partition_type == S3PartitionType::Regex)
    );
    assert!(matches!(&ipfs.source, Source::Ipfs(source) if source.cid == "bafy"));
    assert_eq!(
        (task.result_paths[0].name.as_str(), task.result_paths[0].path.as_str()),
        ("outputs", "/outputs")
    );
    let Resources { cpu, memory, disk, gpu, .. } = task.resources.parse().unwrap();
    assert_eq!((cpu.millis(), memory.bytes(), disk.bytes(), gpu), (500, 1 << 30, 10_000_000_000, 1));
    assert_eq!(
        (task.network.network_type, task.network.domains[0].as_str()),
        (NetworkType::Http, "example.org")
    );
    assert_eq!(task.timeouts.execution, Duration::from_mins(1));
    assert_eq!((task.timeouts.queue, task.timeouts.total), (Duration::from_mins(1), Duration::from_hours(1)));
}

#[test]
fn json_and_yaml_of_a_job_give_the_same_job() {
    let job = good(&docker_job("    Network: {Type: none}\n    Timeouts: {ExecutionTimeout: 1.5s}\n"));
    let json = serde_json::to_string_pretty(&job.to_value()).unwrap();
    assert_eq!(good(&json), job);
    // JSON is YAML too: tabs aside, the same text behind a comment takes the other reader.
    assert_eq!(good(&format!("# comment\n{json}")), job);
    assert_eq!(good(&format!("\u{feff}{json}")), job);
}

#[test]
fn keys_are_read_in_any_case() {
    let job = good(
        "name: x\nTYPE: ops\ntasks: [{name: main, engine: {type: WASM, params: {entrymodule: m.wasm}}}]",
    );
    assert_eq!((job.job_type, job.count), (JobType::Ops, 0));
    assert_eq!(wasm(&job).entry_module, "m.wasm");
}

#[test]
fn a_flow_mapping_that_is_no_json_is_read_as_yaml() {
    good("{name: x, tasks: [{name: main, engine: {type: wasm, params: {entrymodule: m.wasm}}}]}");
}

#[test]
fn absent_fields_have_bacalhaus_defaults() {
    let job = good("Tasks: [{Name: main, Engine: {Type: wasm, Params: {EntryModule: m}}}]");
    assert_eq!((job.job_type, job.count, wasm(&job).entrypoint.as_str()), (JobType::Batch, 1, "_start"));
    let job = job.normalised();
    assert_eq!((job.name.as_str(), job.namespace.as_str()), ("main", "default"));
    assert_eq!((job.task.resources.cpu.as_str(), job.task.resources.memory.as_str()), ("500m", "512mb"));
    assert_eq!(job.task.network.network_type, NetworkType::Default);
}

#[test]
fn a_normalised_job_prints_bacalhaus_keys_in_its_order() {
    let job = good(&wasm_job("    Resources: {CPU: ' 0.5 ', Memory: 1 GiB}\n    Network: {Type: Full}\n"))
        .normalised();
    let expected = json!({
        "Name": "job", "Namespace": "default", "Type": "batch", "Priority": 0, "Count": 1, "Constraints": [],
        "Meta": {}, "Labels": {},
        "Tasks": [{
            "Name": "main",
            "Engine": {"Type": "wasm", "Params": {"EntryModule": "/m.wasm", "Entrypoint": "_start"}},
            "Publisher": {"Type": ""},
            "Resources": {"CPU": "0.5", "Memory": "1gib"},
            "Network": {"Type": "Host"},
            "Timeouts": {},
        }],
    });
    assert_eq!(job.to_value().to_string(), expected.to_string());
}

#[test]
fn a_count_of_zero_is_kept_where_it_means_stop() {
    assert_eq!(good(&wasm_job("").replace("Type: batch", "Type: service\nCount: 0")).count, 0);
    let error = problem_at(&wasm_job("").replace("Type: batch", "Type: daemon\nCount: 2"), "Count");
    assert!(error.contains("daemon jobs cannot specify count > 1"), "{error}");
}

#[test]
fn modules_given_as_input_sources_become_inputs() {
    let source = r"{Source: {Type: urlDownload, Params: {URL: 'https://example.org/m.wasm'}}";
    let params = format!(
        "{{EntryModule: {source}}}, ImportModules: [{source}}}, {source}, Target: /own}}], EntryPoint: go}}"
    );
    let job = good(&wasm_job("").replace("{EntryModule: /m.wasm}", &params));
    let params = wasm(&job);
    assert_eq!((params.entry_module.as_str(), params.entrypoint.as_str()), ("/wasm/entry.wasm", "go"));
    assert_eq!(params.import_modules, ["/wasm/imports/module_0.wasm", "/own"]);
    let targets: Vec<&str> = job.task.input_sources.iter().map(|input| input.target.as_str()).collect();
    assert_eq!(targets, ["/wasm/entry.wasm", "/wasm/imports/module_0.wasm", "/own"]);
}

#[test]
fn variables_of_the_engine_are_read_as_object_and_as_list() {
    for env in ["{A: '1', B: '2'}", "[A=1, B=2]"] {
        let params = format!("{{EntryModule: /m.wasm, EnvironmentVariables: {env}}}");
        let job = good(&wasm_job("    Env: {B: own}\n").replace("{EntryModule: /m.wasm}", &params));
        assert_eq!((job.task.env["A"].as_str(), job.task.env["B"].as_str()), ("1", "own"));
        let params = format!("{{Image: busybox, EnvironmentVariables: {env}}}");
        let job = good(&docker_job("").replace("{Image: busybox}", &params));
        let EngineSpec::Docker(docker) = &job.task.engine else { panic!("docker") };
        assert_eq!(docker.environment_variables, ["A=1", "B=2"]);
    }
}

#[test]
fn older_names_are_read_and_newer_ones_written() {
    let input =
        "    InputSources: [{Source: {Type: localDirectory, Params: {SourcePath: /d}}, Target: /d}]\n";
    let job = good(&docker_job(&format!(
        "{input}    ResourcesConfig: {{CPU: '1'}}\n    Network: {{Type: Full}}\n"
    )));
    assert_eq!(job.task.resources.cpu, "1");
    assert_eq!(job.task.network.network_type, NetworkType::Full);
    let value = job.normalised().to_value();
    assert_eq!(value["Tasks"][0]["InputSources"][0]["Source"]["Type"], "local");
    assert_eq!(value["Tasks"][0]["Network"]["Type"], "Host");
    let both = docker_job("    Resources: {CPU: '1'}\n    ResourcesConfig: {CPU: '1'}\n");
    problem_at(&both, "Tasks[0].ResourcesConfig");
}

#[test]
fn timeouts_are_seconds_or_durations_and_may_be_fractions() {
    for (text, millis) in
        [("90", 90_000), ("1m30s", 90_000), ("'90'", 90_000), ("1.5", 1_500), ("250ms", 250), ("0", 0)]
    {
        let job = good(&wasm_job(&format!("    Timeouts: {{ExecutionTimeout: {text}}}\n")));
        assert_eq!(job.task.timeouts.execution, Duration::from_millis(millis), "{text}");
    }
    for text in ["-1", "-1s", "soon", "true", "9223372037", "1e300", "[1]"] {
        let job = wasm_job(&format!("    Timeouts: {{ExecutionTimeout: {text}}}\n"));
        let problem = problem_at(&job, "Tasks[0].Timeouts.ExecutionTimeout");
        assert!(problem.contains("invalid execution timeout value:"), "{problem}");
    }
    let job = wasm_job("    Timeouts: {ExecutionTimeout: 10, QueueTimeout: 5, TotalTimeout: 12}\n");
    let problem = problem_at(&job, "Tasks[0].Timeouts.TotalTimeout");
    assert!(
        problem.contains("execution timeout 10s and queue timeout 5s should be less than total timeout 12s"),
        "{problem}"
    );
}

#[test]
fn plain_yaml_scalars_mean_what_go_yaml_makes_of_them() {
    let priority =
        |text: &str| good(&wasm_job("").replace("Type: batch", &format!("Priority: {text}"))).priority;
    for (text, value) in
        [("0x1f", 31), ("0o17", 15), ("017", 15), ("0b11", 3), ("1_000", 1000), ("-7", -7), ("1e3", 1000)]
    {
        assert_eq!(priority(text), value, "{text}");
    }
    for text in ["yes", "On", "n", "1", "1.5", "0x1f", "[a]"] {
        let problem = problem_at(&wasm_job(&format!("    Env: {{A: {text}}}\n")), "Tasks[0].Env.A");
        assert!(problem.contains("(line 6)"), "{problem}");
    }
    for (text, value) in [
        ("2020-01-01", "2020-01-01"),
        ("1.2.3", "1.2.3"),
        ("!!str 1", "1"),
        ("~", ""),
        ("!!binary aGk=", "hi"),
    ] {
        let job = good(&wasm_job(&format!("    Env: {{A: {text}}}\n")));
        assert_eq!(job.task.env["A"], value, "{text}");
    }
    // Keys keep their spelling, where go-yaml would make "true" of them.
    assert_eq!(good(&wasm_job("    Env: {on: 'v', Y: 'w'}\n")).task.env["Y"], "w");
}

#[test]
fn aliases_and_merges_are_expanded() {
    let job = good(
        "Meta: &m {a: '1', b: '2'}\nLabels: {<<: *m, b: own}\nTasks: [{Name: main, Engine: {Type: wasm, Params: {EntryModule: m}}}]",
    );
    assert_eq!((job.labels["a"].as_str(), job.labels["b"].as_str()), ("1", "own"));
}

#[test]
fn every_problem_is_reported_at_once_with_field_found_and_allowed() {
    let text = "Name: 5\nTyp: batch\nTasks:\n  - Engine: {Type: dokcer, Params: {}}\n    Resources: {CPU: 1, Memory: x}\n";
    let error = read(text).unwrap_err();
    let fields: Vec<&str> = error.problems.iter().map(|problem| problem.field.as_str()).collect();
    for field in [
        "Name",
        "Typ",
        "Tasks[0].Name",
        "Tasks[0].Engine.Type",
        "Tasks[0].Resources.CPU",
        "Tasks[0].Resources.Memory",
    ] {
        assert_eq!(fields.iter().filter(|seen| **seen == field).count(), 1, "{field} in {error}");
    }
    let shown = error.to_string();
    assert_eq!(shown.lines().count(), error.problems.len());
    assert!(shown.contains("did you mean docker?") && shown.contains("did you mean Type?"), "{shown}");
    assert!(
        shown.contains("found the number 1; allowed: a text in quotes, such as \"1\" (line 5)"),
        "{shown}"
    );
}

#[test]
fn a_repeated_field_is_refused_in_any_case_and_format() {
    problem_at("Name: a\nname: b\n", "Name");
    problem_at("{\"Name\": \"a\", \"Name\": \"b\"}", "Name");
    problem_at(&wasm_job("    Env: {A: x, A: y}\n"), "Tasks[0].Env.A");
    let publisher = "    Publisher: {Type: local, Params: {a: {b: 1, b: 2}}}\n";
    problem_at(&wasm_job(publisher), "Tasks[0].Publisher.Params.a.b");
}

#[test]
fn fields_of_an_orchestrator_are_refused_in_a_file_and_read_from_the_wire() {
    let text =
        wasm_job("").replace("Name: job", "ID: j-1\nState: {StateType: Pending}\nVersion: 1\nNew: {x: 1}");
    let problem = problem_at(&text, "ID");
    assert!(problem.contains("field: 'ID' in 'Job' is not allowed"), "{problem}");
    problem_at(&text, "State");
    problem_at(&text, "New");
    let job = ReadOptions::wire().read(text.as_bytes()).unwrap();
    assert_eq!((job.id.as_str(), job.normalised().name.as_str()), ("j-1", "j-1"));
}

#[test]
fn one_task_is_expected() {
    assert!(problem_at("Name: a\n", "Tasks").contains("missing job tasks"));
    assert!(problem_at("Name: a\nTasks: []\n", "Tasks").contains("missing job tasks"));
    let two = "Tasks: [{Name: a, Engine: {Type: noop}}, {Name: b, Engine: {Type: noop}}]";
    assert!(problem_at(two, "Tasks").contains("only one task is supported per job; found 2 tasks"));
    assert!(problem_at("Tasks: [{Name: a}]", "Tasks[0].Engine").contains("invalid engine"));
    assert!(problem_at("Tasks: [null]", "Tasks[0]").contains("the task is empty"));
}

#[test]
fn names_and_targets_that_leave_their_folder_are_refused() {
    let output = |name: &str| wasm_job(&format!("    ResultPaths: [{{Name: '{name}', Path: /out}}]\n"));
    for name in ["..", ".", "a/b", "../x", "a\\b", "stdout", "exitCode"] {
        problem_at(&output(name), "Tasks[0].ResultPaths[0].Name");
    }
    let path = |path: &str| wasm_job(&format!("    ResultPaths: [{{Name: out, Path: '{path}'}}]\n"));
    for bad in ["/../etc", "/a/../..", "/", "//"] {
        problem_at(&path(bad), "Tasks[0].ResultPaths[0].Path");
    }
    let input = |target: &str| {
        format!(
            "    InputSources: [{{Source: {{Type: inline, Params: {{URL: 'data:,'}}}}, Target: '{target}'}}]\n"
        )
    };
    for bad in ["../x", "/a/../../b", "/", "."] {
        problem_at(&wasm_job(&input(bad)), "Tasks[0].InputSources[0].Target");
    }
    good(&wasm_job(&input("relative/x")));
    problem_at(&docker_job(&input("relative/x")), "Tasks[0].InputSources[0].Target");
}

#[test]
fn source_parameters_are_checked_in_bacalhaus_words() {
    let cases = [
        ("inline, Params: {URL: ''}", "URL", "invalid inline params: url cannot be empty"),
        ("inline, Params: {URL: 'http://x/y'}", "URL", "is no data: URL"),
        ("local, Params: {}", "SourcePath", "SourcePath cannot be empty"),
        ("local, Params: {SourcePath: /a, CreateAs: maybe}", "CreateAs", "invalid CreateAs value: \"maybe\""),
        (
            "urlDownload, Params: {URL: 'ftp://x/y'}",
            "URL",
            "URLs must begin with 'http' or 'https'. The submitted one began with ftp",
        ),
        ("urlDownload, Params: {URL: 'https://x'}", "URL", "URL must end with a file name"),
        ("s3, Params: {Key: k}", "Bucket", "invalid s3 storage params: bucket cannot be empty"),
        ("s3, Params: {Bucket: b, Partition: {Type: what}}", "Partition.Type", "invalid partition key type"),
        (
            "s3, Params: {Bucket: b, Partition: {Type: regex}}",
            "Partition.Pattern",
            "regex pattern cannot be empty",
        ),
        ("ipfs, Params: {}", "CID", "invalid ipfs params. cid cannot be empty"),
        ("ipfs, Params: {Cdi: x}", "Cdi", "did you mean CID?"),
    ];
    for (source, field, text) in cases {
        let job = wasm_job(&format!("    InputSources: [{{Source: {{Type: {source}}}, Target: /a}}]\n"));
        let problem = problem_at(&job, &format!("Tasks[0].InputSources[0].Source.Params.{field}"));
        assert!(problem.contains(text), "{problem}");
    }
    let job = wasm_job("    InputSources: [{Source: {Type: urlDownlod}, Target: /a}, {Target: /b}]\n");
    assert!(problem_at(&job, "Tasks[0].InputSources[0].Source.Type").contains("did you mean urlDownload?"));
    problem_at(&job, "Tasks[0].InputSources[1].Source");
}

#[test]
fn engines_that_others_bring_are_read_on_request() {
    let text = wasm_job("").replace("Type: wasm", "Type: mine");
    problem_at(&text, "Tasks[0].Engine.Type");
    let options = ReadOptions { custom_types: true, ..ReadOptions::job_file() };
    let job = options.read(text.as_bytes()).unwrap();
    assert_eq!(job.task.engine.type_name(), "mine");
    assert_eq!(job.to_value()["Tasks"][0]["Engine"]["Params"]["EntryModule"], "/m.wasm");
}

/// Made with sigs.k8s.io/yaml v1.6.0, Bacalhau's library: each text, and what `YAMLToJSON` gives, null for an error.
const GO_YAML: &str = include_str!("recorded/go_yaml_scalars.json");

#[test]
fn scalars_are_read_as_bacalhaus_yaml_library_reads_them() {
    let rows: Vec<(String, Option<String>)> = serde_json::from_str(GO_YAML).unwrap();
    assert!(rows.len() > 90);
    for (text, theirs) in rows {
        let ours = yaml::parse(&text, &mut Budget::new(SpecLimits::default())).ok().map(Node::into_value);
        let theirs = theirs.map(|json| serde_json::from_str::<serde_json::Value>(&json).unwrap());
        assert_eq!(ours, theirs, "{text:?}");
    }
}
