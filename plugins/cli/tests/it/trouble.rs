//! Killed processes, full disks, folders that cannot be written, and what doctor says of them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use frogfish_fixtures::guests;
use serde_json::json;

use crate::support::{Home, Ran, eventually, names};

#[test]
fn a_killed_run_is_seen_as_interrupted_and_cleared_away() {
    let home = Home::new();
    let mut running = home.start(home.wasm_args::<&str>(&[], guests::SLEEPER, &["60000"]));
    assert_eq!(running.line(), "sleeping");
    let seen = home.wait_for("Running");
    let id = seen["execution_id"].as_str().unwrap();
    running.child().kill().unwrap();
    running.child().wait().unwrap();
    let after = home.ps(&["--all"]);
    assert_eq!((&after[0]["state"], &after[0]["reason_code"]), (&json!("Failed"), &json!("Interrupted")));
    assert!(home.ps(&[]).is_empty());
    // What it printed is kept, and following it does not wait for ever.
    assert_eq!(home.run(["logs", "--follow", id]).stdout, "sleeping\n");
    let words = home.run(["describe", id]).stdout;
    assert!(words.contains("Interrupted") && words.contains("hint"), "{words}");
    assert_eq!(home.run(["cancel", id]).status, 126);
    // The next run settles it for good, in the same folder.
    assert_eq!(home.wasm::<&str>(&[], guests::NOOP, &[]).status, 0);
    let after = home.ps(&["--all"]);
    assert_eq!((after.len(), &after[0]["reason_code"]), (2, &json!("Interrupted")));
    assert_eq!(home.run(["prune", "--all", "--json"]).json()["executions"], 2);
    assert!(home.ps(&["--all"]).is_empty());
    for instance in instances(&home) {
        let left = names(&instance);
        assert!(!left.contains(&"running".to_owned()), "{left:?}");
        let executions = instance.join("executions");
        assert!(!executions.exists() || names(&executions).is_empty(), "{:?}", names(&executions));
    }
}

fn instances(home: &Home) -> Vec<std::path::PathBuf> {
    let runs = names(&home.data()).into_iter().filter(|name| name.starts_with("run-"));
    runs.map(|name| home.data().join(name)).collect()
}

#[test]
fn killed_runs_leave_nothing_in_the_way_of_many_others() {
    let home = Home::new();
    for _ in 0..3 {
        let mut running = home.start(home.wasm_args::<&str>(&[], guests::BUSY, &[]));
        assert_eq!(running.line(), "busy");
        running.child().kill().unwrap();
        running.child().wait().unwrap();
        eventually("it is seen as ended", || home.ps(&[]).is_empty().then_some(()));
    }
    assert_eq!(home.wasm::<&str>(&[], guests::NOOP, &[]).status, 0);
    assert_eq!(instances(&home).len(), 1, "a dead one's folder is taken again");
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
#[ignore = "needs the right to mount a tmpfs, or not to be root"]
fn a_data_folder_that_cannot_be_written_is_refused_with_a_hint() {
    let home = Home::new();
    let data = home.data();
    std::fs::create_dir(&data).unwrap();
    // Root writes everywhere but on what is no folder or mounted read-only.
    let mounted = is_root() && mount(&data, &["-t", "tmpfs", "-o", "ro,size=1m", "tmpfs"]);
    assert!(mounted || !is_root(), "root may not mount here");
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o500)).ok();
    let ran = home.wasm::<&str>(&[], guests::NOOP, &[]);
    let doctor = home.run(["doctor", "--json"]);
    let ps = home.run(["ps", "--all"]);
    if mounted {
        unmount(&data);
    }
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!((ran.status, ran.stdout.as_str()), (125, ""), "{ran:?}");
    assert!(ran.stderr.contains(data.to_str().unwrap()) && ran.stderr.contains("hint:"), "{ran:?}");
    assert_eq!(ps.status, 0, "{ps:?}");
    assert_eq!(doctor.status, 125, "{doctor:?}");
    let checks = doctor.json();
    let folder = &checks["checks"][0];
    assert_eq!((&folder["name"], &folder["level"]), (&json!("data folder"), &json!("fail")));
    assert!(folder["mend"].is_string());
}

#[test]
#[ignore = "needs the right to mount a tmpfs"]
fn a_full_disk_fails_the_job_and_loses_nothing_of_earlier_ones() {
    let home = Home::new();
    let data = home.data();
    std::fs::create_dir(&data).unwrap();
    let mounted = mount(&data, &["-t", "tmpfs", "-o", "size=12m,mode=700", "tmpfs"]);
    assert!(mounted, "only root can mount a small file system");
    let first = home.wasm(&["--json"], guests::NOOP, &[]);
    let filler = std::fs::write(data.join("filler"), vec![0; 64 << 20]);
    let full = home.wasm(&["--json"], guests::BIG_WRITE, &[]);
    let doctor = home.run(["doctor", "--json"]);
    std::fs::remove_file(data.join("filler")).unwrap();
    let after = home.wasm::<&str>(&[], guests::NOOP, &[]);
    let records = home.ps(&["--all"]);
    unmount(&data);
    assert_eq!((first.status, filler.is_err()), (0, true), "{first:?}");
    assert_eq!(full.status, 125, "{full:?}");
    assert!(full.json()["error"]["message"].as_str().unwrap().contains("space"), "{full:?}");
    assert!(
        doctor.json()["checks"]
            .as_array()
            .unwrap()
            .iter()
            .any(|c| c["name"] == "free space" && c["level"] == "fail")
    );
    assert_eq!(after.status, 0, "{after:?}");
    assert!(records.iter().any(|record| record["execution_id"] == first.json()["execution_id"]));
}

fn mount(at: &Path, args: &[&str]) -> bool {
    Command::new("mount")
        .args(args)
        .arg(at)
        .stderr(std::process::Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

fn unmount(at: &Path) {
    assert!(Command::new("umount").arg(at).status().unwrap().success());
}

#[test]
fn doctor_finds_a_sound_host_sound_and_names_every_check() {
    let home = Home::new();
    let fresh = home.run(["doctor", "--json"]);
    assert_eq!(fresh.status, 0, "{fresh:?}");
    assert!(!home.data().exists(), "doctor looks and makes nothing");
    home.wasm::<&str>(&[], guests::NOOP, &[]);
    let ran = home.run(["doctor", "--json"]);
    let object = ran.json();
    let checks = object["checks"].as_array().unwrap();
    let names: Vec<&str> = checks.iter().map(|check| check["name"].as_str().unwrap()).collect();
    for name in ["data folder", "capacity", "free space", "openat2", "engine", "instances", "cache", "docker"]
    {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let engine = checks.iter().find(|check| check["name"] == "engine").unwrap();
    assert!(engine["what"].as_str().unwrap().contains("wasmtime 48"), "{engine}");
    let words: Ran = home.run(["doctor"]);
    assert!(words.stdout.lines().count() >= names.len(), "{words:?}");
}

#[test]
fn doctor_sees_a_process_that_died() {
    let home = Home::new();
    let mut running = home.start(home.wasm_args::<&str>(&[], guests::BUSY, &[]));
    assert_eq!(running.line(), "busy");
    let live = home.run(["doctor", "--json"]).stdout;
    assert!(live.contains("1 running"), "{live}");
    running.child().kill().unwrap();
    running.child().wait().unwrap();
    let object = home.run(["doctor", "--json"]).json();
    let instances =
        object["checks"].as_array().unwrap().iter().find(|check| check["name"] == "instances").unwrap();
    assert_eq!((&instances["level"], &object["level"]), (&json!("warn"), &json!("warn")), "{instances}");
    assert!(instances["mend"].as_str().unwrap().contains("frogfish prune"));
}
