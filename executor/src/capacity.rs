//! What a host has, what of it may be used, and who holds it now.
//!
//! ```text
//! host totals ─► scaler (80 %) ─► Capacity ─► Held (given back on drop)
//!                                    │
//!                                    └─► Waiting: by priority, then first come first served
//! ```
//! One [`Capacity`] owns everything that its runner's executions hold. A reservation is all or
//! nothing; the sum of what is held never passes the total.

mod amounts;
mod host;
mod queue;
mod scale;
mod shortage;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

pub use amounts::{Amounts, Resource};
pub use host::host_totals;
pub use queue::{PASSED_OVER_MAX, SCANNED_MAX, Waiting};
pub use scale::{InvalidShare, Scaler, Share};
pub use shortage::{Shortage, ShortageKind};

use queue::{Place, Queue};

/// The resources that one runner may use, and the only owner of what is held of them.
#[derive(Clone)]
pub struct Capacity(Arc<Mutex<Ledger>>);

#[derive(Debug)]
struct Ledger {
    total: Amounts,
    held: Amounts,
    holders: usize,
    queue: Queue,
}

/// What is used and what waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// What may be used.
    pub total: Amounts,
    /// What is held.
    pub held: Amounts,
    /// By how many executions.
    pub holders: usize,
    /// What is waited for.
    pub queued: Amounts,
    /// By how many executions.
    pub waiting: usize,
}

impl Load {
    /// What is neither held nor over the total.
    pub fn available(&self) -> Amounts {
        self.total.saturating_sub(&self.held)
    }
}

impl Capacity {
    /// Owns these resources; at most `queue_max` executions wait for them.
    pub fn new(total: Amounts, queue_max: usize) -> Self {
        let queue = Queue::new(queue_max);
        Self(Arc::new(Mutex::new(Ledger { total, held: Amounts::default(), holders: 0, queue })))
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it could be reserved now, without any effect.
    ///
    /// # Errors
    /// It never could, or not now.
    pub fn check(&self, asked: &Amounts) -> Result<(), Shortage> {
        self.lock().check(asked)
    }

    /// Reserves all of it, or nothing.
    ///
    /// # Errors
    /// It never could, or not now; an execution that was passed over too often goes first.
    pub fn try_reserve(&self, asked: &Amounts) -> Result<Held, Shortage> {
        let mut ledger = self.lock();
        ledger.check(asked)?;
        ledger.take(asked);
        Ok(self.held(*asked))
    }

    /// Takes a place in the queue: a higher priority goes first, then who came first.
    ///
    /// A smaller request may pass one that does not fit yet, at most [`PASSED_OVER_MAX`] times.
    ///
    /// # Errors
    /// It can never be had, or the queue is full.
    pub fn queue(&self, asked: &Amounts, priority: i32) -> Result<Waiting, Shortage> {
        let mut ledger = self.lock();
        ledger.check_total(asked)?;
        if ledger.queue.is_full() {
            return Err(ledger.shortage(ShortageKind::QueueFull, None, asked));
        }
        let (send, receive) = oneshot::channel();
        let key = ledger.queue.push(Place::new(*asked, send), priority);
        drop(ledger);
        self.grant();
        Ok(Waiting::new(self.clone(), key, receive))
    }

    /// Holds what an execution of an earlier process still uses, even above the total.
    pub fn adopt(&self, used: &Amounts) -> Held {
        self.lock().take(used);
        self.held(*used)
    }

    /// Changes the total: the disk was measured again. What is held stays held.
    pub fn set_total(&self, total: Amounts) {
        let mut ledger = self.lock();
        ledger.total = total;
        let hopeless = ledger.queue.remove_above(&total);
        let refused: Vec<_> = hopeless
            .into_iter()
            .filter_map(|place| Some((ledger.check_total(&place.asked).err()?, place)))
            .collect();
        drop(ledger);
        for (shortage, place) in refused {
            // Nobody waits for it any more: nothing to tell.
            let _ = place.send(Err(shortage));
        }
        self.grant();
    }

    /// What is used and what waits.
    pub fn load(&self) -> Load {
        let ledger = self.lock();
        Load {
            total: ledger.total,
            held: ledger.held,
            holders: ledger.holders,
            queued: ledger.queue.asked(),
            waiting: ledger.queue.len(),
        }
    }

    /// What may be used.
    pub fn total(&self) -> Amounts {
        self.lock().total
    }

    /// What is not held.
    pub fn available(&self) -> Amounts {
        self.lock().available()
    }

    fn held(&self, amounts: Amounts) -> Held {
        Held { capacity: self.clone(), amounts }
    }

    /// Gives what is free to those who wait, in their order.
    fn grant(&self) {
        let mut ledger = self.lock();
        let mut free = ledger.available();
        let granted = ledger.queue.take_fitting(&mut free);
        for place in &granted {
            ledger.take(&place.asked);
        }
        drop(ledger);
        for place in granted {
            let held = self.held(place.asked);
            // Whoever stopped waiting meanwhile gives it back here.
            let _ = place.send(Ok(held));
        }
    }

    fn leave(&self, key: queue::Key) {
        let left = self.lock().queue.remove(key);
        if left {
            // It may have been the one that nobody was allowed to pass.
            self.grant();
        }
    }

    fn release(&self, amounts: &Amounts) {
        let mut ledger = self.lock();
        ledger.held = ledger.held.saturating_sub(amounts);
        ledger.holders = ledger.holders.saturating_sub(1);
        let nobody_waits = ledger.queue.is_empty();
        drop(ledger);
        if !nobody_waits {
            self.grant();
        }
    }
}

impl Ledger {
    fn available(&self) -> Amounts {
        self.total.saturating_sub(&self.held)
    }

    fn shortage(&self, kind: ShortageKind, resource: Option<Resource>, asked: &Amounts) -> Shortage {
        let available = if kind == ShortageKind::Never { self.total } else { self.available() };
        Shortage { kind, resource, asked: *asked, available }
    }

    fn check_total(&self, asked: &Amounts) -> Result<(), Shortage> {
        match asked.exceeds(&self.total) {
            Some(resource) => Err(self.shortage(ShortageKind::Never, Some(resource), asked)),
            None => Ok(()),
        }
    }

    fn check(&self, asked: &Amounts) -> Result<(), Shortage> {
        self.check_total(asked)?;
        if let Some(resource) = asked.exceeds(&self.available()) {
            return Err(self.shortage(ShortageKind::NotNow, Some(resource), asked));
        }
        if self.queue.must_not_be_passed() {
            return Err(self.shortage(ShortageKind::NotNow, None, asked));
        }
        Ok(())
    }

    fn take(&mut self, amounts: &Amounts) {
        self.held = self.held.saturating_add(amounts);
        self.holders += 1;
    }
}

impl fmt::Debug for Capacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Capacity").field(&self.load()).finish()
    }
}

/// Resources that somebody holds; dropping it gives them back.
#[must_use = "dropping it gives the resources back"]
pub struct Held {
    capacity: Capacity,
    amounts: Amounts,
}

impl Held {
    /// What is held.
    pub fn amounts(&self) -> Amounts {
        self.amounts
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.capacity.release(&self.amounts);
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Held").field(&self.amounts).finish()
    }
}

#[cfg(test)]
mod tests;
