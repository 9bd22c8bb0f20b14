//! What a warm run costs beside a bare wasmtime loop: `cargo test --release -p frogfish --lib
//! warm_run -- --ignored --nocapture`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use frogfish_fixtures::guests;
use wasmtime::{Caller, Config, Linker, Module, Store};

use super::harness::Job;
use crate::engine::{Engine, EngineRun};

const RUNS: usize = 3_000;
const ROUNDS: usize = 5;

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e6
}

/// Instantiates and calls with the two functions that the no-op needs, and nothing else.
fn bare(epochs: bool) -> f64 {
    let engine = wasmtime::Engine::new(Config::new().epoch_interruption(epochs)).unwrap();
    let module = Module::new(&engine, guests::NOOP.bytes()).unwrap();
    let mut linker = Linker::<Vec<u8>>::new(&engine);
    let wasi = "wasi_snapshot_preview1";
    linker
        .func_wrap(wasi, "fd_write", |mut caller: Caller<'_, Vec<u8>>, _: u32, iov: u32, _: u32, out: u32| {
            let memory = caller.get_export("memory").unwrap().into_memory().unwrap();
            let (bytes, printed) = memory.data_and_store_mut(&mut caller);
            let word = |at: u32| u32::from_le_bytes(bytes[at as usize..][..4].try_into().unwrap()) as usize;
            let (at, len) = (word(iov), word(iov + 4));
            printed.extend_from_slice(&bytes[at..at + len]);
            bytes[out as usize..][..4].copy_from_slice(&u32::try_from(len).unwrap().to_le_bytes());
            0u32
        })
        .unwrap();
    linker
        .func_wrap(wasi, "proc_exit", |_: u32| -> wasmtime::Result<()> { Err(std::fmt::Error.into()) })
        .unwrap();
    linker.define_unknown_imports_as_traps(&module).unwrap();
    let pre = linker.instantiate_pre(&module).unwrap();
    let one = || {
        let begin = Instant::now();
        let mut store = Store::new(&engine, Vec::new());
        store.set_epoch_deadline(1);
        let instance = pre.instantiate(&mut store).unwrap();
        let start = instance.get_typed_func::<(), ()>(&mut store, "_start").unwrap();
        start.call(&mut store, ()).unwrap_err();
        assert_eq!(store.data(), b"Hello, world!\n");
        drop(store);
        begin.elapsed()
    };
    median((0..RUNS).map(|_| one()).collect())
}

/// What every run of a job is given: the capture is made outside the time.
fn runs(count: usize) -> (Vec<Job>, Vec<EngineRun>) {
    let jobs: Vec<_> = (0..count).map(|_| Job::of(guests::NOOP)).collect();
    let runs = jobs.iter().map(|job| job.prepare().0).collect();
    (jobs, runs)
}

fn ours(settled: bool, determinism: crate::engine::Determinism) -> f64 {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let (jobs, mut prepared) = runs(300);
    if settled {
        // The module of the first job, whose times are made old enough, serves all.
        let source = jobs[0].inputs[0].source.clone();
        for run in &mut prepared {
            run.inputs[0].source = source.clone();
        }
        while !is_old(&source) {
            std::thread::yield_now();
        }
    }
    let engine = Arc::new(super::harness::engine());
    runtime.block_on(async move {
        tokio::spawn(async move {
            let mut times = Vec::new();
            for mut run in prepared {
                run.determinism = determinism;
                let begin = Instant::now();
                let end = engine.run(run).await;
                times.push(begin.elapsed());
                assert_eq!(end.exit_code, Some(0));
            }
            median(times.split_off(20))
        })
        .await
        .unwrap()
    })
}

fn is_old(path: &std::path::Path) -> bool {
    let changed = std::fs::metadata(path).unwrap().modified().unwrap();
    changed.elapsed().unwrap() > Duration::from_secs(3)
}

#[test]
#[ignore = "a measurement, not a check"]
fn warm_run() {
    let anywhere = crate::engine::Determinism::anywhere();
    for round in 0..ROUNDS {
        println!(
            "round {round}: bare {:.1} us, bare with epochs {:.1} us, run {:.1} us, run with a new file {:.1} us, \
             deterministic {:.1} us",
            bare(false),
            bare(true),
            ours(true, crate::engine::Determinism::default()),
            ours(false, crate::engine::Determinism::default()),
            ours(true, anywhere),
        );
    }
}
