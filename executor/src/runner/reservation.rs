//! Capacity that is held for an execution before it is started.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::capacity::Held;
use crate::id::ExecutionId;

/// Capacity held for an execution; dropped, it is free again.
///
/// [`Runner::start`](crate::Runner::start) of the same execution takes it over, and it is given back by itself when
/// its time is over.
#[derive(Debug)]
#[must_use = "dropping it gives the capacity back"]
pub struct Reservation {
    id: ExecutionId,
    held: Arc<Slots>,
}

impl Reservation {
    /// The execution that it is for.
    pub fn execution_id(&self) -> &ExecutionId {
        &self.id
    }

    /// Whether it still holds anything: not once it was started or its time was over.
    pub fn is_held(&self) -> bool {
        self.held.lock().contains_key(&self.id)
    }

    /// Keeps the capacity held until its time is over, whatever happens to this value.
    pub fn detach(self) {
        std::mem::forget(self);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.held.lock().remove(&self.id);
    }
}

#[derive(Debug, Default)]
struct Slots(Mutex<HashMap<ExecutionId, Held>>);

impl Slots {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ExecutionId, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every reservation of a runner.
#[derive(Debug, Default)]
pub(super) struct Reservations(Arc<Slots>);

impl Reservations {
    pub(super) fn hold(&self, id: ExecutionId, held: Held, hold_ms_max: u64) -> Reservation {
        self.0.lock().insert(id.clone(), held);
        let (slots, key) = (Arc::downgrade(&self.0), id.clone());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(hold_ms_max)).await;
            if let Some(slots) = slots.upgrade() {
                slots.lock().remove(&key);
            }
        });
        Reservation { id, held: self.0.clone() }
    }

    pub(super) fn take(&self, id: &ExecutionId) -> Option<Held> {
        self.0.lock().remove(id)
    }

    pub(super) fn release_all(&self) {
        self.0.lock().clear();
    }
}
