//! Arguments, environment, clocks, randomness, and what there is none of.

use super::abi::Errno;
use super::memory::Memory;
use super::{Done, Fault};
use crate::wasm::chance::ClockName;
use crate::wasm::guest::{Guest, Halt};

/// Writes the strings with a NUL each to `buf` and their places to `list`.
fn put_strings(memory: &mut Memory<'_>, strings: &[String], list: u32, buf: u32) -> Done {
    let (mut list, mut at) = (list, buf);
    for string in strings {
        memory.put_u32(list, at)?;
        memory.put(at, string.as_bytes())?;
        let end =
            at.checked_add(u32::try_from(string.len()).map_err(|_| Errno::OVERFLOW)?).ok_or(Errno::FAULT)?;
        memory.put(end, &[0])?;
        (list, at) = (list.wrapping_add(4), end.wrapping_add(1));
    }
    Ok(())
}

fn put_sizes(memory: &mut Memory<'_>, strings: &[String], count: u32, size: u32) -> Done {
    let bytes: usize = strings.iter().map(|string| string.len() + 1).sum();
    memory.put_u32(count, u32::try_from(strings.len()).map_err(|_| Errno::OVERFLOW)?)?;
    memory.put_u32(size, u32::try_from(bytes).map_err(|_| Errno::OVERFLOW)?)?;
    Ok(())
}

pub(super) fn args_get(memory: &mut Memory<'_>, guest: &mut Guest, argv: u32, buf: u32) -> Done {
    put_strings(memory, &guest.args, argv, buf)
}

pub(super) fn args_sizes_get(memory: &mut Memory<'_>, guest: &mut Guest, count: u32, size: u32) -> Done {
    put_sizes(memory, &guest.args, count, size)
}

pub(super) fn environ_get(memory: &mut Memory<'_>, guest: &mut Guest, environ: u32, buf: u32) -> Done {
    put_strings(memory, &guest.env, environ, buf)
}

pub(super) fn environ_sizes_get(memory: &mut Memory<'_>, guest: &mut Guest, count: u32, size: u32) -> Done {
    put_sizes(memory, &guest.env, count, size)
}

/// The clock of a number.
pub(super) fn clock(id: u32) -> Result<ClockName, Errno> {
    match id {
        0 => Ok(ClockName::Realtime),
        1 => Ok(ClockName::Monotonic),
        2 => Ok(ClockName::Process),
        3 => Ok(ClockName::Thread),
        _ => Err(Errno::INVAL),
    }
}

pub(super) fn clock_res_get(memory: &mut Memory<'_>, guest: &mut Guest, id: u32, resolution: u32) -> Done {
    let step = guest.clocks.resolution_ns(clock(id)?);
    Ok(memory.put_u64(resolution, step)?)
}

pub(super) fn clock_time_get(
    memory: &mut Memory<'_>,
    guest: &mut Guest,
    id: u32,
    _precision: u64,
    time: u32,
) -> Done {
    let now = guest.clocks.now_ns(clock(id)?);
    Ok(memory.put_u64(time, now)?)
}

pub(super) fn random_get(memory: &mut Memory<'_>, guest: &mut Guest, buf: u32, len: u32) -> Done {
    let span = memory.span(buf, len)?;
    match guest.random.fill(memory.bytes_mut(span), &guest.stop) {
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err(Fault::Halt(Halt::Stopped)),
        Err(_) => Err(Errno::IO.into()),
    }
}

#[allow(clippy::unnecessary_wraps, reason = "has the shape of every call")]
pub(super) fn sched_yield(_: &mut Memory<'_>, _: &mut Guest) -> Done {
    std::thread::yield_now();
    Ok(())
}

pub(super) fn proc_raise(_: &mut Memory<'_>, _: &mut Guest, _signal: u32) -> Done {
    Err(Errno::NOTSUP.into())
}

pub(super) fn sock_accept(_: &mut Memory<'_>, _: &mut Guest, _fd: u32, _flags: u32, _new_fd: u32) -> Done {
    Err(Errno::NOTSUP.into())
}

#[allow(clippy::too_many_arguments, reason = "preview 1 has them")]
pub(super) fn sock_recv(
    _: &mut Memory<'_>,
    _: &mut Guest,
    _fd: u32,
    _iovs: u32,
    _iovs_len: u32,
    _flags: u32,
    _len: u32,
    _out_flags: u32,
) -> Done {
    Err(Errno::NOTSUP.into())
}

#[allow(clippy::too_many_arguments, reason = "preview 1 has them")]
pub(super) fn sock_send(
    _: &mut Memory<'_>,
    _: &mut Guest,
    _fd: u32,
    _iovs: u32,
    _iovs_len: u32,
    _flags: u32,
    _len: u32,
) -> Done {
    Err(Errno::NOTSUP.into())
}

pub(super) fn sock_shutdown(_: &mut Memory<'_>, _: &mut Guest, _fd: u32, _how: u32) -> Done {
    Err(Errno::NOTSUP.into())
}
