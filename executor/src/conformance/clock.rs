//! What every [`Clock`] keeps to, and one that stands still.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Clock;

/// Times that are looked at.
const LOOKS: usize = 1_000;

/// Checks that neither time goes back and that the time of day is after this was written.
///
/// # Panics
/// Where the clock does not keep to its contract.
pub fn check(clock: &dyn Clock) {
    let year_2026 = Duration::from_hours(490_896);
    assert!(clock.wall() >= year_2026, "the time of day is {:?} since 1970", clock.wall());
    let mut before = clock.monotonic();
    for _ in 0..LOOKS {
        let now = clock.monotonic();
        assert!(now >= before, "the monotonic time went back from {before:?} to {now:?}");
        before = now;
    }
}

/// A clock that moves only when it is told to.
#[derive(Debug)]
pub struct StandingClock {
    origin_ns: u64,
    passed_ns: AtomicU64,
}

impl StandingClock {
    /// A clock that stands at this time of day.
    pub fn at(wall: Duration) -> Self {
        Self { origin_ns: nanoseconds(wall), passed_ns: AtomicU64::new(0) }
    }

    /// Lets time pass.
    pub fn pass(&self, duration: Duration) {
        self.passed_ns.fetch_add(nanoseconds(duration), Ordering::SeqCst);
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Clock for StandingClock {
    fn wall(&self) -> Duration {
        Duration::from_nanos(self.origin_ns.saturating_add(self.passed_ns.load(Ordering::SeqCst)))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.passed_ns.load(Ordering::SeqCst))
    }
}
