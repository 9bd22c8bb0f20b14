//! The file system that a guest sees: one tree made of the host's files and folders.
//!
//! ```text
//! guest path ─► Tree (mounts, nested in any order) ─► host folder's descriptor + rest of the path
//!                                                     └─ openat2(RESOLVE_BENEATH): never above it
//! ```
//!
//! Every access to the host starts at a mount's own descriptor, so that neither `..` nor a link
//! leads out of it. Errors are the host's errno; who asks above the tree gets `EPERM`.

mod handle;
mod host;
mod inode;
mod list;
mod modify;
mod mounts;
mod open;
mod stat;
mod walk;

#[cfg(test)]
mod tests;

pub(crate) use handle::File;
pub(crate) use host::probe;
pub(crate) use list::Entry;
pub(crate) use mounts::{FileIdentity, MountError, MountId, Tree};
pub(crate) use open::{OpenHow, Opened};
pub(crate) use stat::{FileKind, FileTimes, SetTime, Stat};
pub(crate) use walk::{Dir, Target};

use inode::Inodes;

/// A result with the host's errno.
pub(crate) type FsResult<T> = Result<T, rustix::io::Errno>;

/// The tree, with what a deterministic run replaces in what it shows.
#[derive(Debug)]
pub(crate) struct Vfs {
    tree: Tree,
    /// Present in a deterministic run: numbers and times are then made up.
    inodes: Option<Inodes>,
}

impl Vfs {
    /// A file system over these mounts; `synthetic` hides the host's inodes, sizes of folders and times.
    pub(crate) fn new(tree: Tree, synthetic: bool) -> Self {
        let inodes = synthetic.then(|| Inodes::new(tree.node_count()));
        Self { tree, inodes }
    }

    /// The folder `/`.
    pub(crate) fn root(&self) -> FsResult<Dir> {
        self.tree.root()
    }

    /// The mounts.
    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }
}
