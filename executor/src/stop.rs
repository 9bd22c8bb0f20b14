//! Asking a running execution to stop, from any thread, once.
//!
//! A [`Stop`] is level-triggered: whoever looks later still sees the first reason. Engines look
//! at it between steps, wait for it, or register a waker that interrupts what they block on.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::failure::{Failure, ReasonCode};
use crate::spec::GoDuration;

/// Why an execution is asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StopReason {
    /// Somebody cancelled it.
    Cancelled,
    /// Its execution time is over.
    TimedOut {
        /// The time it had, in milliseconds.
        after_ms: u64,
    },
    /// The runner is going away.
    Shutdown,
}

impl StopReason {
    /// How an execution that obeyed has ended.
    pub fn to_failure(self) -> Failure {
        match self {
            Self::Cancelled => Failure::new(ReasonCode::ExecutionCancelled, "execution already cancelled"),
            Self::TimedOut { after_ms } => {
                let limit = GoDuration::from_std(Duration::from_millis(after_ms));
                let message = format!("Execution timed out after {limit}");
                Failure::new(ReasonCode::ExecutionTimedOut, message)
                    .with_hint("increase the task's timeout or allocate more resources")
            }
            Self::Shutdown => {
                Failure::new(ReasonCode::Interrupted, "execution interrupted: its runner is shutting down")
            }
        }
    }
}

type Waker = Box<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct Inner {
    state: Mutex<Requested>,
    blocked: Condvar,
    waiting: Notify,
}

#[derive(Default)]
struct Requested {
    reason: Option<StopReason>,
    wakers: Vec<(u64, Waker)>,
    next_waker: u64,
}

/// A request to stop, shared by whoever asks and whoever obeys.
#[derive(Clone, Default)]
pub struct Stop(Arc<Inner>);

impl Stop {
    /// A stop that nobody has asked for yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Requested> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks to stop. The first reason stays; true if this was the first.
    pub fn request(&self, reason: StopReason) -> bool {
        let mut state = self.lock();
        if state.reason.is_some() {
            return false;
        }
        state.reason = Some(reason);
        for (_, wake) in &state.wakers {
            wake();
        }
        drop(state);
        self.0.blocked.notify_all();
        self.0.waiting.notify_waiters();
        true
    }

    /// Why to stop, if asked.
    pub fn reason(&self) -> Option<StopReason> {
        self.lock().reason
    }

    /// Calls `wake` when asked to stop (at once if already asked), until the guard is dropped.
    ///
    /// `wake` must be quick, must not block and must not call back into this value.
    #[must_use]
    pub fn on_request(&self, wake: impl Fn() + Send + Sync + 'static) -> StopGuard {
        let mut state = self.lock();
        if state.reason.is_some() {
            wake();
        }
        let key = state.next_waker;
        state.next_waker += 1;
        state.wakers.push((key, Box::new(wake)));
        StopGuard { stop: self.clone(), key }
    }

    /// Waits until asked to stop.
    ///
    /// # Cancel
    /// Dropping the future leaves nothing behind.
    pub async fn requested(&self) -> StopReason {
        loop {
            let notified = self.0.waiting.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if let Some(reason) = self.reason() {
                return reason;
            }
            notified.await;
        }
    }

    /// Blocks this thread for `duration` or until asked to stop, whichever is first.
    pub fn sleep(&self, duration: Duration) -> Option<StopReason> {
        let until = Instant::now().checked_add(duration);
        let mut state = self.lock();
        loop {
            if state.reason.is_some() {
                return state.reason;
            }
            let left = match until {
                Some(until) => until.saturating_duration_since(Instant::now()),
                None => Duration::from_hours(1),
            };
            if left.is_zero() {
                return None;
            }
            state = self.0.blocked.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stop").field(&self.reason()).finish()
    }
}

/// Keeps a waker of [`Stop::on_request`] registered.
pub struct StopGuard {
    stop: Stop,
    key: u64,
}

impl Drop for StopGuard {
    fn drop(&mut self) {
        let mut state = self.stop.lock();
        state.wakers.retain(|(key, _)| *key != self.key);
    }
}

impl fmt::Debug for StopGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StopGuard").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn the_first_reason_stays() {
        let stop = Stop::new();
        assert!(stop.request(StopReason::TimedOut { after_ms: 5 }));
        assert!(!stop.request(StopReason::Cancelled));
        assert_eq!(stop.reason(), Some(StopReason::TimedOut { after_ms: 5 }));
    }

    #[test]
    fn wakers_are_called_once_each_and_late_ones_at_once() {
        let (stop, calls) = (Stop::new(), Arc::new(AtomicUsize::new(0)));
        let count = |calls: &Arc<AtomicUsize>| {
            let calls = calls.clone();
            move || {
                calls.fetch_add(1, Ordering::SeqCst);
            }
        };
        let dropped = stop.on_request(count(&calls));
        let _kept = stop.on_request(count(&calls));
        drop(dropped);
        stop.request(StopReason::Cancelled);
        stop.request(StopReason::Cancelled);
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        let _late = stop.on_request(count(&calls));
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_sleeping_thread_wakes_when_asked() {
        let stop = Stop::new();
        let sleeper = {
            let stop = stop.clone();
            std::thread::spawn(move || stop.sleep(Duration::from_mins(1)))
        };
        stop.request(StopReason::Shutdown);
        assert_eq!(sleeper.join().unwrap(), Some(StopReason::Shutdown));
        assert_eq!(Stop::new().sleep(Duration::from_millis(1)), None);
    }

    #[test]
    fn a_timeout_tells_its_limit_as_go_does() {
        for (after_ms, text) in
            [(500, "500ms"), (1_050, "1.05s"), (90_000, "1m30s"), (3_661_001, "1h1m1.001s")]
        {
            let failure = StopReason::TimedOut { after_ms }.to_failure();
            assert_eq!(failure.message, format!("Execution timed out after {text}"));
        }
    }

    #[tokio::test]
    async fn a_task_sees_a_request_made_before_or_after_it_waits() {
        let stop = Stop::new();
        let waiting = tokio::spawn({
            let stop = stop.clone();
            async move { stop.requested().await }
        });
        tokio::task::yield_now().await;
        stop.request(StopReason::Cancelled);
        assert_eq!(waiting.await.unwrap(), StopReason::Cancelled);
        assert_eq!(stop.requested().await, StopReason::Cancelled);
    }
}
