//! Work shared among threads that are started only where there is much of it.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::{HashError, HashOptions, Progress};
use crate::PathName;
use crate::manifest::Entry;

/// Files of one thread between two calls of the progress function.
const PROGRESS_FILES: u64 = 64;
/// Bytes of one thread between two calls of the progress function.
const PROGRESS_BYTES: u64 = 16 << 20;
/// Items taken at a time from a shared list.
const GRAB: usize = 8;

/// What all threads of a pass share.
pub(super) struct Pass<'o> {
    pub(super) options: &'o HashOptions,
    /// Threads that may still be started.
    idle: AtomicUsize,
    bytes: AtomicU64,
    files: AtomicU64,
}

/// What one thread keeps while it hashes.
#[derive(Default)]
pub(super) struct Worker {
    /// Reused for every file; grows to what the largest needs, at most two chunks.
    pub(super) buffer: Vec<u8>,
    pub(super) entries: Vec<Entry>,
    pub(super) hidden: Vec<PathName>,
    pub(super) hidden_count: u64,
    pub(super) bytes: u64,
    pub(super) files: u64,
    told: (u64, u64),
}

impl<'o> Pass<'o> {
    pub(super) fn new(options: &'o HashOptions) -> Self {
        Self {
            options,
            // Asking the system for the number of CPUs takes longer than hashing a small folder.
            idle: AtomicUsize::new(options.threads.map_or(usize::MAX, |threads| threads.get() - 1)),
            bytes: AtomicU64::new(0),
            files: AtomicU64::new(0),
        }
    }

    fn take_idle(&self) -> usize {
        if self.idle.load(Ordering::Relaxed) == usize::MAX {
            let cpus = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
            let _ = self.idle.compare_exchange(usize::MAX, cpus - 1, Ordering::Relaxed, Ordering::Relaxed);
        }
        self.idle.swap(0, Ordering::Relaxed)
    }

    /// Counts a file's or chunk's bytes and calls the progress function when it is time.
    pub(super) fn count(&self, worker: &mut Worker, bytes: u64, files: u64) {
        worker.bytes += bytes;
        worker.files += files;
        let Some(progress) = &self.options.progress else { return };
        let (told_bytes, told_files) = worker.told;
        let (new_bytes, new_files) = (worker.bytes - told_bytes, worker.files - told_files);
        if new_bytes >= PROGRESS_BYTES || new_files >= PROGRESS_FILES {
            worker.told = (worker.bytes, worker.files);
            let bytes = self.bytes.fetch_add(new_bytes, Ordering::Relaxed) + new_bytes;
            let files = self.files.fetch_add(new_files, Ordering::Relaxed) + new_files;
            progress(Progress { bytes, files });
        }
    }

    /// Calls `work` for every index below `count`, on idle threads too if `shared`, and gives the results in order.
    ///
    /// After an error the rest is skipped; which error is given when several occur is not fixed.
    pub(super) fn each<T: Send>(
        &self,
        worker: &mut Worker,
        count: usize,
        shared: bool,
        work: impl Fn(&mut Worker, usize) -> Result<T, HashError> + Sync,
    ) -> Result<Vec<T>, HashError> {
        let idle = if shared && count > 1 { self.take_idle() } else { 0 };
        if idle == 0 {
            return (0..count).map(|index| work(worker, index)).collect();
        }
        let helpers = idle.min(count - 1);
        self.idle.fetch_add(idle - helpers, Ordering::Relaxed);
        let list = List { next: AtomicUsize::new(0), failed: AtomicBool::new(false), count };
        let results = Mutex::new(Vec::new());
        results.lock().expect("no thread has run yet").resize_with(count, || None);
        let outcome = std::thread::scope(|scope| {
            let started: Vec<_> = (0..helpers)
                .map_while(|_| {
                    let run = || {
                        let mut own = Worker::default();
                        let outcome = list.work_off(&mut own, &results, &work);
                        self.idle.fetch_add(1, Ordering::Relaxed);
                        outcome.map(|()| own)
                    };
                    // A host that refuses another thread gets the work done on fewer.
                    std::thread::Builder::new().spawn_scoped(scope, run).ok()
                })
                .collect();
            self.idle.fetch_add(helpers - started.len(), Ordering::Relaxed);
            let mut outcome = list.work_off(worker, &results, &work);
            for thread in started {
                match thread.join() {
                    Ok(Ok(own)) => worker.absorb(own, self.options),
                    Ok(Err(error)) => outcome = outcome.and(Err(error)),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            outcome
        });
        outcome?;
        let results = results.into_inner().expect("a panic in a thread was passed on");
        Ok(results.into_iter().map(|result| result.expect("every index was worked on")).collect())
    }
}

/// The indices that are still to be worked on.
struct List {
    next: AtomicUsize,
    failed: AtomicBool,
    count: usize,
}

impl List {
    fn work_off<T>(
        &self,
        worker: &mut Worker,
        results: &Mutex<Vec<Option<T>>>,
        work: impl Fn(&mut Worker, usize) -> Result<T, HashError>,
    ) -> Result<(), HashError> {
        let grab = if self.count >= 64 { GRAB } else { 1 };
        let mut done = Vec::with_capacity(grab);
        while !self.failed.load(Ordering::Relaxed) {
            let first = self.next.fetch_add(grab, Ordering::Relaxed);
            if first >= self.count {
                break;
            }
            for index in first..self.count.min(first + grab) {
                match work(worker, index) {
                    Ok(result) => done.push((index, result)),
                    Err(error) => {
                        self.failed.store(true, Ordering::Relaxed);
                        return Err(error);
                    }
                }
            }
            let mut results = results.lock().expect("nothing panics while it holds the lock");
            done.drain(..).for_each(|(index, result)| results[index] = Some(result));
        }
        Ok(())
    }
}

impl Worker {
    fn absorb(&mut self, other: Self, options: &HashOptions) {
        self.entries.extend(other.entries);
        self.hidden.extend(other.hidden);
        self.bytes += other.bytes;
        self.files += other.files;
        self.hidden_count += other.hidden_count;
        self.told.0 += other.told.0;
        self.told.1 += other.told.1;
        if self.hidden.len() > options.hidden_max {
            self.hidden.sort_unstable();
            self.hidden.truncate(options.hidden_max);
        }
    }

    /// Lists a hidden name; of too many, the first in byte order that were met are kept.
    pub(super) fn hide(&mut self, path: impl FnOnce() -> PathName, options: &HashOptions) {
        self.hidden_count += 1;
        if self.hidden.len() < options.hidden_max {
            self.hidden.push(path());
        }
    }
}
