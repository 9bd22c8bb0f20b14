//! Receipts: what was asked and what came of it (the claim), and what it was like (the observation).
//!
//! A claim is equal for equal work, on any host and at any time; its digest is the identity of the work. Everything
//! that may differ between two runs of the same work is in the observation.

mod claim;
mod observation;
mod read;
#[cfg(test)]
pub(crate) mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use claim::{Claim, ClaimInput, ContentId, Determinism, DeterminismLevel, Outcome, Program, Truncation};
pub use observation::{GpuTelemetry, LogDigest, Observation, Usage};
pub use read::{ReceiptError, ReceiptLimits};

/// The version of receipts that this crate writes and reads.
pub const RECEIPT_VERSION: u32 = 1;

/// A claim, the observation beside it, and perhaps a signature over both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The version of this form.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// What was asked and what came of it.
    pub claim: Claim,
    /// What the one run behind this receipt was like.
    pub observation: Observation,
    /// A signature over the digests of claim and observation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

/// A signature over the digests of a claim and an observation, and what binds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// How it was made, such as `eip712`.
    pub scheme: String,
    /// Who signed, in the scheme's own form.
    pub signer: String,
    /// The chain it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain_id: Option<u64>,
    /// What makes it usable once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The signature in the scheme's own form.
    pub value: String,
}

impl Receipt {
    /// An unsigned receipt of the current version.
    pub fn new(claim: Claim, observation: Observation) -> Self {
        Self { version: RECEIPT_VERSION, claim, observation, signature: None }
    }

    /// The receipt as JSON on one line, as it is stored.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }
}

/// The JSON schema of a receipt (draft 2020-12).
pub fn receipt_schema() -> serde_json::Value {
    schemars::schema_for!(Receipt).to_value()
}
