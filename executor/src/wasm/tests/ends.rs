//! W-17 to W-21, W-30: limits and traps.

use frogfish_fixtures::guests;

use super::harness::Job;
use crate::failure::ReasonCode;

const GIB: u64 = 1 << 30;

#[test]
fn w_17_more_memory_than_wasm_has_is_refused() {
    let ran = Job::of(guests::NOOP).memory(5 * GIB).run();
    ran.fails(ReasonCode::MemoryLimitError, "requested memory exceeds the wasm limit - 5.00 GB > 4.00 GB");
}

#[test]
fn w_18_all_the_memory_that_wasm_has_is_accepted() {
    Job::of(guests::NOOP).memory(4 * GIB).run().exits(0);
}

#[test]
fn w_20_the_limit_is_rounded_up_to_pages() {
    let grow = |to: u32| {
        format!(
            r#"(module (memory 1) (func (export "_start")
                (if (i32.ne (memory.grow (i32.const 1)) (i32.const 1)) (then unreachable))
                (if (i32.ne (memory.grow (i32.const {to})) (i32.const -1)) (then unreachable))))"#
        )
    };
    Job::wat(&grow(1)).memory(65_537).run().exits(0);
}

#[test]
fn w_21_growing_beyond_the_limit_fails_and_giving_up_is_out_of_memory() {
    let ran = Job::of(guests::GROW).memory(64 << 20).run();
    assert!(ran.exits(0).stdout.starts_with("refused, grew to 1"), "{}", ran.stdout);
    assert!(ran.end.usage.memory_peak_bytes.unwrap() <= 64 << 20);
    let ran = Job::of(guests::GROW).memory(64 << 20).args(&["100000", "abort"]).run();
    ran.fails(ReasonCode::OutOfMemory, "memory limit exceeded");
    assert_eq!(ran.end.exit_code, Some(1));
    assert_eq!(ran.stderr, "out of memory\n");
}

#[test]
fn the_limit_holds_over_all_memories_together() {
    let owner = r#"(module (memory (export "m") 1))"#;
    let user = r#"(module (import "owner" "m" (memory 1)) (memory 1) (func (export "_start")
        (if (i32.ne (memory.grow 0 (i32.const 1)) (i32.const 1)) (then unreachable))
        (if (i32.ne (memory.grow 1 (i32.const 1)) (i32.const -1)) (then unreachable))))"#;
    Job::wat(user).file("owner", &wat::parse_str(owner).unwrap()).memory(3 * 65_536).run().exits(0);
}

#[test]
fn a_module_that_declares_more_than_the_limit_is_refused() {
    let ran = Job::of(guests::HUGE_MEMORY).memory(1 << 20).run();
    ran.fails(ReasonCode::MemoryLimitError, "of memory from the start, the limit is 1048576");
}

#[test]
fn tables_are_bounded() {
    let text = r#"(module (table 10 funcref) (func (export "_start")
        (if (i32.ne (table.grow 0 (ref.null func) (i32.const 2000000)) (i32.const -1)) (then unreachable))))"#;
    Job::wat(text).run().exits(0);
    Job::wat("(module (table 2000000 funcref) (func (export \"_start\")))").run().failure();
}

#[test]
fn w_30_a_trap_keeps_what_was_written() {
    let ran = Job::of(guests::TRAP).output("out", "/out").args(&["/out"]).run();
    ran.fails(ReasonCode::Trap, "unreachable");
    ran.fails(ReasonCode::Trap, "wasm backtrace:");
    assert_eq!(ran.end.exit_code, Some(1));
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("before the trap\n", "about to trap\n"));
    assert_eq!(ran.output("out/partial.txt"), "half a li");
    assert_eq!(ran.end.instruction_count, None);
}

#[test]
fn w_30_every_trap_is_named() {
    let cases = [
        ("unreachable", "unreachable"),
        ("divide_by_zero", "integer divide by zero"),
        ("integer_overflow", "integer overflow"),
        ("bad_conversion", "invalid conversion to integer"),
        ("out_of_bounds", "out of bounds memory access"),
        ("null_call", "uninitialized element"),
        ("wrong_type_call", "indirect call type mismatch"),
        ("table_out_of_bounds", "undefined element"),
    ];
    for (entrypoint, text) in cases {
        let ran = Job::of(guests::TRAPS).entrypoint(entrypoint).run();
        ran.fails(ReasonCode::Trap, text);
        assert!(ran.end.reproducible && ran.end.exit_code == Some(1));
    }
}

#[test]
fn a_stack_overflow_is_no_proof_of_anything() {
    for job in [Job::of(guests::TRAPS).entrypoint("stack_overflow"), Job::of(guests::RECURSION)] {
        let ran = job.run();
        ran.fails(ReasonCode::StackOverflow, "call stack exhausted");
        assert!(!ran.end.reproducible);
        assert_eq!(ran.end.exit_code, Some(1));
    }
}

#[test]
fn a_trap_in_a_start_section_is_a_trap() {
    Job::of(guests::TRAPPING_START_SECTION).run().fails(ReasonCode::Trap, "wasm trap");
}
