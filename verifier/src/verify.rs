//! Verdicts: whether a receipt's claim holds, and what that rests on.
//!
//! A verdict is `match` only where something was checked and nothing spoke against it; what could not be read whole
//! makes it `undecided`, what contradicts the claim makes it `mismatch`.

mod reruns;
#[cfg(target_os = "linux")]
mod results;
#[cfg(test)]
mod tests;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::receipt::DeterminismLevel;
use crate::{Cid, Digest, PathName, Receipt, canonical};

/// Whether a claim holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All that was checked agrees with the claim.
    Match,
    /// Something contradicts the claim.
    Mismatch,
    /// Nothing was checked, or not all of it could be.
    Undecided,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Match => "match",
            Self::Mismatch => "mismatch",
            Self::Undecided => "undecided",
        })
    }
}

/// What a receipt is checked against.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Evidence<'e> {
    /// The results folder.
    #[cfg(target_os = "linux")]
    pub results: Option<&'e std::path::Path>,
    /// Receipts of other runs of the same work.
    pub reruns: &'e [Receipt],
}

impl<'e> Evidence<'e> {
    /// Nothing to check against.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds the results folder.
    #[cfg(target_os = "linux")]
    pub fn with_results(mut self, results: &'e std::path::Path) -> Self {
        self.results = Some(results);
        self
    }

    /// Adds receipts of other runs of the same work.
    pub fn with_reruns(mut self, reruns: &'e [Receipt]) -> Self {
        self.reruns = reruns;
        self
    }
}

/// A verdict and everything behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Verification {
    /// Whether the claim holds.
    pub verdict: Verdict,
    /// The claim's digest; `None` where the claim has no canonical text.
    pub claim_digest: Option<Digest>,
    /// What was checked and agrees.
    pub basis: Vec<Basis>,
    /// What speaks against the claim, what could not be checked, and what the verdict does not cover.
    pub reasons: Vec<Reason>,
}

/// Something that was checked and agrees with the claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "basis", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Basis {
    /// The results folder has the claimed CID and manifest root.
    Results {
        /// The CID.
        cid: Cid,
        /// The manifest root.
        manifest: Digest,
    },
    /// Other runs gave an equal claim.
    Reruns {
        /// How many.
        count: u64,
        /// On which machines they were to be equal.
        level: DeterminismLevel,
    },
}

/// Something that speaks against a claim, could not be checked, or is not covered by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// Neither results nor re-runs were given.
    NothingToCheck,
    /// The claim has no canonical text.
    NoDigest {
        /// Why.
        error: String,
    },
    /// The job's digest is not the digest of the job in the claim.
    JobDigest {
        /// The digest in the claim.
        claimed: Digest,
        /// The digest of the job.
        computed: Digest,
    },
    /// The claim names no CID or no manifest root.
    NoResultsClaimed,
    /// The results could not be read whole.
    Unreadable {
        /// Which path, below the results folder.
        path: PathName,
        /// Why.
        error: String,
    },
    /// The results have another CID.
    Cid {
        /// The CID in the claim.
        claimed: Cid,
        /// The CID of the folder.
        computed: Cid,
    },
    /// The results have another manifest root; with an equal CID, an execute bit differs.
    Manifest {
        /// The root in the claim.
        claimed: Digest,
        /// The root of the folder.
        computed: Digest,
    },
    /// A re-run is of other work.
    OtherWork {
        /// Place of the re-run in the evidence, from 0.
        rerun: u64,
        /// Fields of the claim that differ.
        fields: Vec<String>,
    },
    /// A re-run came to another end.
    Rerun {
        /// Place of the re-run in the evidence, from 0.
        rerun: u64,
        /// Fields of the claim that differ.
        fields: Vec<String>,
    },
    /// A re-run came to another end, which this level of determinism allows.
    NotComparable {
        /// Place of the re-run in the evidence, from 0.
        rerun: u64,
        /// Why two ends may differ.
        why: String,
    },
    /// A receipt was given as its own re-run.
    SameExecution {
        /// Place of the re-run in the evidence, from 0.
        rerun: u64,
    },
    /// Hidden files lie outside the CID.
    Hidden {
        /// Their names, as far as they are listed.
        paths: Vec<PathName>,
        /// How many there are.
        count: u64,
    },
    /// Output was cut off at a limit: the CID covers what was kept.
    Truncated {
        /// What was cut off.
        what: Vec<String>,
    },
    /// There is a signature, and nobody has checked it.
    SignatureNotChecked {
        /// Who is said to have signed.
        signer: String,
    },
}

impl Reason {
    /// What the reason makes of the verdict: `None` where it only tells what the verdict does not cover.
    fn weight(&self) -> Option<Verdict> {
        match self {
            Self::JobDigest { .. } | Self::Cid { .. } | Self::Manifest { .. } | Self::Rerun { .. } => {
                Some(Verdict::Mismatch)
            }
            Self::NothingToCheck
            | Self::NoDigest { .. }
            | Self::NoResultsClaimed
            | Self::Unreadable { .. }
            | Self::OtherWork { .. }
            | Self::NotComparable { .. }
            | Self::SameExecution { .. } => Some(Verdict::Undecided),
            Self::Hidden { .. } | Self::Truncated { .. } | Self::SignatureNotChecked { .. } => None,
        }
    }
}

/// Checks a receipt's claim against the evidence.
pub fn verify(receipt: &Receipt, evidence: &Evidence<'_>) -> Verification {
    let mut basis = Vec::new();
    let mut reasons = Vec::new();
    let claim = &receipt.claim;
    let claim_digest = match claim.digest() {
        Ok(digest) => Some(digest),
        Err(error) => {
            reasons.push(Reason::NoDigest { error: error.to_string() });
            None
        }
    };
    // A job without canonical text is part of a claim without one, which is said already.
    if let Ok(computed) = canonical::digest(&claim.job)
        && computed != claim.job_digest
    {
        reasons.push(Reason::JobDigest { claimed: claim.job_digest, computed });
    }
    let mut hidden = (receipt.observation.hidden.clone(), receipt.observation.hidden_count);
    let mut given = !evidence.reruns.is_empty();
    #[cfg(target_os = "linux")]
    if let Some(results) = evidence.results {
        given = true;
        if let Some(found) = results::check(claim, results, &mut basis, &mut reasons) {
            hidden = found;
        }
    }
    reruns::check(receipt, claim_digest, evidence.reruns, &mut basis, &mut reasons);
    if !given {
        reasons.push(Reason::NothingToCheck);
    }
    add_notes(receipt, hidden, &mut reasons);
    let weighs = |verdict| reasons.iter().any(|reason| reason.weight() == Some(verdict));
    let verdict = if weighs(Verdict::Mismatch) {
        Verdict::Mismatch
    } else if weighs(Verdict::Undecided) || basis.is_empty() {
        Verdict::Undecided
    } else {
        Verdict::Match
    };
    Verification { verdict, claim_digest, basis, reasons }
}

fn add_notes(receipt: &Receipt, (paths, count): (Vec<PathName>, u64), reasons: &mut Vec<Reason>) {
    if count > 0 || !paths.is_empty() {
        let count = count.max(paths.len() as u64);
        reasons.push(Reason::Hidden { paths, count });
    }
    let cut = receipt.claim.truncated;
    if cut.any() {
        let parts = [("stdout", cut.stdout), ("stderr", cut.stderr), ("outputs", cut.outputs)];
        let what = parts.iter().filter(|(_, cut)| *cut).map(|(name, _)| (*name).to_owned()).collect();
        reasons.push(Reason::Truncated { what });
    }
    if let Some(signature) = &receipt.signature {
        reasons.push(Reason::SignatureNotChecked { signer: signature.signer.clone() });
    }
}
