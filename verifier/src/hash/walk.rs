//! From a path to its digests: what each entry is decides how it is hashed.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, fstat, openat, readlinkat, statat};
use rustix::io::Errno;

use super::file::hash_file;
use super::folder::{Child, hash_folder};
use super::share::{Pass, Worker};
use super::{HashError, HashOptions, Hashed};
use crate::manifest::{Entry, EntryKind, Manifest, Tag, root_digest};
use crate::unixfs::symlink_digest;
use crate::{Digest, PathName};

pub(super) fn io_error(action: &'static str, path: PathName, errno: Errno) -> HashError {
    HashError::Io { action, path, source: errno.into() }
}

/// The CID and manifest of the file, folder or symlink at `path`, in one pass.
///
/// # Errors
/// [`HashError`] names the path that could not be hashed. Nothing is followed, changed, or left open.
pub fn hash_path(path: &Path, options: &HashOptions) -> Result<Hashed, HashError> {
    let pass = Pass::new(options);
    let mut worker = Worker::default();
    let root = PathName::default();
    let folder_flags = OFlags::DIRECTORY | OPEN_FLAGS;
    let child = match openat(CWD, path, folder_flags, Mode::empty()) {
        Ok(fd) => hash_folder(&pass, &mut worker, &fd, &root, 0)?,
        Err(Errno::NOTDIR | Errno::LOOP) => {
            let name = std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str());
            let found = Found { folder: CWD, name, kind: FileType::Unknown };
            hash_entry(&pass, &mut worker, &found, &|| PathName::default(), 0)?
        }
        Err(errno) => return Err(io_error("opening", root, errno)),
    };
    Ok(finish(&pass, worker, child))
}

fn finish(pass: &Pass<'_>, mut worker: Worker, child: Child) -> Hashed {
    let options = pass.options;
    if let Some(progress) = &options.progress {
        progress(super::Progress { bytes: worker.bytes, files: worker.files });
    }
    worker.hidden.sort_unstable();
    let root = root_digest(options.profile, child.tag, child.size, child.digest);
    let manifest = options.entries.then(|| Manifest::walked(options.profile, worker.entries, root));
    Hashed {
        cid: child.link.cid(),
        profile: options.profile,
        root,
        manifest,
        hidden: worker.hidden,
        hidden_count: worker.hidden_count,
        bytes: worker.bytes,
        files: worker.files,
    }
}

/// Opens neither through a symlink nor for a writer to come, and takes no terminal.
const OPEN_FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);

/// A name met in a folder.
pub(super) struct Found<'f> {
    pub(super) folder: BorrowedFd<'f>,
    pub(super) name: &'f [u8],
    pub(super) kind: FileType,
}

/// Hashes what a folder at `parent` holds under a name.
pub(super) fn hash_found(
    pass: &Pass<'_>,
    worker: &mut Worker,
    found: &Found<'_>,
    parent: &PathName,
    depth: usize,
) -> Result<Child, HashError> {
    hash_entry(pass, worker, found, &|| parent.join(found.name), depth + 1)
}

fn hash_entry(
    pass: &Pass<'_>,
    worker: &mut Worker,
    found: &Found<'_>,
    path: &dyn Fn() -> PathName,
    depth: usize,
) -> Result<Child, HashError> {
    let kind = match found.kind {
        FileType::Unknown => {
            let stat = statat(found.folder, found.name, AtFlags::SYMLINK_NOFOLLOW)
                .map_err(|errno| io_error("looking at", path(), errno))?;
            FileType::from_raw_mode(stat.st_mode)
        }
        known => known,
    };
    match kind {
        FileType::RegularFile => file(pass, worker, found, path),
        FileType::Directory => folder(pass, worker, found, path, depth),
        FileType::Symlink => symlink(pass, worker, found, path),
        special => Err(HashError::Special { path: path(), kind: special_name(special) }),
    }
}

fn special_name(kind: FileType) -> &'static str {
    match kind {
        FileType::Fifo => "fifo",
        FileType::Socket => "socket",
        FileType::CharacterDevice => "character device",
        FileType::BlockDevice => "block device",
        _ => "file of unknown kind",
    }
}

/// What the system says of a name that is no longer what the listing said.
fn open_error(path: PathName, errno: Errno) -> HashError {
    match errno {
        Errno::LOOP | Errno::NOTDIR | Errno::NOENT | Errno::NXIO | Errno::INVAL => {
            HashError::Changed { path }
        }
        errno => io_error("opening", path, errno),
    }
}

fn file(
    pass: &Pass<'_>,
    worker: &mut Worker,
    found: &Found<'_>,
    path: &dyn Fn() -> PathName,
) -> Result<Child, HashError> {
    let fd = openat(found.folder, found.name, OPEN_FLAGS, Mode::empty())
        .map_err(|errno| open_error(path(), errno))?;
    let stat = fstat(&fd).map_err(|errno| io_error("looking at", path(), errno))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(HashError::Changed { path: path() });
    }
    let hashed = hash_file(pass, worker, fd.as_fd(), &stat, path)?;
    if pass.options.entries {
        worker.entries.push(Entry {
            path: path(),
            kind: EntryKind::File,
            size: hashed.size,
            executable: hashed.tag == Tag::Executable,
            chunks: hashed.chunks,
        });
    }
    Ok(Child { link: hashed.link, tag: hashed.tag, size: hashed.size, digest: hashed.digest })
}

fn folder(
    pass: &Pass<'_>,
    worker: &mut Worker,
    found: &Found<'_>,
    path: &dyn Fn() -> PathName,
    depth: usize,
) -> Result<Child, HashError> {
    let path = path();
    let fd = openat(found.folder, found.name, OPEN_FLAGS | OFlags::DIRECTORY, Mode::empty())
        .map_err(|errno| open_error(path.clone(), errno))?;
    let child = hash_folder(pass, worker, &fd, &path, depth)?;
    if pass.options.entries {
        let chunks: Vec<Digest> = Vec::new();
        worker.entries.push(Entry { path, kind: EntryKind::Folder, size: 0, executable: false, chunks });
    }
    Ok(child)
}

fn symlink(
    pass: &Pass<'_>,
    worker: &mut Worker,
    found: &Found<'_>,
    path: &dyn Fn() -> PathName,
) -> Result<Child, HashError> {
    let target =
        readlinkat(found.folder, found.name, Vec::new()).map_err(|errno| open_error(path(), errno))?;
    let target = target.as_bytes();
    let (digest, link) = symlink_digest(pass.options.profile, target);
    let size = target.len() as u64;
    if pass.options.entries {
        let kind = EntryKind::Symlink;
        worker.entries.push(Entry { path: path(), kind, size, executable: false, chunks: vec![digest] });
    }
    pass.count(worker, 0, 1);
    Ok(Child { link, tag: Tag::Symlink, size, digest })
}
