//! `frogfish verify`: whether a receipt's claim holds, and what that rests on.

mod rerun;
mod words;

use std::path::PathBuf;

use frogfish_verifier::{Evidence, Receipt, Verdict, verify};
use serde_json::{Value, json};

use crate::args::Verify;
use crate::exit;
use crate::files;
use crate::out;
use crate::problem::Problem;
use crate::receipts;
use crate::settings::Settings;

pub(super) fn run(
    args: &Verify,
    settings: impl FnOnce() -> Result<Settings, Problem>,
) -> Result<u8, Problem> {
    let receipt = receipts::read(&args.receipt)?;
    let results = results(args)?;
    let (reruns, refused) = match args.rerun {
        0 => (Vec::new(), None),
        times => rerun::run(&receipt, times, args.inputs.as_deref(), &settings()?)?,
    };
    let mut evidence = Evidence::none().with_reruns(&reruns);
    if let Some(results) = &results {
        evidence = evidence.with_results(results);
    }
    let found = verify(&receipt, &evidence);
    // Whoever asked for re-runs that could not be made has no answer, unless there is a plain no.
    let verdict = match found.verdict {
        Verdict::Match if refused.is_some() => Verdict::Undecided,
        verdict => verdict,
    };
    if args.json {
        let mut object = serde_json::to_value(&found).unwrap_or_default();
        object["verdict"] = json!(verdict);
        object["results"] = json!(results.map(files::text));
        object["rerun_refused"] = json!(refused);
        out::json(&object)?;
    } else {
        out::bytes(text(verdict, &found, refused.as_deref(), &receipt).as_bytes())?;
    }
    Ok(match verdict {
        Verdict::Match => 0,
        Verdict::Mismatch => 1,
        Verdict::Undecided => 2,
    })
}

/// The results to check: those that the caller names, else those beside the receipt.
fn results(args: &Verify) -> Result<Option<PathBuf>, Problem> {
    let Some(results) = &args.results else { return Ok(receipts::results_of(&args.receipt)) };
    if results.is_dir() {
        return Ok(Some(results.clone()));
    }
    let message = format!("--results {}: there is no such folder", results.display());
    Err(Problem::new(exit::USAGE, "IoError", message))
}

fn text(
    verdict: Verdict,
    found: &frogfish_verifier::Verification,
    refused: Option<&str>,
    receipt: &Receipt,
) -> String {
    let mut rows = vec![vec![verdict.to_string()]];
    let mut add = |name: &str, text: String| rows.push(vec![format!("  {name}"), out::printable(&text)]);
    let outcome = &receipt.claim.outcome;
    let exit_code = outcome.exit_code.map_or_else(String::new, |code| format!(", exit code {code}"));
    add("claim", format!("{}{exit_code}", outcome.state));
    if let Some(digest) = &found.claim_digest {
        add("claim digest", digest.to_string());
    }
    for basis in &found.basis {
        let (name, text) = words::basis(basis);
        add(name, text);
    }
    for reason in &found.reasons {
        let (name, text) = words::reason(reason);
        add(name, text);
    }
    if let Some(why) = refused {
        add("not re-run", why.to_owned());
    }
    out::table(&rows)
}

/// A field of an object that another version of this program may have written.
fn field<'v>(value: &'v Value, name: &str) -> &'v Value {
    value.get(name).unwrap_or(&Value::Null)
}
