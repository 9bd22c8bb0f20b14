//! The compact binary form of a manifest.
//!
//! Layout: `FFM1`, profile (1 byte), entries (tag, varint length of the path, path, varint size, chunk digests), 0,
//! varint number of entries, root (32 bytes). Varints are LEB128 in their shortest form.

use super::entry::Tag;
use super::{Entry, Manifest, ManifestError, ManifestLimits};
use crate::{Digest, PathName, Profile};

const MAGIC: &[u8; 4] = b"FFM1";
const END: u8 = 0;

const fn profile_byte(profile: Profile) -> u8 {
    match profile {
        Profile::UnixfsV0_2015 => 1,
        Profile::UnixfsV1_2025 => 2,
    }
}

#[allow(clippy::cast_possible_truncation)] // Seven bits at a time are kept on purpose.
fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

impl Manifest {
    /// The manifest in its compact binary form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.entries.len() * 80 + 64);
        out.extend_from_slice(MAGIC);
        out.push(profile_byte(self.profile));
        for entry in &self.entries {
            out.push(entry.tag() as u8);
            put_varint(&mut out, entry.path.as_bytes().len() as u64);
            out.extend_from_slice(entry.path.as_bytes());
            put_varint(&mut out, entry.size);
            for chunk in &entry.chunks {
                out.extend_from_slice(chunk.as_bytes());
            }
        }
        out.push(END);
        put_varint(&mut out, self.entries.len() as u64);
        out.extend_from_slice(self.root.as_bytes());
        out
    }

    /// Reads a manifest from its binary form, with every invariant and the stated root checked.
    pub fn from_bytes(bytes: &[u8], limits: &ManifestLimits) -> Result<Self, ManifestError> {
        if bytes.len() > limits.bytes_max {
            return Err(ManifestError::TooLarge { found: bytes.len(), bytes_max: limits.bytes_max });
        }
        let mut reader = Reader { bytes, at: 0 };
        if reader.take(MAGIC.len()).ok() != Some(MAGIC) {
            return Err(ManifestError::NotBinary);
        }
        let profile = match reader.byte()? {
            1 => Profile::UnixfsV0_2015,
            2 => Profile::UnixfsV1_2025,
            _ => return Err(reader.malformed("profile")),
        };
        let mut entries = Vec::new();
        loop {
            let byte = reader.byte()?;
            if byte == END {
                break;
            }
            if entries.len() == limits.entries_max {
                return Err(ManifestError::TooManyEntries { entries_max: limits.entries_max });
            }
            let tag = Tag::from_byte(byte).ok_or_else(|| reader.malformed("kind"))?;
            entries.push(reader.entry(profile, tag, limits)?);
        }
        if reader.varint()? != entries.len() as u64 {
            return Err(reader.malformed("number of entries"));
        }
        let stated = reader.digest()?;
        if reader.at != bytes.len() {
            return Err(reader.malformed("end"));
        }
        let manifest = Self::from_sorted(profile, entries, limits)?;
        if manifest.root != stated {
            return Err(ManifestError::Root { stated, computed: manifest.root });
        }
        Ok(manifest)
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    fn malformed(&self, what: &'static str) -> ManifestError {
        ManifestError::Malformed { what, at: self.at }
    }

    fn take(&mut self, count: usize) -> Result<&'b [u8], ManifestError> {
        let rest = &self.bytes[self.at..];
        if rest.len() < count {
            return Err(ManifestError::Truncated { at: self.bytes.len() });
        }
        self.at += count;
        Ok(&rest[..count])
    }

    fn byte(&mut self) -> Result<u8, ManifestError> {
        Ok(self.take(1)?[0])
    }

    fn digest(&mut self) -> Result<Digest, ManifestError> {
        let bytes = self.take(32)?;
        Ok(Digest::new(bytes.try_into().expect("32 bytes were taken")))
    }

    fn varint(&mut self) -> Result<u64, ManifestError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 || byte == 0 && shift > 0 {
                return Err(self.malformed("number"));
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.malformed("number"))
    }

    fn entry(&mut self, profile: Profile, tag: Tag, limits: &ManifestLimits) -> Result<Entry, ManifestError> {
        let path_bytes = usize::try_from(self.varint()?).map_err(|_| self.malformed("length of a path"))?;
        if path_bytes > limits.path_bytes_max {
            let path_bytes_max = limits.path_bytes_max;
            return Err(ManifestError::PathTooLong { found: path_bytes, path_bytes_max });
        }
        let path = PathName::from(self.take(path_bytes)?);
        let size = self.varint()?;
        let count = Entry::chunk_count(profile, tag.kind(), size);
        // The bytes must be there before memory is taken for them.
        let left = (self.bytes.len() - self.at) as u64 / 32;
        if count > left {
            return Err(ManifestError::Truncated { at: self.bytes.len() });
        }
        let mut chunks = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
        for _ in 0..count {
            chunks.push(self.digest()?);
        }
        Ok(Entry { path, kind: tag.kind(), size, executable: tag == Tag::Executable, chunks })
    }
}
