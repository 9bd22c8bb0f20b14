//! WASI preview 1 (`wasi_snapshot_preview1`), whole, over our own file system, clocks and streams.
//!
//! Every pointer and length comes from the guest: each access is checked against its memory, and
//! nothing is allocated by a length that it chose. A panic in a call ends the guest, not the host.
//!
//! *Source*: the `wasi_snapshot_preview1` witx; sockets are `ENOTSUP`, as is `proc_raise`.

mod abi;
mod descriptors;
mod fd;
mod memory;
mod path;
mod poll;
mod process;

use std::panic::{AssertUnwindSafe, catch_unwind};

use wasmtime::{Caller, Extern, Linker};

pub(crate) use descriptors::Descriptors;

use crate::failure::{Failure, ReasonCode};
use crate::wasm::guest::{Guest, Halt};
use abi::Errno;
use memory::Memory;

/// The name that modules import from.
pub(crate) const MODULE: &str = "wasi_snapshot_preview1";

/// Why a call did not succeed.
#[derive(Debug)]
enum Fault {
    /// The guest gets this number.
    Errno(Errno),
    /// The guest ends.
    Halt(Halt),
}

type Done = Result<(), Fault>;

impl From<Errno> for Fault {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

impl From<rustix::io::Errno> for Fault {
    fn from(errno: rustix::io::Errno) -> Self {
        Self::Errno(Errno::from(errno))
    }
}

/// The message of a caught panic.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".to_owned())
}

/// A guest's failure through a fault of our own.
pub(crate) fn internal(panic: &(dyn std::any::Any + Send)) -> Failure {
    let text = panic_text(panic);
    Failure::new(ReasonCode::Internal, format!("WASM executor failed with an internal error: {text}"))
}

fn call(
    caller: &mut Caller<'_, Guest>,
    f: impl FnOnce(&mut Memory<'_>, &mut Guest) -> Done,
) -> wasmtime::Result<u32> {
    let memory = caller.get_export("memory").and_then(Extern::into_memory);
    let (bytes, guest) = match &memory {
        Some(memory) => memory.data_and_store_mut(caller),
        None => (&mut [][..], caller.data_mut()),
    };
    match catch_unwind(AssertUnwindSafe(|| f(&mut Memory::new(bytes), guest))) {
        Ok(Ok(())) => Ok(0),
        Ok(Err(Fault::Errno(errno))) => Ok(u32::from(errno.number())),
        Ok(Err(Fault::Halt(halt))) => Err(halt.into()),
        Err(panic) => Err(Halt::Host(internal(&*panic)).into()),
    }
}

macro_rules! functions {
    ($linker:ident, $($module:ident::$name:ident($($arg:ident: $ty:ty),*);)*) => {
        $($linker.func_wrap(MODULE, stringify!($name), |mut caller: Caller<'_, Guest>, $($arg: $ty),*| {
            call(&mut caller, |memory, guest| $module::$name(memory, guest, $($arg),*))
        })?;)*
    };
}

/// Adds every function of preview 1.
pub(crate) fn add_to(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    functions! { linker,
        process::args_get(argv: u32, buf: u32);
        process::args_sizes_get(count: u32, size: u32);
        process::environ_get(environ: u32, buf: u32);
        process::environ_sizes_get(count: u32, size: u32);
        process::clock_res_get(id: u32, resolution: u32);
        process::clock_time_get(id: u32, precision: u64, time: u32);
        process::random_get(buf: u32, len: u32);
        process::sched_yield();
        process::proc_raise(signal: u32);
        process::sock_accept(fd: u32, flags: u32, new_fd: u32);
        process::sock_recv(fd: u32, iovs: u32, iovs_len: u32, flags: u32, len: u32, out_flags: u32);
        process::sock_send(fd: u32, iovs: u32, iovs_len: u32, flags: u32, len: u32);
        process::sock_shutdown(fd: u32, how: u32);
        poll::poll_oneoff(subscriptions: u32, events: u32, count: u32, stored: u32);
        fd::fd_advise(fd: u32, offset: u64, len: u64, advice: u32);
        fd::fd_allocate(fd: u32, offset: u64, len: u64);
        fd::fd_close(fd: u32);
        fd::fd_datasync(fd: u32);
        fd::fd_fdstat_get(fd: u32, stat: u32);
        fd::fd_fdstat_set_flags(fd: u32, flags: u32);
        fd::fd_fdstat_set_rights(fd: u32, base: u64, inheriting: u64);
        fd::fd_filestat_get(fd: u32, stat: u32);
        fd::fd_filestat_set_size(fd: u32, size: u64);
        fd::fd_filestat_set_times(fd: u32, atim: u64, mtim: u64, flags: u32);
        fd::fd_pread(fd: u32, iovs: u32, iovs_len: u32, offset: u64, read: u32);
        fd::fd_prestat_get(fd: u32, prestat: u32);
        fd::fd_prestat_dir_name(fd: u32, path: u32, len: u32);
        fd::fd_pwrite(fd: u32, iovs: u32, iovs_len: u32, offset: u64, written: u32);
        fd::fd_read(fd: u32, iovs: u32, iovs_len: u32, read: u32);
        fd::fd_readdir(fd: u32, buf: u32, len: u32, cookie: u64, used: u32);
        fd::fd_renumber(fd: u32, to: u32);
        fd::fd_seek(fd: u32, offset: i64, whence: u32, position: u32);
        fd::fd_sync(fd: u32);
        fd::fd_tell(fd: u32, position: u32);
        fd::fd_write(fd: u32, iovs: u32, iovs_len: u32, written: u32);
        path::path_create_directory(fd: u32, path: u32, len: u32);
        path::path_filestat_get(fd: u32, flags: u32, path: u32, len: u32, stat: u32);
        path::path_filestat_set_times(fd: u32, lookup: u32, path: u32, len: u32, atim: u64, mtim: u64, flags: u32);
        path::path_link(old_fd: u32, lookup: u32, old: u32, old_len: u32, fd: u32, new: u32, new_len: u32);
        path::path_open(fd: u32, lookup: u32, path: u32, len: u32, oflags: u32, base: u64, inheriting: u64, fdflags: u32, opened: u32);
        path::path_readlink(fd: u32, path: u32, len: u32, buf: u32, buf_len: u32, used: u32);
        path::path_remove_directory(fd: u32, path: u32, len: u32);
        path::path_rename(fd: u32, old: u32, old_len: u32, new_fd: u32, new: u32, new_len: u32);
        path::path_symlink(old: u32, old_len: u32, fd: u32, new: u32, new_len: u32);
        path::path_unlink_file(fd: u32, path: u32, len: u32);
    }
    linker.func_wrap(MODULE, "proc_exit", |_: Caller<'_, Guest>, status: u32| -> wasmtime::Result<()> {
        Err(Halt::Exit(status).into())
    })?;
    Ok(())
}
