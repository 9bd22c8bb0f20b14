//! CIDs, manifests, differences and receipts.

use serde::{Deserialize, Serialize};

/// A SHA-256 digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Digest([u8; 32]);
