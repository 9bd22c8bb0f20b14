//! W-43 to W-50 and W-FS: what programs do to files.

use std::os::unix::fs::symlink;

use frogfish_fixtures::{files, guests};

use super::harness::{Job, table};
use crate::failure::ReasonCode;

#[test]
fn w_44_w_45_an_output_is_a_real_file_system() {
    let ran = Job::of(guests::FS).output("out", "/out").run();
    let golden = std::fs::read_to_string(files::golden().join("fs.txt")).unwrap();
    assert_eq!(ran.exits(0).stdout, golden);
    let mut left: Vec<_> =
        std::fs::read_dir(ran.results.join("out")).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["kept", "kept.txt"], "a stat of a missing file makes nothing");
}

#[test]
fn w_44_the_same_file_system_in_a_deterministic_run() {
    let ran = Job::of(guests::FS).output("out", "/out").deterministic(0).run();
    let golden = std::fs::read_to_string(files::golden().join("fs.txt")).unwrap();
    assert_eq!(ran.exits(0).stdout, golden);
}

#[test]
fn w_43_an_input_cannot_be_changed() {
    let ran = Job::of(guests::FS).folder("/in", &[("a.txt", b"kept")]).args(&["/in"]).run();
    let steps = table(&ran.stdout);
    for step in ["create", "mkdir", "symlink"] {
        assert_eq!(steps.get(step).copied(), Some("EROFS"), "{step}: {}", ran.stdout);
    }
    let inside = ran.dir.path().join("host/folder-1");
    assert_eq!(std::fs::read_dir(&inside).unwrap().count(), 1);
    assert_eq!(std::fs::read(inside.join("a.txt")).unwrap(), b"kept");
}

#[test]
fn a_read_write_input_can_be_changed() {
    let mut job = Job::of(guests::FS).folder("/in", &[]).args(&["/in"]);
    job.inputs[1].read_only = false;
    let ran = job.run();
    let golden = std::fs::read_to_string(files::golden().join("fs.txt")).unwrap();
    assert_eq!(ran.exits(0).stdout, golden);
}

#[test]
fn an_output_is_at_its_path_and_at_its_name() {
    for path in ["/deep/inside/there", "/result"] {
        let job = Job::of(guests::TRAP).output("result", "/deep/inside/there").args(&[path]);
        assert_eq!(job.run().output("result/partial.txt"), "half a li");
    }
    // The name is taken by an input's folder: only the path is there.
    let job =
        Job::of(guests::TRAP).file("result/input.txt", b"").output("result", "/there").args(&["/result"]);
    let ran = job.run();
    assert!(ran.exits(1).stderr.contains("partial.txt"), "{}", ran.stderr);
}

#[test]
fn w_46_a_target_is_mounted_once() {
    let ran = Job::of(guests::NOOP).file("x", b"1").file("/x", b"2").run();
    ran.fails(ReasonCode::InputConfigError, "input configuration error: failed to mount input \"/x\"");
}

#[test]
fn w_47_outputs_need_name_and_path() {
    let ran = Job::of(guests::NOOP).output("", "/out").run();
    ran.fails(ReasonCode::OutputConfigError, "output volume has no name");
    let ran = Job::of(guests::NOOP).output("out", "").run();
    ran.fails(ReasonCode::OutputConfigError, "output volume has no path");
}

#[test]
fn w_48_an_output_cannot_take_an_inputs_place() {
    let ran = Job::of(guests::NOOP).file("data", b"").output("data", "/elsewhere").run();
    ran.fails(ReasonCode::OutputConfigError, "output name \"data\" conflicts with input target");
}

#[test]
fn w_49_a_missing_source_is_named() {
    let mut job = Job::of(guests::NOOP);
    job = job.input(std::path::Path::new("/no/such/file"), "data");
    job.run().fails(ReasonCode::InputConfigError, "input source \"/no/such/file\" does not exist");
    let ran = Job::of(guests::NOOP).file("", b"").run();
    ran.fails(ReasonCode::InputConfigError, "input source has no target path");
}

#[test]
fn w_50_no_path_leads_out() {
    let job = Job::of(guests::PATH_ESCAPE).folder("/in", &[("a.txt", b"inside")]);
    let inside = job.host("folder-1");
    std::fs::write(job.host("secret.txt"), "secret").unwrap();
    symlink("/etc/passwd", inside.join("absolute")).unwrap();
    symlink("../secret.txt", inside.join("relative")).unwrap();
    symlink("..", inside.join("up")).unwrap();
    let ran = job.run();
    assert!(!ran.stdout.contains("\tok") && !ran.stdout.is_empty(), "{}", ran.stdout);
    for link in ["absolute", "relative", "up/secret.txt", "../in/../../etc/passwd"] {
        let job = Job::of(guests::CAT).input(&inside, "/in").args(&[&format!("/in/{link}")]);
        let ran = job.run();
        assert_eq!((ran.end.exit_code, ran.stdout.as_str()), (Some(1), ""), "{link}: {}", ran.stderr);
    }
}

#[test]
fn links_within_a_mount_work() {
    let job = Job::of(guests::CAT).folder("/in", &[("d/a.txt", b"linked")]);
    symlink("d/a.txt", job.host("folder-1/link")).unwrap();
    symlink("../d/../link", job.host("folder-1/d/back")).unwrap();
    let ran = job.args(&["/in/link", "in/d/back", "./in/d/../link"]).run();
    assert_eq!(ran.exits(0).stdout, "linkedlinkedlinked");
}

#[test]
fn mounts_lie_in_one_another_in_any_order() {
    let inner: &[(&str, &[u8])] = &[("i.txt", b"inner")];
    let outer: &[(&str, &[u8])] =
        &[("o.txt", b"outer"), ("sub/hidden.txt", b"hidden"), ("x/y.txt", b"beside")];
    for inner_first in [true, false] {
        let job = Job::of(guests::CAT);
        let job = if inner_first {
            job.folder("/in/sub", inner).file("in/x/file", b"single").folder("/in", outer)
        } else {
            job.folder("/in", outer).folder("/in/sub", inner).file("in/x/file", b"single")
        };
        let ran = job.args(&["in/o.txt", "in/sub/i.txt", "in/x/file", "in/x/y.txt", "in/sub/../o.txt"]).run();
        assert_eq!(ran.exits(0).stdout, "outerinnersinglebesideouter");
    }
    let job =
        Job::of(guests::CAT).folder("/in", outer).folder("/in/sub", inner).args(&["/in/sub/hidden.txt"]);
    job.run().exits(1);
}

#[test]
fn an_output_may_lie_in_an_input() {
    let job =
        Job::of(guests::TRAP).folder("/box", &[("a", b"")]).output("out", "/box/out").args(&["/box/out"]);
    assert_eq!(job.run().output("out/partial.txt"), "half a li");
}

#[test]
fn wordcount_reads_a_folder_and_writes_two_files() {
    let job = Job::of(guests::WORDCOUNT).folder("/in", &[("a/b.txt", b"one two two"), ("c.txt", b"two")]);
    let ran = job.output("out", "/out").run();
    let names = std::fs::read_dir(ran.exits(0).results.join("out")).unwrap().count();
    assert_eq!(names, 2);
}

#[test]
fn a_pipe_among_the_inputs_does_not_block() {
    let job = Job::of(guests::CAT).folder("/in", &[]);
    let pipe = job.host("folder-1/pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    job.args(&["/in/pipe"]).run().exits(1);
}
