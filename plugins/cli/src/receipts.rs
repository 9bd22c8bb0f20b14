//! Receipts as files, and where the results that they speak of lie.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use frogfish_verifier::{Receipt, ReceiptLimits};

use crate::commands::chain;
use crate::exit;
use crate::files;
use crate::problem::Problem;

/// Ends the name of a receipt that lies beside a folder of results.
const BESIDE: &[u8] = b".receipt.json";

/// The name of a receipt in an execution's folder.
const RECEIPT: &str = "receipt.json";

/// Reads a receipt. What is none is wrong usage, never an answer.
pub(crate) fn read(path: &Path) -> Result<Receipt, Problem> {
    let limits = ReceiptLimits::default();
    let bytes =
        files::read(path, limits.bytes_max as u64).map_err(|problem| problem.with_status(exit::USAGE))?;
    Receipt::from_json(&bytes, &limits).map_err(|error| {
        let message = format!("{} is no receipt: {}", files::shown(path), chain(&error));
        Problem::new(exit::USAGE, "ReceiptError", message)
    })
}

/// The results that lie where a receipt at this path expects them: `DIR` for `DIR.receipt.json`, `results` beside
/// `receipt.json`.
pub(crate) fn results_of(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.as_bytes();
    let found = match name.strip_suffix(BESIDE) {
        Some(folder) if !folder.is_empty() => path.with_file_name(OsStr::from_bytes(folder)),
        _ if name == RECEIPT.as_bytes() => path.with_file_name("results"),
        _ => return None,
    };
    found.is_dir().then_some(found)
}

/// Where the receipt for a folder of results goes: `DIR.receipt.json`.
pub(crate) fn beside(folder: &Path) -> Option<PathBuf> {
    let mut name = folder.file_name()?.to_owned();
    name.push(OsStr::from_bytes(BESIDE));
    Some(folder.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_lie_beside_a_receipt_or_in_the_folder_of_its_execution() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir(at("out")).unwrap();
        std::fs::create_dir(at("results")).unwrap();
        assert_eq!(results_of(&at("out.receipt.json")), Some(at("out")));
        assert_eq!(results_of(&at("receipt.json")), Some(at("results")));
        assert_eq!(results_of(&at("gone.receipt.json")), None);
        assert_eq!(results_of(&at("out.json")), None);
        assert_eq!(beside(&at("out")), Some(at("out.receipt.json")));
    }
}
