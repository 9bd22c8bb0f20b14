//! UnixFS: the blocks and CIDs that Kubo gives files, folders and symlinks.
//!
//! ```text
//! file   ─ chunks ─► leaves ─ 174 (1 024) at a time ─► nodes ─► … ─► one root
//! folder ─ links sorted by name ─► one block, or a HAMT of blocks above 256 KiB
//! ```
//!
//! Source: Kubo 0.40 (`ipfs add -Qrn`), boxo 0.37 `ipld/unixfs`, go-codec-dagpb; golden CIDs made by the real program.

mod file;
mod folder;
mod hamt;
mod murmur3;
mod pb;
mod profile;
#[cfg(test)]
mod tests;

pub use file::FileHasher;
pub use folder::{FolderHasher, ShardTooDeep};
pub use profile::{HamtBoundary, Profile, UnknownName};

#[cfg(target_os = "linux")]
pub(crate) use file::FileDag;
#[cfg(target_os = "linux")]
pub(crate) use folder::{NamedLink, folder_link};
#[cfg(target_os = "linux")]
pub(crate) use pb::{LeafFrame, symlink_digest};

use crate::{Cid, Digest};

/// A block as its parent links to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    digest: Digest,
    form: CidForm,
    tsize: u64,
}

/// Which kind of CID names a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CidForm {
    V0,
    V1DagPb,
    V1Raw,
}

impl Link {
    /// The CID of the block.
    pub fn cid(&self) -> Cid {
        match self.form {
            CidForm::V0 => Cid::v0(self.digest),
            CidForm::V1DagPb => Cid::v1_dag_pb(self.digest),
            CidForm::V1Raw => Cid::v1_raw(self.digest),
        }
    }

    /// Bytes of the block and of all blocks below it, as Kubo counts them (`Tsize`).
    pub fn tsize(&self) -> u64 {
        self.tsize
    }

    /// The link to a leaf of a file: `block_bytes` is the length of the whole block.
    pub(crate) fn leaf(profile: Profile, digest: Digest, block_bytes: u64) -> Self {
        let form = if profile.raw_leaves() { CidForm::V1Raw } else { profile.node_form() };
        Self { digest, form, tsize: block_bytes }
    }

    /// The link to a dag-pb block that is no leaf.
    pub(crate) fn node(profile: Profile, digest: Digest, tsize: u64) -> Self {
        Self { digest, form: profile.node_form(), tsize }
    }
}
