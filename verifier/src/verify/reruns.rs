//! A claim against other runs of the same work.

use std::collections::BTreeSet;

use super::{Basis, Reason};
use crate::receipt::DeterminismLevel;
use crate::{Claim, Digest, Receipt};

/// Checks every re-run's claim against the receipt's.
pub(super) fn check(
    receipt: &Receipt,
    claim_digest: Option<Digest>,
    reruns: &[Receipt],
    basis: &mut Vec<Basis>,
    reasons: &mut Vec<Reason>,
) {
    let level = receipt.claim.determinism.level;
    let mut executions = BTreeSet::from([receipt.observation.execution_id.as_str()]);
    let mut equal = 0;
    for (rerun, place) in reruns.iter().zip(0..) {
        if !executions.insert(&rerun.observation.execution_id) {
            reasons.push(Reason::SameExecution { rerun: place });
            continue;
        }
        let other_work = fields(&WORK, &receipt.claim, &rerun.claim);
        if !other_work.is_empty() {
            reasons.push(Reason::OtherWork { rerun: place, fields: other_work });
            continue;
        }
        let (Some(claimed), Ok(found)) = (claim_digest, rerun.claim.digest()) else {
            reasons.push(Reason::NotComparable {
                rerun: place,
                why: "one of the two claims has no canonical text".to_owned(),
            });
            continue;
        };
        if claimed == found {
            equal += 1;
            continue;
        }
        reasons.push(match allowed(receipt, rerun) {
            Some(why) => Reason::NotComparable { rerun: place, why: why.to_owned() },
            None => Reason::Rerun { rerun: place, fields: fields(&END, &receipt.claim, &rerun.claim) },
        });
    }
    if equal > 0 {
        basis.push(Basis::Reruns { count: equal, level });
    }
}

/// A field of the claim by name, and whether two claims have it equal.
type Field = (&'static str, fn(&Claim, &Claim) -> bool);

/// What makes two executions the same work.
const WORK: [Field; 7] = [
    ("job_digest", |a, b| a.job_digest == b.job_digest),
    ("engine", |a, b| a.engine == b.engine),
    // An execution that ended early knows no program; that is an end, not other work.
    ("program", |a, b| a.program == b.program || a.program.is_none() || b.program.is_none()),
    ("inputs", |a, b| a.inputs == b.inputs),
    ("determinism", |a, b| a.determinism == b.determinism),
    ("profile", |a, b| a.profile == b.profile),
    ("hamt_boundary", |a, b| a.hamt_boundary == b.hamt_boundary),
];

/// How the work ended.
const END: [Field; 7] = [
    ("job", |a, b| a.job == b.job),
    ("program", |a, b| a.program == b.program),
    ("outcome", |a, b| a.outcome == b.outcome),
    ("truncated", |a, b| a.truncated == b.truncated),
    ("instruction_count", |a, b| a.instruction_count == b.instruction_count),
    ("cid", |a, b| a.cid == b.cid),
    ("manifest", |a, b| a.manifest == b.manifest),
];

fn fields(of: &[Field], a: &Claim, b: &Claim) -> Vec<String> {
    of.iter().filter(|(_, equal)| !equal(a, b)).map(|(name, _)| (*name).to_owned()).collect()
}

/// Why two ends of the same work may differ without either being wrong.
fn allowed(a: &Receipt, b: &Receipt) -> Option<&'static str> {
    if !a.claim.outcome.reproducible || !b.claim.outcome.reproducible {
        return Some("one of the two ends depended on its machine");
    }
    match a.claim.determinism.level {
        DeterminismLevel::None => Some("the job promises no determinism"),
        DeterminismLevel::Machine if a.observation.host != b.observation.host => {
            Some("the job is deterministic on one machine, and these are two")
        }
        DeterminismLevel::Class if class(a) != class(b) => {
            Some("the job is deterministic on one class of GPU, and these are two")
        }
        _ => None,
    }
}

/// Models and drivers of the GPUs held; the image is part of the work.
fn class(receipt: &Receipt) -> BTreeSet<(&str, &str)> {
    receipt.observation.gpus.iter().map(|gpu| (gpu.model.as_str(), gpu.driver.as_str())).collect()
}
