//! Which host file or folder lies at which path of the guest.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::FsResult;
use super::walk::HostDir;

/// A place in the tree.
pub(super) type NodeId = usize;
/// A mounted file or folder.
pub(crate) type MountId = usize;

/// Folders above a mount.
const TARGET_DEPTH_MAX: usize = 128;

/// What tells one version of a host file from another without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FileIdentity {
    pub(crate) dev: u64,
    pub(crate) ino: u64,
    pub(crate) size: u64,
    pub(crate) mtime_ns: i128,
    pub(crate) ctime_ns: i128,
}

impl FileIdentity {
    /// The identity that a `stat` gives.
    pub(crate) fn of(stat: &rustix::fs::Stat) -> Self {
        let ns = |s: i64, ns: u64| i128::from(s) * 1_000_000_000 + i128::from(ns);
        Self {
            dev: stat.st_dev,
            ino: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            mtime_ns: ns(stat.st_mtime, stat.st_mtime_nsec),
            ctime_ns: ns(stat.st_ctime, stat.st_ctime_nsec),
        }
    }

    fn is_same_file(&self, other: &Self) -> bool {
        (self.dev, self.ino) == (other.dev, other.ino)
    }
}

/// Why a mount was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MountError {
    #[error("the path is empty")]
    Empty,
    #[error("the path has \"..\" in it")]
    Leaves,
    #[error("the path has more than {TARGET_DEPTH_MAX} folders")]
    TooDeep,
    #[error("something is mounted there already")]
    Taken,
    #[error("{0:?} is a file")]
    BelowFile(String),
    #[error("a file cannot hold other mounts")]
    FileAbove,
    #[error("it does not exist: {0}")]
    Missing(Errno),
    #[error("it is neither a file nor a folder")]
    Special,
}

/// A host file or folder at its place.
#[derive(Debug)]
pub(super) struct Mounted {
    pub(super) source: PathBuf,
    pub(super) is_dir: bool,
    pub(super) writable: bool,
    /// Absent for outputs, which are looked at when they are first used.
    identity: Option<FileIdentity>,
    root: OnceCell<Rc<OwnedFd>>,
}

#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) children: BTreeMap<Box<[u8]>, NodeId>,
    pub(super) mount: Option<MountId>,
}

/// The mounts by their paths.
#[derive(Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    mounts: Vec<Mounted>,
}

/// The parts of a target: leading, doubled and trailing slashes and `.` mean nothing.
fn parts(target: &str) -> Result<Vec<&str>, MountError> {
    if target.is_empty() {
        return Err(MountError::Empty);
    }
    let parts: Vec<_> = target.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.contains(&"..") {
        return Err(MountError::Leaves);
    }
    if parts.len() > TARGET_DEPTH_MAX {
        return Err(MountError::TooDeep);
    }
    Ok(parts)
}

impl Tree {
    /// A tree with nothing in it.
    pub(crate) fn new() -> Self {
        Self { nodes: vec![Node::default()], mounts: Vec::new() }
    }

    pub(super) fn node_count(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    pub(super) fn mounted(&self, id: MountId) -> &Mounted {
        &self.mounts[id]
    }

    /// Whether anything is mounted at, above or below this path on a way of its own.
    pub(crate) fn is_free(&self, target: &str) -> bool {
        let Ok(parts) = parts(target) else { return false };
        let mut node = &self.nodes[0];
        for part in parts {
            match node.children.get(part.as_bytes()) {
                Some(child) => node = &self.nodes[*child],
                None => return true,
            }
        }
        false
    }

    /// Whether something is mounted exactly there.
    pub(crate) fn is_mounted(&self, target: &str) -> bool {
        let Ok(parts) = parts(target) else { return false };
        let mut node = &self.nodes[0];
        for part in parts {
            match node.children.get(part.as_bytes()) {
                Some(child) => node = &self.nodes[*child],
                None => return false,
            }
        }
        node.mount.is_some()
    }

    /// Mounts the file or folder `source`, which must exist, at `target`.
    pub(crate) fn mount(
        &mut self,
        source: &Path,
        target: &str,
        writable: bool,
    ) -> Result<MountId, MountError> {
        let stat = rustix::fs::stat(source).map_err(MountError::Missing)?;
        let is_dir = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => true,
            FileType::RegularFile => false,
            _ => return Err(MountError::Special),
        };
        self.place(
            target,
            Mounted {
                source: source.to_owned(),
                is_dir,
                writable,
                identity: Some(FileIdentity::of(&stat)),
                root: OnceCell::new(),
            },
        )
    }

    /// Mounts the folder `source`, which is looked at when it is first used, at `target` for writing.
    pub(crate) fn mount_output(&mut self, source: &Path, target: &str) -> Result<MountId, MountError> {
        let (source, root) = (source.to_owned(), OnceCell::new());
        self.place(target, Mounted { source, is_dir: true, writable: true, identity: None, root })
    }

    fn place(&mut self, target: &str, mounted: Mounted) -> Result<MountId, MountError> {
        let mut at: NodeId = 0;
        for part in parts(target)? {
            if let Some(mount) = self.nodes[at].mount
                && !self.mounts[mount].is_dir
            {
                return Err(MountError::BelowFile(part.to_owned()));
            }
            at = match self.nodes[at].children.get(part.as_bytes()) {
                Some(child) => *child,
                None => {
                    let child = self.nodes.len();
                    self.nodes.push(Node::default());
                    self.nodes[at].children.insert(part.as_bytes().into(), child);
                    child
                }
            };
        }
        let node = &self.nodes[at];
        if node.mount.is_some() {
            return Err(MountError::Taken);
        }
        if !mounted.is_dir && (at == 0 || !node.children.is_empty()) {
            return Err(MountError::FileAbove);
        }
        let id = self.mounts.len();
        self.mounts.push(mounted);
        self.nodes[at].mount = Some(id);
        Ok(id)
    }

    /// The mounted folder, opened when first asked for.
    pub(super) fn mount_root(&self, id: MountId) -> FsResult<HostDir> {
        let mounted = &self.mounts[id];
        let fd = match mounted.root.get() {
            Some(fd) => fd.clone(),
            None => {
                let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
                let fd = rustix::fs::open(&mounted.source, flags, Mode::empty())?;
                self.check_same(mounted, &fd)?;
                mounted.root.get_or_init(|| Rc::new(fd)).clone()
            }
        };
        Ok(HostDir { fd, writable: mounted.writable })
    }

    /// The mounted file, opened anew: every opening has a position of its own.
    pub(super) fn open_file(&self, id: MountId, flags: OFlags) -> FsResult<OwnedFd> {
        let mounted = &self.mounts[id];
        let fd = rustix::fs::open(&mounted.source, flags | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty())?;
        self.check_same(mounted, &fd)?;
        Ok(fd)
    }

    /// What lies at the source now must be what was mounted: somebody may have put a link there since.
    #[allow(clippy::unused_self, reason = "reads as a question to the tree")]
    fn check_same(&self, mounted: &Mounted, fd: &OwnedFd) -> FsResult<()> {
        let Some(identity) = &mounted.identity else { return Ok(()) };
        let now = FileIdentity::of(&rustix::fs::fstat(fd)?);
        if identity.is_same_file(&now) { Ok(()) } else { Err(Errno::STALE) }
    }

    /// What tells this version of a mounted input from others, as it was when mounted.
    pub(crate) fn identity(&self, id: MountId) -> Option<FileIdentity> {
        self.mounts[id].identity
    }

    /// The host's path of a mount.
    pub(crate) fn source(&self, id: MountId) -> &Path {
        &self.mounts[id].source
    }
}
