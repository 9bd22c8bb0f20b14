//! Import profiles: the parameters that fix a CID.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CidForm;

/// The import parameters that fix a CID.
///
/// Source: IPIP-499, Kubo's configuration profiles of the same names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub enum Profile {
    /// CIDv0, 256 KiB chunks in dag-pb leaves, 174 links per node: what `ipfs add` has always done.
    #[default]
    #[serde(rename = "unixfs-v0-2015")]
    UnixfsV0_2015,
    /// CIDv1, 1 MiB chunks in raw leaves, 1 024 links per node, folders sharded by block size.
    #[serde(rename = "unixfs-v1-2025")]
    UnixfsV1_2025,
}

/// At which size a folder becomes a HAMT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub enum HamtBoundary {
    /// Above 262 144 bytes, as Kubo 0.40 does.
    #[default]
    #[serde(rename = "kubo-0.40")]
    Kubo040,
    /// From 262 144 bytes, as Kubo 0.30 (in Lilypad 2.23) does.
    #[serde(rename = "kubo-0.30")]
    Kubo030,
}

/// A name that stands for no profile or boundary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} {name:?}, known are {known}")]
pub struct UnknownName {
    what: &'static str,
    name: String,
    known: &'static str,
}

/// Estimated bytes of a folder at which the boundary lies.
const HAMT_THRESHOLD_BYTES: u64 = 262_144;

impl Profile {
    /// The profile's published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnixfsV0_2015 => "unixfs-v0-2015",
            Self::UnixfsV1_2025 => "unixfs-v1-2025",
        }
    }

    /// Bytes of every chunk but a file's last.
    pub const fn chunk_bytes(self) -> usize {
        match self {
            Self::UnixfsV0_2015 => 256 << 10,
            Self::UnixfsV1_2025 => 1 << 20,
        }
    }

    /// Chunks of a file of `size` bytes; an empty file has one empty chunk.
    pub const fn chunk_count(self, size: u64) -> u64 {
        let chunks = size.div_ceil(self.chunk_bytes() as u64);
        if chunks == 0 { 1 } else { chunks }
    }

    /// Most links of a node of a file.
    pub(crate) const fn width(self) -> usize {
        match self {
            Self::UnixfsV0_2015 => 174,
            Self::UnixfsV1_2025 => 1024,
        }
    }

    pub(crate) const fn raw_leaves(self) -> bool {
        matches!(self, Self::UnixfsV1_2025)
    }

    pub(super) const fn node_form(self) -> CidForm {
        match self {
            Self::UnixfsV0_2015 => CidForm::V0,
            Self::UnixfsV1_2025 => CidForm::V1DagPb,
        }
    }

    /// Whether a folder is sized by its whole block (else by names and CIDs alone).
    pub(super) const fn sizes_folders_by_block(self) -> bool {
        matches!(self, Self::UnixfsV1_2025)
    }
}

impl HamtBoundary {
    /// The boundary's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kubo040 => "kubo-0.40",
            Self::Kubo030 => "kubo-0.30",
        }
    }

    pub(super) const fn shards(self, estimated_bytes: u64) -> bool {
        match self {
            Self::Kubo040 => estimated_bytes > HAMT_THRESHOLD_BYTES,
            Self::Kubo030 => estimated_bytes >= HAMT_THRESHOLD_BYTES,
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for HamtBoundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Profile {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        [Self::UnixfsV0_2015, Self::UnixfsV1_2025].into_iter().find(|known| known.name() == name).ok_or_else(
            || UnknownName {
                what: "profile",
                name: name.chars().take(64).collect(),
                known: "unixfs-v0-2015 and unixfs-v1-2025",
            },
        )
    }
}

impl FromStr for HamtBoundary {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        [Self::Kubo040, Self::Kubo030].into_iter().find(|known| known.name() == name).ok_or_else(|| {
            UnknownName {
                what: "boundary",
                name: name.chars().take(64).collect(),
                known: "kubo-0.40 and kubo-0.30",
            }
        })
    }
}
