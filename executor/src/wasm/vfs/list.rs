//! What is in a folder: the host's entries, and the mounts that lie over them, by name.

use std::collections::BTreeMap;
use std::os::fd::AsFd;

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::host::open_beneath;
use super::inode::Inodes;
use super::mounts::NodeId;
use super::stat::FileKind;
use super::walk::{Dir, HostDir};
use super::{FsResult, Vfs};

/// Entries of one folder that are listed; more is `EOVERFLOW`.
const ENTRIES_MAX: usize = 1 << 20;

/// One entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: Box<[u8]>,
    pub(crate) kind: FileKind,
    pub(crate) ino: u64,
}

impl Vfs {
    /// The folder's entries in the order of their names, after `.` and `..`.
    pub(crate) fn list(&self, dir: &Dir) -> FsResult<Vec<Entry>> {
        let mut entries = BTreeMap::new();
        if let Some(host) = &dir.host {
            self.list_host(host, &mut entries)?;
        }
        if let Some(node) = dir.node {
            for (name, child) in &self.tree.node(node).children {
                entries.insert(name.clone(), (self.kind_of(*child), Inodes::of_node(*child)));
            }
        }
        let own = self.stat_dir(dir)?.ino;
        let dots = [&b"."[..], b".."].map(|name| Entry { name: name.into(), kind: FileKind::Dir, ino: own });
        let mut list: Vec<_> = dots.into();
        // Numbers are given here, in the order of names, not in the order the host lists them.
        list.extend(entries.into_iter().map(|(name, (kind, ino))| Entry { name, kind, ino }));
        Ok(list)
    }

    fn kind_of(&self, node: NodeId) -> FileKind {
        match self.tree.node(node).mount {
            Some(mount) if !self.tree.mounted(mount).is_dir => FileKind::Regular,
            _ => FileKind::Dir,
        }
    }

    fn list_host(&self, host: &HostDir, entries: &mut BTreeMap<Box<[u8]>, (FileKind, u64)>) -> FsResult<()> {
        let fd = open_beneath(host.fd(), b".", OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?;
        let dev = rustix::fs::fstat(&fd)?.st_dev;
        let mut found = BTreeMap::new();
        for entry in rustix::fs::Dir::new(fd)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            if found.len() >= ENTRIES_MAX {
                return Err(Errno::OVERFLOW);
            }
            let mut kind = entry.file_type();
            if kind == FileType::Unknown {
                // Some file systems do not say; a file that went away meanwhile stays unknown.
                let stat = rustix::fs::statat(host.fd.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW);
                kind = stat.map_or(kind, |stat| FileType::from_raw_mode(stat.st_mode));
            }
            found.insert(Box::from(name), (FileKind::from(kind), entry.ino()));
        }
        for (name, (kind, ino)) in found {
            let ino = self.inodes.as_ref().map_or(ino, |inodes| inodes.of_file(dev, ino));
            entries.insert(name, (kind, ino));
        }
        Ok(())
    }
}
