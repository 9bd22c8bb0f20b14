//! Interrupting running guests: one epoch for all of them, moved only when one is asked to stop.
//!
//! A guest looks at its stop when it sees that the epoch moved, then waits for the next move. A
//! request that arrives between its look and its waiting would be missed; so the epoch is moved
//! again, by a thread that lives only as long as some guest is asked to stop and still runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use wasmtime::{Engine, Store, UpdateDeadline};

use crate::stop::{Stop, StopGuard};
use crate::wasm::guest::{Guest, Halt};

/// How often the epoch is moved again while a guest is to stop.
const REPEAT: Duration = Duration::from_millis(5);

#[derive(Debug, Default)]
struct Pending {
    guests: usize,
    repeating: bool,
}

/// Moves the epoch of one wasmtime engine.
#[derive(Clone)]
pub(crate) struct Interrupter {
    engine: Engine,
    pending: Arc<Mutex<Pending>>,
}

/// Keeps a guest interruptible while it lives.
pub(crate) struct Interruptible {
    waker: Option<StopGuard>,
    asked: Arc<AtomicBool>,
    interrupter: Interrupter,
}

impl Interrupter {
    pub(crate) fn new(engine: &Engine) -> Self {
        Self { engine: engine.clone(), pending: Arc::default() }
    }

    /// Makes the guest of `store` end soon after its stop is requested.
    pub(crate) fn attach(&self, store: &mut Store<Guest>, stop: &Stop) -> Interruptible {
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|context| match context.data().stop.reason() {
            Some(_) => Err(Halt::Stopped.into()),
            None => Ok(UpdateDeadline::Continue(1)),
        });
        let asked = Arc::new(AtomicBool::new(false));
        // After the deadline is set: a request made before is seen by the registration itself.
        let waker = stop.on_request({
            let (interrupter, asked) = (self.clone(), asked.clone());
            move || {
                asked.store(true, Ordering::SeqCst);
                interrupter.interrupt();
            }
        });
        Interruptible { waker: Some(waker), asked, interrupter: self.clone() }
    }

    fn interrupt(&self) {
        self.engine.increment_epoch();
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.guests += 1;
        if !pending.repeating {
            let repeater = self.clone();
            let thread = std::thread::Builder::new().name("wasm-interrupt".to_owned());
            pending.repeating = thread.spawn(move || repeater.repeat()).is_ok();
        }
    }

    fn repeat(&self) {
        loop {
            std::thread::sleep(REPEAT);
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            if pending.guests == 0 {
                pending.repeating = false;
                return;
            }
            drop(pending);
            self.engine.increment_epoch();
        }
    }
}

impl Drop for Interruptible {
    fn drop(&mut self) {
        // First, so that no request comes after the look below.
        drop(self.waker.take());
        if self.asked.load(Ordering::SeqCst) {
            let mut pending = self.interrupter.pending.lock().unwrap_or_else(PoisonError::into_inner);
            pending.guests = pending.guests.saturating_sub(1);
        }
    }
}
