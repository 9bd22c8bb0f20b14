//! Executions seen from other processes: ps, logs, cancel, describe, prune.

use std::io::{BufRead as _, BufReader};
use std::process::Command;

use frogfish_fixtures::guests;
use serde_json::json;

use crate::support::{Home, eventually, names};

#[test]
fn ps_shows_what_runs_and_with_all_what_has_ended() {
    let home = Home::new();
    assert_eq!(home.wasm(&["-e", "EXIT_CODE=3"], guests::EXIT_CODE, &[]).status, 3);
    assert!(home.ps(&[]).is_empty());
    let all = home.ps(&["--all"]);
    assert_eq!((&all[0]["state"], &all[0]["exit_code"]), (&json!("Completed"), &json!(3)));
    assert_eq!(all[0]["name"], "exit_code.wasm");
    let _running = home.start(home.wasm_args::<&str>(&[], guests::SLEEPER, &["60000"]));
    home.wait_for("Running");
    let live = home.ps(&[]);
    assert_eq!((live.len(), &live[0]["live"]), (1, &json!(true)));
    let table = home.run(["ps", "-a"]).stdout;
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(table.lines().next().unwrap().starts_with("EXECUTION"), "{table}");
}

#[test]
fn l_13_logs_follow_a_running_job_and_end_with_it() {
    let home = Home::new();
    let mut running = home.start(home.wasm_args::<&str>(&[], guests::SLEEPER, &["60000"]));
    let seen = home.wait_for("Running");
    let id = seen["execution_id"].as_str().unwrap();
    let mut following = home.start(["logs", "--follow", id]);
    let mut lines = BufReader::new(following.child().stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "sleeping");
    assert_eq!(home.run(["cancel", id]).status, 0);
    assert!(lines.next().is_none());
    eventually("the follower ends", || following.child().try_wait().unwrap());
    eventually("the job ends", || running.child().try_wait().unwrap());
}

#[test]
fn l_17_output_comes_while_the_job_runs() {
    let home = Home::new();
    let mut running = home.start(home.wasm_args::<&str>(&[], guests::SLEEPER, &["60000"]));
    let mut lines = BufReader::new(running.child().stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "sleeping");
    assert!(running.child().try_wait().unwrap().is_none());
}

#[test]
fn l_12_and_22_logs_of_an_ended_job_are_read_as_asked() {
    let home = Home::new();
    let text = "even\nodd12\nmore\nlast1\n";
    home.write("text", text);
    let ran = home.wasm(&["-i", "text:/text", "--json"], guests::LOGTEST, &["/text", "--fast"]).json();
    let id = ran["execution_id"].as_str().unwrap();
    let whole = home.run(["logs", id]);
    assert_eq!(whole.status, 0, "{whole:?}");
    assert!(whole.stdout.contains("even") && whole.stderr.contains("odd12"), "{whole:?}");
    let results = std::path::Path::new(ran["results"].as_str().unwrap());
    assert_eq!(whole.stdout, std::fs::read_to_string(results.join("stdout")).unwrap());
    assert_eq!(whole.stderr, std::fs::read_to_string(results.join("stderr")).unwrap());
    let stamped = home.run(["logs", "--timestamps", id]);
    assert!(stamped.stdout.lines().all(|line| line.starts_with("20") && line.contains('Z')), "{stamped:?}");
    let old = home.run(["logs", "--since", "2100-01-01T00:00:00Z", id]);
    assert_eq!((old.stdout.as_str(), old.stderr.as_str()), ("", ""));
    assert_eq!(home.run(["logs", "--since", "1h", id]).stdout, whole.stdout);
    let lines = |ran: &crate::support::Ran| ran.stdout.lines().count() + ran.stderr.lines().count();
    let tail = home.run(["logs", "--tail", "1", id]);
    assert!(lines(&tail) < lines(&whole), "{tail:?}");
}

#[test]
fn l_16_a_log_that_is_gone_is_said_to_be_gone() {
    let home = Home::new();
    let ran = home.wasm(&["--json"], guests::NOOP, &[]).json();
    let folder = std::path::Path::new(ran["results"].as_str().unwrap()).parent().unwrap();
    std::fs::remove_file(folder.join("log")).unwrap();
    let ran = home.run(["logs", "--follow", ran["execution_id"].as_str().unwrap()]);
    assert_eq!(ran.status, 126, "{ran:?}");
    assert!(ran.stderr.contains("is gone"), "{ran:?}");
}

#[test]
fn l_19_logs_of_a_failed_start_end_with_why() {
    let home = Home::new();
    let ran = home.wasm(&["--json"], guests::GARBAGE, &[]).json();
    let seen = home.ps(&["--all"]);
    let id = seen.first().map_or(&ran["execution_id"], |seen| &seen["execution_id"]);
    if let Some(id) = id.as_str() {
        let logs = home.run(["logs", "--follow", id]);
        let message = ran["error"]["message"].as_str().unwrap();
        assert!(logs.status == 0 && logs.stderr.trim_end().ends_with(message), "{logs:?}");
    }
    assert_eq!(ran["error"]["kind"], "ModuleCompileError");
}

#[test]
fn l_20_both_streams_are_logged_in_the_order_of_their_writes() {
    let home = Home::new();
    let ran = home.wasm(&["--json"], guests::SMALL_WRITES, &[]).json();
    let both = Command::new("sh")
        .args(["-c", "exec \"$0\" logs \"$1\" 2>&1", env!("CARGO_BIN_EXE_frogfish")])
        .arg(ran["execution_id"].as_str().unwrap())
        .env("FROGFISH_DATA_DIR", home.data())
        .output()
        .unwrap();
    let mut expected = String::new();
    for line in 0..200_000 {
        expected.extend([&line.to_string(), "\n"]);
    }
    assert!(both.stdout == expected.as_bytes(), "{} bytes", both.stdout.len());
}

#[test]
fn a_follower_that_is_slower_than_the_job_s_process_still_gets_everything() {
    let home = Home::new();
    let mut running = home.start(home.wasm_args(&["--json"], guests::SMALL_WRITES, &[]));
    let seen = home.wait_for("Running");
    let following = home.start(["logs", "--follow", seen["execution_id"].as_str().unwrap()]);
    // Nobody reads what the follower prints until the job's process has gone.
    eventually("the job ends", || running.child().try_wait().unwrap());
    let ran = following.end();
    assert_eq!((ran.status, ran.stdout.lines().count()), (0, 180_000), "{}", ran.stderr.len());
    assert_eq!(ran.stderr.lines().count(), 20_000);
    assert!(ran.stdout.ends_with("199999\n"));
}

#[test]
fn l_23_a_job_s_id_or_a_beginning_is_enough_if_it_is_the_only_one() {
    let home = Home::new();
    let one = home.wasm(&["--json"], guests::NOOP, &[]).json();
    let two = home.wasm(&["--json"], guests::HELLO, &[]).json();
    let (job, id) = (two["job_id"].as_str().unwrap(), one["execution_id"].as_str().unwrap());
    assert_eq!(home.run(["logs", job]).stdout, "hello from wasm\n");
    assert_eq!(home.run(["logs", &id[..id.len() - 4]]).stdout, "Hello, world!\n");
    let ran = home.run(["logs", "e-"]);
    assert_eq!(ran.status, 64, "{ran:?}");
    assert!(ran.stderr.contains("2 IDs"), "{ran:?}");
}

#[test]
fn describe_tells_phases_outcome_and_where_things_lie() {
    let home = Home::new();
    let ran = home.wasm(&["--json"], guests::TRAP, &[]).json();
    let id = ran["execution_id"].as_str().unwrap();
    let object = home.run(["describe", "--json", id]).json();
    for key in
        ["execution_id", "job_id", "cid", "manifest", "results", "receipt", "state", "reason_code", "error"]
    {
        assert_eq!(object[key], ran[key], "{key}");
    }
    for state in ["Queued", "Preparing", "Running", "Collecting", "Failed"] {
        assert!(object["entered"][state].as_str().unwrap().starts_with("20"), "{state}: {object}");
    }
    assert!(object["durations_us"]["run"].is_u64(), "{object}");
    assert_eq!(object["job"]["Tasks"][0]["Name"], "main");
    let words = home.run(["describe", id]).stdout;
    assert!(words.contains("phases") && words.contains("Trap") && words.contains("receipt"), "{words}");
}

#[test]
fn cancelling_what_has_ended_is_refused() {
    let home = Home::new();
    let ran = home.wasm(&["--json"], guests::NOOP, &[]).json();
    let ran = home.run(["cancel", ran["execution_id"].as_str().unwrap()]);
    assert_eq!(ran.status, 126, "{ran:?}");
    assert!(ran.stderr.contains("Completed"), "{ran:?}");
}

#[test]
fn prune_removes_what_is_old_and_never_what_runs() {
    let home = Home::new();
    let ran = home.wasm(&["--json"], guests::NOOP, &[]).json();
    let results = std::path::Path::new(ran["results"].as_str().unwrap());
    let young = home.run(["prune", "--json"]).json();
    assert_eq!((&young["executions"], results.exists()), (&json!(0), true));
    let mut running = home.start(home.wasm_args::<&str>(&[], guests::SLEEPER, &["60000"]));
    assert_eq!(running.line(), "sleeping");
    // The running one may have taken the first's folder, which is then left alone.
    let other = home.wasm(&["--json"], guests::NOOP, &[]).json();
    let other = std::path::Path::new(other["results"].as_str().unwrap());
    let would = home.run(["prune", "--all", "--dry-run", "--json"]).json();
    assert_eq!((&would["executions"], other.exists()), (&json!(1), true));
    let did = home.run(["prune", "--all", "--json"]).json();
    assert_eq!((&did["executions"], other.exists()), (&json!(1), false));
    assert_eq!(did["live_instances"], 1);
    assert_eq!(home.ps(&[]).len(), 1);
    running.signal("INT");
    running.end();
    home.run(["prune", "--all"]);
    assert!(home.ps(&["--all"]).is_empty());
    assert!(!results.exists());
}

#[test]
fn retention_is_a_setting() {
    let home = Home::new();
    let config = home.write("f.toml", "[limits]\nretention_s = 0\n");
    let config = config.to_str().unwrap();
    home.wasm::<&str>(&[], guests::NOOP, &[]);
    assert_eq!(home.run(["--config", config, "prune", "--json"]).json()["executions"], 1);
}

#[test]
fn compiled_modules_are_kept_until_prune_is_told_to_remove_them() {
    let home = Home::new();
    home.wasm::<&str>(&[], guests::NOOP, &[]);
    let modules = home.data().join("cache/modules");
    let kept = |folder: &std::path::Path| folder.exists() && !names(folder).is_empty();
    assert!(kept(&modules));
    assert_eq!(home.run(["prune", "--all"]).status, 0);
    assert!(kept(&modules));
    let ran = home.run(["prune", "--caches", "--json"]).json();
    assert!(ran["cache_files"].as_u64().unwrap() > 0);
    assert!(!kept(&modules));
}

#[test]
fn eight_at_once_run_beside_a_long_one() {
    let home = Home::new();
    let mut long = home.start(home.wasm_args::<&str>(&[], guests::SLEEPER, &["60000"]));
    assert_eq!(long.line(), "sleeping");
    let seen = home.wait_for("Running");
    let started: Vec<_> = (0..8)
        .map(|index| {
            let code = format!("EXIT_CODE={index}");
            home.start(home.wasm_args(&["-e", &code, "--cpu", "100m"], guests::EXIT_CODE, &[]))
        })
        .collect();
    for (index, one) in started.into_iter().enumerate() {
        let ran = one.end();
        assert_eq!(
            (ran.status, ran.stdout),
            (i32::try_from(index).unwrap(), format!("Exiting with {index}\n"))
        );
    }
    assert_eq!(home.ps(&[]).len(), 1);
    assert_eq!(home.ps(&["--all"]).len(), 9);
    assert_eq!(home.run(["cancel", seen["execution_id"].as_str().unwrap()]).status, 0);
    assert_eq!(long.end().status, 143);
}
