use super::*;

fn bacalhau() -> Naming {
    Naming::new("bacalhau", "bacalhau", "BACALHAU_")
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn host(allow: &[&str]) -> HostVariables {
    HostVariables {
        values: map(&[("TEST_HOST", "host-value"), ("DENIED_VAR", "secret"), ("MY_TEST_1", "other")]),
        allow: allow.iter().map(|pattern| (*pattern).to_owned()).collect(),
    }
}

fn built(task: &[(&str, &str)], host: &HostVariables) -> Result<BTreeMap<String, String>, Failure> {
    build(&map(task), None, &bacalhau(), host, &Limits::default())
}

#[test]
fn e_01_the_environment_is_the_tasks_and_the_systems_which_wins() {
    let (execution, job): (ExecutionId, JobId) = ("e-1".parse().unwrap(), "j-1".parse().unwrap());
    let facts = |job| Some(ExecutionFacts { execution_id: &execution, job });
    let of_job =
        JobFacts { id: &job, job_type: JobType::Batch, partition_index: 2, partition_count: 3, ports: &[] };
    let env = |task: &[(&str, &str)], facts: Option<ExecutionFacts<'_>>| {
        build(&map(task), facts.as_ref(), &bacalhau(), &host(&["TEST_*"]), &Limits::default()).unwrap()
    };
    assert_eq!(env(&[], None), map(&[]));
    assert_eq!(env(&[], facts(None)), map(&[("BACALHAU_EXECUTION_ID", "e-1")]));
    let system = [
        ("BACALHAU_EXECUTION_ID", "e-1"),
        ("BACALHAU_JOB_ID", "j-1"),
        ("BACALHAU_JOB_TYPE", "batch"),
        ("BACALHAU_PARTITION_COUNT", "3"),
        ("BACALHAU_PARTITION_INDEX", "2"),
    ];
    assert_eq!(env(&[], facts(Some(of_job))), map(&system));
    let task = [("LITERAL", "x"), ("HOST", "env:TEST_HOST"), ("BACALHAU_JOB_TYPE", "forged")];
    let expected = [&system[..], &[("LITERAL", "x"), ("HOST", "host-value")]].concat();
    assert_eq!(env(&task, facts(Some(of_job))), map(&expected));
    // Differs from Bacalhau, which tells 0.
    let everywhere = JobFacts { partition_count: 0, ..of_job };
    assert_eq!(env(&[], facts(Some(everywhere)))["BACALHAU_PARTITION_COUNT"], "1");
}

#[test]
fn e_02_a_denied_and_a_missing_host_variable_are_named() {
    let host = host(&["TEST_*", "MY_*"]);
    let error = built(&[("A", "env:DENIED_VAR")], &host).unwrap_err();
    assert_eq!(error.message, "environment variable 'DENIED_VAR' is not in allowed patterns");
    let error = built(&[("A", "env:MY_MISSING_VAR")], &host).unwrap_err();
    assert_eq!(error.message, "required environment variable 'MY_MISSING_VAR' not found");
    assert_eq!(error.code, ReasonCode::Refused);
}

#[test]
fn e_03_ports_are_told_under_their_names() {
    let (execution, job): (ExecutionId, JobId) = ("e-1".parse().unwrap(), "j-1".parse().unwrap());
    let port = |name: &str, host, target| PortFacts { name: name.into(), host, target };
    let ports =
        [port("http", Some(8080), Some(80)), port("Metrics", Some(9090), None), port("debug", None, None)];
    let job = JobFacts {
        id: &job,
        job_type: JobType::Service,
        partition_index: 0,
        partition_count: 1,
        ports: &ports,
    };
    let facts = ExecutionFacts { execution_id: &execution, job: Some(job) };
    let env =
        build(&map(&[]), Some(&facts), &bacalhau(), &HostVariables::default(), &Limits::default()).unwrap();
    let ports: Vec<_> = env.iter().filter(|(name, _)| name.contains("PORT_")).collect();
    let expected = map(&[
        ("BACALHAU_HOST_PORT_Metrics", "9090"),
        ("BACALHAU_HOST_PORT_http", "8080"),
        ("BACALHAU_PORT_http", "80"),
    ]);
    assert_eq!(ports, expected.iter().collect::<Vec<_>>());
}

#[test]
fn e_04_an_allowed_pattern_must_match_the_whole_name() {
    assert!(built(&[("A", "env:MY_TEST_1")], &host(&["TEST_*"])).is_err());
    assert!(built(&[("A", "env:MY_TEST_1")], &host(&["*TEST_?"])).is_ok());
    assert!(built(&[("A", "env:TEST_HOST")], &host(&[])).is_err());
}

#[test]
fn e_05_other_prefixes_are_literal() {
    for value in ["http://x", "secret:x", "ENV:HOME", ""] {
        assert_eq!(built(&[("A", value)], &host(&[])).unwrap(), map(&[("A", value)]));
    }
}

#[test]
fn e_06_names_that_no_shell_takes_are_refused() {
    let check = |name| check_names(&map(&[(name, "x")]), &bacalhau());
    for name in ["A B", "A-B", "1A", "_A", "", "A=B", "Ä", "BACALHAU_X", "bacalhau_x"] {
        assert_eq!(check(name).unwrap_err().code, ReasonCode::SpecError, "{name}");
    }
    assert!(check("A_1").is_ok());
    assert!(check("FROGFISH_X").is_ok(), "another network's prefix");
    // Differs from Bacalhau, which refuses small letters.
    assert!(check("lower").is_ok());
}

#[test]
fn an_environment_over_its_limit_is_refused() {
    let limits = Limits { env_bytes_max: 10, ..Limits::default() };
    let build = |value| build(&map(&[("A", value)]), None, &bacalhau(), &host(&[]), &limits);
    assert!(build("1234567").is_ok());
    assert!(build("12345678").unwrap_err().message.contains("env_bytes_max is 10"));
    assert!(built(&[("A", "a\0b")], &host(&[])).is_err());
}
