//! Executions of this process: the live ones, and the last that ended.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::id::ExecutionId;
use crate::runner::live::Live;

/// Ended executions that are forgotten together: removing what they left is no work for every single end.
const EVICTED_AT_ONCE: usize = 64;

/// One entry per execution ID, so that nothing is started twice.
#[derive(Debug, Default)]
pub(crate) struct Registry(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    live: HashMap<ExecutionId, Arc<Live>>,
    ended: HashMap<ExecutionId, Arc<Live>>,
    /// Ended ones, the oldest first.
    order: VecDeque<ExecutionId>,
    closed: bool,
}

/// Why an execution could not be entered.
pub(crate) enum Taken {
    Live,
    Ended,
    Closed,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a new execution, unless its ID is taken.
    pub(crate) fn enter(&self, live: &Arc<Live>) -> Result<(), Taken> {
        let mut entries = self.lock();
        if entries.closed {
            return Err(Taken::Closed);
        }
        if entries.live.contains_key(&live.id) {
            return Err(Taken::Live);
        }
        if entries.ended.contains_key(&live.id) {
            return Err(Taken::Ended);
        }
        entries.live.insert(live.id.clone(), live.clone());
        Ok(())
    }

    /// Takes back an execution that never began.
    pub(crate) fn withdraw(&self, id: &ExecutionId) {
        self.lock().live.remove(id);
    }

    /// Moves an execution to the ended ones; returns those that are no longer kept for it, a batch at a time.
    pub(crate) fn end(&self, id: &ExecutionId, ended_max: usize) -> Vec<Arc<Live>> {
        let mut entries = self.lock();
        let Some(live) = entries.live.remove(id) else { return Vec::new() };
        entries.ended.insert(id.clone(), live);
        entries.order.push_back(id.clone());
        let over = entries.order.len().saturating_sub(ended_max);
        if over < EVICTED_AT_ONCE.min(ended_max.max(1)) {
            return Vec::new();
        }
        let oldest: Vec<ExecutionId> = entries.order.drain(..over).collect();
        oldest.iter().filter_map(|id| entries.ended.remove(id)).collect()
    }

    pub(crate) fn get(&self, id: &ExecutionId) -> Option<Arc<Live>> {
        let entries = self.lock();
        entries.live.get(id).or_else(|| entries.ended.get(id)).cloned()
    }

    pub(crate) fn forget(&self, id: &ExecutionId) {
        let mut entries = self.lock();
        entries.ended.remove(id);
        entries.order.retain(|other| other != id);
    }

    pub(crate) fn live(&self) -> Vec<Arc<Live>> {
        self.lock().live.values().cloned().collect()
    }

    /// Takes nothing new from now on; returns what still lives.
    pub(crate) fn close(&self) -> Vec<Arc<Live>> {
        let mut entries = self.lock();
        entries.closed = true;
        entries.live.values().cloned().collect()
    }
}
