//! Canonical JSON (RFC 8785): one text for one value, so that its digest is an identity.
//!
//! Keys are sorted by their UTF-16 code units, numbers written as ECMAScript writes them, nothing else added. An
//! integer beyond 2⁵³ − 1 that a reader of doubles would change is refused rather than rounded: two different values
//! must not have one text.

mod number;
mod serializer;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::Digest;

/// Why a value has no canonical text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// An integer that a double cannot hold exactly.
    #[error("writing canonical JSON: the integer {0} is no double")]
    Integer(i128),
    /// A number that is infinite or not a number.
    #[error("writing canonical JSON: a number that is not finite")]
    NotFinite,
    /// A key that is no text.
    #[error("writing canonical JSON: a key that is no text")]
    Key,
    /// A key that occurs twice in one object.
    #[error("writing canonical JSON: the key {0:?} occurs twice")]
    DuplicateKey(String),
    /// The value's own serialisation failed.
    #[error("writing canonical JSON: {0}")]
    Value(String),
}

/// The canonical text of a value.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    let mut out = Vec::with_capacity(1024);
    value.serialize(serializer::Canonical { out: &mut out })?;
    Ok(out)
}

/// The SHA-256 digest of a value's canonical text.
pub fn digest<T: Serialize + ?Sized>(value: &T) -> Result<Digest, CanonicalError> {
    Ok(Digest::of(&to_vec(value)?))
}
