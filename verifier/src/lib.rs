//! CIDs, manifests, differences and receipts: is this result right, and if not, which byte.
//!
//! ```text
//! folder ──► hash ──► CID (unixfs)  ─┐
//!                └──► manifest root ─┼─► receipt ──► verify ──► match | mismatch | undecided
//! claim ──► canonical ──► digest ────┘
//! ```
//!
//! The crate is pure: it reads the bytes and files it is given, and no clock, network, environment or source of
//! randomness, so that the same bytes give the same digests on every machine.
#![warn(missing_docs)]

pub mod canonical;
mod cid;
pub mod diff;
mod digest;
pub mod hash;
mod json;
pub mod manifest;
mod name;
pub mod receipt;
mod schema;
pub mod sha256;
pub mod unixfs;
pub mod verify;

pub use cid::{Cid, CidError};
pub use diff::{Difference, Differences};
pub use digest::{Digest, DigestError};
#[cfg(target_os = "linux")]
pub use hash::hash_path;
pub use hash::{HashError, HashOptions, Hashed, hash_bytes, hash_files};
pub use manifest::{Entry, EntryKind, Manifest, ManifestError, ManifestLimits};
pub use name::PathName;
pub use receipt::{Claim, Observation, Receipt, ReceiptError, ReceiptLimits, receipt_schema};
pub use unixfs::{HamtBoundary, Profile};
pub use verify::{Evidence, Verdict, Verification, verify};
