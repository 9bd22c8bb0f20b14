//! Interrupts: the first stops the job, the second the program.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit;
use crate::problem::Problem;

/// Which signal asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interrupt {
    /// SIGINT: a person at the terminal.
    Interrupted,
    /// SIGTERM: another program.
    Terminated,
}

impl Interrupt {
    /// The exit status of a job that it ended.
    pub(crate) fn status(self) -> u8 {
        match self {
            Self::Interrupted => exit::INTERRUPTED,
            Self::Terminated => exit::CANCELLED,
        }
    }
}

/// The signals that ask to stop, as they come.
pub(crate) struct Signals {
    interrupts: Signal,
    terminations: Signal,
}

impl Signals {
    /// Takes the signals over from the system, which would end the program.
    pub(crate) fn new() -> Result<Self, Problem> {
        let failed = |error| Problem::failed(format!("preparing for signals: {error}"));
        Ok(Self {
            interrupts: signal(SignalKind::interrupt()).map_err(failed)?,
            terminations: signal(SignalKind::terminate()).map_err(failed)?,
        })
    }

    /// The next one.
    ///
    /// *Cancel*: dropping the future loses no signal.
    pub(crate) async fn next(&mut self) -> Interrupt {
        tokio::select! {
            Some(()) = self.interrupts.recv() => Interrupt::Interrupted,
            Some(()) = self.terminations.recv() => Interrupt::Terminated,
            else => std::future::pending().await,
        }
    }
}
