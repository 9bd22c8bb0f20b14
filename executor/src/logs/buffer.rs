//! Frames out of bytes that arrive in pieces of any size.

use std::time::Duration;

use super::frame::{Announced, FRAME_HEADER_BYTES, FRAME_STAMP_BYTES, LogStream, parse_header};
use super::{ENTRY_BYTES_MAX, LogError};

/// One frame, or a part of a long one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub(super) stream: LogStream,
    pub(super) at: Duration,
    pub(super) bytes: &'a [u8],
    /// Where its frame begins.
    pub(super) frame_offset: u64,
    /// Bytes of the frame's data before these.
    pub(super) bytes_before: u64,
}

/// Bytes of a log that are not yet given out as entries; the caller fills it while it gives none.
#[derive(Debug, Default)]
pub(super) struct FrameBuffer {
    bytes: Vec<u8>,
    /// How many of `bytes` are given out.
    start: usize,
    /// Where `bytes[start]` is in the log.
    offset: u64,
    within: Option<Within>,
    /// Bytes to leave out of the first frame's data.
    skip_bytes: u64,
    ended: bool,
}

/// A frame that was begun: its parts have one time.
#[derive(Debug, Clone, Copy)]
struct Within {
    stream: LogStream,
    at: Duration,
    frame_offset: u64,
    bytes_before: u64,
    bytes_left: u64,
}

impl FrameBuffer {
    /// A buffer for the frames from `offset` on, without the first bytes of the first one's data.
    pub(super) fn starting_at(offset: u64, skip_bytes: u64) -> Self {
        Self { offset, skip_bytes, ..Self::default() }
    }

    /// Whether the end frame was reached.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// Where in the log the next bytes to [`extend`](Self::extend) with are.
    pub(super) fn read_offset(&self) -> u64 {
        self.offset + (self.bytes.len() - self.start) as u64
    }

    /// Where the first frame is that was not given out.
    pub(super) fn frame_offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.start);
        self.start = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// Forgets bytes that make no frame yet, to be read again.
    pub(super) fn forget_partial(&mut self) {
        self.bytes.truncate(self.start);
    }

    /// The next entry of those that are complete.
    pub(super) fn next(&mut self) -> Result<Option<Piece<'_>>, LogError> {
        loop {
            if self.ended {
                return Ok(None);
            }
            let within = match self.within {
                Some(within) => within,
                None => match self.begin()? {
                    Some(within) => within,
                    None => return Ok(None),
                },
            };
            let ready = self.bytes.len() - self.start;
            // A frame of ordinary length comes whole; of a longer one, a full piece or its rest.
            let wanted = usize::try_from(within.bytes_left).unwrap_or(usize::MAX);
            let wanted = wanted.min(ENTRY_BYTES_MAX - FRAME_HEADER_BYTES - FRAME_STAMP_BYTES);
            if ready < wanted {
                self.within = Some(within);
                return Ok(None);
            }
            let begin = self.start;
            self.advance(wanted);
            let bytes_left = within.bytes_left - wanted as u64;
            let bytes_before = within.bytes_before + wanted as u64;
            self.within = (bytes_left > 0).then_some(Within { bytes_before, bytes_left, ..within });
            let skip = self.skip_bytes.min(wanted as u64);
            self.skip_bytes = if self.within.is_some() { self.skip_bytes - skip } else { 0 };
            if skip > 0 && skip == wanted as u64 {
                continue;
            }
            let begin = begin + usize::try_from(skip).unwrap_or(0);
            return Ok(Some(Piece {
                stream: within.stream,
                at: within.at,
                bytes: &self.bytes[begin..self.start],
                frame_offset: within.frame_offset,
                bytes_before: within.bytes_before + skip,
            }));
        }
    }

    /// Takes a header and a time, if the bytes for its first entry are there.
    fn begin(&mut self) -> Result<Option<Within>, LogError> {
        let bytes = &self.bytes[self.start..];
        let Some((header, payload)) = bytes.split_first_chunk::<FRAME_HEADER_BYTES>() else {
            return Ok(None);
        };
        let offset = self.offset;
        let (stream, length) = match parse_header(*header) {
            None => return Err(LogError::NotAFrame { offset, header: *header }),
            Some(Announced::End) => {
                self.ended = true;
                return Ok(None);
            }
            Some(Announced::Payload(stream, length)) => (stream, length),
        };
        let from_program = stream != LogStream::System;
        if from_program && (length as usize) < FRAME_STAMP_BYTES {
            return Err(LogError::TooShort { offset, bytes: length });
        }
        let length = length as usize;
        if payload.len() < length.min(ENTRY_BYTES_MAX - FRAME_HEADER_BYTES) {
            return Ok(None);
        }
        let stamp = payload[..length.min(payload.len())].get(..FRAME_STAMP_BYTES).unwrap_or_default();
        let (at, stamp_bytes) = match parse_stamp(stamp) {
            Some(at) => (at, FRAME_STAMP_BYTES),
            // Docker's own system messages carry no time.
            None if !from_program => (Duration::ZERO, 0),
            None => {
                return Err(LogError::BadTime { offset, text: String::from_utf8_lossy(stamp).into_owned() });
            }
        };
        self.advance(FRAME_HEADER_BYTES + stamp_bytes);
        Ok(Some(Within {
            stream,
            at,
            frame_offset: offset,
            bytes_before: 0,
            bytes_left: (length - stamp_bytes) as u64,
        }))
    }

    fn advance(&mut self, bytes: usize) {
        self.start += bytes;
        self.offset += bytes as u64;
    }
}

/// The time of `2006-01-02T15:04:05.000000000Z `, since 1970-01-01 UTC.
fn parse_stamp(stamp: &[u8]) -> Option<Duration> {
    let (b' ', time) = stamp.split_last()? else { return None };
    let time: &[u8; 30] = time.try_into().ok()?;
    // The form is fixed: what jiff would read in other forms (other offsets, a space for the T) is refused here.
    let fixed = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (29, b'Z')];
    let is_fixed = |at: usize| fixed.iter().find(|(place, _)| *place == at).map(|(_, byte)| *byte);
    if !time.iter().enumerate().all(|(at, byte)| is_fixed(at).map_or(byte.is_ascii_digit(), |f| f == *byte)) {
        return None;
    }
    let time: jiff::Timestamp = std::str::from_utf8(time).ok()?.parse().ok()?;
    Duration::try_from(time.duration_since(jiff::Timestamp::UNIX_EPOCH)).ok()
}
