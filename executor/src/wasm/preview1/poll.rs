//! Waiting: for clocks; descriptors are always ready.

use super::abi::Errno;
use super::memory::Memory;
use super::process::clock;
use super::{Done, Fault};
use crate::wasm::chance::ClockName;
use crate::wasm::guest::{Guest, Halt};

const SUBSCRIPTION_BYTES: u32 = 48;
const EVENT_BYTES: u32 = 32;
const TAG_CLOCK: u8 = 0;
const TAG_FD_READ: u8 = 1;
const TAG_FD_WRITE: u8 = 2;
const ABSOLUTE: u16 = 1;
/// Subscriptions of one call: more than a guest may hold descriptors.
const SUBSCRIPTIONS_MAX: u32 = 4_096;

struct Subscription {
    userdata: u64,
    tag: u8,
    /// Nanoseconds until its clock is there, or why it never is; 0 for descriptors.
    wait: Result<u64, Errno>,
}

fn subscription(memory: &Memory<'_>, guest: &mut Guest, now: &Now, at: u32) -> Result<Subscription, Errno> {
    let (userdata, tag) = (memory.u64(at)?, memory.u8(at + 8)?);
    let wait = match tag {
        TAG_CLOCK => {
            let (id, timeout, flags) = (memory.u32(at + 16)?, memory.u64(at + 24)?, memory.u16(at + 40)?);
            match clock(id) {
                Ok(ClockName::Realtime) if flags & ABSOLUTE != 0 => Ok(timeout.saturating_sub(now.realtime)),
                Ok(ClockName::Monotonic) if flags & ABSOLUTE != 0 => {
                    Ok(timeout.saturating_sub(now.monotonic))
                }
                Ok(ClockName::Realtime | ClockName::Monotonic) => Ok(timeout),
                Ok(_) => Err(Errno::NOTSUP),
                Err(errno) => Err(errno),
            }
        }
        TAG_FD_READ | TAG_FD_WRITE => guest.descriptors.get(memory.u32(at + 16)?).map(|_| 0),
        _ => return Err(Errno::INVAL),
    };
    Ok(Subscription { userdata, tag, wait })
}

struct Now {
    realtime: u64,
    monotonic: u64,
}

pub(super) fn poll_oneoff(
    memory: &mut Memory<'_>,
    guest: &mut Guest,
    subscriptions: u32,
    events: u32,
    count: u32,
    stored: u32,
) -> Done {
    if count == 0 || count > SUBSCRIPTIONS_MAX {
        return Err(Errno::INVAL.into());
    }
    memory.span(subscriptions, count * SUBSCRIPTION_BYTES)?;
    memory.span(events, count * EVENT_BYTES)?;
    let now = Now {
        realtime: guest.clocks.now_ns(ClockName::Realtime),
        monotonic: guest.clocks.now_ns(ClockName::Monotonic),
    };
    let mut all = Vec::with_capacity(count as usize);
    for i in 0..count {
        all.push(subscription(memory, guest, &now, subscriptions + i * SUBSCRIPTION_BYTES)?);
    }
    // What is wrong is reported at once, as what is ready.
    let wait = all.iter().map(|one| one.wait.unwrap_or(0)).min().unwrap_or(0);
    if wait > 0 && guest.clocks.sleep(wait, &guest.stop).is_some() {
        return Err(Fault::Halt(Halt::Stopped));
    }
    let mut number = 0;
    for one in all {
        let error = match one.wait {
            Ok(left) if left <= wait => 0,
            Ok(_) => continue,
            Err(errno) => errno.number(),
        };
        let mut event = [0; EVENT_BYTES as usize];
        event[..8].copy_from_slice(&one.userdata.to_le_bytes());
        event[8..10].copy_from_slice(&error.to_le_bytes());
        event[10] = one.tag;
        if one.tag != TAG_CLOCK {
            // Bytes that can be had without waiting: one is enough to say so.
            event[16..24].copy_from_slice(&1u64.to_le_bytes());
        }
        memory.put(events + number * EVENT_BYTES, &event)?;
        number += 1;
    }
    Ok(memory.put_u32(stored, number)?)
}
