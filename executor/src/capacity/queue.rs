//! Who waits for resources, in which order, and who may pass whom.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::capacity::{Amounts, Capacity, Held, Shortage, ShortageKind};

/// How often one that waits may be passed by others that are behind it and fit: then nobody may
/// until it has what it asked for. A higher priority is never behind a lower one.
pub const PASSED_OVER_MAX: u32 = 64;

/// How many that wait are looked at when something becomes free, from the head on.
pub const SCANNED_MAX: usize = 256;

/// Higher priority first, then who came first.
pub(super) type Key = (Reverse<i32>, u64);

type Answer = Result<Held, Shortage>;

/// One that waits.
pub(super) struct Place {
    pub(super) asked: Amounts,
    passed_over: u32,
    answer: oneshot::Sender<Answer>,
}

impl Place {
    pub(super) fn new(asked: Amounts, answer: oneshot::Sender<Answer>) -> Self {
        Self { asked, passed_over: 0, answer }
    }

    pub(super) fn send(self, answer: Answer) -> Result<(), Answer> {
        self.answer.send(answer)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("asked", &self.asked).field("passed_over", &self.passed_over).finish()
    }
}

/// Everyone who waits.
#[derive(Debug)]
pub(super) struct Queue {
    places: BTreeMap<Key, Place>,
    asked: Amounts,
    next: u64,
    places_max: usize,
}

impl Queue {
    pub(super) fn new(places_max: usize) -> Self {
        Self { places: BTreeMap::new(), asked: Amounts::default(), next: 0, places_max }
    }

    pub(super) fn is_full(&self) -> bool {
        self.places.len() >= self.places_max
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// What everyone together waits for.
    pub(super) fn asked(&self) -> Amounts {
        self.asked
    }

    /// Whether one of those at the head was passed over too often for anyone behind to go before it.
    pub(super) fn must_not_be_passed(&self) -> bool {
        self.places.values().take(SCANNED_MAX).any(|place| place.passed_over >= PASSED_OVER_MAX)
    }

    pub(super) fn push(&mut self, place: Place, priority: i32) -> Key {
        let key = (Reverse(priority), self.next);
        self.next += 1;
        self.asked = self.asked.saturating_add(&place.asked);
        self.places.insert(key, place);
        key
    }

    pub(super) fn remove(&mut self, key: Key) -> bool {
        self.take(key).is_some()
    }

    fn take(&mut self, key: Key) -> Option<Place> {
        let place = self.places.remove(&key)?;
        self.asked = self.asked.saturating_sub(&place.asked);
        Some(place)
    }

    /// Takes out everyone who asks for more than there is at all.
    pub(super) fn remove_above(&mut self, total: &Amounts) -> Vec<Place> {
        let over: Vec<Key> =
            self.places.iter().filter(|(_, place)| !place.asked.fits(total)).map(|(key, _)| *key).collect();
        over.into_iter().filter_map(|key| self.take(key)).collect()
    }

    /// Takes out those who fit into `free`, in their order, and subtracts what they get.
    pub(super) fn take_fitting(&mut self, free: &mut Amounts) -> Vec<Place> {
        let mut fitting = Vec::new();
        let mut passed: Vec<Key> = Vec::new();
        for (key, place) in self.places.iter().take(SCANNED_MAX) {
            if place.asked.fits(free) {
                *free = free.saturating_sub(&place.asked);
                fitting.push((*key, passed.len()));
            } else if place.passed_over >= PASSED_OVER_MAX {
                break;
            } else {
                passed.push(*key);
            }
        }
        for (_, ahead) in &fitting {
            for key in &passed[..*ahead] {
                if let Some(place) = self.places.get_mut(key) {
                    place.passed_over += 1;
                }
            }
        }
        fitting.into_iter().filter_map(|(key, _)| self.take(key)).collect()
    }
}

/// A place in the queue: a future of what was asked for.
///
/// # Cancel
/// Dropping it gives up the place, or what was just given.
#[must_use = "dropping it gives up the place"]
pub struct Waiting {
    capacity: Capacity,
    key: Key,
    answer: oneshot::Receiver<Answer>,
    answered: bool,
}

impl Waiting {
    pub(super) fn new(capacity: Capacity, key: Key, answer: oneshot::Receiver<Answer>) -> Self {
        Self { capacity, key, answer, answered: false }
    }
}

impl Future for Waiting {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let answer = std::task::ready!(Pin::new(&mut self.answer).poll(context));
        self.answered = true;
        Poll::Ready(answer.unwrap_or_else(|_| {
            // The ledger keeps the sender until it has answered, and this place keeps the ledger.
            let load = self.capacity.load();
            let available = load.available();
            Err(Shortage { kind: ShortageKind::NotNow, resource: None, asked: Amounts::default(), available })
        }))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.answered {
            self.capacity.leave(self.key);
        }
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("key", &self.key).finish_non_exhaustive()
    }
}
