//! Why resources cannot be had.

use std::fmt;

use crate::capacity::{Amounts, Resource};
use crate::failure::{Failure, ReasonCode};

/// Whether waiting can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ShortageKind {
    /// More is asked for than there is at all.
    Never,
    /// Others hold it, or have waited too long to be passed.
    NotNow,
    /// Too many wait already.
    QueueFull,
}

/// Why resources cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    /// Whether waiting can help.
    pub kind: ShortageKind,
    /// The first resource of which there is too little; none if it is another's turn.
    pub resource: Option<Resource>,
    /// What was asked for.
    pub asked: Amounts,
    /// What there is: in total if it can never be had, else what is free now.
    pub available: Amounts,
}

impl Shortage {
    /// The same as an execution's failure.
    pub fn to_failure(&self) -> Failure {
        let failure = Failure::new(ReasonCode::NotEnoughCapacity, self.to_string());
        match (self.kind, self.resource) {
            (ShortageKind::Never, Some(resource)) => {
                failure.with_hint(format!("ask for less {resource}, or allow this node more of it"))
            }
            _ => failure.with_hint("try again once other executions have ended"),
        }
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ShortageKind::Never => f.write_str("not enough capacity to run job: ")?,
            ShortageKind::NotNow => {}
            ShortageKind::QueueFull => f.write_str("the queue for capacity is full: ")?,
        }
        write!(f, "insufficient resources - requested: {}, available: {}", self.asked, self.available)
    }
}

impl std::error::Error for Shortage {}
