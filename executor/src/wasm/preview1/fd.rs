//! Calls on open descriptors.

use std::io::SeekFrom;

use super::abi::{Errno, FDFLAG_APPEND, FDFLAG_NONBLOCK, FDFLAGS, dirent, fdstat, filestat};
use super::descriptors::Kind;
use super::memory::{Iovecs, Memory, Span};
use super::path::file_times;
use super::{Done, Fault};
use crate::capture::Stream;
use crate::failure::{Failure, ReasonCode};
use crate::wasm::guest::{Guest, Halt};
use crate::wasm::vfs::{File, FileKind, FsResult, Stat};

/// Bytes read or written before looking whether to stop.
const STEP_BYTES: usize = 16 << 20;
/// Bytes up to which the parts of one write to a stream are put together.
const GATHER_BYTES_MAX: usize = 16 << 10;

pub(super) fn fd_advise(
    _: &mut Memory<'_>,
    guest: &mut Guest,
    fd: u32,
    _offset: u64,
    _len: u64,
    advice: u32,
) -> Done {
    guest.descriptors.file(fd)?;
    if advice > 5 { Err(Errno::INVAL.into()) } else { Ok(()) }
}

pub(super) fn fd_allocate(_: &mut Memory<'_>, guest: &mut Guest, fd: u32, offset: u64, len: u64) -> Done {
    Ok(guest.descriptors.file(fd)?.allocate(offset, len)?)
}

pub(super) fn fd_close(_: &mut Memory<'_>, guest: &mut Guest, fd: u32) -> Done {
    Ok(guest.descriptors.close(fd)?)
}

pub(super) fn fd_datasync(_: &mut Memory<'_>, guest: &mut Guest, fd: u32) -> Done {
    sync(guest, fd, true)
}

pub(super) fn fd_sync(_: &mut Memory<'_>, guest: &mut Guest, fd: u32) -> Done {
    sync(guest, fd, false)
}

fn sync(guest: &mut Guest, fd: u32, data_only: bool) -> Done {
    match &guest.descriptors.get(fd)?.kind {
        Kind::File(file) => Ok(file.sync(data_only)?),
        // Folders and streams have nothing of their own to bring anywhere.
        Kind::Dir { .. } | Kind::Stdin | Kind::Output(_) => Ok(()),
    }
}

pub(super) fn fd_fdstat_get(memory: &mut Memory<'_>, guest: &mut Guest, fd: u32, stat: u32) -> Done {
    let open = guest.descriptors.get(fd)?;
    let kind = match &open.kind {
        Kind::Stdin | Kind::Output(_) => FileKind::Unknown,
        Kind::File(_) => FileKind::Regular,
        Kind::Dir { .. } => FileKind::Dir,
    };
    let bytes = fdstat(kind, open.flags, open.rights, open.inheriting);
    Ok(memory.put(stat, &bytes)?)
}

pub(super) fn fd_fdstat_set_flags(_: &mut Memory<'_>, guest: &mut Guest, fd: u32, flags: u32) -> Done {
    let flags = u16::try_from(flags).map_err(|_| Errno::INVAL)?;
    let open = guest.descriptors.get_mut(fd)?;
    let changed = open.flags ^ flags;
    if flags & !FDFLAGS != 0 || changed & !(FDFLAG_APPEND | FDFLAG_NONBLOCK) != 0 {
        return Err(Errno::INVAL.into());
    }
    if let (Kind::File(file), true) = (&open.kind, changed & FDFLAG_APPEND != 0) {
        file.set_append(flags & FDFLAG_APPEND != 0)?;
    }
    open.flags = flags;
    Ok(())
}

pub(super) fn fd_fdstat_set_rights(
    _: &mut Memory<'_>,
    guest: &mut Guest,
    fd: u32,
    base: u64,
    inheriting: u64,
) -> Done {
    let open = guest.descriptors.get_mut(fd)?;
    if base & !open.rights != 0 || inheriting & !open.inheriting != 0 {
        return Err(Errno::NOTCAPABLE.into());
    }
    (open.rights, open.inheriting) = (base, inheriting);
    Ok(())
}

pub(super) fn fd_filestat_get(memory: &mut Memory<'_>, guest: &mut Guest, fd: u32, stat: u32) -> Done {
    let shown = match &guest.descriptors.get(fd)?.kind {
        Kind::File(file) => guest.fs.stat_file(file)?,
        Kind::Dir { dir, .. } => guest.fs.stat_dir(dir)?,
        Kind::Stdin | Kind::Output(_) => Stat {
            dev: 0,
            ino: 0,
            kind: FileKind::Unknown,
            links: 1,
            size: 0,
            atime_ns: 0,
            mtime_ns: 0,
            ctime_ns: 0,
        },
    };
    Ok(memory.put(stat, &filestat(&shown))?)
}

pub(super) fn fd_filestat_set_size(_: &mut Memory<'_>, guest: &mut Guest, fd: u32, size: u64) -> Done {
    Ok(guest.descriptors.file(fd)?.set_size(size)?)
}

pub(super) fn fd_filestat_set_times(
    _: &mut Memory<'_>,
    guest: &mut Guest,
    fd: u32,
    atim: u64,
    mtim: u64,
    flags: u32,
) -> Done {
    let times = file_times(atim, mtim, flags)?;
    match &guest.descriptors.get(fd)?.kind {
        Kind::File(file) => Ok(file.set_times(times)?),
        Kind::Dir { dir, .. } => Ok(guest.fs.set_dir_times(dir, times)?),
        Kind::Stdin | Kind::Output(_) => Err(Errno::BADF.into()),
    }
}

pub(super) fn fd_prestat_get(memory: &mut Memory<'_>, guest: &mut Guest, fd: u32, prestat: u32) -> Done {
    let name = guest.descriptors.get(fd)?.preopened.ok_or(Errno::BADF)?;
    let mut bytes = [0; 8];
    let len = u32::try_from(name.len()).map_err(|_| Errno::OVERFLOW)?;
    bytes[4..].copy_from_slice(&len.to_le_bytes());
    Ok(memory.put(prestat, &bytes)?)
}

pub(super) fn fd_prestat_dir_name(
    memory: &mut Memory<'_>,
    guest: &mut Guest,
    fd: u32,
    path: u32,
    len: u32,
) -> Done {
    let name = guest.descriptors.get(fd)?.preopened.ok_or(Errno::BADF)?;
    if (len as usize) < name.len() {
        return Err(Errno::NAMETOOLONG.into());
    }
    Ok(memory.put(path, name.as_bytes())?)
}

pub(super) fn fd_renumber(_: &mut Memory<'_>, guest: &mut Guest, fd: u32, to: u32) -> Done {
    guest.descriptors.renumber(fd, to)
}

pub(super) fn fd_seek(
    memory: &mut Memory<'_>,
    guest: &mut Guest,
    fd: u32,
    offset: i64,
    whence: u32,
    position: u32,
) -> Done {
    let file = seekable(guest, fd)?;
    let to = match whence {
        0 => SeekFrom::Start(u64::try_from(offset).map_err(|_| Errno::INVAL)?),
        1 => SeekFrom::Current(offset),
        2 => SeekFrom::End(offset),
        _ => return Err(Errno::INVAL.into()),
    };
    let at = file.seek(to)?;
    Ok(memory.put_u64(position, at)?)
}

pub(super) fn fd_tell(memory: &mut Memory<'_>, guest: &mut Guest, fd: u32, position: u32) -> Done {
    let at = seekable(guest, fd)?.seek(SeekFrom::Current(0))?;
    Ok(memory.put_u64(position, at)?)
}

fn seekable(guest: &Guest, fd: u32) -> Result<&File, Errno> {
    match &guest.descriptors.get(fd)?.kind {
        Kind::File(file) => Ok(file),
        Kind::Stdin | Kind::Output(_) => Err(Errno::SPIPE),
        Kind::Dir { .. } => Err(Errno::BADF),
    }
}

pub(super) fn fd_read(
    memory: &mut Memory<'_>,
    guest: &mut Guest,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    read: u32,
) -> Done {
    let iovecs = memory.iovecs(iovs, iovs_len)?;
    let total = match &guest.descriptors.get(fd)?.kind {
        Kind::Stdin => 0,
        Kind::File(file) => read_file(memory, guest, file, iovecs, None)?,
        Kind::Dir { .. } | Kind::Output(_) => return Err(Errno::BADF.into()),
    };
    Ok(memory.put_u32(read, total)?)
}

pub(super) fn fd_pread(
    memory: &mut Memory<'_>,
    guest: &mut Guest,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    offset: u64,
    read: u32,
) -> Done {
    let iovecs = memory.iovecs(iovs, iovs_len)?;
    let total = read_file(memory, guest, seekable(guest, fd)?, iovecs, Some(offset))?;
    Ok(memory.put_u32(read, total)?)
}

/// Calls `step` on the buffers, in pieces, until one is not used to its end; the bytes used in all.
fn transfer(
    memory: &mut Memory<'_>,
    guest: &Guest,
    iovecs: Iovecs,
    offset: Option<u64>,
    step: impl Fn(&mut [u8], Option<u64>) -> FsResult<usize>,
) -> Result<u32, Fault> {
    let mut total: u32 = 0;
    for i in 0..iovecs.count() {
        let span = iovecs.get(memory, i)?;
        for piece in memory.bytes_mut(span).chunks_mut(STEP_BYTES) {
            let at = match offset {
                Some(offset) => Some(offset.checked_add(u64::from(total)).ok_or(Errno::INVAL)?),
                None => None,
            };
            let used = match step(piece, at) {
                Ok(used) => used,
                // What went before is done; the next call meets the error again.
                Err(_) if total > 0 => return Ok(total),
                Err(errno) => return Err(errno.into()),
            };
            total =
                u32::try_from(used).ok().and_then(|used| total.checked_add(used)).ok_or(Errno::OVERFLOW)?;
            if used < piece.len() {
                return Ok(total);
            }
            if piece.len() == STEP_BYTES && guest.stop.reason().is_some() {
                return Err(Fault::Halt(Halt::Stopped));
            }
        }
    }
    Ok(total)
}

fn read_file(
    memory: &mut Memory<'_>,
    guest: &Guest,
    file: &File,
    iovecs: Iovecs,
    offset: Option<u64>,
) -> Result<u32, Fault> {
    if !file.can_read() {
        return Err(Errno::BADF.into());
    }
    transfer(memory, guest, iovecs, offset, |piece, at| file.read(piece, at))
}

fn write_file(
    memory: &mut Memory<'_>,
    guest: &Guest,
    file: &File,
    iovecs: Iovecs,
    offset: Option<u64>,
) -> Result<u32, Fault> {
    if !file.can_write() {
        return Err(Errno::BADF.into());
    }
    transfer(memory, guest, iovecs, offset, |piece, at| file.write(piece, at))
}

pub(super) fn fd_write(
    memory: &mut Memory<'_>,
    guest: &mut Guest,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    written: u32,
) -> Done {
    let iovecs = memory.iovecs(iovs, iovs_len)?;
    let total = match &guest.descriptors.get(fd)?.kind {
        Kind::Output(stream) => write_stream(memory, guest, *stream, iovecs)?,
        Kind::File(file) => write_file(memory, guest, file, iovecs, None)?,
        Kind::Dir { .. } | Kind::Stdin => return Err(Errno::BADF.into()),
    };
    Ok(memory.put_u32(written, total)?)
}

pub(super) fn fd_pwrite(
    memory: &mut Memory<'_>,
    guest: &mut Guest,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    offset: u64,
    written: u32,
) -> Done {
    let iovecs = memory.iovecs(iovs, iovs_len)?;
    let total = write_file(memory, guest, seekable(guest, fd)?, iovecs, Some(offset))?;
    Ok(memory.put_u32(written, total)?)
}

/// Gives the buffers to the capture: small ones as one piece, as the program wrote them.
fn write_stream(
    memory: &Memory<'_>,
    guest: &mut Guest,
    stream: Stream,
    iovecs: Iovecs,
) -> Result<u32, Fault> {
    let mut spans = (0..iovecs.count())
        .map(|i| iovecs.get(memory, i))
        .filter(|span| !matches!(span, Ok(span) if span.len() == 0));
    let Some(first) = spans.next().transpose()? else { return Ok(0) };
    let Some(second) = spans.next().transpose()? else { return give(guest, stream, memory.bytes(first)) };
    let mut total: u32 = 0;
    let mut scratch = std::mem::take(&mut guest.scratch);
    scratch.clear();
    for span in [Ok(first), Ok(second)].into_iter().chain(spans) {
        let bytes = memory.bytes(span?);
        if scratch.len() + bytes.len() > GATHER_BYTES_MAX {
            total += give(guest, stream, &scratch)?;
            scratch.clear();
        }
        if bytes.len() > GATHER_BYTES_MAX {
            total += give(guest, stream, bytes)?;
        } else {
            scratch.extend_from_slice(bytes);
        }
    }
    total += give(guest, stream, &scratch)?;
    guest.scratch = scratch;
    Ok(total)
}

fn give(guest: &Guest, stream: Stream, bytes: &[u8]) -> Result<u32, Fault> {
    if bytes.is_empty() {
        return Ok(0);
    }
    let failed = |error| {
        let name = match stream {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        };
        let message = format!("keeping what the program wrote to {name}: {error}");
        Fault::Halt(Halt::Host(Failure::new(ReasonCode::ResultsError, message)))
    };
    guest.capture.write(stream, bytes).map_err(failed)?;
    Ok(u32::try_from(bytes.len()).map_err(|_| Errno::OVERFLOW)?)
}

pub(super) fn fd_readdir(
    memory: &mut Memory<'_>,
    guest: &mut Guest,
    fd: u32,
    buf: u32,
    len: u32,
    cookie: u64,
    used: u32,
) -> Done {
    let into = memory.span(buf, len)?;
    let Kind::Dir { dir, listed } = &mut guest.descriptors.get_mut(fd)?.kind else {
        return Err(Errno::NOTDIR.into());
    };
    // From its beginning a folder is listed anew; afterwards the list stays, whatever happens to the folder.
    if listed.is_none() || cookie == 0 {
        *listed = None;
        let entries = guest.fs.list(dir)?;
        guest.descriptors.list(fd, entries)?;
    }
    let entries = guest.descriptors.listed(fd)?;
    let mut out = Filler { memory, into, at: 0 };
    let skip = usize::try_from(cookie).unwrap_or(usize::MAX);
    for (next, entry) in (1u64..).zip(entries.iter()).skip(skip) {
        let name_len = u32::try_from(entry.name.len()).map_err(|_| Errno::OVERFLOW)?;
        out.push(&dirent(next, entry.ino, name_len, entry.kind));
        out.push(&entry.name);
        if out.is_full() {
            break;
        }
    }
    let filled = u32::try_from(out.at).map_err(|_| Errno::OVERFLOW)?;
    Ok(memory.put_u32(used, filled)?)
}

/// Fills a part of memory; what does not fit is cut.
struct Filler<'a, 'm> {
    memory: &'a mut Memory<'m>,
    into: Span,
    at: usize,
}

impl Filler<'_, '_> {
    fn push(&mut self, bytes: &[u8]) {
        let room = &mut self.memory.bytes_mut(self.into)[self.at..];
        let fits = bytes.len().min(room.len());
        room[..fits].copy_from_slice(&bytes[..fits]);
        self.at += fits;
    }

    fn is_full(&self) -> bool {
        self.at == self.into.len()
    }
}
