//! The framing of a log file: Docker's multiplexed stream with times, and an end frame.

/// Bytes before a frame's payload: the stream, three zeros, the payload's length (big-endian).
pub const FRAME_HEADER_BYTES: usize = 8;
/// Bytes at the start of a payload: the time and a space.
pub const FRAME_STAMP_BYTES: usize = 31;

/// What a frame of a log belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum LogStream {
    /// The program's standard output.
    Stdout = 1,
    /// The program's standard error.
    Stderr = 2,
    /// A message of the runner or the engine about the execution.
    System = 3,
}

/// The first byte of the frame that ends a log.
pub const END_FRAME_BYTE: u8 = 4;

/// The header of a frame with a payload of this many bytes.
pub(crate) fn header(stream: LogStream, payload_bytes: usize) -> [u8; FRAME_HEADER_BYTES] {
    // The writer's frames are far below the format's own limit of 4 GiB.
    let [a, b, c, d] = u32::try_from(payload_bytes).unwrap_or(u32::MAX).to_be_bytes();
    [stream as u8, 0, 0, 0, a, b, c, d]
}

/// The frame that ends a log.
pub(crate) const END_FRAME: [u8; FRAME_HEADER_BYTES] = [END_FRAME_BYTE, 0, 0, 0, 0, 0, 0, 0];

/// What a header announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Announced {
    /// A payload of this many bytes.
    Payload(LogStream, u32),
    /// The end of the log.
    End,
}

/// What these bytes announce; `None` if they are no header.
pub(crate) fn parse_header(header: [u8; FRAME_HEADER_BYTES]) -> Option<Announced> {
    let [first, 0, 0, 0, a, b, c, d] = header else { return None };
    let bytes = u32::from_be_bytes([a, b, c, d]);
    Some(match first {
        1 => Announced::Payload(LogStream::Stdout, bytes),
        2 => Announced::Payload(LogStream::Stderr, bytes),
        3 => Announced::Payload(LogStream::System, bytes),
        END_FRAME_BYTE if bytes == 0 => Announced::End,
        _ => return None,
    })
}
