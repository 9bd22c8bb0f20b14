//! Why an execution did not run to its own end.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of thing went wrong: decides statuses, exit codes and whether to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request cannot be right anywhere.
    Invalid,
    /// Something named is not there.
    NotFound,
    /// A limit or the capacity is used up.
    Exhausted,
    /// This build or node cannot do it.
    Unsupported,
    /// A deadline passed.
    Timeout,
    /// Somebody asked to stop.
    Cancelled,
    /// The job itself is at fault (trap, out of memory).
    Workload,
    /// The host is at fault (disk, daemon, network).
    Host,
}

macro_rules! reason_codes {
    ($($(#[$doc:meta])* $name:ident => $kind:ident,)*) => {
        /// A stable word for a failure: the `reason_code` of the command line and of receipts.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum ReasonCode { $($(#[$doc])* $name,)* }

        impl ReasonCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as it is written.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// The group that the code belongs to.
            pub fn kind(self) -> ErrorKind {
                match self { $(Self::$name => ErrorKind::$kind,)* }
            }
        }
    };
}

reason_codes! {
    /// The job file or a parameter is wrong.
    SpecError => Invalid,
    /// A policy of this node forbids it.
    Refused => Invalid,
    /// It needs more than this node has at all.
    NotEnoughCapacity => Exhausted,
    /// The engine is not in this build or not healthy.
    EngineUnavailable => Unsupported,
    /// An input's parameters are wrong, or two mounts meet.
    InputConfigError => Invalid,
    /// An output's name or path is wrong.
    OutputConfigError => Invalid,
    /// An input is not there.
    InputNotFound => NotFound,
    /// An input could not be fetched or unpacked.
    InputFailed => Host,
    /// A local path is outside the allow-list.
    InputNotAllowed => Invalid,
    /// The entry module or an import module is not there.
    ModuleNotFound => NotFound,
    /// The bytes are not a module that this engine compiles.
    ModuleCompileError => Invalid,
    /// A module could not be linked or instantiated.
    ModuleLoadError => Invalid,
    /// A module imports from a module that nobody gives.
    UnknownModuleError => Invalid,
    /// The entrypoint is absent or takes or returns values.
    EntrypointError => Invalid,
    /// More memory is asked for than the engine can give.
    MemoryLimitError => Invalid,
    /// The guest trapped.
    Trap => Workload,
    /// The guest ran out of memory.
    OutOfMemory => Workload,
    /// The guest overflowed its stack or its call depth.
    StackOverflow => Workload,
    /// A limit on output, files or descriptors was passed.
    LimitExceeded => Workload,
    /// The execution's time was over.
    ExecutionTimedOut => Timeout,
    /// The time in the queue was over.
    QueueTimedOut => Timeout,
    /// It was cancelled.
    ExecutionCancelled => Cancelled,
    /// The process that ran it ended.
    Interrupted => Host,
    /// Results could not be written, read or hashed.
    ResultsError => Host,
    /// The publisher failed; results are kept.
    PublishError => Host,
    /// Something in Frogfish or its host failed.
    Internal => Host,
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why an execution failed, in words for people and a code for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The stable word.
    pub code: ReasonCode,
    /// What was attempted, on what, and what happened.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Failure {
    /// A failure with a message and no hint.
    pub fn new(code: ReasonCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// The same failure with advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The group that the code belongs to.
    pub fn kind(&self) -> ErrorKind {
        self.code.kind()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_round_trip() {
        for (i, a) in ReasonCode::ALL.iter().enumerate() {
            assert!(ReasonCode::ALL[i + 1..].iter().all(|b| a.as_str() != b.as_str()));
            let json = serde_json::to_string(a).unwrap();
            assert_eq!(serde_json::from_str::<ReasonCode>(&json).unwrap(), *a);
        }
    }
}
