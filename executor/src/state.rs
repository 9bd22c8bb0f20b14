//! The states of an execution and the edges between them.
//!
//! ```text
//! Queued ──► Preparing ──► Running ──► Collecting ──► Publishing ──► Completed
//!    │           │                        │   │           │  ▲
//!    │           │                        │   │           └──┘ publishing is retried
//!    └───────────┴────► Failed │ Cancelled ◄──┴───────────┘
//! ```
//! A trap, running out of memory, a timeout and a cancel of a running execution pass through
//! `Collecting` with a pending outcome, so that output, exit code and reason are kept.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where an execution stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum State {
    /// Admitted; waits for capacity.
    Queued,
    /// Capacity is held; inputs are being made ready.
    Preparing,
    /// The engine runs it.
    Running,
    /// The engine is done; results are gathered and hashed.
    Collecting,
    /// Results are being handed to the job's publisher.
    Publishing,
    /// It ran to its own end, whatever its exit code.
    Completed,
    /// It did not run to its own end; the failure says why.
    Failed,
    /// It was stopped on request.
    Cancelled,
}

impl State {
    /// Every state, in the order of an execution's life.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Preparing,
        Self::Running,
        Self::Collecting,
        Self::Publishing,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Whether nothing can follow.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// Whether the engine may hold something for it (a container, a guest).
    pub fn is_executing(self) -> bool {
        matches!(self, Self::Running | Self::Collecting)
    }

    /// Whether `next` may follow.
    pub fn may_become(self, next: Self) -> bool {
        use State::{Cancelled, Collecting, Completed, Failed, Preparing, Publishing, Queued, Running};
        match (self, next) {
            (Queued, Preparing | Failed | Cancelled)
            | (Preparing, Running | Failed | Cancelled)
            // Preparing: a service or daemon whose node was restarted runs again from its inputs.
            | (Running, Collecting | Preparing)
            | (Collecting | Publishing, Publishing | Completed | Failed | Cancelled) => true,
            _ => false,
        }
    }

    /// The name as it is written in JSON and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Preparing => "Preparing",
            Self::Running => "Running",
            Self::Collecting => "Collecting",
            Self::Publishing => "Publishing",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_follows_a_terminal_state() {
        for from in State::ALL.into_iter().filter(|s| s.is_terminal()) {
            for to in State::ALL {
                assert!(!from.may_become(to), "{from} -> {to}");
            }
        }
    }

    #[test]
    fn every_state_is_reachable_and_every_live_state_can_end() {
        let reach = |start: State| {
            let mut seen = vec![start];
            let mut next = 0;
            while next < seen.len() {
                let from = seen[next];
                next += 1;
                for to in State::ALL {
                    if from.may_become(to) && !seen.contains(&to) {
                        seen.push(to);
                    }
                }
            }
            seen
        };
        assert_eq!(reach(State::Queued).len(), State::ALL.len());
        for from in State::ALL.into_iter().filter(|s| !s.is_terminal()) {
            for end in [State::Completed, State::Failed, State::Cancelled] {
                assert!(reach(from).contains(&end), "{from} cannot become {end}");
            }
        }
    }

    #[test]
    fn a_running_execution_is_always_collected() {
        for to in [State::Completed, State::Failed, State::Cancelled, State::Queued] {
            assert!(!State::Running.may_become(to));
        }
    }

    #[test]
    fn names_round_trip() {
        for state in State::ALL {
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(json, format!("\"{state}\""));
            assert_eq!(serde_json::from_str::<State>(&json).unwrap(), state);
        }
    }
}
