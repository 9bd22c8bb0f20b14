//! Content identifiers.

use std::fmt;
use std::str::FromStr;

use multihash::Multihash;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Digest;

const SHA2_256: u64 = 0x12;
const DAG_PB: u64 = 0x70;
const RAW: u64 = 0x55;
/// Longest text read as a CID, in bytes; a SHA-512 CID in base 2 is longer, and nobody writes one.
const TEXT_BYTES_MAX: usize = 256;

/// A content identifier, printed as Kubo prints it (CIDv0 in base 58, CIDv1 in base 32).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cid(cid::Cid);

/// Text that is not a CID.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CidError {
    /// The text is longer than any CID in use.
    #[error("reading a CID: {found_bytes} bytes of text, at most {TEXT_BYTES_MAX} are read")]
    TooLong {
        /// Length of the text in bytes.
        found_bytes: usize,
    },
    /// The text does not parse as a CID.
    #[error("reading a CID from {text:?}")]
    Malformed {
        /// The text.
        text: String,
        /// What the parser found.
        #[source]
        source: cid::Error,
    },
}

impl Cid {
    fn multihash(digest: Digest) -> Multihash<64> {
        Multihash::wrap(SHA2_256, digest.as_bytes()).expect("a multihash of 64 bytes holds 32")
    }

    /// The CIDv0 of a dag-pb block with this digest (`Qm…`).
    pub fn v0(digest: Digest) -> Self {
        Self(cid::Cid::new_v0(Self::multihash(digest)).expect("a CIDv0 is a SHA-256 multihash of 32 bytes"))
    }

    /// The CIDv1 of a dag-pb block with this digest (`bafybei…`).
    pub fn v1_dag_pb(digest: Digest) -> Self {
        Self(cid::Cid::new_v1(DAG_PB, Self::multihash(digest)))
    }

    /// The CIDv1 of a raw block with this digest (`bafkrei…`).
    pub fn v1_raw(digest: Digest) -> Self {
        Self(cid::Cid::new_v1(RAW, Self::multihash(digest)))
    }

    /// The SHA-256 digest inside, or `None` where the CID uses another hash function.
    pub fn digest(&self) -> Option<Digest> {
        if self.0.hash().code() != SHA2_256 {
            return None;
        }
        self.0.hash().digest().try_into().ok().map(Digest::new)
    }

    /// The multicodec of the block it names (0x70 dag-pb, 0x55 raw).
    pub fn codec(&self) -> u64 {
        self.0.codec()
    }

    /// The CID in its binary form.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }
}

impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cid({self})")
    }
}

impl FromStr for Cid {
    type Err = CidError;

    fn from_str(text: &str) -> Result<Self, CidError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(CidError::TooLong { found_bytes: text.len() });
        }
        // The parser would also take a gateway's address and cut the path off.
        let parsed =
            if text.contains('/') { Err(cid::Error::ParsingError) } else { cid::Cid::try_from(text) };
        parsed.map(Self).map_err(|source| CidError::Malformed { text: text.to_owned(), source })
    }
}

impl Serialize for Cid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::json::from_text(deserializer, "a CID")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cid_text_round_trips() {
        for text in [
            "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH",
            "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
        ] {
            assert_eq!(text.parse::<Cid>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn text_that_is_no_cid_is_refused() {
        for text in
            ["", "Qm", "hello", "/ipfs/QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH", &"Q".repeat(1 << 20)]
        {
            assert!(text.parse::<Cid>().is_err(), "{text:.20}");
        }
    }
}
