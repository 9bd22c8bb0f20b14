//! The lines of the control socket, and its address.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::id::ExecutionId;
use crate::instance::CONTROL_SOCKET;
use crate::journal::{Filter, Page, Record, Timestamp};
use crate::logs::{LogEntry, LogOptions, LogStream};
use crate::state::State;

/// Bytes of a socket's path that the kernel takes, without the closing zero.
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// What a client asks for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Request {
    Ps {
        #[serde(default)]
        filter: Filter,
        #[serde(default)]
        page: Page,
    },
    Describe {
        execution: ExecutionId,
    },
    Cancel {
        execution: ExecutionId,
    },
    Logs {
        execution: ExecutionId,
        #[serde(default)]
        options: WireLogOptions,
    },
}

/// One line of an answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Answer<R> {
    /// One of the records.
    Record(R),
    /// The state in which an execution was asked to stop.
    Cancelling(State),
    /// A piece of a log.
    Entry(WireEntry),
    /// Nothing was done.
    Error(Failure),
    /// That was all.
    Done,
}

/// An answer as the client keeps it.
pub(super) type Received = Answer<Box<Record>>;

/// [`LogOptions`] in a request.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WireLogOptions {
    follow: bool,
    tail_lines: Option<usize>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    stdout: bool,
    stderr: bool,
    system: bool,
}

impl Default for WireLogOptions {
    fn default() -> Self {
        LogOptions::default().into()
    }
}

impl From<LogOptions> for WireLogOptions {
    fn from(options: LogOptions) -> Self {
        Self {
            follow: options.follow,
            tail_lines: options.tail_lines,
            since: options.since.map(Timestamp::from),
            until: options.until.map(Timestamp::from),
            stdout: options.stdout,
            stderr: options.stderr,
            system: options.system,
        }
    }
}

impl From<WireLogOptions> for LogOptions {
    fn from(options: WireLogOptions) -> Self {
        Self {
            follow: options.follow,
            tail_lines: options.tail_lines,
            since: options.since.map(Timestamp::since_unix),
            until: options.until.map(Timestamp::since_unix),
            stdout: options.stdout,
            stderr: options.stderr,
            system: options.system,
        }
    }
}

/// [`LogEntry`] in an answer: its bytes need not be text.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WireEntry {
    stream: WireStream,
    at: Timestamp,
    b64: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WireStream {
    Stdout,
    Stderr,
    System,
}

impl From<LogEntry> for WireEntry {
    fn from(entry: LogEntry) -> Self {
        let stream = match entry.stream {
            LogStream::Stdout => WireStream::Stdout,
            LogStream::Stderr => WireStream::Stderr,
            LogStream::System => WireStream::System,
        };
        Self { stream, at: entry.at.into(), b64: STANDARD.encode(entry.bytes) }
    }
}

impl TryFrom<WireEntry> for LogEntry {
    type Error = base64::DecodeError;

    fn try_from(entry: WireEntry) -> Result<Self, base64::DecodeError> {
        let stream = match entry.stream {
            WireStream::Stdout => LogStream::Stdout,
            WireStream::Stderr => LogStream::Stderr,
            WireStream::System => LogStream::System,
        };
        let at: Duration = entry.at.since_unix();
        Ok(Self { stream, at, bytes: STANDARD.decode(entry.b64)? })
    }
}

/// A path to an instance's socket that is short enough for the kernel.
///
/// A long one leads through the descriptor of the folder, which is held for as long as this is.
pub(super) struct Address {
    pub(super) path: PathBuf,
    _folder: Option<File>,
}

impl Address {
    pub(super) fn of(folder: &Path) -> io::Result<Self> {
        let path = folder.join(CONTROL_SOCKET);
        if path.as_os_str().as_bytes().len() <= SOCKET_PATH_BYTES_MAX {
            return Ok(Self { path, _folder: None });
        }
        let folder = File::open(folder)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/{CONTROL_SOCKET}", folder.as_raw_fd()));
        Ok(Self { path, _folder: Some(folder) })
    }
}
