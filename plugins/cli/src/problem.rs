//! What a command fails with: what failed, on what, what to do.

use std::fmt;

use frogfish::spec::SpecError;
use frogfish::{Error, Failure, ReasonCode};

use crate::exit;

/// An error of the command line, with its exit status.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) status: u8,
    /// A stable word for programs.
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(status: u8, kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, kind: kind.into(), message: message.into(), hint: None }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(exit::USAGE, "Usage", message)
    }

    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(exit::REFUSED, "Refused", message)
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(exit::FAILED, "Failed", message)
    }

    #[must_use]
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        self.hint = (!hint.is_empty()).then_some(hint);
        self
    }

    /// The problem as the object that `--json` prints.
    pub(crate) fn to_value(&self) -> serde_json::Value {
        serde_json::json!({ "kind": self.kind, "message": self.message, "hint": self.hint })
    }

    /// The same problem with another exit status.
    #[must_use]
    pub(crate) fn with_status(mut self, status: u8) -> Self {
        self.status = status;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        if let Error::Refused(failure) = error {
            return failure.into();
        }
        let hint = error.hint().map(str::to_owned);
        Self {
            status: exit::of_error(&error),
            kind: error.code().to_owned(),
            message: error.to_string(),
            hint,
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self {
            status: exit::of_reason(failure.code),
            kind: failure.code.as_str().to_owned(),
            message: failure.message,
            hint: hint(failure.code, failure.hint),
        }
    }
}

/// The library's advice, or what it comes to on a command line.
fn hint(code: ReasonCode, hint: Option<String>) -> Option<String> {
    match code {
        ReasonCode::InputNotAllowed => Some(
            "allow it with --allow-path PATH (PATH:rw if the job may write), or in the settings".to_owned(),
        ),
        _ => hint,
    }
}

impl From<SpecError> for Problem {
    fn from(error: SpecError) -> Self {
        Self::new(exit::REFUSED, "SpecError", error.to_string())
    }
}
