//! `frogfish diff`: two result folders or receipts, side by side.

use std::path::{Path, PathBuf};

use frogfish_verifier::diff::{DiffError, diff_folders};
use frogfish_verifier::{Differences, HashOptions, Receipt, hash_path};
use serde_json::{Value, json};

use super::{chain, unreadable};
use crate::args::Diff;
use crate::exit;
use crate::out;
use crate::problem::Problem;
use crate::receipts;

const SAME: u8 = 0;
const DIFFERENT: u8 = 1;
const UNDECIDED: u8 = 2;

/// What is compared: a folder of results, or a receipt and perhaps the folder that it speaks of.
struct Side {
    receipt: Option<Receipt>,
    results: Option<PathBuf>,
}

/// What was found between two sides.
#[derive(Default)]
struct Found {
    /// Fields of the claims that differ: path, left, right.
    claims: Vec<(String, Value, Value)>,
    results: Option<Differences>,
    /// Why it could not be told.
    undecided: Option<String>,
}

pub(super) fn run(args: &Diff) -> Result<u8, Problem> {
    let (a, b) = (side(&args.a)?, side(&args.b)?);
    let found = compare(&a, &b)?;
    let different = !found.claims.is_empty() || found.results.as_ref().is_some_and(|all| !all.is_empty());
    let (status, verdict) = match &found.undecided {
        _ if different => (DIFFERENT, "different"),
        Some(_) => (UNDECIDED, "undecided"),
        None => (SAME, "same"),
    };
    if args.json {
        let claims = found.claims.iter();
        let claims: Vec<Value> = claims
            .map(|(field, left, right)| json!({"field": field, "left": left, "right": right}))
            .collect();
        out::json(&json!({
            "verdict": verdict,
            "why": found.undecided,
            "claims": claims,
            "results": found.results,
        }))?;
    } else {
        out::bytes(table(&found).as_bytes())?;
    }
    Ok(status)
}

fn side(path: &Path) -> Result<Side, Problem> {
    let failed = |error| Problem::new(exit::USAGE, "IoError", format!("reading {}: {error}", path.display()));
    if std::fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(Side { receipt: None, results: Some(path.to_owned()) });
    }
    Ok(Side { receipt: Some(receipts::read(path)?), results: receipts::results_of(path) })
}

fn compare(a: &Side, b: &Side) -> Result<Found, Problem> {
    let mut found = Found::default();
    if let (Some(left), Some(right)) = (&a.receipt, &b.receipt) {
        let value = |receipt: &Receipt| serde_json::to_value(&receipt.claim).unwrap_or_default();
        fields("", &value(left), &value(right), &mut found.claims);
    }
    match (&a.results, &b.results) {
        (Some(left), Some(right)) => match diff_folders(left, right, &options(a, b)) {
            Ok(differences) => found.results = Some(differences),
            Err(error @ DiffError::Profiles(_)) => found.undecided = Some(chain(&error)),
            Err(error) => return Err(Problem::new(exit::USAGE, "IoError", chain(&error))),
        },
        (Some(folder), None) => against_claim(folder, b, false, &mut found)?,
        (None, Some(folder)) => against_claim(folder, a, true, &mut found)?,
        // Two receipts alone: their claims hold the digests of the results.
        (None, None) => {}
    }
    Ok(found)
}

/// How to hash: as the receipt says, where there is one.
fn options(a: &Side, b: &Side) -> HashOptions {
    match a.receipt.as_ref().or(b.receipt.as_ref()) {
        Some(receipt) => HashOptions::default()
            .with_profile(receipt.claim.profile)
            .with_boundary(receipt.claim.hamt_boundary),
        None => HashOptions::default(),
    }
}

/// Compares a folder with what the claim of the other side says, which has no folder.
fn against_claim(folder: &Path, other: &Side, claim_is_left: bool, found: &mut Found) -> Result<(), Problem> {
    let Some(receipt) = &other.receipt else { return Ok(()) };
    let options = options(other, other).with_entries(false);
    let hashed = hash_path(folder, &options).map_err(|error| unreadable(folder, &error))?;
    let (Some(cid), Some(root)) = (&receipt.claim.cid, receipt.claim.manifest) else {
        found.undecided = Some("the receipt claims no results".to_owned());
        return Ok(());
    };
    let mut add = |field: &str, claimed: Value, seen: Value| {
        if claimed != seen && !found.claims.iter().any(|(known, ..)| known == field) {
            let (left, right) = if claim_is_left { (claimed, seen) } else { (seen, claimed) };
            found.claims.push((field.to_owned(), left, right));
        }
    };
    add("cid", json!(cid), json!(hashed.cid));
    add("manifest", json!(root), json!(hashed.root));
    Ok(())
}

/// The fields that differ between two values, by path.
fn fields(at: &str, left: &Value, right: &Value, to: &mut Vec<(String, Value, Value)>) {
    match (left, right) {
        (Value::Object(a), Value::Object(b)) => {
            let names = a.keys().chain(b.keys().filter(|name| !a.contains_key(*name)));
            for name in names {
                let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                fields(&path, a.get(name).unwrap_or(&Value::Null), b.get(name).unwrap_or(&Value::Null), to);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (left, right)) in a.iter().zip(b).enumerate() {
                fields(&format!("{at}[{index}]"), left, right, to);
            }
        }
        _ if left != right => to.push((at.to_owned(), left.clone(), right.clone())),
        _ => {}
    }
}

fn table(found: &Found) -> String {
    let mut text = String::new();
    if !found.claims.is_empty() {
        let head = ["claim", "left", "right"].map(str::to_owned).to_vec();
        let row = |(field, left, right): &(String, Value, Value)| {
            vec![out::printable(field), left.to_string(), right.to_string()]
        };
        let rows: Vec<_> = std::iter::once(head).chain(found.claims.iter().map(row)).collect();
        text.push_str(&out::table(&rows));
    }
    if let Some(differences) = &found.results {
        text.push_str(&differences.to_string());
    }
    if let Some(why) = &found.undecided {
        text.extend(["could not tell: ", why, "\n"]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_differ_are_named_by_their_path() {
        let left = json!({"a": {"b": [1, 2]}, "same": true, "gone": 1});
        let right = json!({"a": {"b": [1, 3]}, "same": true, "new": null});
        let mut found = Vec::new();
        fields("", &left, &right, &mut found);
        let names: Vec<&str> = found.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["a.b[1]", "gone"]);
    }
}
