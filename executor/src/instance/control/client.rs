//! The asker's side of the control socket.

use std::io;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use super::ControlError;
use super::wire::{Address, Answer, Received, Request};
use crate::id::ExecutionId;
use crate::journal::{Filter, Page, Record};
use crate::logs::{LogEntry, LogOptions};
use crate::state::State;

/// Bytes of one line of an answer: a record with the largest job.
const ANSWER_BYTES_MAX: u64 = 128 << 20;

/// Bytes of a bad answer that its error shows.
const SHOWN_BYTES_MAX: usize = 120;

/// Asks the process that owns an instance.
#[derive(Debug, Clone)]
pub struct ControlClient {
    folder: PathBuf,
}

impl ControlClient {
    /// A client of the instance with this folder; it connects at each question.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// A page of records.
    ///
    /// # Errors
    /// Nobody owns the instance, or its owner refuses or breaks off.
    pub async fn list(&self, filter: Filter, page: Page) -> Result<Vec<Record>, ControlError> {
        let mut answers = self.ask(&Request::Ps { filter, page }).await?;
        let mut records = Vec::new();
        while let Some(answer) = answers.next().await? {
            match answer {
                Answer::Record(record) => records.push(*record),
                other => return Err(answers.unexpected(&other)),
            }
        }
        Ok(records)
    }

    /// One record, if there is one.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub async fn describe(&self, execution: &ExecutionId) -> Result<Option<Record>, ControlError> {
        let mut answers = self.ask(&Request::Describe { execution: execution.clone() }).await?;
        match answers.next().await? {
            Some(Answer::Record(record)) => Ok(Some(*record)),
            None => Ok(None),
            Some(other) => Err(answers.unexpected(&other)),
        }
    }

    /// Asks an execution to stop, and returns the state in which it was asked.
    ///
    /// # Errors
    /// As [`list`](Self::list); there is no such execution, or it has ended.
    pub async fn cancel(&self, execution: &ExecutionId) -> Result<State, ControlError> {
        let mut answers = self.ask(&Request::Cancel { execution: execution.clone() }).await?;
        match answers.next().await? {
            Some(Answer::Cancelling(state)) => Ok(state),
            Some(other) => Err(answers.unexpected(&other)),
            None => Err(answers.not_an_answer("done")),
        }
    }

    /// The log of an execution. Dropping it stops following.
    ///
    /// # Errors
    /// As [`list`](Self::list); what is wrong with the log comes with the first entry.
    pub async fn logs(
        &self,
        execution: &ExecutionId,
        options: LogOptions,
    ) -> Result<RemoteLogs, ControlError> {
        let request = Request::Logs { execution: execution.clone(), options: options.into() };
        Ok(RemoteLogs(self.ask(&request).await?))
    }

    async fn ask(&self, request: &Request) -> Result<Answers, ControlError> {
        let stream = self.connect().await.map_err(|source| self.failed(source))?;
        let mut answers =
            Answers { stream: BufReader::new(stream), folder: self.folder.clone(), line: Vec::new() };
        let ask = async {
            let mut line = serde_json::to_vec(request)?;
            line.push(b'\n');
            answers.stream.get_mut().write_all(&line).await
        };
        ask.await.map_err(|source| self.failed(source))?;
        Ok(answers)
    }

    async fn connect(&self) -> io::Result<UnixStream> {
        let address = Address::of(&self.folder)?;
        UnixStream::connect(&address.path).await
    }

    fn failed(&self, source: io::Error) -> ControlError {
        let folder = self.folder.clone();
        match source.kind() {
            // A dead process leaves its socket; nobody listens on it.
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ControlError::NotRunning { folder },
            _ => ControlError::Io { folder, source },
        }
    }
}

/// A log that comes from another process.
#[derive(Debug)]
pub struct RemoteLogs(Answers);

impl RemoteLogs {
    /// The next entry; none when the log has ended, or, not followed, has no more.
    ///
    /// # Errors
    /// The owner of the instance could not read the log, or broke off.
    pub async fn next(&mut self) -> Result<Option<LogEntry>, ControlError> {
        match self.0.next().await? {
            Some(Answer::Entry(entry)) => match LogEntry::try_from(entry) {
                Ok(entry) => Ok(Some(entry)),
                Err(error) => Err(self.0.not_an_answer(&error.to_string())),
            },
            Some(other) => Err(self.0.unexpected(&other)),
            None => Ok(None),
        }
    }
}

/// The lines of one answer.
#[derive(Debug)]
struct Answers {
    stream: BufReader<UnixStream>,
    folder: PathBuf,
    /// What has been read of the next line: kept when the future of `next` is dropped.
    line: Vec<u8>,
}

impl Answers {
    async fn next(&mut self) -> Result<Option<Received>, ControlError> {
        let io = |folder: &Path, source| ControlError::Io { folder: folder.to_path_buf(), source };
        let left = ANSWER_BYTES_MAX.saturating_sub(self.line.len() as u64);
        let read = (&mut self.stream).take(left).read_until(b'\n', &mut self.line).await;
        read.map_err(|source| io(&self.folder, source))?;
        let line = std::mem::take(&mut self.line);
        if line.last() != Some(&b'\n') {
            // The owner ended, or talks without end.
            return Err(io(&self.folder, io::ErrorKind::UnexpectedEof.into()));
        }
        match serde_json::from_slice(&line) {
            Ok(Answer::Done) => Ok(None),
            Ok(Answer::Error(failure)) => Err(ControlError::Refused(failure)),
            Ok(answer) => Ok(Some(answer)),
            Err(_) => Err(self.not_an_answer(&String::from_utf8_lossy(&line))),
        }
    }

    fn unexpected(&self, answer: &Received) -> ControlError {
        self.not_an_answer(&format!("{answer:?}"))
    }

    fn not_an_answer(&self, found: &str) -> ControlError {
        let found = found.chars().take(SHOWN_BYTES_MAX).collect();
        ControlError::NotAnAnswer { folder: self.folder.clone(), found }
    }
}
