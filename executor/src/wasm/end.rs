//! How a guest's end is told.

use std::fmt::Write as _;

use wasmtime::{Trap, WasmBacktrace};

use crate::engine::EngineEnd;
use crate::failure::{Failure, ReasonCode};
use crate::stop::StopReason;
use crate::wasm::guest::{Guest, Halt};

/// The exit code of a guest that trapped, as Bacalhau 1.9.3 reports it.
const TRAP_EXIT_CODE: i64 = 1;

/// The end of a guest whose call came back with an error.
pub(crate) fn of_error(error: &wasmtime::Error, guest: &Guest) -> EngineEnd {
    match (error.downcast_ref::<Halt>(), error.downcast_ref::<Trap>()) {
        (Some(Halt::Exit(status)), _) => EngineEnd::exited(i64::from(*status)),
        (Some(Halt::Stopped), _) => {
            EngineEnd::failed(guest.stop.reason().unwrap_or(StopReason::Cancelled).to_failure())
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
