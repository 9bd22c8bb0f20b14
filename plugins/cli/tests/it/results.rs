//! Where results go, what names them, and what `--json` says.

use std::io::Write as _;
use std::process::Stdio;

use frogfish_fixtures::guests;
use serde_json::{Value, json};

use crate::support::{Home, Ran, names};

#[test]
fn the_jobs_output_is_the_commands_own_and_what_it_left_is_named() {
    let home = Home::new();
    let ran = home.wasm::<&str>(&[], guests::NOOP, &[]);
    assert_eq!((ran.status, ran.stdout.as_str()), (0, "Hello, world!\n"));
    assert!(ran.stderr.contains("kept for 7 days"), "{ran:?}");
    assert_eq!(names(&ran.results()), ["exitCode", "stderr", "stdout"]);
}

#[test]
fn stdout_and_stderr_of_the_job_stay_apart_and_whole() {
    let home = Home::new();
    let ran = home.wasm::<&str>(&[], guests::SMALL_WRITES, &[]);
    assert_eq!(ran.status, 0);
    let (mut stdout, mut stderr) = (String::new(), String::new());
    for line in 0..200_000 {
        let to = if line % 10 == 0 { &mut stderr } else { &mut stdout };
        to.extend([&line.to_string(), "\n"]);
    }
    assert!(ran.stdout == stdout, "stdout has {} bytes", ran.stdout.len());
    assert!(ran.stderr.starts_with(&stderr), "stderr has {} bytes", ran.stderr.len());
}

#[test]
fn w_02_every_argument_reaches_the_program() {
    let home = Home::new();
    for args in [&["a", "-b", "--c", "d e"][..], &["--", "a", "-b", "--c", "d e"]] {
        let ran = home.wasm::<&str>(&[], guests::ARGV, args);
        let lines: Vec<&str> = ran.stdout.lines().skip(1).collect();
        assert_eq!(lines, ["1 a", "2 -b", "3 --c", "4 d e"], "{args:?}: {ran:?}");
    }
}

#[test]
fn flags_stand_before_or_after_the_module_and_a_second_dash_pair_is_the_programs() {
    let home = Home::new();
    let ran = home.wasm::<&str>(&[], guests::ARGV, &["--json", "x", "--cid"]);
    assert_eq!(ran.json()["state"], "Completed", "{ran:?}");
    let ran = home.wasm::<&str>(&[], guests::ARGV, &["--unknown", "x"]);
    assert!(ran.status == 64 && ran.stderr.contains("'-- --unknown'"), "{ran:?}");
    let ran = home.wasm::<&str>(&[], guests::ARGV, &["--", "--", "x"]);
    assert_eq!(ran.stdout.lines().skip(1).collect::<Vec<_>>(), ["1 --", "2 x"], "{ran:?}");
}

#[test]
fn e_01_variables_are_the_jobs_own_and_a_name_alone_takes_this_process_s_value() {
    let home = Home::new();
    let mut command = home.frogfish(home.wasm_args(&["-e", "B=two", "-e", "A"], guests::ENV, &[]));
    let ran = Ran::new(command.env("A", "one").env("HIDDEN", "x").output().unwrap());
    let lines: Vec<&str> = ran.stdout.lines().filter(|line| !line.starts_with("FROGFISH_")).collect();
    assert_eq!(lines, ["A=one", "B=two"], "{ran:?}");
}

#[test]
fn e_02_a_variable_of_the_host_is_refused_unless_the_settings_forward_it() {
    let home = Home::new();
    let args = home.wasm_args(&["-e", "A=env:SECRET"], guests::ENV, &[]);
    let ran = Ran::new(home.frogfish(&args).env("SECRET", "s").output().unwrap());
    assert_ne!(ran.status, 0, "{ran:?}");
    assert!(!ran.stdout.contains("A=s") && ran.stderr.contains("SECRET"), "{ran:?}");
    let mut command = home.frogfish(&args);
    let ran = Ran::new(command.env("SECRET", "s").env("FROGFISH_FORWARD_ENV", "SEC*").output().unwrap());
    assert!(ran.stdout.contains("A=s\n"), "{ran:?}");
}

#[test]
fn e_04_names_that_are_forwarded_are_matched_as_a_whole() {
    let home = Home::new();
    let args = home.wasm_args(&["-e", "A=env:MY_TEST_1"], guests::ENV, &[]);
    let mut command = home.frogfish(&args);
    let ran = Ran::new(command.env("MY_TEST_1", "s").env("FROGFISH_FORWARD_ENV", "TEST_*").output().unwrap());
    assert!(ran.status != 0 && !ran.stdout.contains("A=s"), "{ran:?}");
}

#[test]
fn e_05_a_value_that_only_looks_like_a_source_is_itself() {
    let ran = Home::new().wasm(&["-e", "A=http://x", "-e", "B=environment"], guests::ENV, &[]);
    assert!(ran.stdout.contains("A=http://x\nB=environment\n"), "{ran:?}");
}

#[test]
fn e_06_names_that_no_job_may_have_are_refused_by_field() {
    let home = Home::new();
    for name in ["A B", "A-B", "1A", "BACALHAU_X", "bacalhau_x"] {
        let ran = home.wasm(&["--json", "-e", &format!("{name}=x")], guests::ENV, &[]);
        let object = ran.json();
        assert_eq!((ran.status, &object["reason_code"]), (126, &json!("SpecError")), "{name}: {ran:?}");
        assert!(object["error"]["message"].as_str().unwrap().contains("Tasks[0].Env"), "{name}: {ran:?}");
    }
    assert!(home.ps(&["--all"]).is_empty());
}

#[test]
fn inputs_are_read_and_outputs_are_results() {
    let home = Home::new();
    home.write("text/a.txt", "one two\nthree");
    let ran = home.wasm(&["-i", "text:/in", "-o", "out:/out", "--out", "got"], guests::WORDCOUNT, &[]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(names(&home.path("got")), ["exitCode", "out", "stderr", "stdout"]);
    assert_eq!(names(&home.path("got/out")), ["counts.txt", "summary.json"]);
}

#[test]
fn an_input_is_read_only_unless_it_says_otherwise() {
    let home = Home::new();
    for (flag, writes) in [("in:/out", false), ("in:/out:rw", true), ("src=in,dst=/out,opt=rw", true)] {
        std::fs::create_dir_all(home.path("in")).unwrap();
        home.wasm(&["-i", flag], guests::TRAP, &["/out"]);
        assert_eq!(home.path("in/partial.txt").exists(), writes, "{flag}");
        std::fs::remove_dir_all(home.path("in")).unwrap();
    }
}

#[test]
fn cid_prints_the_cid_alone_and_it_is_that_of_out() {
    let home = Home::new();
    home.write("text/a.txt", "one two\nthree");
    let flags = ["--cid", "-i", "text:/in", "-o", "out:/out", "--out", "got"];
    let ran = home.wasm(&flags, guests::WORDCOUNT, &[]);
    let hashed = home.run(["hash", "got"]);
    assert_eq!((hashed.status, &ran.stdout), (0, &hashed.stdout));
    assert!(ran.stdout.starts_with("Qm") && ran.stdout.lines().count() == 1, "{ran:?}");
    assert!(home.path("got.receipt.json").exists());
    let deterministic = |_: u8| home.wasm(&["--cid", "--deterministic"], guests::RANDOM, &[]).stdout;
    assert_eq!(deterministic(1), deterministic(2));
}

#[test]
fn json_has_every_field_with_absolute_paths() {
    let home = Home::new();
    let ran = home.wasm(&["--json", "--deterministic", "--out", "got"], guests::NOOP, &[]);
    let object = ran.json();
    let keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    let all = ["job_id", "execution_id", "state", "reason_code", "exit_code", "results", "cid", "manifest"];
    assert_eq!(keys[..8], all, "{ran:?}");
    assert_eq!(keys[8..], ["receipt", "instruction_count", "error", "executions"]);
    assert_eq!((&object["state"], &object["exit_code"]), (&json!("Completed"), &json!(0)));
    assert_eq!((&object["reason_code"], &object["error"]), (&Value::Null, &Value::Null));
    let real = home.path("got").canonicalize().unwrap();
    assert_eq!(object["results"], json!(real));
    assert_eq!(object["receipt"], json!(real.with_file_name("got.receipt.json")));
    assert!(object["instruction_count"].as_u64().unwrap() > 0);
    assert_eq!(object["manifest"].as_str().unwrap().len(), 64);
    assert_eq!(object["executions"][0]["execution_id"], object["execution_id"]);
    assert!(ran.stderr.is_empty(), "{ran:?}");
}

#[test]
fn json_says_why_a_job_failed_or_was_never_started() {
    let home = Home::new();
    let trapped = home.wasm(&["--json"], guests::TRAP, &[]).json();
    assert_eq!((&trapped["state"], &trapped["reason_code"]), (&json!("Failed"), &json!("Trap")));
    for key in ["kind", "message"] {
        assert!(!trapped["error"][key].as_str().unwrap().is_empty());
    }
    let ran = home.run(["run", "--json", "/nowhere/job.yaml"]);
    let never = ran.json();
    assert_eq!((ran.status, &never["state"], &never["executions"]), (126, &Value::Null, &json!([])));
    assert!(never["error"]["message"].as_str().unwrap().contains("/nowhere/job.yaml"));
    assert_eq!(never.as_object().unwrap().len(), 12);
}

#[test]
fn out_must_be_empty_before_anything_runs() {
    let home = Home::new();
    home.write("full/file", "");
    let ran = home.wasm(&["--out", "full"], guests::NOOP, &[]);
    assert_eq!((ran.status, ran.stdout.as_str()), (64, ""), "{ran:?}");
    assert!(home.ps(&["--all"]).is_empty());
    std::fs::create_dir(home.path("empty")).unwrap();
    assert_eq!(home.wasm(&["--out", "empty"], guests::NOOP, &[]).status, 0);
    assert_eq!(names(&home.path("empty")), ["exitCode", "stderr", "stdout"]);
    let ran = home.wasm(&["--out", "never"], guests::GARBAGE, &[]);
    assert_eq!(ran.status, 126, "{ran:?}");
    let left = home.path("never");
    assert!(!left.exists() || !names(&left).is_empty(), "an empty folder was left behind");
}

#[test]
#[ignore = "needs a file system of its own at /dev/shm"]
fn out_on_another_file_system_is_a_copy_with_the_same_cid() {
    let shm = std::path::Path::new("/dev/shm");
    let other = tempfile::tempdir_in(shm).unwrap();
    let home = Home::new();
    home.write("text/a.txt", "one two");
    let out = other.path().join("got");
    let flags = ["--cid", "-i", "text:/in", "-o", "out:/out", "--out", out.to_str().unwrap()];
    let ran = home.wasm(&flags, guests::WORDCOUNT, &[]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(home.run(["hash", out.to_str().unwrap()]).stdout, ran.stdout);
}

#[test]
fn a_dry_run_shows_the_job_and_leaves_nothing() {
    let home = Home::new();
    let ran = home.wasm(&["--dry-run"], guests::NOOP, &[]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(ran.json()["Tasks"][0]["Engine"]["Type"], "wasm");
    assert!(ran.stderr.contains("would start now"), "{ran:?}");
    assert!(!home.data().exists());
    let never = home.wasm(&["--dry-run", "--json", "--cpu", "100000"], guests::NOOP, &[]);
    assert_eq!((never.status, &never.json()["admission"]), (126, &json!("never")));
}

#[test]
fn every_partition_of_a_job_is_listed() {
    let home = Home::new();
    let module = home.guest(guests::NOOP);
    let job = json!({
        "Name": "three", "Type": "batch", "Count": 3,
        "Tasks": [{
            "Name": "main",
            "Engine": {"Type": "wasm", "Params": {"EntryModule": "/m.wasm"}},
            "InputSources": [{"Target": "/m.wasm", "Source": {"Type": "local", "Params": {"SourcePath": module}}}],
            "Resources": {"CPU": "100m", "Memory": "64Mb"},
        }],
    });
    let file = home.write("job.json", job.to_string());
    let args = ["run", "--allow-path", ".", file.to_str().unwrap()];
    let ran = home.run(args);
    assert_eq!(
        (ran.status, ran.stdout.as_str()),
        (0, "Hello, world!\nHello, world!\nHello, world!\n"),
        "{ran:?}"
    );
    let object = home.run(["run", "--json", "--allow-path", ".", file.to_str().unwrap()]).json();
    let executions = object["executions"].as_array().unwrap();
    assert_eq!(executions.len(), 3);
    assert!(executions.iter().all(|one| one["job_id"] == object["job_id"]));
    let refused = home.run(["run", "--out", "x", "--allow-path", ".", file.to_str().unwrap()]);
    assert_eq!(refused.status, 64, "{refused:?}");
}

#[test]
fn a_reader_that_goes_away_does_not_hurt_the_job() {
    let home = Home::new();
    let mut command = home.frogfish(home.wasm_args::<&str>(&[], guests::SMALL_WRITES, &[]));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{stderr}");
    assert!(!stderr.contains("panic"), "{stderr}");
    let ran = home.run(["ps", "--all", "--json"]);
    assert_eq!(ran.json()[0]["state"], "Completed");
}

#[test]
fn output_that_cannot_be_passed_on_is_125_and_the_results_are_kept() {
    let home = Home::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = home.frogfish(home.wasm_args::<&str>(&[], guests::NOOP, &[]));
    let mut output = command.stdout(full).output().unwrap();
    output.stdout.clear();
    let ran = Ran::new(output);
    assert_eq!(ran.status, 125, "{ran:?}");
    assert_eq!(std::fs::read(ran.results().join("stdout")).unwrap(), b"Hello, world!\n");
}

#[test]
fn a_job_comes_from_stdin() {
    let home = Home::new();
    let job = std::fs::read(frogfish_fixtures::files::example_jobs().join("inline.yaml")).unwrap();
    let mut command = home.frogfish(["run", "-"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&job).unwrap();
    let ran = Ran::new(child.wait_with_output().unwrap());
    assert_eq!((ran.status, ran.stdout.as_str()), (0, "hello from wasm\n"), "{ran:?}");
}
