//! Bytes in memory, hashed as a file of their own.

use super::{HashOptions, Hashed};
use crate::PathName;
use crate::manifest::{Entry, EntryKind, Manifest, Tag, content_digest, root_digest};
use crate::unixfs::FileHasher;

/// The CID and manifest of a file with this content that the owner may not execute.
pub fn hash_bytes(bytes: &[u8], options: &HashOptions) -> Hashed {
    let profile = options.profile;
    let mut hasher = FileHasher::new(profile);
    hasher.update(bytes);
    let size = hasher.bytes();
    let (link, chunks) = hasher.finish();
    let root = root_digest(profile, Tag::File, size, content_digest(&chunks));
    let manifest = options.entries.then(|| {
        let path = PathName::default();
        let entry = Entry { path, kind: EntryKind::File, size, executable: false, chunks };
        Manifest::walked(profile, vec![entry], root)
    });
    Hashed {
        cid: link.cid(),
        profile,
        root,
        manifest,
        hidden: Vec::new(),
        hidden_count: 0,
        bytes: size,
        files: 1,
    }
}
