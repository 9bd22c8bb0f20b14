//! Where the last lines of a log begin: one pass over it, holding one place for each line wanted.

use std::collections::VecDeque;
use std::fs::File;

use super::buffer::FrameBuffer;
use super::frame::LogStream;
use super::{ENTRY_BYTES_MAX, LogError, LogOptions, TAIL_LINES_MAX, read_at};

/// A place within a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The frame.
    pub(super) frame_offset: u64,
    /// Bytes of its data before the place.
    pub(super) skip_bytes: u64,
}

/// Where the last [`LogOptions::tail_lines`] lines of those that are wanted begin.
pub(super) fn find(file: &File, options: &LogOptions) -> Result<Place, LogError> {
    let lines_max = options.tail_lines.unwrap_or(TAIL_LINES_MAX).min(TAIL_LINES_MAX);
    let mut starts = VecDeque::new();
    let mut at_line_start = [true; 3];
    let mut buffer = FrameBuffer::default();
    loop {
        while let Some(piece) = buffer.next()? {
            if !options.wants(piece.stream, piece.at) {
                continue;
            }
            let at_start = &mut at_line_start[match piece.stream {
                LogStream::Stdout => 0,
                LogStream::Stderr => 1,
                // Each message is a line.
                LogStream::System => 2,
            }];
            let mut line_from = 0;
            while line_from < piece.bytes.len() {
                if *at_start {
                    if starts.len() == lines_max {
                        starts.pop_front();
                    }
                    if lines_max > 0 {
                        let skip_bytes = piece.bytes_before + line_from as u64;
                        starts.push_back(Place { frame_offset: piece.frame_offset, skip_bytes });
                    }
                }
                let newline = piece.bytes[line_from..].iter().position(|byte| *byte == b'\n');
                *at_start = newline.is_some();
                line_from = newline.map_or(piece.bytes.len(), |at| line_from + at + 1);
            }
            if piece.stream == LogStream::System {
                *at_start = true;
            }
        }
        if buffer.ended() {
            break;
        }
        let bytes = read_at(file, buffer.read_offset(), ENTRY_BYTES_MAX)
            .map_err(|source| LogError::Read { path: None, source })?;
        if bytes.is_empty() {
            break;
        }
        buffer.extend(&bytes);
    }
    let end = Place { frame_offset: buffer.frame_offset(), skip_bytes: 0 };
    Ok(starts.front().copied().unwrap_or(end))
}
