//! `frogfish hash`: the CID of a file or folder, alone on stdout.

use std::error::Error;

use frogfish_verifier::{HamtBoundary, HashOptions, Hashed, Profile, hash_path};
use serde_json::json;

use crate::args::{Boundary, Hash, ProfileName};
use crate::exit;
use crate::files;
use crate::out;
use crate::problem::Problem;

pub(super) fn run(args: &Hash) -> Result<u8, Problem> {
    let profile = match args.profile {
        ProfileName::V0 => Profile::UnixfsV0_2015,
        ProfileName::V1 => Profile::UnixfsV1_2025,
    };
    let boundary = match args.hamt_boundary {
        Boundary::Kubo040 => HamtBoundary::Kubo040,
        Boundary::Kubo030 => HamtBoundary::Kubo030,
    };
    let options = HashOptions::default().with_entries(false).with_profile(profile).with_boundary(boundary);
    let hashed = hash_path(&args.path, &options).map_err(|error| unreadable(&args.path, &error))?;
    if args.json {
        let path = std::path::absolute(&args.path).unwrap_or_else(|_| args.path.clone());
        out::json(&json!({
            "path": files::text(path),
            "cid": hashed.cid,
            "manifest": hashed.root,
            "profile": hashed.profile.name(),
            "hamt_boundary": boundary.name(),
            "bytes": hashed.bytes,
            "files": hashed.files,
            "hidden": hashed.hidden,
            "hidden_count": hashed.hidden_count,
        }))?;
    } else {
        out::line(&hashed.cid.to_string())?;
        say_hidden(&hashed);
    }
    Ok(0)
}

/// Names what the CID does not cover, as Kubo leaves it out too.
fn say_hidden(hashed: &Hashed) {
    if hashed.hidden_count > 0 {
        let first = hashed.hidden.first().map(ToString::to_string).unwrap_or_default();
        let count = hashed.hidden_count;
        out::say(&format!("not in the CID: {count} names with a leading dot (the first: {first})"));
    }
}

/// What cannot be read is wrong usage here, never an answer.
pub(crate) fn unreadable(path: &std::path::Path, error: &dyn Error) -> Problem {
    let why = chain(error);
    let why = why.strip_prefix("hashing: ").unwrap_or(&why);
    Problem::new(exit::USAGE, "IoError", format!("hashing {}: {why}", path.display()))
}

/// An error and its causes on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let part = error.to_string();
        if !text.ends_with(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        cause = error.source();
    }
    text
}
