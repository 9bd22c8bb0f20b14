//! Printing entries for people.

use std::io::{self, Write};

use crate::clock::{RFC3339_NANOS_BYTES, write_rfc3339_nanos};

use super::{LogEntry, LogStream};

/// Prints entries, with the time before each line if wanted.
#[derive(Debug, Clone)]
pub struct LogPrinter {
    timestamps: bool,
    /// Whether the next byte of standard output, standard error begins a line.
    at_line_start: [bool; 2],
}

impl LogPrinter {
    /// A printer that is at the start of a line.
    pub fn new(timestamps: bool) -> Self {
        Self { timestamps, at_line_start: [true; 2] }
    }

    /// Prints one entry; a system message is a line of its own.
    ///
    /// # Errors
    /// `to` refused.
    pub fn print(&mut self, entry: &LogEntry, to: &mut dyn Write) -> io::Result<()> {
        let mut stamp = [b' '; RFC3339_NANOS_BYTES + 1];
        if let Some(time) = stamp.first_chunk_mut() {
            write_rfc3339_nanos(entry.at, time);
        }
        let stamp: &[u8] = if self.timestamps { &stamp } else { &[] };
        let at_start = match entry.stream {
            LogStream::Stdout => &mut self.at_line_start[0],
            LogStream::Stderr => &mut self.at_line_start[1],
            LogStream::System => {
                to.write_all(stamp)?;
                to.write_all(entry.bytes.strip_suffix(b"\n").unwrap_or(&entry.bytes))?;
                return to.write_all(b"\n");
            }
        };
        if !self.timestamps {
            return to.write_all(&entry.bytes);
        }
        for line in entry.bytes.split_inclusive(|byte| *byte == b'\n') {
            if *at_start {
                to.write_all(stamp)?;
            }
            to.write_all(line)?;
            *at_start = line.ends_with(b"\n");
        }
        Ok(())
    }
}
