//! The root digest: records, folders, root.

use super::entry::Tag;
use super::{Entry, EntryKind, ManifestError};
use crate::sha256::{self, Hasher};
use crate::{Digest, Profile};

const CHUNKS: &[u8] = b"frogfish chunks 1\n";
const FOLDER: &[u8] = b"frogfish folder 1\n";
const ROOT: &[u8] = b"frogfish manifest 1\n";
/// Bytes gathered before they are hashed.
const GATHERED_BYTES: usize = 8 << 10;

/// What a folder's digest says about one entry.
///
/// Layout: tag (1 byte), length of the name (4, big-endian), name, size (8, big-endian), digest (32).
pub(crate) struct Record<'a> {
    pub(crate) tag: Tag,
    pub(crate) name: &'a [u8],
    pub(crate) size: u64,
    /// A file's [`content_digest`], a symlink's block digest, a folder's [`FolderRecords`] digest.
    pub(crate) digest: Digest,
}

impl Record<'_> {
    fn put(&self, out: &mut Vec<u8>) {
        let name_bytes = u32::try_from(self.name.len()).expect("a name is shorter than 4 GiB");
        out.push(self.tag as u8);
        out.extend_from_slice(&name_bytes.to_be_bytes());
        out.extend_from_slice(self.name);
        out.extend_from_slice(&self.size.to_be_bytes());
        out.extend_from_slice(self.digest.as_bytes());
    }
}

/// The digest over a folder's records, added in byte order of their names.
pub(crate) struct FolderRecords {
    hasher: Hasher,
    gathered: Vec<u8>,
}

impl FolderRecords {
    pub(crate) fn new() -> Self {
        Self { hasher: Hasher::new(), gathered: FOLDER.to_vec() }
    }

    pub(crate) fn add(&mut self, record: &Record<'_>) {
        record.put(&mut self.gathered);
        if self.gathered.len() >= GATHERED_BYTES {
            self.hasher.update(&self.gathered);
            self.gathered.clear();
        }
    }

    pub(crate) fn finish(mut self) -> Digest {
        self.hasher.update(&self.gathered);
        self.hasher.finish()
    }
}

/// The digest of a file's content: of its one chunk, or over all of them.
pub(crate) fn content_digest(chunks: &[Digest]) -> Digest {
    if let [only] = chunks {
        return *only;
    }
    let mut hasher = Hasher::new();
    hasher.update(CHUNKS);
    for chunk in chunks {
        hasher.update(chunk.as_bytes());
    }
    hasher.finish()
}

/// The root over the hashed file, folder or symlink itself.
pub(crate) fn root_digest(profile: Profile, tag: Tag, size: u64, digest: Digest) -> Digest {
    let mut bytes = ROOT.to_vec();
    bytes.extend_from_slice(profile.name().as_bytes());
    bytes.push(b'\n');
    Record { tag, name: b"", size, digest }.put(&mut bytes);
    sha256::digest(&bytes)
}

struct Known<'a> {
    name: &'a [u8],
    tag: Tag,
    size: u64,
    digest: Digest,
}

/// A folder whose entries are being read.
struct OpenFolder<'a> {
    /// The folder's path, with a `/` at its end unless it is the hashed folder.
    prefix: &'a [u8],
    /// Its place in the folder above.
    index: usize,
    known: Vec<Known<'a>>,
}

impl OpenFolder<'_> {
    fn digest(&self) -> Digest {
        let mut records = FolderRecords::new();
        for known in &self.known {
            records.add(&Record { tag: known.tag, name: known.name, size: known.size, digest: known.digest });
        }
        records.finish()
    }
}

/// The root over entries that are checked, unique and sorted.
///
/// In byte order all that lies in `a/` is contiguous, though not always next to the entry `a`.
pub(super) fn root_of(profile: Profile, entries: &[Entry]) -> Result<Digest, ManifestError> {
    if let [entry] = entries
        && entry.path.is_empty()
    {
        return Ok(root_digest(profile, entry.tag(), entry.size, content_digest(&entry.chunks)));
    }
    let empty = FolderRecords::new().finish();
    let mut open = vec![OpenFolder { prefix: b"", index: 0, known: Vec::new() }];
    for entry in entries {
        let path = entry.path.as_bytes();
        while open.len() > 1 && open.last().is_some_and(|folder| !path.starts_with(folder.prefix)) {
            close(&mut open);
        }
        loop {
            let folder = open.last_mut().expect("the hashed folder stays open");
            let rest = &path[folder.prefix.len()..];
            let Some(slash) = rest.iter().position(|byte| *byte == b'/') else {
                let digest =
                    if entry.kind == EntryKind::Folder { empty } else { content_digest(&entry.chunks) };
                folder.known.push(Known { name: rest, tag: entry.tag(), size: entry.size, digest });
                break;
            };
            let index = folder.known.binary_search_by(|known| known.name.cmp(&rest[..slash]));
            let index = index.ok().filter(|index| folder.known[*index].tag == Tag::Folder);
            let Some(index) = index else {
                return Err(ManifestError::NoParent { path: entry.path.clone() });
            };
            let prefix = &path[..=folder.prefix.len() + slash];
            open.push(OpenFolder { prefix, index, known: Vec::new() });
        }
    }
    while open.len() > 1 {
        close(&mut open);
    }
    Ok(root_digest(profile, Tag::Folder, 0, open[0].digest()))
}

fn close(open: &mut Vec<OpenFolder<'_>>) {
    let folder = open.pop().expect("only folders above the hashed one are closed");
    let digest = folder.digest();
    open.last_mut().expect("the hashed folder stays open").known[folder.index].digest = digest;
}
