//! Guests that mean harm.

use frogfish_fixtures::guests;

use super::harness::Job;

#[test]
fn pointers_outside_the_memory_are_errors() {
    Job::of(guests::BAD_POINTERS).run().exits(0);
}

#[test]
fn descriptors_are_bounded() {
    let text = r#"(module
        (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1) (data (i32.const 0) "main.wasm")
        (func (export "_start") (local $errno i32)
          (loop $again
            (local.set $errno (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 9) (i32.const 0)
              (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)))
            (br_if $again (i32.eqz (local.get $errno))))
          (if (i32.ne (i32.load (i32.const 16)) (i32.const 19)) (then unreachable))
          (call $exit (local.get $errno))))"#;
    let mut job = Job::wat(text);
    job.limits.wasm_descriptors_max = 20;
    job.run().exits(33);
}

#[test]
fn an_input_cannot_be_linked_into_an_output() {
    let text = r#"(module
        (import "wasi_snapshot_preview1" "path_link" (func $link (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_rename" (func $rename (param i32 i32 i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 0) "in/a") (data (i32.const 8) "out/a")
        (func (export "_start")
          (if (i32.ne (i32.const 69)
            (call $link (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 3) (i32.const 8) (i32.const 5)))
            (then unreachable))
          (if (i32.ne (i32.const 69)
            (call $rename (i32.const 3) (i32.const 0) (i32.const 4) (i32.const 3) (i32.const 8) (i32.const 5)))
            (then unreachable))))"#;
    Job::wat(text).folder("in", &[("a", b"1")]).output("out", "out").run().exits(0);
}

#[test]
fn a_panic_in_a_call_ends_the_guest_only() {
    use std::panic::catch_unwind;
    let caught = catch_unwind(|| panic!("on purpose")).unwrap_err();
    let failure = crate::wasm::preview1::internal(&*caught);
    assert_eq!(failure.message, "WASM executor failed with an internal error: on purpose");
}

#[test]
fn every_function_of_preview_1_is_there() {
    let names = [
        "args_get",
        "args_sizes_get",
        "environ_get",
        "environ_sizes_get",
        "clock_res_get",
        "clock_time_get",
        "fd_advise",
        "fd_allocate",
        "fd_close",
        "fd_datasync",
        "fd_fdstat_get",
        "fd_fdstat_set_flags",
        "fd_fdstat_set_rights",
        "fd_filestat_get",
        "fd_filestat_set_size",
        "fd_filestat_set_times",
        "fd_pread",
        "fd_prestat_get",
        "fd_prestat_dir_name",
        "fd_pwrite",
        "fd_read",
        "fd_readdir",
        "fd_renumber",
        "fd_seek",
        "fd_sync",
        "fd_tell",
        "fd_write",
        "path_create_directory",
        "path_filestat_get",
        "path_filestat_set_times",
        "path_link",
        "path_open",
        "path_readlink",
        "path_remove_directory",
        "path_rename",
        "path_symlink",
        "path_unlink_file",
        "poll_oneoff",
        "proc_exit",
        "proc_raise",
        "sched_yield",
        "random_get",
        "sock_accept",
        "sock_recv",
        "sock_send",
        "sock_shutdown",
    ];
    // Imported as what it is not, a function that is there is refused for its type, not its absence.
    for name in names {
        let text = format!(
            r#"(module (import "wasi_snapshot_preview1" "{name}" (global i32)) (func (export "_start")))"#
        );
        let ran = Job::wat(&text).entrypoint("_start").run();
        let message = &ran.failure().message;
        assert!(!message.contains("has not been defined"), "{name}: {message}");
    }
}
