//! Reading an execution's log: whole or in part, now or while it grows.
//!
//! The file is Docker's multiplexed stream with times, and a frame that marks its end:
//!
//! ```text
//! ┌────────┬───────┬────────────────┬────────────────────────────────┬─────┬──────┐
//! │ stream │ 0 0 0 │ payload length │ 2006-01-02T15:04:05.000000000Z │ ' ' │ data │
//! │ 1 byte │       │ u32 big-endian │ 30 bytes                       │     │      │
//! └────────┴───────┴────────────────┴────────────────────────────────┴─────┴──────┘
//! ```
//! Streams are 1 stdout, 2 stderr, 3 system; 4 with length 0 ends the log. A reader holds at most
//! [`ENTRY_BYTES_MAX`] of it, whatever lengths the file claims.

mod buffer;
pub(crate) mod frame;
mod strip;
mod tail;
#[cfg(test)]
mod tests;
mod writer;

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use buffer::FrameBuffer;

pub use frame::{END_FRAME_BYTE, FRAME_HEADER_BYTES, FRAME_STAMP_BYTES, LogStream};
pub use strip::strip_copy;
pub use writer::LogPrinter;

/// Bytes of one frame, framing included, that become one entry; a longer frame becomes several.
pub const ENTRY_BYTES_MAX: usize = 64 * 1024;
/// Lines that [`LogOptions::tail_lines`] gives at most.
pub const TAIL_LINES_MAX: usize = 100_000;
/// How often a log that another process writes is looked at.
pub const FOLLOW_POLL_MS: u64 = 50;

/// Some bytes that came out of an execution, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Where they came out.
    pub stream: LogStream,
    /// When, since 1970-01-01 UTC; zero if a system message does not say.
    pub at: Duration,
    /// The bytes of one write, or a part of a long one; not always a line, not always text.
    pub bytes: Vec<u8>,
}

/// Which entries of a log, and whether to wait for more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOptions {
    /// Whether to go on until the log ends.
    pub follow: bool,
    /// Only the last lines of what there is at the start, at most [`TAIL_LINES_MAX`]; 0 is "from now on".
    pub tail_lines: Option<usize>,
    /// Only entries at or after this time since 1970-01-01 UTC.
    pub since: Option<Duration>,
    /// Only entries at or before this time since 1970-01-01 UTC; following ends there.
    pub until: Option<Duration>,
    /// Whether standard output is wanted.
    pub stdout: bool,
    /// Whether standard error is wanted.
    pub stderr: bool,
    /// Whether the runner's messages are wanted.
    pub system: bool,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            follow: false,
            tail_lines: None,
            since: None,
            until: None,
            stdout: true,
            stderr: true,
            system: true,
        }
    }
}

impl LogOptions {
    fn wants(&self, stream: LogStream, at: Duration) -> bool {
        let wanted = match stream {
            LogStream::Stdout => self.stdout,
            LogStream::Stderr => self.stderr,
            LogStream::System => self.system,
        };
        wanted && self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at <= until)
    }
}

/// Why a log could not be read or passed on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// There is no log: the execution never started, or its folder was removed.
    #[error("no log at {path}")]
    NotFound {
        /// Where it would be.
        path: PathBuf,
    },
    /// The host refused to read it.
    #[error("reading the log{}: {source}", path.as_ref().map(|path| format!(" {}", path.display())).unwrap_or_default())]
    Read {
        /// The log, if it is a file.
        path: Option<PathBuf>,
        /// What the host said.
        source: io::Error,
    },
    /// Whoever gets the log did not take it.
    #[error("passing the log on: {0}")]
    Write(#[source] io::Error),
    /// Bytes where a frame should begin are none.
    #[error("log frame at byte {offset} begins with {header:02x?}, which is no frame header")]
    NotAFrame {
        /// Where in the log.
        offset: u64,
        /// What is there.
        header: [u8; FRAME_HEADER_BYTES],
    },
    /// A frame has no room for its time.
    #[error("log frame is too short: {bytes} bytes at byte {offset}")]
    TooShort {
        /// Where in the log.
        offset: u64,
        /// Its payload.
        bytes: u32,
    },
    /// A frame does not begin with a time.
    #[error("parsing time {text:?} of the log frame at byte {offset}")]
    BadTime {
        /// Where in the log.
        offset: u64,
        /// What is there.
        text: String,
    },
    /// The log holds a system message, where only the program's output can be passed on.
    #[error("error from daemon in stream: {0}")]
    System(String),
}

/// How long a growing log is, and whether it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogLength {
    /// Whole frames, in bytes.
    pub bytes: u64,
    /// Whether it will not grow any more.
    pub ended: bool,
}

/// Entries of one execution's log, in order.
///
/// # Cancel
/// Dropping the future of [`next`](Self::next) loses no entry; dropping this value stops following.
pub struct Logs {
    file: Arc<File>,
    path: PathBuf,
    options: LogOptions,
    growth: Growth,
    buffer: FrameBuffer,
    tail_found: bool,
}

/// What tells of more to come.
enum Growth {
    /// Nothing: the end of the file is the end.
    None,
    /// The capture that writes it, in this process.
    Told(watch::Receiver<LogLength>),
    /// The file itself, until this future is ready.
    Polled(Pin<Box<dyn Future<Output = ()> + Send + Sync>>),
}

impl Logs {
    /// The log at this path as far as it is written now.
    ///
    /// # Errors
    /// [`LogError::NotFound`] if it is not there, [`LogError::Read`] if it may not be read.
    pub fn open(path: impl Into<PathBuf>, options: LogOptions) -> Result<Self, LogError> {
        let path = path.into();
        let file = File::open(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => LogError::NotFound { path: path.clone() },
            _ => LogError::Read { path: Some(path.clone()), source },
        })?;
        Ok(Self {
            file: Arc::new(file),
            path,
            tail_found: options.tail_lines.is_none(),
            options,
            growth: Growth::None,
            buffer: FrameBuffer::default(),
        })
    }

    /// Goes on while a capture of this process writes the log, until it finishes or is dropped.
    #[must_use]
    pub fn follow(mut self, length: watch::Receiver<LogLength>) -> Self {
        self.growth = Growth::Told(length);
        self
    }

    /// Goes on while another process writes the log: until its end frame, or until `ended` is ready and all is read.
    ///
    /// `ended` is what says that the execution is terminal, for a process that was killed leaves no end frame.
    #[must_use]
    pub fn follow_until(mut self, ended: impl Future<Output = ()> + Send + Sync + 'static) -> Self {
        self.growth = Growth::Polled(Box::pin(ended));
        self
    }

    /// The next entry; `None` at the end. A frame that was never completed is left out.
    ///
    /// # Errors
    /// The file could not be read, or it holds something else than frames.
    pub async fn next(&mut self) -> Result<Option<LogEntry>, LogError> {
        if !self.tail_found {
            self.find_tail().await?;
        }
        loop {
            while let Some(entry) = self.buffer.next()? {
                if self.options.wants(entry.stream, entry.at) {
                    return Ok(Some(LogEntry {
                        stream: entry.stream,
                        at: entry.at,
                        bytes: entry.bytes.to_vec(),
                    }));
                }
                if self.options.follow && self.options.until.is_some_and(|until| entry.at > until) {
                    return Ok(None);
                }
            }
            if self.buffer.ended() || !self.more().await? {
                return Ok(None);
            }
        }
    }

    /// Reads on, waiting if need be; false if nothing more will come.
    async fn more(&mut self) -> Result<bool, LogError> {
        loop {
            let known = match &mut self.growth {
                Growth::Told(length) => Some(*length.borrow_and_update()),
                _ => None,
            };
            if self.read(known.map(|length| length.bytes)).await? {
                return Ok(true);
            }
            match &mut self.growth {
                Growth::None => return Ok(false),
                Growth::Told(_) if known.is_some_and(|length| length.ended) => return Ok(false),
                Growth::Told(length) => {
                    if length.changed().await.is_err() {
                        self.growth = Growth::None;
                    }
                }
                Growth::Polled(ended) => {
                    // The writer takes back a frame that it could not complete: read its place anew.
                    self.buffer.forget_partial();
                    tokio::select! {
                        biased;
                        () = ended => self.growth = Growth::None,
                        () = tokio::time::sleep(Duration::from_millis(FOLLOW_POLL_MS)) => {}
                    }
                }
            }
        }
    }

    /// Reads once, not beyond `limit`; false at the end of the file.
    async fn read(&mut self, limit: Option<u64>) -> Result<bool, LogError> {
        let (file, offset) = (self.file.clone(), self.buffer.read_offset());
        let room = limit.map_or(u64::MAX, |limit| limit.saturating_sub(offset));
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(ENTRY_BYTES_MAX);
        if room == 0 {
            return Ok(false);
        }
        let bytes = self.blocking(move || read_at(&file, offset, room)).await?;
        self.buffer.extend(&bytes);
        Ok(!bytes.is_empty())
    }

    async fn find_tail(&mut self) -> Result<(), LogError> {
        let (file, options) = (self.file.clone(), self.options.clone());
        let place = self
            .blocking(move || match tail::find(&file, &options) {
                Err(LogError::Read { source, .. }) => Err(source),
                found => Ok(found),
            })
            .await??;
        self.buffer = FrameBuffer::starting_at(place.frame_offset, place.skip_bytes);
        self.tail_found = true;
        Ok(())
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, LogError> {
        let done =
            tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)));
        done.map_err(|source| LogError::Read { path: Some(self.path.clone()), source })
    }
}

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logs")
            .field("path", &self.path)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// At most `bytes_max` from `offset`; nothing at the end of the file.
fn read_at(file: &File, offset: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; bytes_max];
    loop {
        match file.read_at(&mut bytes, offset) {
            Ok(read) => {
                bytes.truncate(read);
                return Ok(bytes);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
