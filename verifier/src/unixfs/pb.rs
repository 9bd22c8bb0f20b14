//! The two messages of UnixFS, dag-pb `PBNode` and `Data`, written field by field.
//!
//! Layout: links come before data in a node, a link always carries its name (empty between nodes of a file) and its
//! Tsize, and an empty `Data.data` is left out, all as go-codec-dagpb and boxo write them.

use super::{CidForm, Link, Profile};
use crate::{Digest, sha256};

/// `Data.type` and its value, for the kinds in use.
pub(super) const FOLDER_DATA: [u8; 2] = [0x08, 1];
const FILE_DATA: [u8; 2] = [0x08, 2];
const SYMLINK_DATA: [u8; 2] = [0x08, 4];
pub(super) const SHARD_DATA: [u8; 2] = [0x08, 5];

pub(super) const fn varint_bytes(value: u64) -> usize {
    let bits = 64 - (value | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

#[allow(clippy::cast_possible_truncation)] // Seven bits at a time are kept on purpose.
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a field of bytes: tag, length, content.
pub(super) fn put_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

impl CidForm {
    const fn prefix(self) -> &'static [u8] {
        match self {
            Self::V0 => &[0x12, 0x20],
            Self::V1DagPb => &[0x01, 0x70, 0x12, 0x20],
            Self::V1Raw => &[0x01, 0x55, 0x12, 0x20],
        }
    }

    /// Bytes of the CID in its binary form.
    pub(super) const fn cid_bytes(self) -> usize {
        self.prefix().len() + 32
    }
}

/// Bytes of the `PBLink` message inside its field.
fn link_message_bytes(name_bytes: usize, link: &Link) -> usize {
    2 + link.form.cid_bytes()
        + 1
        + varint_bytes(name_bytes as u64)
        + name_bytes
        + 1
        + varint_bytes(link.tsize)
}

/// Bytes that a link adds to a node, its tag and length included.
pub(super) fn link_bytes(name_bytes: usize, link: &Link) -> usize {
    let message = link_message_bytes(name_bytes, link);
    1 + varint_bytes(message as u64) + message
}

/// Appends a link whose name is the given parts in a row.
#[allow(clippy::cast_possible_truncation)] // A CID here has 34 or 36 bytes.
pub(super) fn put_link(out: &mut Vec<u8>, name: [&[u8]; 2], link: &Link) {
    let name_bytes = name[0].len() + name[1].len();
    out.push(0x12);
    put_varint(out, link_message_bytes(name_bytes, link) as u64);
    out.extend_from_slice(&[0x0a, link.form.cid_bytes() as u8]);
    out.extend_from_slice(link.form.prefix());
    out.extend_from_slice(link.digest.as_bytes());
    out.push(0x12);
    put_varint(out, name_bytes as u64);
    out.extend_from_slice(name[0]);
    out.extend_from_slice(name[1]);
    out.push(0x18);
    put_varint(out, link.tsize);
}

/// What stands before and after a chunk's bytes in its leaf block.
pub(crate) struct LeafFrame {
    head: [u8; Self::HEAD_BYTES_MAX],
    head_bytes: u8,
    tail: [u8; Self::TAIL_BYTES_MAX],
    tail_bytes: u8,
}

impl LeafFrame {
    /// Most bytes before a chunk.
    pub(crate) const HEAD_BYTES_MAX: usize = 16;
    /// Most bytes after a chunk.
    pub(crate) const TAIL_BYTES_MAX: usize = 8;

    /// The frame of a chunk of `chunk_bytes` bytes.
    #[allow(clippy::cast_possible_truncation)] // The lengths are below 16 and 8.
    pub(crate) fn new(profile: Profile, chunk_bytes: usize) -> Self {
        let mut frame = Self {
            head: [0; Self::HEAD_BYTES_MAX],
            head_bytes: 0,
            tail: [0; Self::TAIL_BYTES_MAX],
            tail_bytes: 0,
        };
        if profile.raw_leaves() {
            return frame;
        }
        let length = chunk_bytes as u64;
        let content = if chunk_bytes == 0 { 0 } else { 1 + varint_bytes(length) + chunk_bytes };
        let inner = FILE_DATA.len() + content + 1 + varint_bytes(length);
        let mut head = Bytes { into: &mut frame.head, at: 0 };
        head.push(0x0a);
        head.varint(inner as u64);
        head.push(FILE_DATA[0]);
        head.push(FILE_DATA[1]);
        if chunk_bytes > 0 {
            head.push(0x12);
            head.varint(length);
        }
        frame.head_bytes = head.at as u8;
        let mut tail = Bytes { into: &mut frame.tail, at: 0 };
        tail.push(0x18);
        tail.varint(length);
        frame.tail_bytes = tail.at as u8;
        frame
    }

    /// The bytes before the chunk.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head[..usize::from(self.head_bytes)]
    }

    /// The bytes after the chunk.
    pub(crate) fn tail(&self) -> &[u8] {
        &self.tail[..usize::from(self.tail_bytes)]
    }
}

/// A cursor over a small array.
struct Bytes<'a> {
    into: &'a mut [u8],
    at: usize,
}

impl Bytes<'_> {
    fn push(&mut self, byte: u8) {
        self.into[self.at] = byte;
        self.at += 1;
    }

    #[allow(clippy::cast_possible_truncation)] // Seven bits at a time are kept on purpose.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.push(value as u8);
    }
}

/// The digest and length of the leaf block of one chunk.
pub(crate) fn leaf_digest(profile: Profile, chunk: &[u8]) -> (Digest, u64) {
    let frame = LeafFrame::new(profile, chunk.len());
    let mut hasher = sha256::Hasher::new();
    hasher.update(frame.head());
    hasher.update(chunk);
    hasher.update(frame.tail());
    (hasher.finish(), (frame.head().len() + chunk.len() + frame.tail().len()) as u64)
}

/// The digest and link of the block of a symlink with this target.
pub(crate) fn symlink_digest(profile: Profile, target: &[u8]) -> (Digest, Link) {
    let mut data = Vec::with_capacity(target.len() + 16);
    data.extend_from_slice(&SYMLINK_DATA);
    put_bytes(&mut data, 0x12, target);
    let mut block = Vec::with_capacity(data.len() + 8);
    put_bytes(&mut block, 0x0a, &data);
    let digest = sha256::digest(&block);
    (digest, Link::node(profile, digest, block.len() as u64))
}

/// The bytes of a node of a file over `children`, each with the file bytes below it.
pub(super) fn file_node(children: &[(Link, u64)]) -> Vec<u8> {
    let mut block = Vec::with_capacity(children.len() * 64 + 32);
    let mut data = Vec::with_capacity(children.len() * 4 + 16);
    data.extend_from_slice(&FILE_DATA);
    data.push(0x18);
    put_varint(&mut data, children.iter().map(|(_, bytes)| bytes).sum());
    for (link, bytes) in children {
        put_link(&mut block, [b"", b""], link);
        data.push(0x20);
        put_varint(&mut data, *bytes);
    }
    put_bytes(&mut block, 0x0a, &data);
    block
}
