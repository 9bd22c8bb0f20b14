//! Whether this runner would take an execution: the answer before any effect.

use crate::failure::Failure;

/// The runner's answer to "could you run this?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It would start now.
    Now,
    /// It could, but not now: the reason names what is short; it would wait in the queue.
    Later(Failure),
    /// It never could.
    Never(Failure),
}

impl Admission {
    /// The reason, unless it would start now.
    pub fn reason(&self) -> Option<&Failure> {
        match self {
            Self::Now => None,
            Self::Later(failure) | Self::Never(failure) => Some(failure),
        }
    }
}
