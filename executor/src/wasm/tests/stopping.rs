//! W-31 to W-33: asking a guest to stop.

use std::time::{Duration, Instant};

use frogfish_fixtures::guests;

use super::harness::{Job, PATIENCE, engine, wait_for_output};
use crate::engine::Engine;
use crate::failure::ReasonCode;
use crate::stop::StopReason;

/// Prints, and never comes back from its start section.
const PRINTING_START: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1) (data (i32.const 16) "started\n")
    (func $begin
      (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 8))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (loop $again (br $again)))
    (start $begin) (func (export "_start")))"#;

#[test]
fn w_31_a_timeout_ends_an_endless_loop() {
    let ran = Job::of(guests::BUSY).run_while(|capture, stop| {
        wait_for_output(capture);
        stop.request(StopReason::TimedOut { after_ms: 1_000 });
    });
    ran.fails(ReasonCode::ExecutionTimedOut, "Execution timed out after 1s");
    assert_eq!(ran.end.exit_code, None);
    assert_eq!(ran.stdout, "busy\n");
}

#[test]
fn w_32_a_sleeping_guest_is_cancelled_at_once() {
    let begin = Instant::now();
    let ran = Job::of(guests::SLEEPER).args(&["3600000"]).run_while(|capture, stop| {
        wait_for_output(capture);
        stop.request(StopReason::Cancelled);
    });
    ran.fails(ReasonCode::ExecutionCancelled, "cancelled");
    assert!(begin.elapsed() < PATIENCE);
}

#[test]
fn w_33_an_endless_start_section_is_cancelled() {
    let ran = Job::wat(PRINTING_START).run_while(|capture, stop| {
        wait_for_output(capture);
        stop.request(StopReason::Cancelled);
    });
    ran.fails(ReasonCode::ExecutionCancelled, "cancelled");
    assert_eq!(ran.stdout, "started\n");
}

#[test]
fn a_stop_before_the_start_ends_it_too() {
    for guest in [guests::ENDLESS_START_SECTION, guests::ENDLESS_LOOP, guests::ENDLESS_FILL] {
        let job = Job::of(guest);
        job.stop.request(StopReason::Shutdown);
        job.run().fails(ReasonCode::Interrupted, "interrupted");
    }
}

#[test]
fn a_sleep_that_nobody_interrupts_is_slept() {
    let begin = Instant::now();
    let ran = Job::of(guests::SLEEPER).args(&["30"]).run();
    assert_eq!(ran.exits(0).stdout, "sleeping\nawake\n");
    assert!(begin.elapsed() >= Duration::from_millis(30));
}

#[test]
fn stopping_one_guest_leaves_the_others_alone() {
    let engine = engine();
    let other = Job::of(guests::BUSY).engine(&engine).args(&["2000"]);
    let victim = Job::of(guests::BUSY).engine(&engine);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| other.run());
        victim.run_while(|capture, stop| {
            wait_for_output(capture);
            stop.request(StopReason::Cancelled);
        });
        other.join().unwrap().exits(0);
    });
}

#[test]
fn many_guests_asked_to_stop_at_once_all_stop() {
    let engine = engine();
    let jobs: Vec<_> = (0..8).map(|_| Job::of(guests::ENDLESS_LOOP).engine(&engine)).collect();
    let stops: Vec<_> = jobs.iter().map(|job| job.stop.clone()).collect();
    std::thread::scope(|scope| {
        let running: Vec<_> = jobs.into_iter().map(|job| scope.spawn(|| job.run())).collect();
        for stop in &stops {
            stop.request(StopReason::Cancelled);
        }
        for job in running {
            job.join().unwrap().fails(ReasonCode::ExecutionCancelled, "cancelled");
        }
    });
}

#[tokio::test]
async fn dropping_the_run_stops_the_guest() {
    let job = Job::of(guests::BUSY);
    let (run, _results) = job.prepare();
    let (capture, stop) = (run.capture.clone(), run.stop.clone());
    let engine = job.engine.clone();
    // On a runtime with one thread the guest has a thread of its own.
    let running = tokio::spawn(async move { engine.run(run).await });
    let wait = tokio::task::spawn_blocking(move || wait_for_output(&capture));
    wait.await.unwrap();
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    assert_eq!(stop.reason(), Some(StopReason::Cancelled));
}

#[tokio::test]
async fn a_runtime_with_one_thread_runs_guests_too() {
    let job = Job::of(guests::NOOP);
    let (run, _results) = job.prepare();
    let end = job.engine.run(run).await;
    assert_eq!(end.exit_code, Some(0));
}
