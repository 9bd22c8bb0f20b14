//! A claim against the results folder.

use std::path::Path;

use super::{Basis, Reason};
use crate::hash::hash_path;
use crate::{Claim, HashOptions, PathName};

/// Checks CID and manifest root; gives the hidden names of the folder and their number, where it could be read.
pub(super) fn check(
    claim: &Claim,
    results: &Path,
    basis: &mut Vec<Basis>,
    reasons: &mut Vec<Reason>,
) -> Option<(Vec<PathName>, u64)> {
    let (Some(cid), Some(manifest)) = (claim.cid, claim.manifest) else {
        reasons.push(Reason::NoResultsClaimed);
        return None;
    };
    let options = HashOptions::default()
        .with_profile(claim.profile)
        .with_boundary(claim.hamt_boundary)
        .with_entries(false);
    let hashed = match hash_path(results, &options) {
        Ok(hashed) => hashed,
        Err(error) => {
            let mut text = error.to_string();
            if let Some(source) = std::error::Error::source(&error) {
                text = format!("{text}: {source}");
            }
            reasons.push(Reason::Unreadable { path: error.path().clone(), error: text });
            return None;
        }
    };
    if hashed.cid != cid {
        reasons.push(Reason::Cid { claimed: cid, computed: hashed.cid });
    }
    if hashed.root != manifest {
        reasons.push(Reason::Manifest { claimed: manifest, computed: hashed.root });
    }
    if hashed.cid == cid && hashed.root == manifest {
        basis.push(Basis::Results { cid, manifest });
    }
    Some((hashed.hidden, hashed.hidden_count))
}
