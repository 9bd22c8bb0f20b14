//! The few functions of WASI preview 1 that the guests of the scenarios call.

use std::fs::File;
use std::io::Write;

use wasmtime::{Caller, Extern, Linker, Memory, Result, StoreLimits};

const MODULE: &str = "wasi_snapshot_preview1";
const SUCCESS: i32 = 0;
const BADF: i32 = 8;
const FAULT: i32 = 21;
/// Most buffers of one write.
const BUFFERS_MAX: u32 = 1024;

/// A time as it stands in a frame; the loop reads no clock.
const STAMP: &[u8] = b"2006-01-02T15:04:05.000000000Z ";

/// One guest's world.
pub(super) struct Guest {
    pub(super) args: Vec<String>,
    pub(super) env: Vec<String>,
    pub(super) stdout: File,
    pub(super) stderr: File,
    pub(super) log: File,
    pub(super) limits: StoreLimits,
}

/// The guest's own end, carried through wasmtime as an error.
#[derive(Debug, thiserror::Error)]
#[error("guest ended with {0}")]
pub(super) struct Exit(pub(super) i32);

/// Links the functions.
pub(super) fn add_to(linker: &mut Linker<Guest>) -> Result<()> {
    linker.func_wrap(MODULE, "args_sizes_get", |caller: Caller<'_, Guest>, count, bytes| {
        sizes(caller, |guest| &guest.args, count, bytes)
    })?;
    linker.func_wrap(MODULE, "args_get", |caller: Caller<'_, Guest>, pointers, bytes| {
        list(caller, |guest| &guest.args, pointers, bytes)
    })?;
    linker.func_wrap(MODULE, "environ_sizes_get", |caller: Caller<'_, Guest>, count, bytes| {
        sizes(caller, |guest| &guest.env, count, bytes)
    })?;
    linker.func_wrap(MODULE, "environ_get", |caller: Caller<'_, Guest>, pointers, bytes| {
        list(caller, |guest| &guest.env, pointers, bytes)
    })?;
    linker.func_wrap(MODULE, "fd_write", fd_write)?;
    linker.func_wrap(MODULE, "proc_exit", |code: i32| -> Result<()> { Err(Exit(code).into()) })?;
    Ok(())
}

fn memory(caller: &mut Caller<'_, Guest>) -> Option<Memory> {
    caller.get_export("memory").and_then(Extern::into_memory)
}

fn put(memory: &mut [u8], at: u32, bytes: &[u8]) -> Option<()> {
    let at = at as usize;
    memory.get_mut(at..at.checked_add(bytes.len())?)?.copy_from_slice(bytes);
    Some(())
}

fn word(memory: &[u8], at: u32) -> Option<u32> {
    let at = at as usize;
    let bytes = memory.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

fn errno(done: Option<()>) -> i32 {
    done.map_or(FAULT, |()| SUCCESS)
}

fn sizes(mut caller: Caller<'_, Guest>, of: fn(&Guest) -> &Vec<String>, count: u32, bytes: u32) -> i32 {
    let Some(memory) = memory(&mut caller) else { return FAULT };
    let (memory, guest) = memory.data_and_store_mut(&mut caller);
    let words = of(guest);
    let total = words.iter().map(|word| word.len() + 1).sum();
    let done = put(memory, count, &length(words.len()).to_le_bytes())
        .and_then(|()| put(memory, bytes, &length(total).to_le_bytes()));
    errno(done)
}

fn list(mut caller: Caller<'_, Guest>, of: fn(&Guest) -> &Vec<String>, pointers: u32, bytes: u32) -> i32 {
    let Some(memory) = memory(&mut caller) else { return FAULT };
    let (memory, guest) = memory.data_and_store_mut(&mut caller);
    let (mut pointer, mut at) = (pointers, bytes);
    for word in of(guest) {
        let done = put(memory, pointer, &at.to_le_bytes())
            .and_then(|()| put(memory, at, word.as_bytes()))
            .and_then(|()| put(memory, at.checked_add(length(word.len()))?, &[0]));
        if done.is_none() {
            return FAULT;
        }
        pointer = pointer.saturating_add(4);
        at = at.saturating_add(length(word.len()) + 1);
    }
    SUCCESS
}

/// Writes to the stream's file and, framed as in a Frogfish log, to the log.
fn fd_write(mut caller: Caller<'_, Guest>, fd: u32, vectors: u32, count: u32, written: u32) -> Result<i32> {
    let Some(memory) = memory(&mut caller) else { return Ok(FAULT) };
    let (memory, guest) = memory.data_and_store_mut(&mut caller);
    let mut stream = match fd {
        1 => &guest.stdout,
        2 => &guest.stderr,
        _ => return Ok(BADF),
    };
    let mut total = 0_u32;
    for index in 0..count.min(BUFFERS_MAX) {
        let at = vectors.saturating_add(index * 8);
        let (Some(from), Some(bytes)) = (word(memory, at), word(memory, at.saturating_add(4))) else {
            return Ok(FAULT);
        };
        let range = from as usize..(from as usize).saturating_add(bytes as usize);
        let Some(buffer) = memory.get(range) else { return Ok(FAULT) };
        stream.write_all(buffer)?;
        let header = [&fd.to_le_bytes()[..], &bytes.saturating_add(length(STAMP.len())).to_be_bytes(), STAMP];
        (&guest.log).write_all(&[&header.concat(), buffer].concat())?;
        total = total.saturating_add(bytes);
    }
    Ok(errno(put(memory, written, &total.to_le_bytes())))
}
