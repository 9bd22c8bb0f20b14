//! `frogfish logs`: what an execution printed, stdout to stdout and stderr to stderr.

mod source;

use std::io::{self, Write as _};
use std::time::Duration;

use frogfish::clock::{Clock as _, SystemClock};
use frogfish::logs::{LogOptions, LogPrinter, LogStream, TAIL_LINES_MAX};
use frogfish::spec::GoDuration;

use source::Source;

use crate::args::Logs as Args;
use crate::instances;
use crate::out;
use crate::problem::Problem;
use crate::session;
use crate::settings::Settings;

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
    let mut source = Source::open(seen, options).await?;
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
    // Where there is no log, why there is none is all that can be said.
    if seen.log().is_none_or(|log| !log.exists())
        && let Some(failure) = seen.failure()
    {
        out::say(&failure.message);
    }
    Ok(0)
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
