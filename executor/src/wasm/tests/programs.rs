//! W-01 to W-16, W-34 to W-40: what programs see and print.

use frogfish_fixtures::{files, guests};

use super::harness::Job;

#[test]
fn w_01_the_no_op_prints_and_exits_with_0() {
    let ran = Job::of(guests::NOOP).run();
    assert_eq!(ran.exits(0).stdout, "Hello, world!\n");
    assert_eq!(ran.end.code[0].name, "main.wasm");
    assert_eq!(ran.end.code[0].digest, frogfish_verifier::Digest::of(&guests::NOOP.bytes()));
    assert!(ran.end.reproducible);
    assert!(ran.end.usage.memory_peak_bytes.unwrap() >= 65_536);
    assert!(ran.end.usage.cpu_us.is_some());
}

#[test]
fn w_02_a_leading_slash_means_nothing() {
    let module = guests::NOOP.bytes();
    Job::of(guests::GARBAGE).file("/wasm.main", &module).entry("wasm.main").run().exits(0);
    Job::of(guests::GARBAGE).file("app/wasm.main", &module).entry("/app/wasm.main").run().exits(0);
}

#[test]
fn w_03_w_04_every_exit_status_is_kept() {
    for code in ["0", "5", "125", "126", "200", "255"] {
        let ran = Job::of(guests::EXIT_CODE).env("EXIT_CODE", code).run();
        ran.exits(code.parse().unwrap());
    }
    let exit = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (func (export "_start") (call $exit (i32.const -1))))"#;
    Job::wat(exit).run().exits(4_294_967_295);
}

#[test]
fn w_05_env_is_sorted_and_complete() {
    let job = Job::of(guests::ENV)
        .env("TEST", "yes")
        .env("AWESOME", "definitely")
        .env("BACALHAU_PARTITION_INDEX", "0");
    let ran = job.run();
    assert_eq!(ran.exits(0).stdout, "AWESOME=definitely\nBACALHAU_PARTITION_INDEX=0\nTEST=yes\n");
}

#[test]
fn w_06_a_normal_return_is_exit_code_0() {
    Job::of(guests::ENV).run().exits(0);
    Job::of(guests::HELLO).run().exits(0);
    Job::of(guests::NO_MEMORY).run().exits(0);
}

#[test]
fn w_07_a_single_file_is_mounted_where_it_is_wanted() {
    let ran = Job::of(guests::CAT).file("/data/file.txt", b"in a file\n").args(&["/data/file.txt"]).run();
    assert_eq!(ran.exits(0).stdout, "in a file\n");
    assert_eq!(ran.stderr, "");
}

#[test]
fn w_10_relative_paths_lead_from_input_to_output() {
    let table = std::fs::read(files::data().join("horses.csv")).unwrap();
    let job = Job::of(guests::CSV).folder("/inputs", &[("horses.csv", &table)]).output("outputs", "/outputs");
    let ran = job.args(&["inputs/horses.csv", "outputs/parents-children.csv"]).run();
    let rows = ran.exits(0).output("outputs/parents-children.csv");
    assert!(rows.lines().count() > 200, "{rows}");
    assert!(rows.contains("Tugela"), "{rows}");
}

#[test]
fn w_15_w_16_w_34_every_line_arrives_in_order() {
    let lines: Vec<_> = (0..500).map(|i| format!("line {i} {}\n", "x".repeat(i % 7))).collect();
    let text = lines.concat();
    let job = Job::of(guests::LOGTEST).file("inputs/text.txt", text.as_bytes());
    let ran = job.args(&["inputs/text.txt", "--fast"]).run();
    let (even, odd): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.len() % 2 == 0);
    assert_eq!(ran.exits(0).stdout.lines().collect::<Vec<_>>(), even);
    assert_eq!(ran.stderr.lines().collect::<Vec<_>>(), odd);
}

#[test]
fn w_35_one_large_write_stays_whole() {
    let ran = Job::of(guests::BIG_WRITE).run();
    assert_eq!(ran.exits(0).stdout.len(), 102_400);
}

#[test]
fn w_36_no_small_write_is_lost() {
    let ran = Job::of(guests::SMALL_WRITES).run();
    let lines = |tenth: bool| (0..200_000u32).filter(move |n| (n % 10 == 0) == tenth).map(|n| n.to_string());
    assert!(ran.exits(0).stdout.lines().eq(lines(false)));
    assert!(ran.stderr.lines().eq(lines(true)));
}

#[test]
fn w_37_stdin_is_at_its_end() {
    assert_eq!(Job::of(guests::STDIN).run().exits(0).stdout, "read 0 bytes\n");
}

#[test]
fn w_38_argv_is_the_modules_name_and_the_parameters() {
    let ran = Job::of(guests::ARGV).args(&["one", "", "drei vier", "ü"]).run();
    assert_eq!(ran.exits(0).stdout, "0 main.wasm\n1 one\n2 \n3 drei vier\n4 ü\n");
}

#[test]
fn w_39_randomness_differs_from_run_to_run() {
    let print = || Job::of(guests::RANDOM).run().exits(0).stdout.clone();
    assert_ne!(print(), print());
}

#[test]
fn w_40_the_clock_is_the_hosts() {
    let ran = Job::of(guests::CLOCK).run();
    let number =
        |n: usize| ran.stdout.lines().nth(n).unwrap().split(' ').nth(1).unwrap().parse::<u128>().unwrap();
    let now = crate::clock::Clock::wall(&crate::clock::SystemClock::new()).as_nanos();
    assert!(now.abs_diff(number(0)) < 60_000_000_000, "{}", ran.stdout);
    assert!(number(1) <= number(2) && number(1) > 0);
    assert!(number(3) >= 1);
}

#[test]
fn a_write_of_many_parts_is_kept_whole() {
    // 40 parts of 1 KiB and empty ones between them, in one call.
    let text = r#"(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 2)
        (func (export "_start") (local $i i32)
          (memory.fill (i32.const 4096) (i32.const 97) (i32.const 1024))
          (loop $next
            (i32.store (i32.mul (local.get $i) (i32.const 16)) (i32.const 4096))
            (i32.store (i32.add (i32.mul (local.get $i) (i32.const 16)) (i32.const 4)) (i32.const 1024))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $i) (i32.const 40))))
          (if (call $write (i32.const 1) (i32.const 0) (i32.const 80) (i32.const 2048)) (then unreachable))
          (if (i32.ne (i32.load (i32.const 2048)) (i32.const 40960)) (then unreachable))))"#;
    let ran = Job::wat(text).run();
    assert_eq!(ran.exits(0).stdout, "a".repeat(40_960));
}
