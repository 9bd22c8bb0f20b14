//! Unpacking tar archives that a job brought: files and folders alone, within limits, below one folder.
//!
//! The entry loop is our own: names are checked before anything is made, long names are bounded, and nothing is a
//! link, so that no path within the folder leads out of it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};

use crate::limits::Limits;

use super::open_to_all;
use crate::results::NAME_BYTES_MAX;

/// Bytes that a path in an archive may have.
pub(super) const PATH_BYTES_MAX: usize = 4_095;
/// Bytes of an extended header (PAX).
const EXTENDED_HEADER_BYTES_MAX: u64 = 64 * 1024;
/// Bytes of tar framing per entry: its header, an extended one with a path, padding.
const FRAMING_BYTES_PER_ENTRY_MAX: u64 = 8 * 1024;

/// Why an archive was refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArchiveError {
    #[error("reading the archive: {0}")]
    Read(#[source] io::Error),
    #[error("archive entry {path:?} {why}")]
    Path { path: String, why: &'static str },
    #[error("archive entry {path:?} is a {kind}; only files and folders are unpacked")]
    Kind { path: String, kind: String },
    #[error("archive has more than {max} {what} ({limit})")]
    TooMuch { what: &'static str, max: u64, limit: &'static str },
    #[error("archive entry {path:?} has {bytes} bytes, inline_file_bytes_max is {max}")]
    FileTooBig { path: String, bytes: u64, max: u64 },
    #[error("writing {path}: {source}")]
    Write { path: PathBuf, source: io::Error },
    #[error("unpacking was stopped")]
    Stopped,
}

/// What an archive holds.
#[derive(Debug, Default)]
pub(super) struct Unpacked {
    /// Bytes of all files.
    pub(super) bytes: u64,
    /// Files and folders.
    entries: u64,
    /// First parts of all paths; two are enough to know that there is not one.
    tops: BTreeSet<Vec<u8>>,
    /// Whether an entry is the root itself, which then is the archive's own base.
    has_root: bool,
}

impl Unpacked {
    /// What is mounted of the folder it was unpacked into: the one thing in it, or the folder.
    ///
    /// Clients pack a path with its base name; that name is no part of what the task sees.
    pub(super) fn base(&self, folder: &Path) -> PathBuf {
        match self.tops.first() {
            Some(top) if self.tops.len() == 1 && !self.has_root => folder.join(OsStr::from_bytes(top)),
            _ => folder.to_path_buf(),
        }
    }
}

/// Unpacks a tar.gz into a folder, or only reads it through if there is none.
pub(super) fn unpack(
    gzip: &[u8],
    folder: Option<&Path>,
    limits: &Limits,
    stopped: &AtomicBool,
) -> Result<Unpacked, ArchiveError> {
    let framing = limits.inline_entries_max.saturating_add(16).saturating_mul(FRAMING_BYTES_PER_ENTRY_MAX);
    let bytes_max = limits.inline_bytes_max.saturating_add(framing);
    let mut archive = Archive::new(MultiGzDecoder::new(gzip).take(bytes_max));
    let entries = archive.entries().map_err(ArchiveError::Read)?.raw(true);
    let mut unpacked = Unpacked::default();
    let (mut header_count, mut long_path) = (0, None);
    if let Some(folder) = folder {
        make_folder(folder)?;
    }
    for entry in entries {
        if stopped.load(Ordering::Relaxed) {
            return Err(ArchiveError::Stopped);
        }
        header_count += 1;
        // Headers that only name the next entry count too, but an entry may have one.
        if header_count > limits.inline_entries_max.saturating_mul(2) {
            return Err(too_many_entries(limits));
        }
        let mut entry = entry.map_err(ArchiveError::Read)?;
        match entry.header().entry_type() {
            EntryType::GNULongName => {
                let mut name = read_bounded(&mut entry, PATH_BYTES_MAX as u64 + 1)?;
                name.pop_if(|last| *last == 0);
                long_path = Some(name);
            }
            EntryType::XHeader => {
                let size = entry.size();
                let text = read_bounded(&mut entry, EXTENDED_HEADER_BYTES_MAX)?;
                long_path = extended_path(&text, size)?.or(long_path);
            }
            EntryType::XGlobalHeader => {}
            kind => {
                let name = long_path.take().unwrap_or_else(|| entry.path_bytes().into_owned());
                let executable = entry.header().mode().is_ok_and(|mode| mode & 0o100 != 0);
                let size = entry.size();
                unpacked.take(&Named { name, kind, size, executable }, &mut entry, folder, limits)?;
            }
        }
    }
    // To the end: only there the compression's own checksum is.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(ArchiveError::Read)?;
    Ok(unpacked)
}

/// One entry with the name that it has after all headers.
struct Named {
    name: Vec<u8>,
    kind: EntryType,
    size: u64,
    executable: bool,
}

impl Unpacked {
    /// Takes one entry: checks it, and makes it if there is a folder.
    fn take(
        &mut self,
        entry: &Named,
        data: &mut impl Read,
        folder: Option<&Path>,
        limits: &Limits,
    ) -> Result<(), ArchiveError> {
        let Named { name, kind, size, executable } = entry;
        let is_folder = kind.is_dir() || (*kind == EntryType::Regular && name.ends_with(b"/"));
        if !is_folder && !matches!(kind, EntryType::Regular | EntryType::Continuous) {
            return Err(ArchiveError::Kind { path: lossy(name), kind: kind_name(*kind) });
        }
        self.entries += 1;
        if self.entries > limits.inline_entries_max {
            return Err(too_many_entries(limits));
        }
        let parts = checked_parts(name, limits)?;
        let Some(top) = parts.first() else {
            self.has_root = true;
            return Ok(());
        };
        if self.tops.len() < 2 {
            self.tops.insert(top.to_vec());
        }
        if is_folder {
            return folder.map_or(Ok(()), |folder| make_folders(folder, &parts));
        }
        if *size > limits.inline_file_bytes_max {
            let max = limits.inline_file_bytes_max;
            return Err(ArchiveError::FileTooBig { path: lossy(name), bytes: *size, max });
        }
        self.bytes += size;
        if self.bytes > limits.inline_bytes_max {
            let max = limits.inline_bytes_max;
            return Err(ArchiveError::TooMuch { what: "bytes", max, limit: "inline_bytes_max" });
        }
        match folder {
            Some(folder) => write_file(folder, &parts, data, *size, *executable),
            None => copy_exactly(data, &mut io::sink(), *size).map_err(ArchiveError::Read),
        }
    }
}

fn too_many_entries(limits: &Limits) -> ArchiveError {
    ArchiveError::TooMuch { what: "entries", max: limits.inline_entries_max, limit: "inline_entries_max" }
}

/// The parts of a name that stays below its folder; none for the folder itself.
pub(super) fn checked_parts<'a>(name: &'a [u8], limits: &Limits) -> Result<Vec<&'a [u8]>, ArchiveError> {
    let refuse = |why| Err(ArchiveError::Path { path: lossy(name), why });
    if name.len() > PATH_BYTES_MAX {
        return refuse("has a path longer than 4095 bytes");
    }
    if name.first() == Some(&b'/') {
        return refuse("has an absolute path");
    }
    if name.contains(&b'\\') {
        return refuse("has a backslash in its path");
    }
    if name.is_empty() || name.contains(&0) {
        return refuse("has no usable path");
    }
    let parts: Vec<&[u8]> =
        name.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && part != b".").collect();
    if parts.iter().any(|part| part == b"..") {
        return refuse("has `..` in its path");
    }
    if parts.iter().any(|part| part.len() > NAME_BYTES_MAX) {
        return refuse("has a name longer than 255 bytes");
    }
    if parts.len() > limits.path_depth_max {
        return refuse("lies deeper than path_depth_max");
    }
    Ok(parts)
}

fn lossy(name: &[u8]) -> String {
    String::from_utf8_lossy(&name[..name.len().min(200)]).into_owned()
}

fn kind_name(kind: EntryType) -> String {
    match kind {
        EntryType::Symlink => "symbolic link".to_owned(),
        EntryType::Link | EntryType::GNULongLink => "link".to_owned(),
        EntryType::Char | EntryType::Block => "device".to_owned(),
        EntryType::Fifo => "named pipe".to_owned(),
        EntryType::GNUSparse => "sparse file".to_owned(),
        other => format!("entry of type {:?}", char::from(other.as_byte())),
    }
}

fn read_bounded(from: &mut impl Read, bytes_max: u64) -> Result<Vec<u8>, ArchiveError> {
    let mut bytes = Vec::new();
    from.take(bytes_max + 1).read_to_end(&mut bytes).map_err(ArchiveError::Read)?;
    if bytes.len() as u64 > bytes_max {
        return Err(ArchiveError::TooMuch { what: "bytes in one header", max: bytes_max, limit: "fixed" });
    }
    Ok(bytes)
}

/// The path that an extended header gives the next entry.
fn extended_path(text: &[u8], size: u64) -> Result<Option<Vec<u8>>, ArchiveError> {
    let broken = || ArchiveError::Read(io::Error::new(io::ErrorKind::InvalidData, "broken extended header"));
    if text.len() as u64 != size {
        return Err(broken());
    }
    let (mut path, mut rest) = (None, text);
    while !rest.is_empty() {
        let space = rest.iter().position(|byte| *byte == b' ').ok_or_else(broken)?;
        let length: usize =
            std::str::from_utf8(&rest[..space]).ok().and_then(|text| text.parse().ok()).ok_or_else(broken)?;
        let record = rest.get(space + 1..length).and_then(|record| record.strip_suffix(b"\n"));
        let record = record.ok_or_else(broken)?;
        match record.strip_prefix(b"path=") {
            Some(value) => path = Some(value.to_vec()),
            // A size here overrides the next header's, which a reader of raw headers would not see.
            None if record.starts_with(b"size=") || record.starts_with(b"GNU.sparse.") => {
                return Err(ArchiveError::Kind { path: String::new(), kind: "file of extended size".into() });
            }
            None => {}
        }
        rest = &rest[length..];
    }
    Ok(path)
}

fn joined(folder: &Path, parts: &[&[u8]]) -> PathBuf {
    let mut path = folder.to_path_buf();
    path.extend(parts.iter().map(|part| OsStr::from_bytes(part)));
    path
}

fn make_folder(path: &Path) -> Result<(), ArchiveError> {
    let made = match DirBuilder::new().mode(0o755).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => return Ok(()),
        made => made.and_then(|()| open_to_all(path, true)),
    };
    made.map_err(|source| ArchiveError::Write { path: path.to_path_buf(), source })
}

fn make_folders(folder: &Path, parts: &[&[u8]]) -> Result<(), ArchiveError> {
    let path = joined(folder, parts);
    if path.is_dir() {
        return Ok(());
    }
    (1..=parts.len()).try_for_each(|depth| make_folder(&joined(folder, &parts[..depth])))
}

fn write_file(
    folder: &Path,
    parts: &[&[u8]],
    from: &mut impl Read,
    size: u64,
    executable: bool,
) -> Result<(), ArchiveError> {
    let path = joined(folder, parts);
    let failed = |source| ArchiveError::Write { path: path.clone(), source };
    let open = || OpenOptions::new().write(true).create_new(true).open(&path);
    let file = match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_folders(folder, &parts[..parts.len() - 1])?;
            open()
        }
        // An archive that was appended to holds the newer file later.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(&path).and_then(|()| open())
        }
        opened => opened,
    };
    let mut file = file.map_err(failed)?;
    copy_exactly(from, &mut file, size).map_err(failed)?;
    file.flush().and_then(|()| open_to_all(&path, executable)).map_err(failed)
}

fn copy_exactly(from: &mut impl Read, to: &mut impl io::Write, size: u64) -> io::Result<()> {
    if io::copy(from, to)? == size { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
