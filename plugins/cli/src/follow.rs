//! Passing a job's output on as it comes, and saying how it stands.

use std::io::{self, IsTerminal as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use frogfish::ExecutionHandle;
use frogfish::logs::{LogOptions, LogStream};

use crate::problem::Problem;

/// How often the line of progress is drawn anew.
pub(crate) const DRAW_MS: u64 = 100;

/// A line on stderr that says how a job stands, where stderr is a terminal that nothing else of the job uses.
pub(crate) struct Screen {
    draws: bool,
    drawn: AtomicBool,
}

impl Screen {
    /// A screen for a job whose output goes to stdout, or not.
    pub(crate) fn new(output_goes_on: bool) -> Self {
        let free = io::stderr().is_terminal() && !(output_goes_on && io::stdout().is_terminal());
        Self { draws: free, drawn: AtomicBool::new(false) }
    }

    pub(crate) fn draws(&self) -> bool {
        self.draws
    }

    pub(crate) fn draw(&self, state: &str, since: Duration) {
        self.drawn.store(true, Ordering::Relaxed);
        let _ = write!(io::stderr().lock(), "\r\x1b[2K{state} {:.1} s", since.as_secs_f64());
    }

    /// Takes the line away, so that something else can be written there.
    pub(crate) fn clear(&self) {
        if self.drawn.swap(false, Ordering::Relaxed) {
            let _ = write!(io::stderr().lock(), "\r\x1b[2K");
        }
    }
}

/// Where a job's output goes on to.
struct Sink<'s> {
    screen: &'s Screen,
    /// Whether somebody still reads stdout, stderr.
    open: [bool; 2],
    failure: Option<Problem>,
}

impl Sink<'_> {
    fn write(&mut self, stream: LogStream, bytes: &[u8]) {
        let at = usize::from(stream != LogStream::Stdout);
        if !self.open[at] {
            return;
        }
        let written = if at == 0 {
            write_all(&mut io::stdout().lock(), bytes)
        } else {
            self.screen.clear();
            write_all(&mut io::stderr().lock(), bytes)
        };
        if let Err(error) = written {
            self.open[at] = false;
            // A reader that went away has seen enough; the results keep everything.
            if error.kind() != io::ErrorKind::BrokenPipe {
                let name = ["stdout", "stderr"][at];
                self.failure.get_or_insert(Problem::failed(format!("passing the job's {name} on: {error}")));
            }
        }
    }
}

fn write_all(to: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes)?;
    to.flush()
}

/// Writes what an execution prints to stdout and stderr until it ends.
///
/// *Errors*: its log could not be read, or stdout or stderr not written for another reason than that nobody reads.
pub(crate) async fn pass_on(handle: ExecutionHandle, screen: &Screen) -> Result<(), Problem> {
    let options = LogOptions { follow: true, system: false, ..LogOptions::default() };
    let mut logs = handle.logs(options).await?;
    let mut sink = Sink { screen, open: [true; 2], failure: None };
    loop {
        let entry = logs.next().await;
        let entry = entry.map_err(|error| Problem::failed(format!("passing the output on: {error}")))?;
        let Some(entry) = entry else { break };
        // Whoever reads may be slow, and signals must be seen meanwhile.
        tokio::task::block_in_place(|| sink.write(entry.stream, &entry.bytes));
    }
    sink.failure.map_or(Ok(()), Err)
}
