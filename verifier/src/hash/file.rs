//! Files, read once.

use std::os::fd::BorrowedFd;

use rustix::fs::{Stat, fstat};
use rustix::io::{Errno, pread};

use super::HashError;
use super::share::{Pass, Worker};
use super::walk::io_error;
use crate::manifest::{Tag, content_digest};
use crate::sha256;
use crate::unixfs::{FileDag, LeafFrame, Link};
use crate::{Digest, PathName};

/// Files of at least this many chunks are hashed by several threads.
const SHARED_CHUNKS_MIN: u64 = 8;

/// What hashing one file has given.
pub(super) struct HashedFile {
    pub(super) link: Link,
    pub(super) tag: Tag,
    pub(super) size: u64,
    pub(super) digest: Digest,
    /// The chunk digests, kept where entries are.
    pub(super) chunks: Vec<Digest>,
}

/// What must not change while something is read.
#[derive(PartialEq, Eq)]
pub(super) struct Stamp {
    size: i64,
    changed: (i64, i64),
    modified: (i64, i64),
}

impl Stamp {
    #[allow(clippy::cast_possible_wrap, clippy::unnecessary_cast)] // The field types differ between machines.
    pub(super) fn of(stat: &Stat) -> Self {
        Self {
            size: stat.st_size as i64,
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as i64),
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as i64),
        }
    }
}

/// Hashes the open regular file `fd`, whose state when it was opened is `stat`.
pub(super) fn hash_file(
    pass: &Pass<'_>,
    worker: &mut Worker,
    fd: BorrowedFd<'_>,
    stat: &Stat,
    path: &dyn Fn() -> PathName,
) -> Result<HashedFile, HashError> {
    let profile = pass.options.profile;
    let size = u64::try_from(stat.st_size).unwrap_or(0);
    let count = profile.chunk_count(size);
    let executable = stat.st_mode & 0o100 != 0;
    let tag = if executable { Tag::Executable } else { Tag::File };
    let (link, chunks) = if count == 1 {
        let (digest, block_bytes) = hash_chunk(pass, worker, fd, size, 0, path)?;
        let link = Link::leaf(profile, digest, block_bytes);
        (link, vec![digest])
    } else {
        let count = usize::try_from(count).map_err(|_| HashError::Changed { path: path() })?;
        let shared = count as u64 >= SHARED_CHUNKS_MIN;
        let name = path();
        let leaves = pass.each(worker, count, shared, |worker, index| {
            hash_chunk(pass, worker, fd, size, index as u64, &|| name.clone())
        })?;
        let mut dag = FileDag::new(profile);
        let chunk_bytes = profile.chunk_bytes() as u64;
        for (index, (digest, block_bytes)) in leaves.iter().enumerate() {
            let start = index as u64 * chunk_bytes;
            dag.push(*digest, *block_bytes, chunk_bytes.min(size - start));
        }
        (dag.finish(), leaves.into_iter().map(|(digest, _)| digest).collect())
    };
    let after = fstat(fd).map_err(|errno| io_error("looking at", path(), errno))?;
    if Stamp::of(&after) != Stamp::of(stat) {
        return Err(HashError::Changed { path: path() });
    }
    pass.count(worker, 0, 1);
    let digest = content_digest(&chunks);
    let chunks = if pass.options.entries { chunks } else { Vec::new() };
    Ok(HashedFile { link, tag, size, digest, chunks })
}

/// Reads one chunk and gives the digest and length of its leaf block.
fn hash_chunk(
    pass: &Pass<'_>,
    worker: &mut Worker,
    fd: BorrowedFd<'_>,
    size: u64,
    index: u64,
    path: &dyn Fn() -> PathName,
) -> Result<(Digest, u64), HashError> {
    let profile = pass.options.profile;
    let start = index * profile.chunk_bytes() as u64;
    let wanted = usize::try_from((size - start).min(profile.chunk_bytes() as u64))
        .map_err(|_| HashError::Changed { path: path() })?;
    // The block is laid out around the chunk, so that it is hashed in one go without a copy.
    let head = LeafFrame::HEAD_BYTES_MAX;
    let room = head + wanted.max(1) + LeafFrame::TAIL_BYTES_MAX;
    if worker.buffer.len() < room {
        worker.buffer.resize(room.max(16 << 10), 0);
    }
    // An empty file is read too: what the system calls empty may hold bytes, as files of the kernel do.
    let into = &mut worker.buffer[head..head + wanted.max(1)];
    let mut filled = 0;
    while filled < into.len() {
        match pread(fd, &mut into[filled..], start + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(io_error("reading", path(), errno)),
        }
    }
    if filled != wanted {
        return Err(HashError::Changed { path: path() });
    }
    let frame = LeafFrame::new(profile, wanted);
    let (before, after) = (frame.head(), frame.tail());
    let from = head - before.len();
    let to = head + wanted + after.len();
    worker.buffer[from..head].copy_from_slice(before);
    worker.buffer[head + wanted..to].copy_from_slice(after);
    let digest = sha256::digest(&worker.buffer[from..to]);
    pass.count(worker, wanted as u64, 0);
    Ok((digest, frame.block_bytes(wanted)))
}
