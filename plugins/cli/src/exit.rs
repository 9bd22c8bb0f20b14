//! Exit statuses, as scripts rely on them.

use std::process::ExitCode;

use frogfish::{Error, ErrorKind, Outcome, ReasonCode, State};

/// Wrong usage (sysexits' EX_USAGE).
pub(crate) const USAGE: u8 = 64;
/// The job's time was over.
pub(crate) const TIMED_OUT: u8 = 124;
/// Frogfish or its host failed.
pub(crate) const FAILED: u8 = 125;
/// Refused: policy, capacity or an invalid job.
pub(crate) const REFUSED: u8 = 126;
/// Cancelled by an interrupt.
pub(crate) const INTERRUPTED: u8 = 130;
/// The guest trapped.
pub(crate) const TRAPPED: u8 = 134;
/// Out of memory.
pub(crate) const OUT_OF_MEMORY: u8 = 137;
/// Cancelled by a request.
pub(crate) const CANCELLED: u8 = 143;

/// The status for an ended execution.
pub(crate) fn of_outcome(outcome: &Outcome, interrupted: bool) -> u8 {
    if outcome.state == State::Completed {
        return u8::try_from(outcome.exit_code.max(0)).unwrap_or(u8::MAX);
    }
    let code = outcome.failure.as_ref().map_or(ReasonCode::Internal, |failure| failure.code);
    match code {
        ReasonCode::ExecutionCancelled if interrupted => INTERRUPTED,
        ReasonCode::ExecutionCancelled => CANCELLED,
        code => of_reason(code),
    }
}

/// The status for a reason.
pub(crate) fn of_reason(code: ReasonCode) -> u8 {
    match code {
        ReasonCode::ExecutionTimedOut | ReasonCode::QueueTimedOut => TIMED_OUT,
        ReasonCode::Trap | ReasonCode::StackOverflow => TRAPPED,
        ReasonCode::OutOfMemory => OUT_OF_MEMORY,
        ReasonCode::ExecutionCancelled => CANCELLED,
        ReasonCode::InputFailed => REFUSED,
        code => of_kind(code.kind()),
    }
}

/// The status for a call that failed.
pub(crate) fn of_error(error: &Error) -> u8 {
    match error {
        Error::Refused(failure) => of_reason(failure.code),
        error => of_kind(error.kind()),
    }
}

fn of_kind(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Invalid | ErrorKind::NotFound | ErrorKind::Exhausted | ErrorKind::Unsupported => REFUSED,
        ErrorKind::Timeout => TIMED_OUT,
        ErrorKind::Cancelled => CANCELLED,
        _ => FAILED,
    }
}

/// A status as the process's.
pub(crate) fn code(status: u8) -> ExitCode {
    ExitCode::from(status)
}
