//! SHA-256 over bytes and byte streams, and over two messages at once where the CPU can.
//!
//! The SHA instructions of x86-64 wait for each other within one message. Two messages side by side fill the gaps.

#[cfg(target_arch = "x86_64")]
mod pair;
#[cfg(test)]
mod tests;

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

/// The SHA-256 digests of two messages of equal length, faster than one after the other where the CPU can.
///
/// Messages of different lengths are hashed one after the other.
pub fn digest_pair(a: &[u8], b: &[u8]) -> [Digest; 2] {
    #[cfg(target_arch = "x86_64")]
    if a.len() == b.len()
        && let Some(digests) = pair::digest_pair(a, b)
    {
        return digests;
    }
    [digest(a), digest(b)]
}
