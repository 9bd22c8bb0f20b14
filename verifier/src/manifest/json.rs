//! The JSON form of a manifest.
//!
//! Layout: `{"version":1,"profile":…,"root":…,"entries":[{"path","kind","size","executable"?,"chunks"?}…]}`.

use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, Serialize};

use super::{Entry, Manifest, ManifestError, ManifestLimits};
use crate::{Digest, Profile};

const VERSION: u64 = 1;
const FIELDS: &[&str] = &["version", "profile", "root", "entries"];

impl Serialize for Manifest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut object = serializer.serialize_struct("Manifest", 4)?;
        object.serialize_field("version", &VERSION)?;
        object.serialize_field("profile", &self.profile)?;
        object.serialize_field("root", &self.root)?;
        object.serialize_field("entries", &self.entries)?;
        object.end()
    }
}

impl Manifest {
    /// The manifest as JSON on one line.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a manifest has only text keys and finite numbers")
    }

    /// Reads a manifest from JSON, with every invariant and the stated root checked.
    pub fn from_json(bytes: &[u8], limits: &ManifestLimits) -> Result<Self, ManifestError> {
        if bytes.len() > limits.bytes_max {
            return Err(ManifestError::TooLarge { found: bytes.len(), bytes_max: limits.bytes_max });
        }
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let stated = Reader { limits }.deserialize(&mut reader).map_err(ManifestError::Json)?;
        reader.end().map_err(ManifestError::Json)?;
        if stated.version != VERSION {
            return Err(ManifestError::Version { found: stated.version });
        }
        let manifest = Self::from_sorted(stated.profile, stated.entries, limits)?;
        if manifest.root != stated.root {
            return Err(ManifestError::Root { stated: stated.root, computed: manifest.root });
        }
        Ok(manifest)
    }
}

struct Stated {
    version: u64,
    profile: Profile,
    root: Digest,
    entries: Vec<Entry>,
}

struct Reader<'l> {
    limits: &'l ManifestLimits,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Stated;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Stated, D::Error> {
        deserializer.deserialize_struct("Manifest", FIELDS, self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Stated;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a manifest")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Stated, A::Error> {
        let (mut version, mut profile, mut root, mut entries) = (None, None, None, None);
        while let Some(key) = map.next_key::<String>()? {
            let twice = match key.as_str() {
                "version" => version.replace(map.next_value()?).is_some(),
                "profile" => profile.replace(map.next_value()?).is_some(),
                "root" => root.replace(map.next_value()?).is_some(),
                "entries" => {
                    entries.replace(map.next_value_seed(Entries { max: self.limits.entries_max })?).is_some()
                }
                other => return Err(A::Error::unknown_field(other, FIELDS)),
            };
            if twice {
                return Err(A::Error::custom(format_args!("the key {key:?} occurs twice")));
            }
        }
        Ok(Stated {
            version: version.ok_or_else(|| A::Error::missing_field("version"))?,
            profile: profile.ok_or_else(|| A::Error::missing_field("profile"))?,
            root: root.ok_or_else(|| A::Error::missing_field("root"))?,
            entries: entries.ok_or_else(|| A::Error::missing_field("entries"))?,
        })
    }
}

/// Reads entries and stops above the limit, before the rest is in memory.
struct Entries {
    max: usize,
}

impl<'de> DeserializeSeed<'de> for Entries {
    type Value = Vec<Entry>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Entry>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<Entry>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<Entry>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = sequence.next_element()? {
            // One above the limit is kept, so that the typed error names it.
            if entries.len() > self.max {
                return Err(A::Error::custom("too many entries"));
            }
            entries.push(entry);
        }
        Ok(entries)
    }
}
