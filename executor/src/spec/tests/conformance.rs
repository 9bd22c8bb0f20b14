use serde_json::json;

use super::{docker_job, good, problem_at, wasm_job};
use crate::spec::{DockerParams, NetworkConfig, SpecConfig, WasmParams};

fn spec(spec_type: &str, params: serde_json::Value) -> SpecConfig {
    let serde_json::Value::Object(params) = params else { panic!("an object is expected") };
    SpecConfig { spec_type: spec_type.to_owned(), params }
}

#[test]
fn d_mod_01_every_docker_parameter_survives_a_round_trip() {
    let full = json!({
        "Image": "busybox:1.37", "Entrypoint": ["/bin/sh"], "Parameters": ["-c", "true"],
        "EnvironmentVariables": ["A=1"], "WorkingDirectory": "/work",
    });
    for missing in ["", "Entrypoint", "Parameters", "EnvironmentVariables", "WorkingDirectory"] {
        let mut params = full.clone();
        params.as_object_mut().unwrap().remove(missing);
        let decoded = DockerParams::decode(&spec("docker", params.clone())).unwrap();
        assert_eq!(serde_json::to_value(&decoded).unwrap(), params, "without {missing}");
    }
}

#[test]
fn d_mod_02_an_empty_image_is_refused() {
    for params in [json!({}), json!({"Image": ""})] {
        let error = DockerParams::decode(&spec("docker", params)).unwrap_err();
        assert!(
            error.to_string().contains("invalid docker engine param: 'Image' cannot be empty"),
            "{error}"
        );
    }
}

#[test]
fn d_mod_03_a_relative_working_directory_is_refused() {
    let params = json!({"Image": "x", "WorkingDirectory": "relative/path"});
    let error = DockerParams::decode(&spec("docker", params)).unwrap_err();
    let text =
        "invalid docker engine param: 'WorkingDirectory' (\"relative/path\") must contain absolute path";
    assert!(error.to_string().contains(text), "{error}");
}

#[test]
fn reserved_variables_of_the_docker_engine_are_refused_in_any_case() {
    for (pair, refused) in [("BACALHAU_X=1", true), ("bacalhau_x=1", true), ("MY_BACALHAU=1", false)] {
        let params = json!({"Image": "x", "EnvironmentVariables": [pair]});
        let error = DockerParams::decode(&spec("docker", params)).err();
        assert_eq!(error.is_some(), refused, "{pair}");
        if let Some(error) = error {
            let name = pair.trim_end_matches("=1");
            let text = format!(
                "invalid docker engine param: environment variable '{name}' cannot start with BACALHAU_"
            );
            assert!(error.to_string().contains(&text), "{error}");
        }
    }
}

#[test]
fn d_mod_06_another_engine_is_named() {
    let error = DockerParams::decode(&spec("wasm", json!({"EntryModule": "/m"}))).unwrap_err();
    assert!(error.to_string().contains("expected docker, but received: wasm"), "{error}");
    let error = WasmParams::decode(&spec("docker", json!({"Image": "x"}))).unwrap_err();
    assert!(error.to_string().contains("expected wasm, but received: docker"), "{error}");
}

#[test]
fn d_mod_07_parameters_are_read_in_any_case() {
    let decoded =
        DockerParams::decode(&spec("Docker", json!({"image": "x", "WORKINGDIRECTORY": "/w"}))).unwrap();
    assert_eq!((decoded.image.as_str(), decoded.working_directory.as_str()), ("x", "/w"));
}

#[test]
fn d_mod_08_an_unknown_parameter_is_refused_with_the_nearest_name() {
    let error = DockerParams::decode(&spec("docker", json!({"Imgae": "x"}))).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("unknown field: 'Imgae' in 'Params'") && text.contains("did you mean Image?"),
        "{text}"
    );
}

#[test]
fn e_06_names_that_are_no_variables_are_refused() {
    let cases = [
        ("'MY VAR'", "can only contain letters, numbers, and underscores"),
        ("MY-VAR", "can only contain letters, numbers, and underscores"),
        ("1VAR", "must start with a letter"),
        ("_VAR", "must start with a letter"),
        ("BACALHAU_X", "cannot start with BACALHAU_"),
        ("bacalhau_x", "cannot start with BACALHAU_"),
        ("''", "name cannot be empty"),
    ];
    for (name, text) in cases {
        let job = wasm_job(&format!("    Env: {{{name}: 'v'}}\n"));
        let field = format!("Tasks[0].Env.{}", name.trim_matches('\''));
        let problem = problem_at(&job, &field);
        assert!(problem.contains(text), "{problem}");
    }
}

#[test]
fn lower_case_names_and_empty_values_of_variables_are_accepted() {
    let job = good(&wasm_job("    Env: {lower: 'v', EMPTY: ''}\n"));
    assert_eq!(job.task.env["lower"], "v");
    assert_eq!(job.task.env["EMPTY"], "");
}

#[test]
fn e_08_ports_out_of_range_repeated_or_with_a_target_on_the_host_are_refused() {
    let cases = [
        (
            "Bridge",
            "[{Name: a, Static: 999}]",
            "[0].Static",
            "static port 999 is in privileged port range (1-1023)",
        ),
        (
            "Bridge",
            "[{Name: a, Static: 65536}]",
            "[0].Static",
            "static port 65536 is above maximum valid port 65535",
        ),
        ("Bridge", "[{Name: a, Target: 65536}]", "[0].Target", "invalid target port 65536"),
        ("Host", "[{Name: a, Target: 80}]", "[0].Target", "target ports cannot be set for Host network mode"),
        ("Full", "[{Name: a, Target: 80}]", "[0].Target", "target ports cannot be set for Host network mode"),
        ("Bridge", "[{Name: a}, {Name: a}]", "[1].Name", "duplicate port mapping name \"a\""),
        ("Host", "[{Name: a, Static: 2000}, {Name: b, Static: 2000}]", "[1].Static", "static port 2000"),
        ("Bridge", "[{Name: a, Target: 80}, {Name: b, Target: 80}]", "[1].Target", "target port 80"),
        ("Bridge", "[{Target: 80}]", "[0].Name", "port mapping name is required"),
        ("Bridge", "[{Name: 9a}]", "[0].Name", "port name must be a valid environment variable name"),
        (
            "Bridge",
            "[{Name: a, HostNetwork: here}]",
            "[0].HostNetwork",
            "invalid host network IP address: here",
        ),
        ("Default", "[{Name: a}]", "", "ports can only be set for Host or Bridge network modes"),
        ("HTTP", "[{Name: a}]", "", "ports can only be set for Host or Bridge network modes"),
    ];
    for (network, ports, field, text) in cases {
        let job = docker_job(&format!("    Network: {{Type: {network}, Ports: {ports}}}\n"));
        let problem = problem_at(&job, &format!("Tasks[0].Network.Ports{field}"));
        assert!(problem.contains(text), "{problem}");
    }
    let long = "a".repeat(238);
    let job = docker_job(&format!("    Network: {{Type: Host, Ports: [{{Name: {long}}}]}}\n"));
    let problem = problem_at(&job, "Tasks[0].Network.Ports[0].Name");
    assert!(problem.contains("port name too long (max 237 characters)"), "{problem}");
    good(&docker_job(
        "    Network: {Type: bridge, Ports: [{Name: http, Static: 1024, Target: 80}, {Name: b}]}\n",
    ));
}

#[test]
fn e_16_domains_are_names_suffixes_or_addresses() {
    let with = |domain: &str| docker_job(&format!("    Network: {{Type: HTTP, Domains: ['{domain}']}}\n"));
    for domain in [
        "192.168.1.7",
        "2001:db8::1",
        "example.org",
        ".example.org",
        "*.example.org",
        "api-*.x.example.org",
        "example.org:8443",
        "Example.ORG",
        " example.org ",
        "xn--e1afmkfd.xn--p1ai",
    ] {
        good(&with(domain));
    }
    for domain in [
        "at@.walker",
        "10.0.0.0/8",
        "*",
        "*.*",
        "https://example.org/x",
        "localhost",
        "a..b",
        "example.org:0",
        "example.org:99999",
        "-a.org",
        "",
        "1.2.3.4.5",
    ] {
        let problem = problem_at(&with(domain), "Tasks[0].Network.Domains[0]");
        assert!(problem.contains("invalid domain"), "{problem}");
    }
    let job = docker_job("    Network: {Type: Bridge, Domains: [example.org]}\n");
    let problem = problem_at(&job, "Tasks[0].Network.Domains");
    assert!(problem.contains("domains can only be set for HTTP network mode"), "{problem}");
}

#[test]
fn e_17_a_wildcard_removes_the_domains_that_it_covers() {
    let set = |domains: &[&str]| {
        let domains = domains.iter().map(|domain| (*domain).to_owned()).collect();
        NetworkConfig { domains, ..NetworkConfig::default() }.domain_set()
    };
    assert_eq!(set(&["y.foo.com", ".foo.com", "x.foo.com"]), [".foo.com"]);
    assert_eq!(set(&["foo.com", ".foo.com", ".a.foo.com"]), [".foo.com"]);
    assert_eq!(set(&["foo.com", "x.foo.com", "Foo.com ", "xfoo.com"]), ["foo.com", "x.foo.com", "xfoo.com"]);
    assert!(set(&[]).is_empty());
}

#[test]
fn w_27_an_empty_entry_module_is_refused() {
    for params in ["{EntryModule: ''}", "{}", "{EntryModule: null}"] {
        let job = wasm_job("").replace("{EntryModule: /m.wasm}", params);
        let problem = problem_at(&job, "Tasks[0].Engine.Params.EntryModule");
        assert!(
            problem.contains("invalid wasm engine entry module. target path cannot be empty"),
            "{problem}"
        );
    }
}

const SOURCE: &str = "{Type: inline, Params: {URL: 'data:,x'}}";

#[test]
fn w_46_a_repeated_target_is_refused_whatever_its_slashes() {
    let inputs =
        format!("    InputSources: [{{Source: {SOURCE}, Target: /a}}, {{Source: {SOURCE}, Target: a/}}]\n");
    let problem = problem_at(&wasm_job(&inputs), "Tasks[0].InputSources[1].Target");
    assert!(
        problem.contains("failed to mount input") && problem.contains("input configuration error"),
        "{problem}"
    );
    assert!(problem.contains("input source with target 'a/' already exists"), "{problem}");
}

#[test]
fn w_47_outputs_without_name_or_path_are_refused() {
    let job = wasm_job("    ResultPaths: [{Path: /out}, {Name: b}, {Name: c, Path: c}]\n");
    let has = |field: &str, text: &str| {
        let problem = problem_at(&job, field);
        assert!(problem.contains(text), "{problem}");
    };
    has("Tasks[0].ResultPaths[0].Name", "output volume has no name");
    has("Tasks[0].ResultPaths[0].Name", "missing name");
    has("Tasks[0].ResultPaths[1].Path", "output volume has no path");
    has("Tasks[0].ResultPaths[2].Path", "result path `c` must be absolute");
}

#[test]
fn w_48_an_output_named_as_an_input_target_is_refused() {
    let job = |output: &str| {
        format!("    InputSources: [{{Source: {SOURCE}, Target: /data}}]\n    ResultPaths: [{output}]\n")
    };
    let problem = problem_at(&wasm_job(&job("{Name: data, Path: /out}")), "Tasks[0].ResultPaths[0].Name");
    assert!(problem.contains("output name \"data\" conflicts with input target"), "{problem}");
    let problem = problem_at(&wasm_job(&job("{Name: out, Path: /data/}")), "Tasks[0].ResultPaths[0].Path");
    assert!(problem.contains("output path \"/data/\" conflicts with input target \"/data\""), "{problem}");
    // A container finds outputs at their paths alone.
    good(&docker_job(&job("{Name: data, Path: /out}")));
    problem_at(&docker_job(&job("{Name: out, Path: /data}")), "Tasks[0].ResultPaths[0].Path");
}

#[test]
fn r_03_resources_that_are_no_numbers_are_refused_each_at_its_field() {
    let job = wasm_job("    Resources: {CPU: '-1', Memory: much, Disk: 1zb, GPU: x}\n");
    for (field, text) in [
        ("CPU", "invalid CPU value: -1"),
        ("Memory", "invalid memory value: much"),
        ("Disk", "invalid disk value: 1zb"),
        ("GPU", "invalid GPU value: x"),
    ] {
        let problem = problem_at(&job, &format!("Tasks[0].Resources.{field}"));
        assert!(problem.contains(text), "{problem}");
    }
    problem_at(&wasm_job("    Resources: {GPU: '-1'}\n"), "Tasks[0].Resources.GPU");
}
