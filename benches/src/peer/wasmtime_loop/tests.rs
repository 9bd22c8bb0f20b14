use std::collections::BTreeMap;

use super::*;
use crate::input;
use crate::scenario::{Durability, Kind};

fn case(work: &Path, jobs: u32) -> Case {
    let module = work.join("noop.wasm");
    std::fs::write(&module, input::guest_bytes("noop").unwrap()).unwrap();
    Case {
        name: "n".to_owned(),
        kind: Kind::Wasm,
        work: work.to_owned(),
        module: Some(module),
        input: None,
        image: None,
        cold: false,
        args: Vec::new(),
        env: BTreeMap::new(),
        jobs,
        in_flight: 2,
        durability: Durability::Memory,
    }
}

#[test]
fn a_run_writes_what_an_execution_folder_holds_and_removes_it_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    let mut peer = WasmtimeLoop::default();
    peer.prepare(&case(dir.path(), 1)).unwrap();
    assert_eq!(peer.run_once(&Run { run: 1, module: None }).unwrap().exit_code, 0);
    assert!(!dir.path().join("executions").exists());

    let folder = dir.path().join("e");
    let ready = peer.ready.as_ref().unwrap();
    ready.execution(ready.module.as_ref().unwrap(), &folder).unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(read("results/stdout"), "Hello, world!\n");
    assert_eq!(read("results/exitCode"), "0");
    assert!(read("log").ends_with("Hello, world!\n") && read("receipt.json").len() > RECEIPT_BYTES);
}

#[test]
fn many_jobs_run_as_one_and_an_unseen_module_is_compiled() {
    let dir = tempfile::tempdir().unwrap();
    let mut peer = WasmtimeLoop::default();
    peer.prepare(&case(dir.path(), 9)).unwrap();
    assert_eq!(peer.run_once(&Run { run: 1, module: None }).unwrap().exit_code, 0);
    let missing = Run { run: 2, module: Some(dir.path().join("absent.wasm")) };
    assert!(peer.run_once(&missing).unwrap_err().to_string().contains("absent.wasm"));
}
