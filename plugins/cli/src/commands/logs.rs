//! `frogfish logs`: what an execution printed, stdout to stdout and stderr to stderr.

use std::io::{self, Write as _};
use std::time::Duration;

use frogfish::clock::{Clock as _, SystemClock};
use frogfish::instance::control::{ControlClient, RemoteLogs};
use frogfish::logs::{LogEntry, LogError, LogOptions, LogPrinter, LogStream, Logs, TAIL_LINES_MAX};
use frogfish::spec::GoDuration;

use crate::args::Logs as Args;
use crate::instances::{self, Seen};
use crate::out;
use crate::problem::Problem;
use crate::session;
use crate::settings::Settings;

/// A log in this process's reach, or through the process that writes it.
enum Source {
    File(Box<Logs>),
    Process(RemoteLogs),
}

impl Source {
    async fn next(&mut self) -> Result<Option<LogEntry>, Problem> {
        match self {
            Self::File(logs) => logs.next().await.map_err(|error| Problem::failed(error.to_string())),
            Self::Process(logs) => logs.next().await.map_err(|error| Problem::failed(error.to_string())),
        }
    }
}

pub(super) fn run(args: &Args, settings: &Settings) -> Result<u8, Problem> {
    let options = options(args)?;
    session::small_runtime()?.block_on(print(args, options, settings))
}

fn options(args: &Args) -> Result<LogOptions, Problem> {
    let since = args.since.as_deref().map(since).transpose()?;
    let tail = args.tail.map(|lines| usize::try_from(lines).unwrap_or(usize::MAX).min(TAIL_LINES_MAX));
    Ok(LogOptions { follow: args.follow, tail_lines: tail, since, ..LogOptions::default() })
}

/// A time since 1970, from how long ago it was (`10s`) or as RFC 3339.
fn since(text: &str) -> Result<Duration, Problem> {
    if let Some(ago) = text.parse::<GoDuration>().ok().and_then(GoDuration::to_std) {
        return Ok(SystemClock::new().wall().saturating_sub(ago));
    }
    let time: Option<jiff::Timestamp> = text.parse().ok();
    time.and_then(|time| Duration::try_from(time.as_duration()).ok()).ok_or_else(|| {
        Problem::usage(format!("--since {text}: this is no time"))
            .with_hint("write 10s, or 2026-01-31T12:00:00Z")
    })
}

async fn print(args: &Args, options: LogOptions, settings: &Settings) -> Result<u8, Problem> {
    let found = instances::find(&settings.data_dir.value, &args.id).await?;
    // Of several executions of one job, the one that was made last.
    let Some(seen) = found.last() else { return Ok(0) };
    let Some(mut source) = source(seen, options).await? else { return Ok(0) };
    let (mut stdout, mut stderr) = (LogPrinter::new(args.timestamps), LogPrinter::new(args.timestamps));
    while let Some(entry) = source.next().await? {
        let written = if entry.stream == LogStream::Stdout {
            let mut to = io::stdout().lock();
            stdout.print(&entry, &mut to).and_then(|()| to.flush())
        } else {
            stderr.print(&entry, &mut io::stderr().lock())
        };
        match written {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            Err(error) => return Err(Problem::failed(format!("printing the log: {error}"))),
        }
    }
    Ok(0)
}

/// The log of an execution; none where it printed nothing because it never began.
async fn source(seen: &Seen, options: LogOptions) -> Result<Option<Source>, Problem> {
    if seen.live && !seen.record.state.is_terminal() {
        let asked = ControlClient::new(&seen.instance).logs(&seen.record.execution_id, options.clone()).await;
        match asked {
            Ok(logs) => return Ok(Some(Source::Process(logs))),
            // It may have ended since it was listed; its file is complete then.
            Err(error) if seen.log().is_none() => return Err(Problem::failed(error.to_string())),
            Err(_) => {}
        }
    }
    let missing = |path: String| {
        let problem = Problem::refused(format!("the log of {} is gone: {path}", seen.record.execution_id));
        problem.with_hint("`frogfish describe` shows what is known of the execution")
    };
    let opened = seen.log().map(|path| Logs::open(path, options));
    match (opened, seen.failure()) {
        (Some(Ok(logs)), _) => Ok(Some(Source::File(Box::new(logs)))),
        (Some(Err(LogError::NotFound { .. })) | None, Some(failure)) => {
            out::say(&failure.message);
            Ok(None)
        }
        (Some(Err(error)), _) => Err(missing(error.to_string())),
        (None, None) => Err(missing("it has no folder".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_time_or_how_long_ago() {
        assert_eq!(since("1970-01-01T00:01:00Z").unwrap(), Duration::from_mins(1));
        let now = SystemClock::new().wall();
        let ago = now.saturating_sub(since("10s").unwrap());
        assert!(ago >= Duration::from_secs(9) && ago <= Duration::from_secs(10), "{ago:?}");
        assert!(since("yesterday").is_err());
    }
}
