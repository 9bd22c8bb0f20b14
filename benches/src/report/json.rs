//! Reports as JSON files, with their version checked on the way in.

use std::path::Path;

use serde::Deserialize;

use super::{Report, SCHEMA};
use crate::error::Error;

/// Longest report that is read.
const REPORT_BYTES_MAX: u64 = 256 << 20;

#[derive(Deserialize)]
struct Head {
    schema: String,
}

/// Writes a report with every sample.
pub(crate) fn write(report: &Report, path: &Path) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(report)
        .map_err(|error| Error::Report { path: path.to_owned(), message: error.to_string() })?;
    std::fs::write(path, text + "\n").map_err(Error::io("write report", path))
}

/// Reads a report; another layout version is refused with both versions named.
pub(crate) fn read(path: &Path) -> Result<Report, Error> {
    let wrong = |message: String| Error::Report { path: path.to_owned(), message };
    let bytes = std::fs::metadata(path).map_err(Error::io("read report", path))?.len();
    if bytes > REPORT_BYTES_MAX {
        return Err(wrong(format!("{bytes} bytes, at most {REPORT_BYTES_MAX} are read")));
    }
    let text = std::fs::read_to_string(path).map_err(Error::io("read report", path))?;
    let head: Head = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if head.schema != SCHEMA {
        return Err(wrong(format!("its layout is {:?}, this program reads {SCHEMA:?}", head.schema)));
    }
    serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;

    #[test]
    fn a_report_comes_back_equal() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.json");
        let report = report();
        write(&report, &path).unwrap();
        assert_eq!(read(&path).unwrap(), report);
    }

    #[test]
    fn another_version_is_refused_with_both_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.json");
        std::fs::write(&path, r#"{"schema":"frogfish-bench/9"}"#).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("frogfish-bench/9") && error.contains(SCHEMA), "{error}");
        std::fs::write(&path, "{").unwrap();
        assert!(read(&path).is_err());
    }
}
