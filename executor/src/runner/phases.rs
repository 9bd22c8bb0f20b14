//! How long each phase of an execution took.

use std::time::Duration;

/// A part of an execution's life with its own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Queue,
    Prepare,
    Run,
    Collect,
}

/// When each phase began, on the monotonic clock.
#[derive(Debug, Clone)]
pub(crate) struct Phases {
    began: [Option<Duration>; 4],
}

impl Phases {
    /// Begins in the queue.
    pub(crate) fn new(now: Duration) -> Self {
        Self { began: [Some(now), None, None, None] }
    }

    pub(crate) fn enter(&mut self, phase: Phase, now: Duration) {
        self.began[phase as usize] = Some(now);
    }

    /// When the execution entered the line.
    pub(crate) fn first(&self) -> Duration {
        self.began.iter().flatten().next().copied().unwrap_or_default()
    }

    /// How long a phase took, until the next that was entered or `now`.
    pub(crate) fn took(&self, phase: Phase, now: Duration) -> Option<Duration> {
        let at = phase as usize;
        let began = self.began[at]?;
        let end = self.began[at + 1..].iter().flatten().next().copied().unwrap_or(now);
        Some(end.saturating_sub(began))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_lasts_until_the_next_one_that_was_entered() {
        let ms = Duration::from_millis;
        let mut phases = Phases::new(ms(10));
        phases.enter(Phase::Run, ms(15));
        assert_eq!(phases.took(Phase::Queue, ms(40)), Some(ms(5)));
        assert_eq!(phases.took(Phase::Prepare, ms(40)), None);
        assert_eq!(phases.took(Phase::Run, ms(40)), Some(ms(25)));
    }
}
