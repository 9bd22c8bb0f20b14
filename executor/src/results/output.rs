//! The result as Bacalhau carries it.

use serde::{Deserialize, Serialize};

use crate::capture::Captured;

/// How a run ended, in Bacalhau's own JSON keys (one of which begins with a small letter).
///
/// # Source
/// Bacalhau 1.9.3, `models.RunCommandResult`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCommandResult {
    /// The first bytes of standard output; what is not UTF-8 is replaced.
    #[serde(rename = "Stdout")]
    pub stdout: String,
    /// Whether standard output was longer.
    #[serde(rename = "StdoutTruncated")]
    pub stdout_truncated: bool,
    /// The first bytes of standard error.
    #[serde(rename = "stderr")]
    pub stderr: String,
    /// Whether standard error was longer.
    #[serde(rename = "StderrTruncated")]
    pub stderr_truncated: bool,
    /// The program's status; -1 if it came to none.
    #[serde(rename = "ExitCode")]
    pub exit_code: i64,
    /// Why it failed; empty if it did not.
    #[serde(rename = "ErrorMsg")]
    pub error_msg: String,
}

impl RunCommandResult {
    /// The result of a run that came to an exit code or to an error or to both.
    ///
    /// What went wrong while its output was written is said after `error`.
    pub fn new(captured: &Captured, exit_code: Option<i64>, error: Option<&str>) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let not_written = captured.failure.as_ref().map(|failure| failure.message.as_str());
        let errors: Vec<&str> = error.into_iter().chain(not_written).collect();
        Self {
            stdout: text(&captured.stdout.summary),
            stdout_truncated: captured.stdout.summary_truncated,
            stderr: text(&captured.stderr.summary),
            stderr_truncated: captured.stderr.summary_truncated,
            exit_code: exit_code.unwrap_or(-1),
            error_msg: errors.join("\n"),
        }
    }
}
