//! W-11 to W-13, W-22 to W-29, W-52, W-55: finding and linking modules.

use frogfish_fixtures::guests;

use super::harness::{Job, engine};
use crate::failure::ReasonCode;

#[test]
fn w_11_an_import_is_found_by_its_path() {
    let ran = Job::of(guests::DYNAMIC).file("input.wasm", &guests::EASTER.bytes()).run();
    assert_eq!(ran.exits(0).stdout, "17\n");
    let names: Vec<_> = ran.end.code.iter().map(|code| code.name.as_str()).collect();
    assert_eq!(names, ["main.wasm", "input.wasm"]);
}

#[test]
fn w_12_a_missing_dependency_is_named() {
    Job::of(guests::DYNAMIC).run().fails(ReasonCode::UnknownModuleError, "unknown module \"input.wasm\"");
}

#[test]
fn w_13_import_modules_are_there_first() {
    let job = Job::of(guests::DYNAMIC).file("input.wasm", &guests::EASTER.bytes()).imports(&["input.wasm"]);
    let ran = job.run();
    assert_eq!(ran.exits(0).stdout, "17\n");
    let names: Vec<_> = ran.end.code.iter().map(|code| code.name.as_str()).collect();
    assert_eq!(names, ["main.wasm", "input.wasm"]);
}

#[test]
fn w_12_a_missing_import_module_is_named_with_its_role() {
    let ran = Job::of(guests::DYNAMIC).imports(&["no.wasm"]).run();
    ran.fails(
        ReasonCode::ModuleNotFound,
        "failed to load import module no.wasm: module not found: \"no.wasm\"",
    );
}

#[test]
fn w_11_a_dependency_found_through_a_folder_goes_by_both_names() {
    let job = Job::of(guests::DYNAMIC).folder("input.wasm", &[("easter.wasm", &guests::EASTER.bytes())]);
    assert_eq!(job.run().exits(0).stdout, "17\n");
    let job = Job::of(guests::DYNAMIC).folder("input.wasm", &[("easter.wasm", &guests::EASTER.bytes())]);
    assert_eq!(job.imports(&["input.wasm/easter.wasm"]).run().exits(0).stdout, "17\n");
}

#[test]
fn memories_of_other_modules_can_be_imported() {
    let ran = Job::of(guests::MEMORY_USER).file("owner.wasm", &guests::MEMORY_OWNER.bytes()).run();
    assert_eq!(ran.exits(0).stdout.len(), 34);
}

#[test]
fn tables_and_globals_of_other_modules_can_be_imported() {
    let owner = r#"(module (global (export "g") i32 (i32.const 7)) (table (export "t") 1 funcref)
        (func $seven (result i32) (i32.const 7)) (elem (i32.const 0) $seven))"#;
    let user = r#"(module (import "owner" "g" (global $g i32)) (import "owner" "t" (table 1 funcref))
        (type $give (func (result i32)))
        (func (export "_start")
          (if (i32.ne (global.get $g) (call_indirect (type $give) (i32.const 0))) (then unreachable))))"#;
    Job::wat(user).file("owner", &wat::parse_str(owner).unwrap()).run().exits(0);
}

#[test]
fn import_cycles_are_refused_with_their_path() {
    let job = Job::of(guests::CYCLE_A).file("a.wasm", &guests::CYCLE_A.bytes());
    let ran = job.file("b.wasm", &guests::CYCLE_B.bytes()).entry("a.wasm").run();
    ran.fails(ReasonCode::ModuleLoadError, "import cycle: a.wasm -> b.wasm -> a.wasm");
}

#[test]
fn w_22_an_absent_entrypoint_is_named() {
    let ran = Job::of(guests::NOOP).entrypoint("not_start").run();
    ran.fails(ReasonCode::EntrypointError, "unable to find the entrypoint 'not_start' in the WASM module");
    assert_eq!(ran.stdout, "");
    assert!(ran.failure().hint.as_ref().unwrap().contains("_start"));
}

#[test]
fn w_23_the_entrypoint_is_start_if_none_is_named() {
    Job::of(guests::NOOP).entrypoint("").run().exits(0);
}

#[test]
fn an_entrypoint_that_takes_or_gives_is_refused_with_its_type() {
    for (name, ty) in [("_start", "(i32) -> ()"), ("takes", "(i64) -> ()"), ("gives", "() -> (i32)")] {
        let ran = Job::of(guests::TYPED_ENTRY).entrypoint(name).run();
        ran.fails(ReasonCode::EntrypointError, &format!("entrypoint '{name}' must take and return nothing"));
        ran.fails(ReasonCode::EntrypointError, ty);
    }
    Job::of(guests::TYPED_ENTRY)
        .entrypoint("number")
        .run()
        .fails(ReasonCode::EntrypointError, "unable to find");
}

#[test]
fn w_24_a_missing_entry_module_is_named() {
    let ran = Job::of(guests::NOOP).entry("no/such.wasm").run();
    ran.fails(ReasonCode::ModuleNotFound, "module not found: \"no/such.wasm\"");
    ran.fails(ReasonCode::ModuleNotFound, "failed to load entry module no/such.wasm: ");
}

#[test]
fn w_25_w_26_a_folder_must_have_exactly_one_module() {
    let module = guests::NOOP.bytes();
    let one = [("app.wasm", &module[..]), ("readme.md", b"text")];
    let ran = Job::of(guests::NOOP).folder("app", &one).entry("/app").run();
    assert_eq!(ran.exits(0).end.code[0].name, "app/app.wasm");
    let two = [("a.wasm", &module[..]), ("b.wasm", &module[..])];
    Job::of(guests::NOOP)
        .folder("app", &two)
        .entry("app")
        .run()
        .fails(ReasonCode::ModuleNotFound, "module not found");
    Job::of(guests::NOOP)
        .folder("app", &[])
        .entry("app")
        .run()
        .fails(ReasonCode::ModuleNotFound, "module not found");
}

#[test]
fn w_27_an_empty_entry_module_is_refused() {
    let ran = Job::of(guests::NOOP).entry("").run();
    ran.fails(ReasonCode::SpecError, "invalid wasm engine entry module. target path cannot be empty");
}

#[test]
fn w_28_bytes_that_are_no_module_are_refused() {
    for guest in [guests::GARBAGE, guests::TRUNCATED, guests::WRONG_VERSION] {
        let ran = Job::of(guest).run();
        ran.fails(ReasonCode::ModuleCompileError, "failed to compile module at \"main.wasm\"");
    }
    let ran = Job::wat("(component)").run();
    ran.fails(ReasonCode::ModuleCompileError, "preview-2 component");
    // An input that nobody names is never looked at.
    Job::of(guests::NOOP).file("other.wasm", b"garbage").run().exits(0);
}

#[test]
fn w_29_an_unknown_import_is_named() {
    let ran = Job::of(guests::UNKNOWN_IMPORT).run();
    ran.fails(ReasonCode::UnknownModuleError, "unknown module \"foo\"");
    Job::of(guests::UNKNOWN_WASI_FUNCTION)
        .run()
        .fails(ReasonCode::ModuleLoadError, "failed to load module at");
}

#[test]
fn a_dependency_without_what_is_imported_is_a_load_error() {
    let ran = Job::of(guests::DYNAMIC).file("input.wasm", &guests::NO_MEMORY.bytes()).run();
    ran.fails(ReasonCode::ModuleLoadError, "easter");
}

#[test]
fn w_52_a_reactor_is_initialized_first() {
    assert_eq!(Job::of(guests::REACTOR).entrypoint("run").run().exits(0).stdout, "initialized\n");
}

#[test]
fn a_module_with_only_a_start_section_runs_it() {
    let text = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (func $begin (call $exit (i32.const 3))) (start $begin))"#;
    Job::wat(text).run().exits(3);
    Job::wat("(module (func $begin) (start $begin))").run().exits(0);
    Job::wat("(module)").run().fails(ReasonCode::EntrypointError, "unable to find the entrypoint '_start'");
}

#[test]
fn a_module_larger_than_the_limit_is_refused() {
    let mut job = Job::of(guests::NOOP);
    job.limits.module_bytes_max = 100;
    job.run().fails(ReasonCode::ModuleLoadError, "more than 100 bytes");
}

#[test]
fn more_modules_than_the_limit_are_refused() {
    let mut job = Job::of(guests::DYNAMIC).file("input.wasm", &guests::EASTER.bytes());
    job.limits.modules_max = 1;
    job.run().fails(ReasonCode::ModuleLoadError, "more than 1 modules");
}

#[test]
fn w_55_a_module_is_compiled_once() {
    let engine = engine();
    for _ in 0..3 {
        Job::of(guests::NOOP).engine(&engine).run().exits(0);
    }
    Job::of(guests::ENV).engine(&engine).run().exits(0);
    assert_eq!(engine.compilations(), 2);
}
