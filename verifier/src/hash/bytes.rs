//! Bytes in memory, hashed as a file of their own or as a folder of files.

use super::{HashError, HashOptions, Hashed};
use crate::PathName;
use crate::manifest::{Entry, EntryKind, Manifest, Tag, content_digest, root_digest};
use crate::unixfs::{FileHasher, FolderHasher};

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

/// The CID and manifest of a folder that holds exactly these files, which the owner may not execute.
///
/// For a caller that has just written them: the folder need not be read again. Names must be distinct, not empty and
/// without `/`; those with a leading dot are left out and listed, as on disk.
///
/// *Errors*: two names of a sharded folder have the same hash, or a name is no file's name.
pub fn hash_files(files: &[(&[u8], &[u8])], options: &HashOptions) -> Result<Hashed, HashError> {
    let profile = options.profile;
    let mut folder = FolderHasher::new(profile, options.boundary);
    let mut entries = Vec::with_capacity(files.len());
    let (mut hidden, mut hidden_count, mut bytes) = (Vec::new(), 0, 0);
    for (name, content) in files {
        let path = PathName::new(*name);
        if name.first() == Some(&b'.') {
            hidden_count += 1;
            hidden.push(path);
            continue;
        }
        let mut hasher = FileHasher::new(profile);
        hasher.update(content);
        let size = hasher.bytes();
        let (link, chunks) = hasher.finish();
        folder.add(name, link);
        entries.push(Entry { path, kind: EntryKind::File, size, executable: false, chunks });
        bytes += size;
    }
    let shard = |source| HashError::Shard { path: PathName::default(), source };
    let cid = folder.finish().map_err(shard)?.cid();
    let count = entries.len() as u64;
    let manifest = Manifest::new(profile, entries)
        .map_err(|source| HashError::Names { path: PathName::default(), source })?;
    hidden.sort();
    hidden.truncate(options.hidden_max);
    Ok(Hashed {
        cid,
        profile,
        root: manifest.root(),
        manifest: options.entries.then_some(manifest),
        hidden,
        hidden_count,
        bytes,
        files: count,
    })
}
