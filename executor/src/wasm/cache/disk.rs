//! Compiled modules on disk, in a folder that is ours alone.
//!
//! *Layout*: `<key in hex>`, each the serialized module followed by SHA-256(key ‖ module). A file is
//! written under another name and renamed, so that it appears whole; one that is torn all the same
//! (power loss) is found out by its digest. What cannot be read or written is as if it were absent.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};

const DIGEST_BYTES: usize = 32;
/// A file under a temporary name that is older was left by a process that died.
const LEFT_OVER_AFTER: Duration = Duration::from_hours(1);
const TEMPORARY: &str = "tmp-";

/// A folder of compiled modules.
#[derive(Debug)]
pub(super) struct DiskCache {
    dir: PathBuf,
    bytes_max: u64,
    temporary: AtomicU64,
}

fn refused(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, why)
}

impl DiskCache {
    pub(super) fn new(dir: PathBuf, bytes_max: u64) -> Self {
        Self { dir, bytes_max, temporary: AtomicU64::new(0) }
    }

    fn path(&self, key: &[u8; 32]) -> PathBuf {
        use std::fmt::Write as _;
        let mut name = String::with_capacity(64);
        for byte in key {
            let _ = write!(name, "{byte:02x}");
        }
        self.dir.join(name)
    }

    /// The module stored under `key`, if it is there, whole and ours.
    pub(super) fn load(&self, key: &[u8; 32]) -> Option<Vec<u8>> {
        match self.try_load(key) {
            Ok(body) => body,
            Err(error) => {
                tracing::debug!(dir = %self.dir.display(), %error, "a compiled module could not be loaded");
                None
            }
        }
    }

    fn try_load(&self, key: &[u8; 32]) -> io::Result<Option<Vec<u8>>> {
        self.check_dir()?;
        let path = self.path(key);
        let file = match open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() || metadata.uid() != our_uid() || metadata.mode() & 0o022 != 0 {
            return Err(refused("it is not a file of our own"));
        }
        if metadata.len() > self.bytes_max {
            return Err(refused("it is larger than the whole cache may be"));
        }
        let mut body = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
        (&file).take(self.bytes_max).read_to_end(&mut body)?;
        let Some(end) = body.len().checked_sub(DIGEST_BYTES) else {
            return Err(refused("it is too short"));
        };
        if digest(key, &body[..end]) != body[end..] {
            // Damaged or forged: it would only be read again in vain.
            let _ = std::fs::remove_file(&path);
            return Err(refused("its digest is not right"));
        }
        body.truncate(end);
        // The order in which entries go when there are too many.
        #[allow(clippy::disallowed_methods, reason = "a file's time, compared with other files' times")]
        let _ = file.set_modified(SystemTime::now());
        Ok(Some(body))
    }

    /// Stores a module under `key`, if that can be done.
    pub(super) fn store(&self, key: &[u8; 32], body: &[u8]) {
        if let Err(error) = self.try_store(key, body) {
            tracing::debug!(dir = %self.dir.display(), %error, "a compiled module could not be stored");
        }
    }

    fn try_store(&self, key: &[u8; 32], body: &[u8]) -> io::Result<()> {
        let bytes = (body.len() + DIGEST_BYTES) as u64;
        if bytes > self.bytes_max {
            return Err(refused("it is larger than the whole cache may be"));
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
        self.check_dir()?;
        self.make_room(bytes)?;
        let number = self.temporary.fetch_add(1, Ordering::Relaxed);
        let temporary = self.dir.join(format!("{TEMPORARY}{}-{number}", std::process::id()));
        let written = write_new(&temporary, body, &digest(key, body))
            .and_then(|()| std::fs::rename(&temporary, self.path(key)));
        if written.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
        written
    }

    /// Refuses a folder that another user could change: compiled code is run as it is.
    fn check_dir(&self) -> io::Result<()> {
        let metadata = std::fs::symlink_metadata(&self.dir)?;
        if !metadata.is_dir() || metadata.uid() != our_uid() || metadata.mode() & 0o077 != 0 {
            return Err(refused("the folder must be our own, with mode 0700, and no link"));
        }
        Ok(())
    }

    /// Removes what was used longest ago until `bytes` more may be stored.
    fn make_room(&self, bytes: u64) -> io::Result<()> {
        #[allow(clippy::disallowed_methods, reason = "compared with files' times")]
        let now = SystemTime::now();
        let (mut entries, mut total) = (Vec::new(), bytes);
        for entry in std::fs::read_dir(&self.dir)? {
            let entry = entry?;
            // One that another process removed meanwhile is gone as wanted.
            let Ok(metadata) = entry.metadata() else { continue };
            let modified = metadata.modified()?;
            let age = now.duration_since(modified).unwrap_or_default();
            if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
                if age > LEFT_OVER_AFTER {
                    let _ = std::fs::remove_file(entry.path());
                }
                continue;
            }
            total = total.saturating_add(metadata.len());
            entries.push((modified, metadata.len(), entry.path()));
        }
        entries.sort();
        for (_, len, path) in entries {
            if total <= self.bytes_max {
                break;
            }
            if std::fs::remove_file(path).is_ok() {
                total = total.saturating_sub(len);
            }
        }
        Ok(())
    }
}

fn our_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn digest(key: &[u8; 32], body: &[u8]) -> [u8; DIGEST_BYTES] {
    Sha256::new().chain_update(key).chain_update(body).finalize().into()
}

fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

fn write_new(path: &Path, body: &[u8], digest: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(body)?;
    file.write_all(digest)
}
