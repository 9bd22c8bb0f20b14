//! Exit statuses: one test for each that scripts may rely on.

use frogfish_fixtures::guests::{self, Guest};

use crate::support::{Home, Ran};

fn exits_with(code: &str) -> Ran {
    Home::new().wasm(&["-e", &format!("EXIT_CODE={code}")], guests::EXIT_CODE, &[])
}

#[test]
fn the_jobs_own_code_is_the_commands_up_to_255() {
    for (code, status) in [("0", 0), ("1", 1), ("5", 5), ("64", 64), ("124", 124), ("125", 125), ("255", 255)]
    {
        let ran = exits_with(code);
        assert_eq!(ran.status, status, "{ran:?}");
        assert_eq!(ran.stdout, format!("Exiting with {code}\n"));
    }
}

#[test]
fn a_code_above_255_becomes_255() {
    for code in ["256", "1000", "4294967295"] {
        assert_eq!(exits_with(code).status, 255, "{code}");
    }
}

#[test]
fn a_jobs_own_125_has_no_reason_code() {
    let ran = Home::new().wasm(&["--json", "-e", "EXIT_CODE=125"], guests::EXIT_CODE, &[]);
    assert_eq!((ran.status, &ran.json()["reason_code"]), (125, &serde_json::Value::Null));
}

#[test]
fn a_timeout_is_124_and_keeps_what_was_printed() {
    let home = Home::new();
    let ran = home.wasm(&["--timeout", "0.5"], guests::BUSY, &[]);
    assert_eq!(ran.status, 124, "{ran:?}");
    assert_eq!(ran.stdout, "busy\n");
    assert!(ran.stderr.contains("timed out"), "{ran:?}");
    assert!(ran.results().join("stdout").exists());
}

#[test]
fn a_data_folder_that_cannot_be_used_is_125() {
    let home = Home::new();
    let file = home.write("file", b"");
    let module = home.guest(guests::NOOP);
    let ran = home.run([
        "--data-dir".as_ref(),
        file.as_os_str(),
        "wasm".as_ref(),
        "run".as_ref(),
        module.as_os_str(),
    ]);
    assert_eq!(ran.status, 125, "{ran:?}");
    assert!(ran.stderr.contains("error:") && ran.stderr.contains("hint:"), "{ran:?}");
    assert!(!ran.stderr.contains("Usage"), "{ran:?}");
}

#[test]
fn a_missing_module_or_input_is_126() {
    let home = Home::new();
    let gone = home.path("gone.wasm");
    let ran = home.run(["wasm", "run", gone.to_str().unwrap()]);
    assert_eq!(ran.status, 126, "{ran:?}");
    assert!(ran.stderr.contains("gone.wasm"), "{ran:?}");
    let ran = home.wasm(&["-i", "/nowhere/at/all:/in"], guests::NOOP, &[]);
    assert_eq!(ran.status, 126, "{ran:?}");
    assert!(ran.stderr.contains("/nowhere/at/all"), "{ran:?}");
}

#[test]
fn what_is_no_module_or_lacks_an_import_is_126() {
    for guest in [guests::GARBAGE, guests::TRUNCATED, guests::WRONG_VERSION, guests::UNKNOWN_IMPORT] {
        let ran = Home::new().wasm::<&str>(&[], guest, &[]);
        assert_eq!(ran.status, 126, "{}: {ran:?}", guest.name);
    }
}

#[test]
fn more_than_the_host_has_is_126_and_says_so() {
    let ran = Home::new().wasm(&["--json", "--cpu", "100000"], guests::NOOP, &[]);
    assert_eq!(ran.status, 126, "{ran:?}");
    assert_eq!(ran.json()["reason_code"], "NotEnoughCapacity");
}

#[test]
fn a_trap_is_134() {
    let ran = Home::new().wasm::<&str>(&[], guests::TRAP, &[]);
    assert_eq!(ran.status, 134, "{ran:?}");
    assert!(!ran.stdout.is_empty(), "what was printed before the trap is kept: {ran:?}");
}

#[test]
fn a_stack_that_never_ends_is_134() {
    let ran = Home::new().wasm::<&str>(&[], guests::RECURSION, &[]);
    assert_eq!(ran.status, 134, "{ran:?}");
}

#[test]
fn out_of_memory_is_137() {
    let ran = Home::new().wasm(&["--memory", "16Mb"], guests::GROW, &["64", "abort"]);
    assert_eq!(ran.status, 137, "{ran:?}");
}

fn interrupted(guest: Guest, args: &[&str], signal: &str) -> Ran {
    let home = Home::new();
    let mut running = home.start(home.wasm_args(&["--json"], guest, args));
    home.wait_for("Running");
    running.signal(signal);
    running.end()
}

#[test]
fn an_interrupt_cancels_with_130_and_names_what_was_kept() {
    let ran = interrupted(guests::SLEEPER, &["60000"], "INT");
    assert_eq!(ran.status, 130, "{ran:?}");
    let object = ran.json();
    assert_eq!(
        (&object["state"], &object["reason_code"]),
        (&"Cancelled".into(), &"ExecutionCancelled".into())
    );
    assert!(std::path::Path::new(object["results"].as_str().unwrap()).is_absolute());
    assert!(object["cid"].is_string());
}

#[test]
fn a_termination_cancels_with_143() {
    assert_eq!(interrupted(guests::BUSY, &[], "TERM").status, 143);
}

#[test]
fn a_second_interrupt_leaves_at_once_and_the_next_start_settles_it() {
    let home = Home::new();
    let mut running = home.start(home.wasm_args::<&str>(&[], guests::ENDLESS_START_SECTION, &[]));
    home.wait_for("Running");
    running.signal("INT");
    running.signal("INT");
    let ran = running.end();
    assert_eq!(ran.status, 130, "{ran:?}");
    assert_eq!(home.wasm::<&str>(&[], guests::NOOP, &[]).status, 0);
    assert!(home.ps(&[]).is_empty());
    assert_eq!(home.ps(&["--all"]).len(), 2);
}

#[test]
fn a_cancel_by_another_process_is_143() {
    let home = Home::new();
    let mut running = home.start(home.wasm_args::<&str>(&[], guests::SLEEPER, &["60000"]));
    assert_eq!(running.line(), "sleeping");
    let seen = home.wait_for("Running");
    let id = seen["execution_id"].as_str().unwrap();
    let ran = home.run(["cancel", id]);
    assert!(ran.stdout.contains(id), "{ran:?}");
    let ended = running.end();
    assert_eq!((ended.status, ended.stdout.as_str()), (143, ""), "{ended:?}");
}

#[test]
fn wrong_usage_is_64_for_every_command() {
    let home = Home::new();
    for args in [
        &["bogus"][..],
        &[],
        &["run"],
        &["run", "--bogus", "job.yaml"],
        &["wasm"],
        &["wasm", "run"],
        &["wasm", "run", "-i", "src=,dst=/in", "m.wasm"],
        &["wasm", "run", "-e", "NOT_SET_ANYWHERE", "m.wasm"],
        &["wasm", "run", "-o", "out", "m.wasm"],
        &["wasm", "run", "--timeout", "soon", "m.wasm"],
        &["wasm", "run", "--json", "--cid", "m.wasm"],
        &["hash"],
        &["hash", "/nowhere/at/all"],
        &["hash", ".", "--profile", "bogus"],
        &["diff", "/nowhere/at/all", "."],
        &["verify", "/nowhere/at/all"],
        &["schema", "bogus"],
        &["ps", "bogus"],
        &["--log", "frogfish=loud", "wasm", "run", "m.wasm"],
    ] {
        let ran = home.run(args);
        assert_eq!(ran.status, 64, "{args:?}: {ran:?}");
        assert!(ran.stdout.is_empty() && !ran.stderr.is_empty(), "{args:?}: {ran:?}");
    }
}

#[test]
fn an_unknown_execution_is_refused_by_name() {
    let home = Home::new();
    for command in ["logs", "cancel", "describe"] {
        let ran = home.run([command, "e-nobody"]);
        assert_eq!(ran.status, 126, "{ran:?}");
        assert!(ran.stderr.contains("e-nobody") && ran.stderr.contains("hint:"), "{ran:?}");
    }
}
