//! Files, read once.

use std::ops::Range;
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
        let [(digest, block_bytes), _] = hash_chunks(pass, worker, fd, size, 0..1, path)?;
        (Link::leaf(profile, digest, block_bytes), vec![digest])
    } else {
        let pairs = usize::try_from(count.div_ceil(2)).map_err(|_| HashError::Changed { path: path() })?;
        let name = path();
        let leaves = pass.each(worker, pairs, count >= SHARED_CHUNKS_MIN, |worker, pair| {
            let first = pair as u64 * 2;
            hash_chunks(pass, worker, fd, size, first..count.min(first + 2), &|| name.clone())
        })?;
        let mut dag = FileDag::new(profile);
        let mut chunks = Vec::with_capacity(pairs * 2);
        let chunk_bytes = profile.chunk_bytes() as u64;
        for ((digest, block_bytes), index) in leaves.into_iter().flatten().zip(0..count) {
            dag.push(digest, block_bytes, chunk_bytes.min(size - index * chunk_bytes));
            chunks.push(digest);
        }
        (dag.finish(), chunks)
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

/// A leaf block's digest and length.
type Leaf = (Digest, u64);

/// Reads one chunk or two and gives the leaf of each; of one chunk, the second leaf is the first again.
fn hash_chunks(
    pass: &Pass<'_>,
    worker: &mut Worker,
    fd: BorrowedFd<'_>,
    size: u64,
    chunks: Range<u64>,
    path: &dyn Fn() -> PathName,
) -> Result<[Leaf; 2], HashError> {
    let full = pass.options.profile.chunk_bytes() as u64;
    let chunk_at = |index: u64| Chunk { start: index * full, bytes: full.min(size - index * full) };
    let first = chunk_at(chunks.start);
    let block_a = read_block(pass, worker, fd, 0, &first, path)?;
    let counted = |digest, block: &Range<usize>| (digest, block.len() as u64);
    if chunks.end - chunks.start == 1 {
        let leaf = counted(sha256::digest(&worker.buffer[block_a.clone()]), &block_a);
        pass.count(worker, first.bytes, 0);
        return Ok([leaf; 2]);
    }
    let second = chunk_at(chunks.start + 1);
    let block_b = read_block(pass, worker, fd, block_a.end, &second, path)?;
    let [a, b] = sha256::digest_pair(&worker.buffer[block_a.clone()], &worker.buffer[block_b.clone()]);
    pass.count(worker, first.bytes + second.bytes, 0);
    Ok([counted(a, &block_a), counted(b, &block_b)])
}

/// Where a chunk lies in its file.
struct Chunk {
    start: u64,
    bytes: u64,
}

/// Reads a chunk into the worker's buffer from `at` on and gives the range of the leaf block around it.
fn read_block(
    pass: &Pass<'_>,
    worker: &mut Worker,
    fd: BorrowedFd<'_>,
    at: usize,
    chunk: &Chunk,
    path: &dyn Fn() -> PathName,
) -> Result<Range<usize>, HashError> {
    let wanted = usize::try_from(chunk.bytes).map_err(|_| HashError::Changed { path: path() })?;
    // The block is laid out around the chunk, so that it is hashed in one go without a copy.
    let head = at + LeafFrame::HEAD_BYTES_MAX;
    let room = head + wanted.max(1) + LeafFrame::TAIL_BYTES_MAX;
    if worker.buffer.len() < room {
        worker.buffer.resize(room.max(16 << 10), 0);
    }
    // An empty file is read too: what the system calls empty may hold bytes, as files of the kernel do.
    let into = &mut worker.buffer[head..head + wanted.max(1)];
    let mut filled = 0;
    while filled < into.len() {
        match pread(fd, &mut into[filled..], chunk.start + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(io_error("reading", path(), errno)),
        }
    }
    if filled != wanted {
        return Err(HashError::Changed { path: path() });
    }
    let frame = LeafFrame::new(pass.options.profile, wanted);
    let from = head - frame.head().len();
    let to = head + wanted + frame.tail().len();
    worker.buffer[from..head].copy_from_slice(frame.head());
    worker.buffer[head + wanted..to].copy_from_slice(frame.tail());
    Ok(from..to)
}
