use super::*;
use crate::capture::{Capture, Captured, Stream};
use crate::clock::SystemClock;
use crate::limits::Limits;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use tempfile::TempDir;

struct Ran {
    _dir: TempDir,
    results: ResultsFolder,
    captured: Captured,
}

impl Ran {
    fn file(&self, name: &str) -> Vec<u8> {
        fs::read(self.results.path().join(name)).unwrap()
    }
}

/// What a program that prints these pieces and exits leaves.
fn ran(stdout: &[&[u8]], stderr: &[&[u8]], file_max: u64, summary_max: usize, exit: i64) -> Ran {
    let dir = tempfile::tempdir().unwrap();
    let results = ResultsFolder::create(dir.path().join("e"), []).unwrap();
    let mut limits = Limits::default();
    (limits.stdout_bytes_max, limits.stderr_bytes_max) = (file_max, file_max);
    limits.summary_bytes_max = summary_max;
    let capture = Capture::create(&results, Arc::new(SystemClock::new()), Arc::new(limits)).unwrap();
    for piece in stdout {
        capture.write(Stream::Stdout, piece).unwrap();
    }
    for piece in stderr {
        capture.write(Stream::Stderr, piece).unwrap();
    }
    let captured = capture.finish();
    results.finish(Some(exit), 10).unwrap();
    Ran { _dir: dir, results, captured }
}

#[test]
fn b_01_three_files_and_a_result_hold_what_the_program_gave() {
    let ran = ran(&[b"standard output"], &[b"standard error"], 100, 100, 123);
    assert_eq!(ran.file("stdout"), b"standard output");
    assert_eq!(ran.file("stderr"), b"standard error");
    assert_eq!(ran.file("exitCode"), b"123");
    assert_eq!(fs::read_dir(ran.results.path()).unwrap().count(), 3);
    let result = RunCommandResult::new(&ran.captured, Some(123), None);
    assert_eq!(
        result,
        RunCommandResult {
            stdout: "standard output".into(),
            stdout_truncated: false,
            stderr: "standard error".into(),
            stderr_truncated: false,
            exit_code: 123,
            error_msg: String::new(),
        }
    );
}

fn limited(file_max: u64, summary_max: usize) -> (Vec<u8>, Vec<u8>, bool, bool) {
    let ran = ran(&[b"hello world"], &[], file_max, summary_max, 0);
    let end = ran.captured.stdout.clone();
    (ran.file("stdout"), end.summary, end.summary_truncated, end.truncated)
}

#[test]
fn b_02_nothing_is_kept_where_nothing_may_be() {
    assert_eq!(limited(0, 0), (b"".to_vec(), b"".to_vec(), true, true));
}

#[test]
fn b_03_a_small_file_leaves_the_summary_whole() {
    assert_eq!(limited(5, 11), (b"hello".to_vec(), b"hello world".to_vec(), false, true));
    assert_eq!(limited(100, 100), (b"hello world".to_vec(), b"hello world".to_vec(), false, false));
}

#[test]
fn b_04_a_small_summary_leaves_the_file_whole() {
    assert_eq!(limited(11, 5), (b"hello world".to_vec(), b"hello".to_vec(), true, false));
}

#[test]
fn b_06_contents_at_their_limit_are_exact() {
    for content in [&b""[..], b"test", &[0, 1]] {
        let ran = ran(&[content], &[content], content.len() as u64, content.len(), 0);
        for (name, end) in [("stdout", &ran.captured.stdout), ("stderr", &ran.captured.stderr)] {
            assert_eq!((ran.file(name), &end.summary[..]), (content.to_vec(), content));
            assert!(!end.truncated && !end.summary_truncated);
        }
    }
}

#[test]
fn b_07_a_stream_that_was_never_written_is_an_empty_file() {
    let ran = ran(&[], &[], 100, 100, 0);
    assert_eq!((ran.file("stdout"), ran.file("stderr")), (vec![], vec![]));
}

#[test]
fn b_08_a_byte_at_a_time_gives_the_same_summary() {
    let pieces = vec![&b"x"[..]; 3000];
    let ran = ran(&pieces, &[], 1 << 30, 2048, 0);
    let end = &ran.captured.stdout;
    assert_eq!((end.summary.len(), end.summary_truncated), (2048, true));
    assert_eq!((end.tail.len(), ran.file("stdout").len()), (2048, 3000));
}

#[test]
fn b_10_the_exit_code_has_all_its_digits() {
    for code in [4_294_967_295, -1, 0, i64::MIN] {
        assert_eq!(ran(&[], &[], 0, 0, code).file("exitCode"), code.to_string().into_bytes());
    }
}

#[test]
fn b_12_an_unwritable_folder_is_said_and_the_exit_code_kept() {
    let dir = tempfile::tempdir().unwrap();
    let results = ResultsFolder::create(dir.path().join("e"), []).unwrap();
    let capture =
        Capture::create(&results, Arc::new(SystemClock::new()), Arc::new(Limits::default())).unwrap();
    // Root may write anywhere, but nobody below what is no folder.
    fs::remove_dir(results.path()).unwrap();
    fs::write(results.path(), "").unwrap();
    assert!(capture.write(Stream::Stdout, b"hi").is_err());
    let captured = capture.finish();
    let result = RunCommandResult::new(&captured, Some(7), None);
    assert_eq!(result.exit_code, 7);
    assert!(result.error_msg.contains("Not a directory"), "{}", result.error_msg);
    let error = results.finish(Some(7), 10).unwrap_err();
    assert!(error.to_string().contains("exitCode"), "{error}");
}

#[test]
fn b_13_the_result_has_bacalhaus_keys() {
    let result = RunCommandResult::new(&Captured::default(), None, Some("memory limit exceeded"));
    assert_eq!(
        serde_json::to_string(&result).unwrap(),
        r#"{"Stdout":"","StdoutTruncated":false,"stderr":"","StderrTruncated":false,"ExitCode":-1,"ErrorMsg":"memory limit exceeded"}"#
    );
    let read: RunCommandResult = serde_json::from_str(&serde_json::to_string(&result).unwrap()).unwrap();
    assert_eq!(read, result);
}

#[test]
fn an_output_is_open_to_every_user_within_closed_folders() {
    let dir = tempfile::tempdir().unwrap();
    let results = ResultsFolder::create(dir.path().join("e"), ["out", ".hidden"]).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&results.output_path("out")), 0o777);
    assert_eq!(mode(&results.output_path(".hidden")), 0o777);
    assert_eq!((mode(results.path()), mode(results.execution_path())), (0o700, 0o700));
}

#[test]
fn names_that_leave_the_folder_or_meet_its_files_are_refused() {
    let long = "x".repeat(256);
    let bad =
        ["", ".", "..", "a/b", "/a", "../a", "a\\b", "a\0b", "stdout", "stderr", "exitCode", "a\nb", &long];
    for name in bad {
        let dir = tempfile::tempdir().unwrap();
        let error = ResultsFolder::create(dir.path().join("e"), [name]).unwrap_err();
        assert_eq!(Failure::from(error).code, ReasonCode::OutputConfigError, "{name:?}");
    }
    let dir = tempfile::tempdir().unwrap();
    assert!(ResultsFolder::create(dir.path().join("e"), ["a", "a"]).is_err());
    assert!(ResultsFolder::create(dir.path().join("f"), ["a", "A", &"x".repeat(255)]).is_ok());
}

#[test]
fn results_are_made_once() {
    let dir = tempfile::tempdir().unwrap();
    ResultsFolder::create(dir.path().join("e"), []).unwrap();
    let error = ResultsFolder::create(dir.path().join("e"), []).unwrap_err();
    assert_eq!(Failure::from(error).code, ReasonCode::ResultsError);
}

#[test]
fn a_folder_that_somebody_gave_is_filled_in_place() {
    let dir = tempfile::tempdir().unwrap();
    let given = dir.path().join("given");
    fs::create_dir_all(given.join("out")).unwrap();
    let results = ResultsFolder::adopt(dir.path().join("e"), &given, ["out", "more"]).unwrap();
    let capture =
        Capture::create(&results, Arc::new(SystemClock::new()), Arc::new(Limits::default())).unwrap();
    capture.write(Stream::Stdout, b"hi").unwrap();
    capture.finish();
    results.finish(Some(0), 10).unwrap();
    assert_eq!(fs::read(given.join("stdout")).unwrap(), b"hi");
    assert!(given.join("more").is_dir() && given.join("exitCode").is_file());
    assert!(dir.path().join("e/log").is_file() && !dir.path().join("e/results").exists());
}

#[test]
fn more_entries_than_allowed_are_a_limit_passed_and_stay() {
    let dir = tempfile::tempdir().unwrap();
    let results = ResultsFolder::create(dir.path().join("e"), ["out"]).unwrap();
    let out = results.output_path("out");
    fs::create_dir_all(out.join("deep/er")).unwrap();
    std::os::unix::fs::symlink("/", out.join("deep/link")).unwrap();
    // out, deep, er, link, exitCode.
    results.finish(Some(0), 5).unwrap();
    fs::write(out.join("one"), "").unwrap();
    let error = results.finish(Some(0), 5).unwrap_err();
    assert_eq!(Failure::from(error).code, ReasonCode::LimitExceeded);
    assert!(out.join("one").exists());
}

#[test]
fn a_link_in_place_of_a_result_file_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let results = ResultsFolder::create(dir.path().join("e"), []).unwrap();
    let outside = dir.path().join("outside");
    std::os::unix::fs::symlink(&outside, results.path().join("exitCode")).unwrap();
    assert!(results.finish(Some(0), 10).is_err());
    assert!(!outside.exists());
}
