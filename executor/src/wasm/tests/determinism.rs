//! Runs that must be equal, whatever the host does.

use frogfish_fixtures::guests;

use super::harness::Job;
use crate::engine::EngineEnd;

fn claim(end: &EngineEnd) -> (Option<i64>, Option<u64>, bool) {
    (end.exit_code, end.instruction_count, end.reproducible)
}

#[test]
fn w_39_deterministic_randomness_is_the_seeds() {
    let print = |seed| Job::of(guests::RANDOM).deterministic(seed).run().exits(0).stdout.clone();
    assert_eq!(print(1), print(1));
    assert_ne!(print(1), print(2));
}

#[test]
fn virtual_clocks_show_the_same_times_and_sleep_at_once() {
    let runs = [0, 1].map(|_| Job::of(guests::CLOCK).deterministic(0).run());
    assert_eq!(runs[0].stdout, runs[1].stdout);
    assert!(runs[0].stdout.starts_with("realtime 9466848000000"), "{}", runs[0].stdout);
    let ran = Job::of(guests::SLEEPER).deterministic(0).args(&["864000000"]).run();
    assert_eq!(ran.exits(0).stdout, "sleeping\nawake\n");
}

#[test]
fn instructions_are_counted_the_same_in_every_run() {
    let text = b"the quick brown fox jumps over the lazy dog\n".repeat(50);
    let count = || {
        let job = Job::of(guests::WORDCOUNT).folder("/in", &[("b.txt", &text), ("a.txt", b"one two")]);
        let ran = job.output("out", "/out").deterministic(3).run();
        let files: Vec<_> = std::fs::read_dir(ran.exits(0).results.join("out")).unwrap().collect();
        assert!(!files.is_empty());
        claim(&ran.end)
    };
    let first = count();
    assert!(first.1.unwrap() > 1_000);
    assert_eq!(first, count());
}

#[test]
fn instructions_are_counted_up_to_an_exit_and_not_after_a_trap() {
    let exit = Job::of(guests::EXIT_CODE).env("EXIT_CODE", "9").deterministic(0).run();
    assert!(exit.exits(9).end.instruction_count.unwrap() > 0);
    assert_eq!(Job::of(guests::TRAP).deterministic(0).run().end.instruction_count, None);
    assert_eq!(Job::of(guests::NOOP).run().end.instruction_count, None);
}

#[test]
fn files_show_no_times_and_made_up_numbers() {
    // Prints the 64 bytes of the stat of each file, in the order of their names.
    let text = r#"(module
        (import "wasi_snapshot_preview1" "path_filestat_get" (func $stat (param i32 i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_readdir" (func $list (param i32 i32 i32 i64 i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 0) "in/a") (data (i32.const 8) "in")
        (func (export "_start")
          (if (call $stat (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 1024)) (then unreachable))
          (if (call $open (i32.const 3) (i32.const 0) (i32.const 8) (i32.const 2) (i32.const 2)
                (i64.const 16384) (i64.const 0) (i32.const 0) (i32.const 16)) (then unreachable))
          (if (call $list (i32.load (i32.const 16)) (i32.const 1088) (i32.const 4096) (i64.const 0) (i32.const 20))
            (then unreachable))
          (i32.store (i32.const 24) (i32.const 1024))
          (i32.store (i32.const 28) (i32.add (i32.const 64) (i32.load (i32.const 20))))
          (drop (call $write (i32.const 1) (i32.const 24) (i32.const 1) (i32.const 32)))))"#;
    let print = |deterministic: bool| {
        let job = Job::wat(text).folder("in", &[("c", b"1"), ("a", b"22"), ("b", b"333"), ("d/e", b"")]);
        let job = if deterministic { job.deterministic(0) } else { job };
        let ran = job.run();
        assert_eq!(ran.end.failure, None);
        std::fs::read(ran.results.join("stdout")).unwrap()
    };
    let (one, two) = (print(true), print(true));
    assert_eq!(one, two);
    assert_eq!(one[40..64], [0; 24], "the times");
    assert_eq!(u64::from_le_bytes(one[32..40].try_into().unwrap()), 2, "the size");
    assert_ne!(print(false)[40..64], [0; 24]);
}

#[test]
fn nan_is_canonical() {
    // 0/0 has the sign bit set on x86-64 unless it is made canonical.
    let text = r#"(module (func (export "_start") (local $zero f64)
        (if (i64.ne (i64.reinterpret_f64 (f64.div (local.get $zero) (local.get $zero))) (i64.const 0x7ff8000000000000))
          (then unreachable))))"#;
    Job::wat(text).deterministic(0).run().exits(0);
}

#[test]
fn shared_memory_and_threads_are_refused() {
    let ran = Job::wat(r#"(module (memory 1 1 shared) (func (export "_start")))"#).deterministic(0).run();
    ran.fails(crate::ReasonCode::ModuleCompileError, "failed to compile");
}
