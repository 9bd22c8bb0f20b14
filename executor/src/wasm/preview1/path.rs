//! Calls on paths.

use super::Done;
use super::abi::{
    DIR_RIGHTS, Errno, FDFLAG_APPEND, FDFLAG_DSYNC, FDFLAG_RSYNC, FDFLAG_SYNC, FDFLAGS, FILE_RIGHTS,
    LOOKUP_FOLLOW, OFLAG_CREAT, OFLAG_DIRECTORY, OFLAG_EXCL, OFLAG_TRUNC, RIGHT_FD_ALLOCATE, RIGHT_FD_READ,
    RIGHT_FD_READDIR, RIGHT_FD_WRITE, RIGHT_SET_SIZE, filestat,
};
use super::descriptors::{Descriptor, Kind};
use super::memory::Memory;
use crate::wasm::guest::Guest;
use crate::wasm::vfs::{FileTimes, OpenHow, Opened, SetTime};

/// What `fstflags` ask to set.
pub(super) fn file_times(atim: u64, mtim: u64, flags: u32) -> Result<FileTimes, Errno> {
    let one = |at: u64, flags: u32| match flags & 3 {
        0 => Ok(None),
        1 => Ok(Some(SetTime::At(at))),
        2 => Ok(Some(SetTime::Now)),
        _ => Err(Errno::INVAL),
    };
    if flags > 15 {
        return Err(Errno::INVAL);
    }
    Ok(FileTimes { accessed: one(atim, flags)?, modified: one(mtim, flags >> 2)? })
}

fn follows(lookup: u32) -> bool {
    lookup & LOOKUP_FOLLOW != 0
}

pub(super) fn path_create_directory(
    memory: &mut Memory<'_>,
    guest: &mut Guest,
    fd: u32,
    path: u32,
    len: u32,
) -> Done {
    Ok(guest.fs.make_dir(guest.descriptors.dir(fd)?, memory.get(path, len)?)?)
}

pub(super) fn path_filestat_get(
    memory: &mut Memory<'_>,
    guest: &mut Guest,
    fd: u32,
    lookup: u32,
    path: u32,
    len: u32,
    stat: u32,
) -> Done {
    let shown = guest.fs.stat(guest.descriptors.dir(fd)?, memory.get(path, len)?, follows(lookup))?;
    Ok(memory.put(stat, &filestat(&shown))?)
}

#[allow(clippy::too_many_arguments, reason = "preview 1 has them")]
pub(super) fn path_filestat_set_times(
    memory: &mut Memory<'_>,
    guest: &mut Guest,
    fd: u32,
    lookup: u32,
    path: u32,
    len: u32,
    atim: u64,
    mtim: u64,
    flags: u32,
) -> Done {
    let times = file_times(atim, mtim, flags)?;
    Ok(guest.fs.set_times(guest.descriptors.dir(fd)?, memory.get(path, len)?, follows(lookup), times)?)
}

#[allow(clippy::too_many_arguments, reason = "preview 1 has them")]
pub(super) fn path_link(
    memory: &mut Memory<'_>,
    guest: &mut Guest,
    old_fd: u32,
    lookup: u32,
    old: u32,
    old_len: u32,
    fd: u32,
    new: u32,
    new_len: u32,
) -> Done {
    if follows(lookup) {
        return Err(Errno::INVAL.into());
    }
    let old = (guest.descriptors.dir(old_fd)?, memory.get(old, old_len)?);
    let new = (guest.descriptors.dir(fd)?, memory.get(new, new_len)?);
    Ok(guest.fs.link(old, new)?)
}

#[allow(clippy::too_many_arguments, reason = "preview 1 has them")]
pub(super) fn path_open(
    memory: &mut Memory<'_>,
    guest: &mut Guest,
    fd: u32,
    lookup: u32,
    path: u32,
    len: u32,
    oflags: u32,
    base: u64,
    inheriting: u64,
    fdflags: u32,
    opened: u32,
) -> Done {
    let flags = u16::try_from(fdflags).map_err(|_| Errno::INVAL)?;
    if flags & !FDFLAGS != 0 || oflags > 15 {
        return Err(Errno::INVAL.into());
    }
    let asked = |flag: u32| oflags & flag != 0;
    if asked(OFLAG_DIRECTORY) && (asked(OFLAG_CREAT) || asked(OFLAG_EXCL) || asked(OFLAG_TRUNC)) {
        return Err(Errno::INVAL.into());
    }
    guest.descriptors.has_room()?;
    let how = OpenHow {
        read: base & (RIGHT_FD_READ | RIGHT_FD_READDIR) != 0,
        write: base & (RIGHT_FD_WRITE | RIGHT_FD_ALLOCATE | RIGHT_SET_SIZE) != 0,
        append: flags & FDFLAG_APPEND != 0,
        synchronous: flags & (FDFLAG_DSYNC | FDFLAG_RSYNC | FDFLAG_SYNC) != 0,
        create: asked(OFLAG_CREAT),
        exclusive: asked(OFLAG_EXCL),
        truncate: asked(OFLAG_TRUNC),
        directory: asked(OFLAG_DIRECTORY),
        follow: follows(lookup),
    };
    let found = guest.fs.open(guest.descriptors.dir(fd)?, memory.get(path, len)?, how)?;
    let (kind, rights) = match found {
        Opened::Dir(dir) => (Kind::Dir { dir, listed: None }, DIR_RIGHTS),
        Opened::File(file) => (Kind::File(file), FILE_RIGHTS),
    };
    let descriptor = Descriptor { kind, flags, rights: base & rights, inheriting, preopened: None };
    let number = guest.descriptors.insert(descriptor)?;
    Ok(memory.put_u32(opened, number)?)
}

#[allow(clippy::too_many_arguments, reason = "preview 1 has them")]
pub(super) fn path_readlink(
    memory: &mut Memory<'_>,
    guest: &mut Guest,
    fd: u32,
    path: u32,
    len: u32,
    buf: u32,
    buf_len: u32,
    used: u32,
) -> Done {
    let into = memory.span(buf, buf_len)?;
    let target = guest.fs.read_link(guest.descriptors.dir(fd)?, memory.get(path, len)?)?;
    let fits = target.len().min(into.len());
    memory.bytes_mut(into)[..fits].copy_from_slice(&target[..fits]);
    Ok(memory.put_u32(used, u32::try_from(fits).map_err(|_| Errno::OVERFLOW)?)?)
}

pub(super) fn path_remove_directory(
    memory: &mut Memory<'_>,
    guest: &mut Guest,
    fd: u32,
    path: u32,
    len: u32,
) -> Done {
    Ok(guest.fs.remove_dir(guest.descriptors.dir(fd)?, memory.get(path, len)?)?)
}

#[allow(clippy::too_many_arguments, reason = "preview 1 has them")]
pub(super) fn path_rename(
    memory: &mut Memory<'_>,
    guest: &mut Guest,
    fd: u32,
    old: u32,
    old_len: u32,
    new_fd: u32,
    new: u32,
    new_len: u32,
) -> Done {
    let old = (guest.descriptors.dir(fd)?, memory.get(old, old_len)?);
    let new = (guest.descriptors.dir(new_fd)?, memory.get(new, new_len)?);
    Ok(guest.fs.rename(old, new)?)
}

#[allow(clippy::too_many_arguments, reason = "preview 1 has them")]
pub(super) fn path_symlink(
    memory: &mut Memory<'_>,
    guest: &mut Guest,
    old: u32,
    old_len: u32,
    fd: u32,
    new: u32,
    new_len: u32,
) -> Done {
    let (target, path) = (memory.get(old, old_len)?, memory.get(new, new_len)?);
    Ok(guest.fs.symlink(target, guest.descriptors.dir(fd)?, path)?)
}

pub(super) fn path_unlink_file(
    memory: &mut Memory<'_>,
    guest: &mut Guest,
    fd: u32,
    path: u32,
    len: u32,
) -> Done {
    Ok(guest.fs.unlink(guest.descriptors.dir(fd)?, memory.get(path, len)?)?)
}
