//! What a guest learns of time and chance: the host's, or the same in every run.

use std::time::{Duration, Instant};

use rustix::time::ClockId;
use sha2::{Digest as _, Sha256};

use crate::stop::{Stop, StopReason};

/// What a deterministic run's real-time clock shows at its start: 2000-01-01T00:00:00Z.
const VIRTUAL_REALTIME_NS: u64 = 946_684_800 * 1_000_000_000;
/// What its monotonic clock shows: not zero, which Go's runtime refuses.
const VIRTUAL_MONOTONIC_NS: u64 = 1_000_000_000;
/// How far each look moves the virtual clock, so that a guest that waits for a later time gets there.
const VIRTUAL_TICK_NS: u64 = 1_000;
/// Bytes of randomness made before looking whether to stop.
const RANDOM_STEP_BYTES: usize = 1 << 20;

/// One of the guest's clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClockName {
    Realtime,
    Monotonic,
    Process,
    Thread,
}

impl ClockName {
    fn host(self) -> ClockId {
        match self {
            Self::Realtime => ClockId::Realtime,
            Self::Monotonic => ClockId::Monotonic,
            // One guest is one thread: the process it believes to be is this thread.
            Self::Process | Self::Thread => ClockId::ThreadCPUTime,
        }
    }
}

/// The guest's clocks.
#[derive(Debug)]
pub(crate) enum Clocks {
    /// The host's.
    Host {
        /// Where the guest's monotonic clock starts.
        started: Instant,
    },
    /// Moved by looking at it and by sleeping, nothing else.
    Virtual {
        /// Nanoseconds since the start.
        elapsed_ns: u64,
    },
}

impl Clocks {
    /// The host's clocks, or virtual ones.
    pub(crate) fn new(deterministic: bool) -> Self {
        if deterministic { Self::Virtual { elapsed_ns: 0 } } else { Self::Host { started: Instant::now() } }
    }

    /// What a clock shows, in nanoseconds.
    pub(crate) fn now_ns(&mut self, name: ClockName) -> u64 {
        match self {
            // The guest need not know how long the host is up.
            Self::Host { started } if name == ClockName::Monotonic => {
                nanoseconds(started.elapsed()).saturating_add(VIRTUAL_MONOTONIC_NS)
            }
            Self::Host { .. } => {
                let time = rustix::time::clock_gettime(name.host());
                let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
                seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0))
            }
            Self::Virtual { elapsed_ns } => {
                *elapsed_ns = elapsed_ns.saturating_add(VIRTUAL_TICK_NS);
                let zero = match name {
                    ClockName::Realtime => VIRTUAL_REALTIME_NS,
                    ClockName::Monotonic => VIRTUAL_MONOTONIC_NS,
                    ClockName::Process | ClockName::Thread => 0,
                };
                elapsed_ns.saturating_add(zero)
            }
        }
    }

    /// The smallest step of a clock, in nanoseconds.
    pub(crate) fn resolution_ns(&self, name: ClockName) -> u64 {
        match self {
            Self::Host { .. } => {
                let step = rustix::time::clock_getres(name.host());
                u64::try_from(step.tv_nsec).unwrap_or(1).max(1)
            }
            Self::Virtual { .. } => VIRTUAL_TICK_NS,
        }
    }

    /// Waits, or lets the virtual time pass at once; a reason if asked to stop meanwhile.
    pub(crate) fn sleep(&mut self, duration_ns: u64, stop: &Stop) -> Option<StopReason> {
        match self {
            Self::Host { .. } => stop.sleep(Duration::from_nanos(duration_ns)),
            Self::Virtual { elapsed_ns } => {
                *elapsed_ns = elapsed_ns.saturating_add(duration_ns);
                stop.reason()
            }
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Where the guest's randomness comes from.
#[derive(Debug)]
pub(crate) enum Random {
    /// The host's secure generator.
    Host,
    /// SHA-256 in counter mode: block i is the digest of [`Self::DOMAIN`], the seed and i (both u64, little endian).
    Seeded {
        /// The job's seed.
        seed: u64,
        /// The next block's number.
        block: u64,
        /// What is left of the last block, at its end.
        left: usize,
        /// The last block.
        bytes: [u8; 32],
    },
}

impl Random {
    const DOMAIN: &'static [u8] = b"frogfish random 1";

    /// The host's randomness, or one made from a seed.
    pub(crate) fn new(seed: Option<u64>) -> Self {
        match seed {
            None => Self::Host,
            Some(seed) => Self::Seeded { seed, block: 0, left: 0, bytes: [0; 32] },
        }
    }

    /// Fills `into`; a reason if asked to stop meanwhile.
    ///
    /// # Errors
    /// The host has no randomness to give.
    pub(crate) fn fill(
        &mut self,
        into: &mut [u8],
        stop: &Stop,
    ) -> Result<Option<StopReason>, getrandom::Error> {
        for part in into.chunks_mut(RANDOM_STEP_BYTES) {
            match self {
                Self::Host => getrandom::fill(part)?,
                Self::Seeded { seed, block, left, bytes } => {
                    for byte in part {
                        if *left == 0 {
                            let digest = Sha256::new()
                                .chain_update(Self::DOMAIN)
                                .chain_update(seed.to_le_bytes())
                                .chain_update(block.to_le_bytes())
                                .finalize();
                            bytes.copy_from_slice(&digest);
                            (*block, *left) = (*block + 1, 32);
                        }
                        *byte = bytes[32 - *left];
                        *left -= 1;
                    }
                }
            }
            if let Some(reason) = stop.reason() {
                return Ok(Some(reason));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_randomness_does_not_depend_on_how_it_is_cut() {
        let stop = Stop::new();
        let mut whole = [0; 100];
        Random::new(Some(7)).fill(&mut whole, &stop).unwrap();
        let mut parts = Random::new(Some(7));
        for (part, expected) in [(3, 0), (40, 3), (57, 43)] {
            let mut bytes = vec![0; part];
            parts.fill(&mut bytes, &stop).unwrap();
            assert_eq!(bytes, whole[expected..expected + part]);
        }
        let mut other = [0; 100];
        Random::new(Some(8)).fill(&mut other, &stop).unwrap();
        assert_ne!(whole, other);
    }

    #[test]
    fn seeded_randomness_is_what_its_description_says() {
        let mut bytes = [0; 64];
        Random::new(Some(1)).fill(&mut bytes, &Stop::new()).unwrap();
        let block = |i: u64| {
            Sha256::digest([b"frogfish random 1", &1u64.to_le_bytes()[..], &i.to_le_bytes()].concat())
        };
        assert_eq!(bytes, [block(0), block(1)].concat()[..]);
    }

    #[test]
    fn virtual_time_passes_by_looking_and_sleeping_only() {
        let (mut clocks, stop) = (Clocks::new(true), Stop::new());
        assert_eq!(clocks.now_ns(ClockName::Realtime), VIRTUAL_REALTIME_NS + 1_000);
        assert_eq!(clocks.sleep(3_600_000_000_000, &stop), None);
        assert_eq!(clocks.now_ns(ClockName::Monotonic), VIRTUAL_MONOTONIC_NS + 3_600_000_002_000);
    }
}
