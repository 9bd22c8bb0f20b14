//! Passing a log on as Docker's plain multiplexed stream, without times.

use std::io::{self, Read, Write};
use std::time::Duration;

use super::buffer::FrameBuffer;
use super::frame::{FRAME_HEADER_BYTES, LogStream, header};
use super::{ENTRY_BYTES_MAX, LogError};

/// Copies the frames at or after `since` without their times; gives the bytes written, headers included.
///
/// A frame longer than [`ENTRY_BYTES_MAX`] becomes several; one that was never completed is left out.
///
/// # Errors
/// [`LogError::System`] at a system message, an unreadable frame, or either side's own error.
pub fn strip_copy(
    from: &mut impl Read,
    to: &mut impl Write,
    since: Option<Duration>,
) -> Result<u64, LogError> {
    let mut buffer = FrameBuffer::default();
    let mut chunk = vec![0; ENTRY_BYTES_MAX];
    let mut written = 0;
    loop {
        while let Some(piece) = buffer.next()? {
            if piece.stream == LogStream::System {
                return Err(LogError::System(String::from_utf8_lossy(piece.bytes).into_owned()));
            }
            if since.is_some_and(|since| piece.at < since) {
                continue;
            }
            let head = header(piece.stream, piece.bytes.len());
            to.write_all(&head).and_then(|()| to.write_all(piece.bytes)).map_err(LogError::Write)?;
            written += (FRAME_HEADER_BYTES + piece.bytes.len()) as u64;
        }
        if buffer.ended() {
            return Ok(written);
        }
        match from.read(&mut chunk) {
            Ok(0) => return Ok(written),
            Ok(read) => buffer.extend(&chunk[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(LogError::Read { path: None, source }),
        }
    }
}
