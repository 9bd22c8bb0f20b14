//! What a verdict rests on, for people.

use frogfish_verifier::verify::{Basis, Reason};

/// Something that agrees with the claim: what it is, and the rest.
pub(super) fn basis(basis: &Basis) -> (&'static str, String) {
    match basis {
        Basis::Results { cid, manifest } => ("results agree", format!("{cid}, manifest {manifest}")),
        Basis::Reruns { count, level } => {
            let level = serde_json::to_value(level).unwrap_or_default();
            ("re-runs agree", format!("{count}, declared equal on: {}", level.as_str().unwrap_or_default()))
        }
        other => ("agrees", format!("{other:?}")),
    }
}

/// Something that speaks against the claim, or that the verdict does not cover.
pub(super) fn reason(reason: &Reason) -> (&'static str, String) {
    match reason {
        Reason::NothingToCheck => {
            ("undecided", "nothing to check against: name --results DIR or --rerun N".to_owned())
        }
        Reason::NoDigest { error } => ("undecided", format!("the claim has no digest: {error}")),
        Reason::JobDigest { claimed, computed } => {
            ("job differs", format!("the receipt claims job digest {claimed}, its job has {computed}"))
        }
        Reason::NoResultsClaimed => ("undecided", "the receipt claims no results".to_owned()),
        Reason::Unreadable { path, error } => ("undecided", format!("{path} could not be read: {error}")),
        Reason::Cid { claimed, computed } => {
            ("results differ", format!("claimed {claimed}, found {computed}"))
        }
        Reason::Manifest { claimed, computed } => {
            ("manifest differs", format!("claimed {claimed}, found {computed}"))
        }
        Reason::OtherWork { rerun, fields } => {
            ("undecided", format!("re-run {} was other work: {} differ", rerun + 1, fields.join(", ")))
        }
        Reason::Rerun { rerun, fields } => {
            ("re-run differs", format!("re-run {}: {} differ", rerun + 1, fields.join(", ")))
        }
        Reason::NotComparable { rerun, why } => ("undecided", format!("re-run {}: {why}", rerun + 1)),
        Reason::SameExecution { rerun } => {
            ("undecided", format!("re-run {} is the execution itself", rerun + 1))
        }
        Reason::Hidden { paths, count } => {
            let names: Vec<String> = paths.iter().take(3).map(ToString::to_string).collect();
            ("not in the CID", format!("{count} names with a leading dot: {}", names.join(", ")))
        }
        Reason::Truncated { what } => {
            ("cut off", format!("{}: the CID covers what was kept", what.join(", ")))
        }
        Reason::SignatureNotChecked { signer } => {
            ("not checked", format!("the signature said to be by {signer}"))
        }
        other => ("note", format!("{other:?}")),
    }
}
