//! Folders: one block of sorted links, or a HAMT above the boundary.

use super::pb::{FOLDER_DATA, link_bytes, put_bytes, put_link};
use super::{HamtBoundary, Link, Profile, hamt};
use crate::sha256;

/// So many names share a hash prefix that a shard would need a ninth level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sharding a folder: two names have the same 64-bit hash")]
pub struct ShardTooDeep;

/// A link and the name it has in its folder.
#[derive(Clone, Copy)]
pub(crate) struct NamedLink<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) link: Link,
}

/// The CID of a folder whose entries are added one by one.
pub struct FolderHasher {
    profile: Profile,
    boundary: HamtBoundary,
    entries: Vec<(Vec<u8>, Link)>,
}

impl FolderHasher {
    /// A folder with no entries so far.
    pub fn new(profile: Profile, boundary: HamtBoundary) -> Self {
        Self { profile, boundary, entries: Vec::new() }
    }

    /// Adds an entry; names must be distinct, their order does not matter.
    pub fn add(&mut self, name: &[u8], link: Link) {
        self.entries.push((name.to_vec(), link));
    }

    /// The link to the folder's root block.
    pub fn finish(mut self) -> Result<Link, ShardTooDeep> {
        self.entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        let links = self.entries.iter().map(|(name, link)| NamedLink { name, link: *link });
        folder_link(self.profile, self.boundary, links)
    }
}

/// The link to the folder that holds `entries`, given in byte order of their names.
pub(crate) fn folder_link<'a>(
    profile: Profile,
    boundary: HamtBoundary,
    entries: impl Iterator<Item = NamedLink<'a>> + Clone,
) -> Result<Link, ShardTooDeep> {
    if boundary.shards(estimated_bytes(profile, entries.clone())) {
        return hamt::shard_link(profile, entries);
    }
    let mut block = Vec::with_capacity(512);
    let mut below = 0;
    for entry in entries {
        put_link(&mut block, [entry.name, b""], &entry.link);
        below += entry.link.tsize;
    }
    put_bytes(&mut block, 0x0a, &FOLDER_DATA);
    Ok(Link::node(profile, sha256::digest(&block), block.len() as u64 + below))
}

/// The size that Kubo compares with the boundary.
fn estimated_bytes<'a>(profile: Profile, entries: impl Iterator<Item = NamedLink<'a>>) -> u64 {
    if profile.sizes_folders_by_block() {
        let data_field = 2 + FOLDER_DATA.len();
        return entries.map(|entry| link_bytes(entry.name.len(), &entry.link) as u64).sum::<u64>()
            + data_field as u64;
    }
    entries.map(|entry| (entry.name.len() + entry.link.form.cid_bytes()) as u64).sum()
}
