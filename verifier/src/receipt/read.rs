//! Reading receipts that come from outside.

use serde::Deserialize;

use super::{RECEIPT_VERSION, Receipt};

/// Bounds on a receipt that comes from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiptLimits {
    /// Longest receipt read, in bytes.
    pub bytes_max: usize,
    /// Deepest nesting of arrays and objects.
    pub depth_max: usize,
}

impl Default for ReceiptLimits {
    fn default() -> Self {
        Self { bytes_max: 16 << 20, depth_max: 64 }
    }
}

/// Why bytes are no receipt.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// More bytes than the limit.
    #[error("reading a receipt: {found} bytes, at most {bytes_max} are read")]
    TooLarge {
        /// Bytes given.
        found: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// Nested more deeply than the limit.
    #[error("reading a receipt: {found} levels of nesting, at most {depth_max} are read")]
    TooDeep {
        /// Levels found.
        found: usize,
        /// The limit.
        depth_max: usize,
    },
    /// A version that this crate does not know.
    #[error("reading a receipt: version {found}, known is {RECEIPT_VERSION}")]
    Version {
        /// The version found.
        found: u64,
    },
    /// Not JSON, or not the JSON of a receipt.
    #[error("reading a receipt as JSON")]
    Json(#[source] serde_json::Error),
}

/// The one field that every version of a receipt has.
#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

impl Receipt {
    /// Reads a receipt; fields that the version does not have are refused, for they would escape the digest.
    pub fn from_json(bytes: &[u8], limits: &ReceiptLimits) -> Result<Self, ReceiptError> {
        if bytes.len() > limits.bytes_max {
            return Err(ReceiptError::TooLarge { found: bytes.len(), bytes_max: limits.bytes_max });
        }
        let depth = crate::json::depth(bytes);
        if depth > limits.depth_max {
            return Err(ReceiptError::TooDeep { found: depth, depth_max: limits.depth_max });
        }
        let Versioned { version } = serde_json::from_slice(bytes).map_err(ReceiptError::Json)?;
        if version != u64::from(RECEIPT_VERSION) {
            return Err(ReceiptError::Version { found: version });
        }
        serde_json::from_slice(bytes).map_err(ReceiptError::Json)
    }
}
