//! An execution's log, from the process that writes it or from its file.
//!
//! A process that ends takes its connections with it, perhaps in the middle of a log. What it had not sent yet is in
//! the file, and is read from there.

use std::path::PathBuf;
use std::time::Duration;

use frogfish::instance::control::{ControlClient, RemoteLogs};
use frogfish::instance::{Found, Life};
use frogfish::logs::{LogEntry, LogError, LogOptions, LogStream, Logs};

use crate::instances::Seen;
use crate::problem::Problem;

/// How often a process is looked at that writes a log and may die.
const LOOKED_AGAIN_MS: u64 = 100;

/// Entries of one log, in order, each once.
pub(super) struct Source {
    seen: Seen,
    options: LogOptions,
    from: From,
    given: Given,
}

enum From {
    Process(RemoteLogs),
    File(Box<Logs>),
    /// Nothing was ever printed, for the execution never began.
    Nowhere,
}

/// The last moment of which entries were given, and how much of it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Given {
    at: Option<Duration>,
    bytes: [usize; 3],
}

fn place(stream: LogStream) -> usize {
    match stream {
        LogStream::Stdout => 0,
        LogStream::Stderr => 1,
        LogStream::System => 2,
    }
}

impl Given {
    fn add(&mut self, entry: &LogEntry) {
        if self.at != Some(entry.at) {
            *self = Self { at: Some(entry.at), bytes: [0; 3] };
        }
        self.bytes[place(entry.stream)] += entry.bytes.len();
    }

    /// What of an entry that is read again was not given yet.
    fn rest(&mut self, mut entry: LogEntry) -> Option<LogEntry> {
        if self.at == Some(entry.at) {
            let given = &mut self.bytes[place(entry.stream)];
            let known = entry.bytes.len().min(*given);
            *given -= known;
            entry.bytes.drain(..known);
        }
        (!entry.bytes.is_empty()).then_some(entry)
    }
}

impl Source {
    /// The log of an execution.
    ///
    /// *Errors*: there is none, though it began.
    pub(super) async fn open(seen: &Seen, options: LogOptions) -> Result<Self, Problem> {
        let mut source = Self { seen: seen.clone(), options, from: From::Nowhere, given: Given::default() };
        if seen.live && !seen.record.state.is_terminal() {
            let client = ControlClient::new(&seen.instance);
            if let Ok(logs) = client.logs(&seen.record.execution_id, source.options.clone()).await {
                source.from = From::Process(logs);
                return Ok(source);
            }
        }
        source.from = source.file(source.options.clone())?;
        Ok(source)
    }

    /// The next entry; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<LogEntry>, Problem> {
        loop {
            match &mut self.from {
                From::Nowhere => return Ok(None),
                From::Process(logs) => match logs.next().await {
                    Ok(Some(entry)) => {
                        self.given.add(&entry);
                        return Ok(Some(entry));
                    }
                    Ok(None) => return Ok(None),
                    Err(_) => self.go_on()?,
                },
                From::File(logs) => {
                    let entry = logs.next().await.map_err(|error| Problem::failed(error.to_string()))?;
                    let Some(entry) = entry else { return Ok(None) };
                    if let Some(rest) = self.given.rest(entry) {
                        return Ok(Some(rest));
                    }
                }
            }
        }
    }

    /// Reads what the process did not come to send.
    fn go_on(&mut self) -> Result<(), Problem> {
        let mut options = self.options.clone();
        if self.given.at.is_some() {
            options.tail_lines = None;
            options.since = self.given.at;
        }
        self.from = self.file(options)?;
        Ok(())
    }

    fn file(&self, options: LogOptions) -> Result<From, Problem> {
        let follow = options.follow;
        // A record that was read before the execution began does not know its folder yet.
        let id = self.seen.record.execution_id.as_str();
        let guess = || self.seen.instance.join("executions").join(id).join("log");
        let path = self.seen.log().unwrap_or_else(guess);
        match Logs::open(path, options) {
            Ok(logs) if follow => {
                Ok(From::File(Box::new(logs.follow_until(gone(self.seen.instance.clone())))))
            }
            Ok(logs) => Ok(From::File(Box::new(logs))),
            Err(LogError::NotFound { .. }) if self.seen.failure().is_some() => Ok(From::Nowhere),
            Err(error) => {
                let message = format!("the log of {id} is gone: {error}");
                let hint = "`frogfish describe` shows what is known of the execution";
                Err(Problem::refused(message).with_hint(hint))
            }
        }
    }
}

/// Ready once the process that owns an instance now owns it no more.
async fn gone(folder: PathBuf) {
    let owner = || match Found::at(&folder) {
        Ok(Some(Found { life: Life::Live { pid }, .. })) => Some(pid),
        _ => None,
    };
    let first = owner();
    while first.is_some() && owner() == first {
        tokio::time::sleep(Duration::from_millis(LOOKED_AGAIN_MS)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(stream: LogStream, at_ms: u64, text: &str) -> LogEntry {
        LogEntry { stream, at: Duration::from_millis(at_ms), bytes: text.as_bytes().to_vec() }
    }

    #[test]
    fn what_was_given_is_not_given_again_however_it_is_cut() {
        let mut given = Given::default();
        given.add(&entry(LogStream::Stdout, 1, "before"));
        given.add(&entry(LogStream::Stdout, 2, "abc"));
        given.add(&entry(LogStream::Stderr, 2, "x"));
        let again = [
            entry(LogStream::Stdout, 2, "ab"),
            entry(LogStream::Stderr, 2, "xy"),
            entry(LogStream::Stdout, 2, "cd"),
            entry(LogStream::Stdout, 3, "abc"),
        ];
        let rest: Vec<LogEntry> = again.into_iter().filter_map(|entry| given.rest(entry)).collect();
        let texts: Vec<&[u8]> = rest.iter().map(|entry| entry.bytes.as_slice()).collect();
        assert_eq!(texts, [&b"y"[..], b"d", b"abc"]);
    }
}
