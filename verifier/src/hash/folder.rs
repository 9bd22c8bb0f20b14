//! Folders: listed, sorted, and put together from what they hold.

use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{FileType, RawDir, fstat};

use super::HashError;
use super::file::Stamp;
use super::share::{Pass, Worker};
use super::walk::{Found, hash_found, io_error};
use crate::manifest::{FolderRecords, Record, Tag};
use crate::unixfs::{Link, NamedLink, folder_link};
use crate::{Digest, PathName};

/// Folders of at least this many entries are shared among threads.
const SHARED_ENTRIES_MIN: usize = 24;
/// From so many files on, a folder with a few folders in it is shared too.
const LARGE_TREE_FILES: u64 = 512;
/// Bytes of directory entries read at a time.
const LISTING_BYTES: usize = 8 << 10;

/// A hashed entry as its folder needs it.
#[derive(Clone, Copy)]
pub(super) struct Child {
    pub(super) link: Link,
    pub(super) tag: Tag,
    pub(super) size: u64,
    pub(super) digest: Digest,
}

/// The names in a folder, in one piece of memory.
struct Listing {
    bytes: Vec<u8>,
    names: Vec<Name>,
}

#[derive(Clone, Copy)]
struct Name {
    start: usize,
    length: u16,
    kind: FileType,
}

impl Listing {
    fn name(&self, name: Name) -> &[u8] {
        &self.bytes[name.start..name.start + usize::from(name.length)]
    }

    fn names(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.names.iter().map(|name| self.name(*name))
    }

    // Its buffer must not become part of the frame that recursion repeats.
    #[inline(never)]
    fn read(
        pass: &Pass<'_>,
        worker: &mut Worker,
        fd: BorrowedFd<'_>,
        path: &PathName,
    ) -> Result<Self, HashError> {
        let mut listing = Self { bytes: Vec::new(), names: Vec::new() };
        let mut buffer = [MaybeUninit::uninit(); LISTING_BYTES];
        let mut entries = RawDir::new(fd, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = entry.map_err(|errno| io_error("listing", path.clone(), errno))?;
            let name = entry.file_name().to_bytes();
            match name {
                b"." | b".." => continue,
                [b'.', ..] => {
                    worker.hide(|| path.join(name), pass.options);
                    continue;
                }
                _ => {}
            }
            let length = u16::try_from(name.len()).expect("a directory entry is shorter than 64 KiB");
            listing.names.push(Name { start: listing.bytes.len(), length, kind: entry.file_type() });
            listing.bytes.extend_from_slice(name);
        }
        let bytes = &listing.bytes;
        let name_of = |name: &Name| &bytes[name.start..name.start + usize::from(name.length)];
        listing.names.sort_unstable_by(|a, b| name_of(a).cmp(name_of(b)));
        Ok(listing)
    }
}

/// Hashes the open folder `fd`, which lies `depth` folders below the hashed one.
pub(super) fn hash_folder(
    pass: &Pass<'_>,
    worker: &mut Worker,
    fd: &OwnedFd,
    path: &PathName,
    depth: usize,
) -> Result<Child, HashError> {
    let depth_max = pass.options.depth_max;
    if depth > depth_max {
        return Err(HashError::TooDeep { path: path.clone(), depth_max });
    }
    let looking = |errno| io_error("looking at", path.clone(), errno);
    let before = fstat(fd).map_err(looking)?;
    let fd = rustix::fd::AsFd::as_fd(fd);
    let listing = Listing::read(pass, worker, fd, path)?;
    let folders = listing.names.iter().filter(|name| name.kind == FileType::Directory).count();
    let shared = listing.names.len() >= SHARED_ENTRIES_MIN || folders > 1 && worker.files >= LARGE_TREE_FILES;
    let children = pass.each(worker, listing.names.len(), shared, |worker, index| {
        let name = listing.names[index];
        let found = Found { folder: fd, name: listing.name(name), kind: name.kind };
        hash_found(pass, worker, &found, path, depth)
    })?;
    let after = fstat(fd).map_err(looking)?;
    if Stamp::of(&before) != Stamp::of(&after) {
        return Err(HashError::Changed { path: path.clone() });
    }
    put_together(pass, &listing, &children).map_err(|source| HashError::Shard { path: path.clone(), source })
}

fn put_together(
    pass: &Pass<'_>,
    listing: &Listing,
    children: &[Child],
) -> Result<Child, crate::unixfs::ShardTooDeep> {
    let mut records = FolderRecords::new();
    for (name, child) in listing.names().zip(children) {
        records.add(&Record { tag: child.tag, name, size: child.size, digest: child.digest });
    }
    let links = listing.names().zip(children).map(|(name, child)| NamedLink { name, link: child.link });
    let link = folder_link(pass.options.profile, pass.options.boundary, links)?;
    Ok(Child { link, tag: Tag::Folder, size: 0, digest: records.finish() })
}
