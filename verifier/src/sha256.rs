//! SHA-256 over bytes and byte streams.

use sha2::{Digest as _, Sha256};

use crate::Digest;

/// A SHA-256 computation that takes bytes as they come.
#[derive(Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// A computation over no bytes so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes to what is hashed.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all bytes added.
    pub fn finish(self) -> Digest {
        Digest::new(self.0.finalize().into())
    }
}

/// The SHA-256 digest of `bytes`.
pub fn digest(bytes: &[u8]) -> Digest {
    Digest::new(Sha256::digest(bytes).into())
}
