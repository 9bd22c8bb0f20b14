//! Capacity that is held for an execution before it is started.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    serial: u64,
    slots: Arc<Slots>,
}

impl Reservation {
    /// The execution that it is for.
    pub fn execution_id(&self) -> &ExecutionId {
        &self.id
    }

    /// Whether it still holds anything: not once it was started or its time was over.
    pub fn is_held(&self) -> bool {
        self.slots.is_held(&self.id, self.serial)
    }

    /// Keeps the capacity held until its time is over, whatever happens to this value.
    pub fn detach(self) {
        std::mem::forget(self);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.slots.release(&self.id, self.serial);
    }
}

/// What is held, and which reservation of the same execution it is: an older one's time does not end a newer one.
#[derive(Debug, Default)]
struct Slots(Mutex<Slotted>);

#[derive(Debug, Default)]
struct Slotted {
    held: HashMap<ExecutionId, (u64, Held)>,
    next: u64,
}

impl Slots {
    fn lock(&self) -> MutexGuard<'_, Slotted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_held(&self, id: &ExecutionId, serial: u64) -> bool {
        self.lock().held.get(id).is_some_and(|(found, _)| *found == serial)
    }

    fn release(&self, id: &ExecutionId, serial: u64) {
        let mut slotted = self.lock();
        if slotted.held.get(id).is_some_and(|(found, _)| *found == serial) {
            slotted.held.remove(id);
        }
    }
}

/// Every reservation of a runner.
#[derive(Debug, Default)]
pub(super) struct Reservations(Arc<Slots>);

impl Reservations {
    pub(super) fn hold(&self, id: ExecutionId, held: Held, hold_ms_max: u64) -> Reservation {
        let serial = {
            let mut slotted = self.0.lock();
            let serial = slotted.next;
            slotted.next += 1;
            slotted.held.insert(id.clone(), (serial, held));
            serial
        };
        let (slots, key) = (Arc::downgrade(&self.0), id.clone());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(hold_ms_max)).await;
            if let Some(slots) = slots.upgrade() {
                slots.release(&key, serial);
            }
        });
        Reservation { id, serial, slots: self.0.clone() }
    }

    pub(super) fn take(&self, id: &ExecutionId) -> Option<Held> {
        self.0.lock().held.remove(id).map(|(_, held)| held)
    }

    pub(super) fn release_all(&self) {
        self.0.lock().held.clear();
    }
}
