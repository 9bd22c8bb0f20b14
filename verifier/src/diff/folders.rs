//! Folders side by side, down to the first byte that differs.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::{Errno, pread};

use super::{Change, Differences, ProfilesDiffer, diff_manifests};
use crate::hash::hash_path;
use crate::{HashError, HashOptions, Hashed, Manifest, PathName};

/// Bytes compared at a time.
const COMPARED_BYTES: usize = 64 << 10;

/// Why two results could not be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiffError {
    /// A side could not be hashed.
    #[error("comparing results: the {side} one could not be read")]
    Hash {
        /// `left` or `right`.
        side: &'static str,
        /// Why.
        #[source]
        source: HashError,
    },
    /// The chunks of the two sides are not of one profile.
    #[error(transparent)]
    Profiles(#[from] ProfilesDiffer),
}

/// What differs between two files or folders, with the first differing byte of every file.
///
/// Hidden names are compared no more than they are hashed.
pub fn diff_folders(left: &Path, right: &Path, options: &HashOptions) -> Result<Differences, DiffError> {
    let left_manifest = manifest_of("left", left, options)?;
    let right_manifest = manifest_of("right", right, options)?;
    let mut differences = diff_manifests(&left_manifest, &right_manifest)?;
    find_bytes(&mut differences, left, right);
    Ok(differences)
}

/// What differs between a manifest (left) and a file or folder (right), down to the chunk.
pub fn diff_folder_with_manifest(
    left: &Manifest,
    right: &Path,
    options: &HashOptions,
) -> Result<Differences, DiffError> {
    let options = options.clone().with_profile(left.profile());
    let right = manifest_of("right", right, &options)?;
    Ok(diff_manifests(left, &right)?)
}

fn manifest_of(side: &'static str, path: &Path, options: &HashOptions) -> Result<Manifest, DiffError> {
    let options = options.clone().with_entries(true);
    let Hashed { manifest, .. } =
        hash_path(path, &options).map_err(|source| DiffError::Hash { side, source })?;
    Ok(manifest.expect("the options ask for the entries"))
}

impl Differences {
    /// Finds the first differing byte of every changed file that can be read below both `left` and `right`.
    ///
    /// Only the first chunk that differs is read. What cannot be read keeps its chunk alone.
    pub fn find_first_bytes(&mut self, left: &Path, right: &Path) {
        find_bytes(self, left, right);
    }
}

fn find_bytes(differences: &mut Differences, left: &Path, right: &Path) {
    for difference in &mut differences.differences {
        let Change::Changed { kind: None, content: Some(content), .. } = &mut difference.change else {
            continue;
        };
        let path = &difference.path;
        content.first_byte = open_below(left, path)
            .and_then(|left| Ok((left, open_below(right, path)?)))
            .and_then(|(left, right)| first_byte(&left, &right, content.chunk_start))
            .unwrap_or(None);
    }
}

/// Opens the file at `path` below `root`, following no symlink on the way.
fn open_below(root: &Path, path: &PathName) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    if path.is_empty() {
        return openat(CWD, root, flags, Mode::empty());
    }
    let mut parts = path.as_bytes().split(|byte| *byte == b'/').peekable();
    let mut folder = openat(CWD, root, flags | OFlags::DIRECTORY, Mode::empty())?;
    while let Some(part) = parts.next() {
        // A difference may come from a manifest that nobody has checked.
        if matches!(part, b"" | b"." | b"..") {
            return Err(Errno::INVAL);
        }
        let part = OsStr::from_bytes(part);
        if parts.peek().is_none() {
            return openat(&folder, part, flags, Mode::empty());
        }
        folder = openat(&folder, part, flags | OFlags::DIRECTORY, Mode::empty())?;
    }
    Err(Errno::INVAL)
}

/// Offset of the first differing byte from `start` on; where one side ends first, its end.
fn first_byte(left: &OwnedFd, right: &OwnedFd, start: u64) -> Result<Option<u64>, Errno> {
    let (mut a, mut b) = (vec![0; COMPARED_BYTES], vec![0; COMPARED_BYTES]);
    let mut at = start;
    loop {
        let (got_a, got_b) = (fill(left, &mut a, at)?, fill(right, &mut b, at)?);
        let common = got_a.min(got_b);
        if let Some(index) = a[..common].iter().zip(&b[..common]).position(|(a, b)| a != b) {
            return Ok(Some(at + index as u64));
        }
        if got_a != got_b {
            return Ok(Some(at + common as u64));
        }
        if common < COMPARED_BYTES {
            return Ok(None);
        }
        at += common as u64;
    }
}

fn fill(fd: &OwnedFd, into: &mut [u8], at: u64) -> Result<usize, Errno> {
    let mut filled = 0;
    while filled < into.len() {
        match pread(fd, &mut into[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(filled)
}
