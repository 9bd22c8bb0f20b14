//! Names and relative paths of any bytes.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A relative path of any bytes, its parts separated by `/`.
///
/// Layout: in JSON a string, or `{"b64": "…"}` (standard alphabet, padded) where the bytes are not UTF-8.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PathName(Box<[u8]>);

impl PathName {
    /// The path made of these bytes.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The path's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path as text, where it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Whether this is the empty path, which names the hashed file or folder itself.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The path of `name` in this folder.
    pub fn join(&self, name: &[u8]) -> Self {
        if self.0.is_empty() {
            return Self::new(name);
        }
        let mut bytes = Vec::with_capacity(self.0.len() + 1 + name.len());
        bytes.extend_from_slice(&self.0);
        bytes.push(b'/');
        bytes.extend_from_slice(name);
        Self::new(bytes)
    }

    /// The path below `root` in the file system.
    ///
    /// The path is joined as it is: only paths of a checked manifest stay inside `root`.
    #[cfg(target_os = "linux")]
    pub fn below(&self, root: &std::path::Path) -> std::path::PathBuf {
        use std::os::unix::ffi::OsStrExt as _;
        if self.0.is_empty() { root.to_owned() } else { root.join(std::ffi::OsStr::from_bytes(&self.0)) }
    }
}

impl From<&str> for PathName {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes())
    }
}

impl From<&[u8]> for PathName {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes)
    }
}

impl fmt::Display for PathName {
    /// Prints the path for people: control characters and bytes that are not UTF-8 are escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.pad(".");
        }
        let mut text = String::with_capacity(self.0.len());
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                if c.is_control() || c == '\\' { text.extend(c.escape_default()) } else { text.push(c) }
            }
            for byte in chunk.invalid() {
                text.extend(std::ascii::escape_default(*byte).map(char::from));
            }
        }
        f.pad(&text)
    }
}

impl fmt::Debug for PathName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PathName({self})")
    }
}

impl Serialize for PathName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(text) = self.as_str() {
            return serializer.serialize_str(text);
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("b64", &STANDARD.encode(&self.0))?;
        map.end()
    }
}

struct PathVisitor;

impl<'de> Visitor<'de> for PathVisitor {
    type Value = PathName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a path: a string or {\"b64\": \"…\"}")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<PathName, E> {
        Ok(PathName::from(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PathName, A::Error> {
        let Some((key, text)) = map.next_entry::<String, String>()? else {
            return Err(A::Error::missing_field("b64"));
        };
        if key != "b64" {
            return Err(A::Error::unknown_field(&key, &["b64"]));
        }
        if map.next_entry::<String, String>()?.is_some() {
            return Err(A::Error::custom("a path has one key, b64"));
        }
        let bytes = STANDARD.decode(text).map_err(A::Error::custom)?;
        // One path has one spelling, else equal manifests could differ as text.
        if std::str::from_utf8(&bytes).is_ok() {
            return Err(A::Error::custom("a path that is UTF-8 must be a string, not b64"));
        }
        Ok(PathName::new(bytes))
    }
}

impl<'de> Deserialize<'de> for PathName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PathVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_that_is_not_utf8_travels_as_base64_and_has_one_spelling() {
        let name = PathName::new(*b"a\xff/b");
        let json = serde_json::to_string(&name).unwrap();
        assert_eq!(json, r#"{"b64":"Yf8vYg=="}"#);
        assert_eq!(serde_json::from_str::<PathName>(&json).unwrap(), name);
        assert!(serde_json::from_str::<PathName>(r#"{"b64":"YQ=="}"#).is_err());
        assert!(serde_json::from_str::<PathName>(r#"{"b64":"Yf8vYg==","x":""}"#).is_err());
        assert!(serde_json::from_str::<PathName>("{}").is_err());
    }

    #[test]
    fn control_characters_and_wild_bytes_are_escaped_for_people() {
        assert_eq!(PathName::new(*b"a\x1b[2J\xff").to_string(), "a\\u{1b}[2J\\xff");
        assert_eq!(PathName::default().to_string(), ".");
    }
}
