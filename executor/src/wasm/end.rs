//! How a guest's end is told.

use std::fmt::Write as _;

use wasmtime::{Trap, WasmBacktrace};

use crate::engine::EngineEnd;
use crate::failure::{Failure, ReasonCode};
use crate::stop::StopReason;
use crate::wasm::guest::{Guest, Halt};

/// The exit code of a guest that trapped, as Bacalhau 1.9.3 reports it.
const TRAP_EXIT_CODE: i64 = 1;

/// What a stop makes of an execution.
pub(crate) fn stopped(reason: StopReason) -> Failure {
    match reason {
        StopReason::TimedOut { after_ms } => {
            let message = format!("Execution timed out after {}", duration_text(after_ms));
            Failure::new(ReasonCode::ExecutionTimedOut, message)
                .with_hint("increase the task timeout or allocate more resources")
        }
        StopReason::Cancelled => Failure::new(ReasonCode::ExecutionCancelled, "execution was cancelled"),
        StopReason::Shutdown => {
            Failure::new(ReasonCode::Interrupted, "execution was interrupted by a shutdown")
        }
    }
}

/// A duration as Go prints it: `1s`, `1.5s`, `1m30s`, `500ms`.
fn duration_text(ms: u64) -> String {
    if ms < 1_000 {
        return if ms == 0 { "0s".to_owned() } else { format!("{ms}ms") };
    }
    let (hours, minutes, seconds, rest) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60, ms % 1_000);
    let mut text = String::new();
    if hours > 0 {
        let _ = write!(text, "{hours}h");
    }
    if hours > 0 || minutes > 0 {
        let _ = write!(text, "{minutes}m");
    }
    let fraction =
        if rest == 0 { String::new() } else { format!(".{rest:03}").trim_end_matches('0').to_owned() };
    let _ = write!(text, "{seconds}{fraction}s");
    text
}

/// The end of a guest whose call came back with an error.
pub(crate) fn of_error(error: &wasmtime::Error, guest: &Guest) -> EngineEnd {
    match (error.downcast_ref::<Halt>(), error.downcast_ref::<Trap>()) {
        (Some(Halt::Exit(status)), _) => EngineEnd::exited(i64::from(*status)),
        (Some(Halt::Stopped), _) => {
            EngineEnd::failed(stopped(guest.stop.reason().unwrap_or(StopReason::Cancelled)))
        }
        (Some(Halt::Host(failure)), _) => EngineEnd::failed(failure.clone()),
        (None, Some(trap)) => of_trap(*trap, error, guest),
        (None, None) => EngineEnd::failed(Failure::new(
            ReasonCode::Internal,
            format!("WASM executor failed with an internal error: {error:#}"),
        )),
    }
}

fn of_trap(trap: Trap, error: &wasmtime::Error, guest: &Guest) -> EngineEnd {
    let text = format!("{trap}{}", backtrace(error));
    // Programs answer a refused growth with `unreachable`, or go on with what was not given.
    let for_want_of_memory = matches!(trap, Trap::UnreachableCodeReached | Trap::MemoryOutOfBounds);
    let failure = match (trap, guest.memory.refused_bytes()) {
        (Trap::StackOverflow, _) => Failure::new(ReasonCode::StackOverflow, text),
        (_, Some(bytes)) if for_want_of_memory => {
            let max = guest.memory.bytes_max();
            let message =
                format!("memory limit exceeded: {bytes} bytes were wanted, the limit is {max}; then {text}");
            Failure::new(ReasonCode::OutOfMemory, message)
                .with_hint("ask for more memory in the task's Resources")
        }
        _ => Failure::new(ReasonCode::Trap, text),
    };
    EngineEnd {
        exit_code: Some(TRAP_EXIT_CODE),
        // How deep a stack may be differs from one compilation to the next.
        reproducible: trap != Trap::StackOverflow,
        ..EngineEnd::failed(failure)
    }
}

/// The guest's stack, innermost frame first, by the module's own names and offsets.
fn backtrace(error: &wasmtime::Error) -> String {
    let mut text = String::new();
    let Some(trace) = error.downcast_ref::<WasmBacktrace>() else { return text };
    for (i, frame) in trace.frames().iter().enumerate() {
        if i == 0 {
            text.push_str("\nwasm backtrace:");
        }
        let module = frame.module().name().unwrap_or("<module>");
        let _ = write!(text, "\n  {i}: ");
        if let Some(offset) = frame.module_offset() {
            let _ = write!(text, "{offset:#x} ");
        }
        let _ = match frame.func_name() {
            Some(name) => write!(text, "{module}!{name}"),
            None => write!(text, "{module}!<function {}>", frame.func_index()),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_as_go_tells_them() {
        let cases = [
            (0, "0s"),
            (500, "500ms"),
            (1_000, "1s"),
            (1_050, "1.05s"),
            (90_000, "1m30s"),
            (3_600_000, "1h0m0s"),
            (3_661_001, "1h1m1.001s"),
        ];
        for (ms, text) in cases {
            assert_eq!(duration_text(ms), text);
        }
    }
}
