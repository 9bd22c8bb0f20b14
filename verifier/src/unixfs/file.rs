//! Files: leaves gathered into a balanced tree.

use super::pb::{file_node, leaf_digest};
use super::{Link, Profile};
use crate::{Digest, sha256};

/// The balanced tree over a file's leaves, built from left to right.
///
/// Every level keeps less than one node's worth of links, so a file of any size needs little memory.
pub(crate) struct FileDag {
    profile: Profile,
    levels: Vec<Vec<(Link, u64)>>,
}

impl FileDag {
    pub(crate) fn new(profile: Profile) -> Self {
        Self { profile, levels: Vec::new() }
    }

    /// Adds the next leaf: its digest, the length of its block, and of its chunk.
    pub(crate) fn push(&mut self, digest: Digest, block_bytes: u64, chunk_bytes: u64) {
        self.push_at(0, Link::leaf(self.profile, digest, block_bytes), chunk_bytes);
    }

    fn push_at(&mut self, level: usize, link: Link, file_bytes: u64) {
        if self.levels.len() == level {
            self.levels.push(Vec::new());
        }
        self.levels[level].push((link, file_bytes));
        if self.levels[level].len() == self.profile.width() {
            self.close(level);
        }
    }

    /// Turns what a level holds into a node on the next level.
    fn close(&mut self, level: usize) {
        let children = std::mem::take(&mut self.levels[level]);
        let block = file_node(&children);
        let file_bytes = children.iter().map(|(_, bytes)| bytes).sum();
        let tsize = block.len() as u64 + children.iter().map(|(link, _)| link.tsize).sum::<u64>();
        let link = Link::node(self.profile, sha256::digest(&block), tsize);
        self.push_at(level + 1, link, file_bytes);
    }

    /// The link to the root; at least one leaf must have been added.
    pub(crate) fn finish(mut self) -> Link {
        let mut level = 0;
        loop {
            let is_top = level + 1 == self.levels.len();
            match self.levels[level].as_slice() {
                [(link, _)] if is_top => return *link,
                [] => {}
                _ => self.close(level),
            }
            level += 1;
        }
    }
}

/// The CID and the chunk digests of a file whose bytes come piece by piece.
pub struct FileHasher {
    profile: Profile,
    dag: FileDag,
    pending: Vec<u8>,
    chunks: Vec<Digest>,
    bytes: u64,
}

impl FileHasher {
    /// A file with no bytes so far.
    pub fn new(profile: Profile) -> Self {
        Self { profile, dag: FileDag::new(profile), pending: Vec::new(), chunks: Vec::new(), bytes: 0 }
    }

    /// Appends bytes to the file.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        let chunk_bytes = self.profile.chunk_bytes();
        while self.pending.len() + bytes.len() >= chunk_bytes {
            let (head, rest) = bytes.split_at(chunk_bytes - self.pending.len());
            bytes = rest;
            if self.pending.is_empty() {
                self.leaf(head);
            } else {
                let mut chunk = std::mem::take(&mut self.pending);
                chunk.extend_from_slice(head);
                self.leaf(&chunk);
                chunk.clear();
                self.pending = chunk;
            }
        }
        self.pending.extend_from_slice(bytes);
    }

    fn leaf(&mut self, chunk: &[u8]) {
        let (digest, block_bytes) = leaf_digest(self.profile, chunk);
        self.dag.push(digest, block_bytes, chunk.len() as u64);
        self.chunks.push(digest);
    }

    /// Bytes added so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The link to the file's root block and the digests of its chunks.
    pub fn finish(mut self) -> (Link, Vec<Digest>) {
        if !self.pending.is_empty() || self.chunks.is_empty() {
            let chunk = std::mem::take(&mut self.pending);
            self.leaf(&chunk);
        }
        (self.dag.finish(), self.chunks)
    }
}
