//! One pass over a program's output: feeds the log, the result files and the outcome's summary.
//!
//! ```text
//!                       ┌► <execution>/log             framed, with times, both streams in order
//! write(stream, bytes) ─┼► <execution>/results/stdout  or stderr, to its limit
//!                       └► summary and tail            in memory, to `summary_bytes_max` each
//! ```
//! Nothing is held back: what [`Capture::write`] took is in the files when it returns, so that killing this
//! process loses none of it. Followers read the log file and are told only its length: the file is their queue,
//! and a slow follower never slows the program.

mod kept;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::{self, IoSlice, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::clock::{Clock, RFC3339_NANOS_BYTES, write_rfc3339_nanos};
use crate::failure::{Failure, ReasonCode};
use crate::limits::Limits;
use crate::logs::frame::{END_FRAME, FRAME_HEADER_BYTES, FRAME_STAMP_BYTES, header};
use crate::logs::{LogError, LogLength, LogOptions, LogStream, Logs};
use crate::results::ResultsFolder;

use kept::Kept;

/// Which of a program's two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    fn file_name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

impl From<Stream> for LogStream {
    fn from(stream: Stream) -> Self {
        match stream {
            Stream::Stdout => Self::Stdout,
            Stream::Stderr => Self::Stderr,
        }
    }
}

/// Bytes of the log that only the runner's own notes may fill, so that the reason of an end is not cut off.
pub const NOTES_BYTES_RESERVED: u64 = 1_024;

/// What was kept of one stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamEnd {
    /// Bytes that the program wrote.
    pub bytes_total: u64,
    /// Bytes of them in the result file: the first ones.
    pub bytes_kept: u64,
    /// Whether the result file lacks some.
    pub truncated: bool,
    /// The first bytes, at most `summary_bytes_max`, not cut within a UTF-8 character.
    pub summary: Vec<u8>,
    /// Whether the summary lacks some.
    pub summary_truncated: bool,
    /// The last bytes, at most `summary_bytes_max`, not cut within a UTF-8 character.
    pub tail: Vec<u8>,
}

/// What was kept of an execution's output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Captured {
    /// Of standard output.
    pub stdout: StreamEnd,
    /// Of standard error.
    pub stderr: StreamEnd,
    /// Bytes of the log file, framing included.
    pub log_bytes: u64,
    /// Whether the log lacks some output.
    pub log_truncated: bool,
    /// Why writing stopped before the program did; what was written until then stays.
    pub failure: Option<Failure>,
}

/// Takes what one execution prints, from any thread, without losing any of it.
pub struct Capture {
    results: ResultsFolder,
    clock: Arc<dyn Clock>,
    limits: Arc<Limits>,
    length: watch::Sender<LogLength>,
    state: Mutex<State>,
}

struct State {
    log: Option<File>,
    log_bytes: u64,
    log_truncated: bool,
    stdout: Kept,
    stderr: Kept,
    failed: Option<Failed>,
    finished: bool,
}

/// The first error, kept to be said again: an [`io::Error`] cannot be cloned.
struct Failed {
    kind: io::ErrorKind,
    os: Option<i32>,
    message: String,
}

impl Failed {
    fn new(doing: &str, error: &io::Error) -> Self {
        Self { kind: error.kind(), os: error.raw_os_error(), message: format!("{doing}: {error}") }
    }

    fn error(&self) -> io::Error {
        self.os.map_or_else(|| io::Error::new(self.kind, self.message.clone()), io::Error::from_raw_os_error)
    }
}

impl Capture {
    /// A capture into this results folder and the log beside it; the log file exists afterwards.
    ///
    /// # Errors
    /// The log could not be created.
    pub fn create(results: &ResultsFolder, clock: Arc<dyn Clock>, limits: Arc<Limits>) -> io::Result<Self> {
        let log = results.create_log()?;
        Ok(Self {
            results: results.clone(),
            clock,
            length: watch::Sender::new(LogLength::default()),
            state: Mutex::new(State {
                log: Some(log),
                log_bytes: 0,
                log_truncated: false,
                stdout: Kept::new(limits.stdout_bytes_max, limits.summary_bytes_max),
                stderr: Kept::new(limits.stderr_bytes_max, limits.summary_bytes_max),
                failed: None,
                finished: false,
            }),
            limits,
        })
    }

    /// Takes the next bytes of a stream, in order. Blocks while the disk is slow: the program waits.
    ///
    /// # Errors
    /// The log or the result file could not be written, now or before, or the capture is finished.
    pub fn write(&self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let mut state = self.open_state()?;
        let room = self.limits.log_bytes_max.saturating_sub(NOTES_BYTES_RESERVED + FRAME_HEADER_BYTES as u64);
        let logged = self.write_log(&mut state, stream.into(), bytes, room);
        state.failing("writing the log", logged)?;
        let kept = match stream {
            Stream::Stdout => &mut state.stdout,
            Stream::Stderr => &mut state.stderr,
        };
        let written = kept.write(bytes, || self.results.create_file(stream.file_name()));
        state.failing(stream.file_name(), written)?;
        self.tell(&state);
        Ok(())
    }

    /// Adds a message of the runner's own to the log: `timed out after 30 s`. It is no output of the program.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn note(&self, text: &str) -> io::Result<()> {
        let mut state = self.open_state()?;
        let room = self.limits.log_bytes_max.saturating_sub(FRAME_HEADER_BYTES as u64);
        let logged = self.write_log(&mut state, LogStream::System, text.as_bytes(), room);
        state.failing("writing the log", logged)?;
        self.tell(&state);
        Ok(())
    }

    /// Ends the log, completes the result files and says what was kept. Later writes are refused.
    ///
    /// Asked again, it gives the same answer.
    pub fn finish(&self) -> Captured {
        let mut state = self.lock();
        if !state.finished {
            state.finished = true;
            let ended = self.write_end(&mut state);
            let _ = state.failing("writing the log", ended);
            for stream in [Stream::Stdout, Stream::Stderr] {
                let kept = match stream {
                    Stream::Stdout => &mut state.stdout,
                    Stream::Stderr => &mut state.stderr,
                };
                let closed = kept.close(|| self.results.create_file(stream.file_name()));
                let _ = state.failing(stream.file_name(), closed);
            }
            state.log = None;
            self.length.send_replace(LogLength { bytes: state.log_bytes, ended: true });
        }
        Captured {
            stdout: state.stdout.end(),
            stderr: state.stderr.end(),
            log_bytes: state.log_bytes,
            log_truncated: state.log_truncated,
            failure: state.failed.as_ref().map(|f| Failure::new(ReasonCode::ResultsError, f.message.clone())),
        }
    }

    /// Reads this capture's log, now or while it grows.
    ///
    /// # Errors
    /// The log could not be opened or read.
    pub fn logs(&self, options: LogOptions) -> Result<Logs, LogError> {
        let follow = options.follow;
        let logs = Logs::open(self.results.log_path(), options)?;
        Ok(if follow { logs.follow(self.length()) } else { logs })
    }

    /// The log's length as it grows.
    pub fn length(&self) -> watch::Receiver<LogLength> {
        // Under the lock, for `write` tells nobody while nobody listens.
        let state = self.lock();
        let receiver = self.length.subscribe();
        self.length.send_replace(LogLength { bytes: state.log_bytes, ended: state.finished });
        receiver
    }

    /// Where the log is.
    pub fn log_path(&self) -> PathBuf {
        self.results.log_path()
    }

    /// Where the results are.
    pub fn results_path(&self) -> &Path {
        self.results.path()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.lock();
        if let Some(failed) = &state.failed {
            return Err(failed.error());
        }
        if state.finished {
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the execution's output is closed"));
        }
        Ok(state)
    }

    fn tell(&self, state: &State) {
        if self.length.receiver_count() > 0 {
            self.length.send_replace(LogLength { bytes: state.log_bytes, ended: false });
        }
    }

    /// Writes frames of a stream as long as the log is not longer than `room`.
    fn write_log(&self, state: &mut State, stream: LogStream, bytes: &[u8], room: u64) -> io::Result<()> {
        const OVERHEAD: usize = FRAME_HEADER_BYTES + FRAME_STAMP_BYTES;
        /// The format's own limit, rounded down.
        const FRAME_DATA_BYTES_MAX: usize = 1 << 30;
        let from_program = stream != LogStream::System;
        if from_program && state.log_truncated {
            return Ok(());
        }
        let mut head = [0; OVERHEAD];
        let mut stamp = [0; RFC3339_NANOS_BYTES];
        write_rfc3339_nanos(self.clock.wall(), &mut stamp);
        head[FRAME_HEADER_BYTES..OVERHEAD - 1].copy_from_slice(&stamp);
        head[OVERHEAD - 1] = b' ';
        let frame_max =
            self.limits.log_frame_bytes_max.saturating_sub(OVERHEAD).clamp(1, FRAME_DATA_BYTES_MAX);
        let mut rest = bytes;
        while !rest.is_empty() {
            let left = room.saturating_sub(state.log_bytes + OVERHEAD as u64);
            let fits = rest.len().min(frame_max).min(usize::try_from(left).unwrap_or(usize::MAX));
            if fits == 0 {
                state.log_truncated = true;
                if from_program {
                    let text = format!("log ends here: log_bytes_max is {} bytes", self.limits.log_bytes_max);
                    let room = self.limits.log_bytes_max.saturating_sub(FRAME_HEADER_BYTES as u64);
                    self.write_log(state, LogStream::System, text.as_bytes(), room)?;
                }
                return Ok(());
            }
            let (now, later) = rest.split_at(fits);
            head[..FRAME_HEADER_BYTES].copy_from_slice(&header(stream, FRAME_STAMP_BYTES + fits));
            state.append(&head, now)?;
            rest = later;
        }
        Ok(())
    }

    /// The end frame has its room reserved; after a failure it is tried all the same, so that followers end.
    fn write_end(&self, state: &mut State) -> io::Result<()> {
        if state.log_bytes + FRAME_HEADER_BYTES as u64 > self.limits.log_bytes_max {
            return Ok(());
        }
        state.append(&END_FRAME, &[])
    }
}

impl State {
    /// Appends one frame in one call; a frame that was written in part is taken back.
    fn append(&mut self, head: &[u8], data: &[u8]) -> io::Result<()> {
        let Some(log) = &self.log else { return Ok(()) };
        match write_both(log, head, data) {
            Ok(()) => {
                self.log_bytes += (head.len() + data.len()) as u64;
                Ok(())
            }
            Err(error) => {
                use std::io::Seek as _;
                let _ = log.set_len(self.log_bytes);
                let _ = (&*log).seek(io::SeekFrom::Start(self.log_bytes));
                Err(error)
            }
        }
    }

    fn failing<T>(&mut self, doing: &str, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result
            && self.failed.is_none()
        {
            self.failed = Some(Failed::new(doing, error));
        }
        result
    }
}

/// Writes two pieces one after the other: in one call, unless the system takes less.
fn write_both(mut file: &File, head: &[u8], data: &[u8]) -> io::Result<()> {
    let written = loop {
        match file.write_vectored(&[IoSlice::new(head), IoSlice::new(data)]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => break done?,
        }
    };
    if written == 0 {
        return Err(io::ErrorKind::WriteZero.into());
    }
    match head.get(written..) {
        Some(head_left) => {
            file.write_all(head_left)?;
            file.write_all(data)
        }
        None => file.write_all(&data[written - head.len()..]),
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture").field("results", &self.results.path()).finish_non_exhaustive()
    }
}
