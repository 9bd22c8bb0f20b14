//! An execution's folder and the results in it.
//!
//! ```text
//! <execution>/            0700
//!   log                   both streams, framed (see `logs`)
//!   inputs/               prepared inputs (see `inputs`)
//!   results/              0700
//!     stdout stderr exitCode
//!     <output>/           0777, one folder for each declared output
//! ```
//! Files are made through one descriptor of the execution's folder: no path is walked twice.

mod entries;
mod output;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, chmodat, mkdir, mkdirat, openat};

use crate::failure::{Failure, ReasonCode};

pub use output::RunCommandResult;

/// Bytes that a name in a folder may have (Linux).
pub const NAME_BYTES_MAX: usize = 255;

const RESULTS: &str = "results";
const LOG: &str = "log";
const EXIT_CODE: &str = "exitCode";
const PRIVATE: Mode = Mode::RWXU;

/// Why a results folder could not be made or completed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultsError {
    /// An output's name is no name of one folder beside the result files.
    #[error("output name {name:?} {why}")]
    OutputName {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The host refused.
    #[error("{doing} {path}: {source}")]
    Io {
        /// What was attempted.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the host said.
        source: io::Error,
    },
    /// The outputs hold more files and folders than `result_entries_max`.
    #[error("results in {path} have more than {max} entries (result_entries_max)")]
    TooManyEntries {
        /// The results folder.
        path: PathBuf,
        /// The limit.
        max: u64,
    },
}

impl ResultsError {
    fn io(doing: &'static str, path: impl Into<PathBuf>, source: impl Into<io::Error>) -> Self {
        Self::Io { doing, path: path.into(), source: source.into() }
    }
}

impl From<ResultsError> for Failure {
    fn from(error: ResultsError) -> Self {
        let code = match &error {
            ResultsError::OutputName { .. } => ReasonCode::OutputConfigError,
            ResultsError::Io { .. } => ReasonCode::ResultsError,
            ResultsError::TooManyEntries { .. } => ReasonCode::LimitExceeded,
        };
        Self::new(code, error.to_string())
    }
}

/// The folder that holds what one execution gives. Cloning it gives the same folder.
#[derive(Debug, Clone)]
pub struct ResultsFolder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    execution: PathBuf,
    results: PathBuf,
    execution_fd: OwnedFd,
    /// Only where the results are not the execution's own `results`.
    results_fd: Option<OwnedFd>,
    has_outputs: bool,
}

impl ResultsFolder {
    /// Makes `<execution>/results` with a folder for each declared output; `<execution>` too, if absent.
    ///
    /// The parent of `execution` must exist. A folder for an output is open to every user, for a container may
    /// run as any; the folders above are closed to all but this user.
    ///
    /// # Errors
    /// A name is unsafe or used twice, the results exist already, or the host refused.
    pub fn create<'a>(
        execution: impl Into<PathBuf>,
        outputs: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, ResultsError> {
        let execution = execution.into();
        let execution_fd = open_execution(&execution)?;
        let results = execution.join(RESULTS);
        mkdirat(&execution_fd, RESULTS, PRIVATE)
            .map_err(|error| ResultsError::io("making the results folder", &results, error))?;
        let mut inner = Inner { execution, results, execution_fd, results_fd: None, has_outputs: false };
        inner.make_outputs(outputs)?;
        Ok(Self(Arc::new(inner)))
    }

    /// Uses a results folder that somebody else made, as a plugin's host does; the log stays in `execution`.
    ///
    /// # Errors
    /// As [`create`](Self::create), except that output folders may exist; and `results` is no folder.
    pub fn adopt<'a>(
        execution: impl Into<PathBuf>,
        results: impl Into<PathBuf>,
        outputs: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, ResultsError> {
        let (execution, results) = (execution.into(), results.into());
        let execution_fd = open_execution(&execution)?;
        let results_fd = open_folder(&results)
            .map_err(|error| ResultsError::io("opening the results folder", &results, error))?;
        let mut inner =
            Inner { execution, results, execution_fd, results_fd: Some(results_fd), has_outputs: false };
        inner.make_outputs(outputs)?;
        Ok(Self(Arc::new(inner)))
    }

    /// The results folder.
    pub fn path(&self) -> &Path {
        &self.0.results
    }

    /// The execution's folder.
    pub fn execution_path(&self) -> &Path {
        &self.0.execution
    }

    /// Where the log is.
    pub fn log_path(&self) -> PathBuf {
        self.0.execution.join(LOG)
    }

    /// The folder of a declared output.
    pub fn output_path(&self, name: &str) -> PathBuf {
        self.0.results.join(name)
    }

    /// Writes `exitCode`, if there is one, and checks that the outputs are within `entries_max`.
    ///
    /// # Errors
    /// The file could not be written, or there are too many entries; what is there stays.
    pub fn finish(&self, exit_code: Option<i64>, entries_max: u64) -> Result<(), ResultsError> {
        if let Some(code) = exit_code {
            self.create_file(EXIT_CODE)
                .and_then(|mut file| write_decimal(&mut file, code))
                .map_err(|error| ResultsError::io("writing", self.0.results.join(EXIT_CODE), error))?;
        }
        if self.0.has_outputs && entries::count(&self.0.results, entries_max)? > entries_max {
            return Err(ResultsError::TooManyEntries { path: self.0.results.clone(), max: entries_max });
        }
        Ok(())
    }

    /// Whether it can hold more than the files of this module: outputs, or what somebody else put there.
    pub(crate) fn may_hold_more(&self) -> bool {
        self.0.has_outputs || self.0.results_fd.is_some()
    }

    pub(crate) fn create_file(&self, name: &str) -> io::Result<File> {
        let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH;
        let opened = match &self.0.results_fd {
            Some(folder) => openat(folder, name, create_flags(), mode),
            None => {
                let mut path = [0; RESULTS.len() + 1 + NAME_BYTES_MAX];
                openat(&self.0.execution_fd, below_results(name, &mut path)?, create_flags(), mode)
            }
        };
        Ok(File::from(opened?))
    }

    pub(crate) fn create_log(&self) -> io::Result<File> {
        let mode = Mode::RUSR | Mode::WUSR;
        Ok(File::from(openat(&self.0.execution_fd, LOG, create_flags(), mode)?))
    }
}

impl Inner {
    fn make_outputs<'a>(&mut self, outputs: impl IntoIterator<Item = &'a str>) -> Result<(), ResultsError> {
        let may_exist = self.results_fd.is_some();
        let mut made = Vec::new();
        for name in outputs {
            check_output_name(name)?;
            if made.contains(&name) {
                return Err(ResultsError::OutputName { name: name.into(), why: "is used twice" });
            }
            self.make_output(name, may_exist).map_err(|source| {
                ResultsError::io("making the output folder", self.results.join(name), source)
            })?;
            made.push(name);
        }
        self.has_outputs = !made.is_empty();
        Ok(())
    }

    fn make_output(&self, name: &str, may_exist: bool) -> io::Result<()> {
        let everyone = Mode::RWXU | Mode::RWXG | Mode::RWXO;
        let mut path = [0; RESULTS.len() + 1 + NAME_BYTES_MAX];
        let (folder, path) = match &self.results_fd {
            Some(folder) => (folder, name.as_bytes()),
            None => (&self.execution_fd, below_results(name, &mut path)?),
        };
        match mkdirat(folder, path, everyone) {
            Ok(()) => {}
            Err(rustix::io::Errno::EXIST) if may_exist => {}
            Err(error) => return Err(error.into()),
        }
        // Again, for the process's umask takes bits from the first.
        Ok(chmodat(folder, path, everyone, AtFlags::empty())?)
    }
}

/// Whether a declared output's name is one safe name that no result file has.
///
/// # Errors
/// What is wrong with it.
pub fn check_output_name(name: &str) -> Result<(), ResultsError> {
    let why = match name {
        "" => "is empty",
        "." | ".." => "is no name of a folder",
        "stdout" | "stderr" | EXIT_CODE => "is the name of a result file",
        _ if name.len() > NAME_BYTES_MAX => "is longer than 255 bytes",
        _ if name.contains(['/', '\\', '\0']) => "has a path separator in it",
        _ if name.chars().any(char::is_control) => "has a control character in it",
        _ => return Ok(()),
    };
    Err(ResultsError::OutputName { name: name.into(), why })
}

fn open_execution(execution: &Path) -> Result<OwnedFd, ResultsError> {
    match mkdir(execution, PRIVATE) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(error) => return Err(ResultsError::io("making the execution folder", execution, error)),
    }
    open_folder(execution).map_err(|error| ResultsError::io("opening the execution folder", execution, error))
}

fn open_folder(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(CWD, path, flags, Mode::empty())?)
}

fn create_flags() -> OFlags {
    OFlags::CREATE | OFlags::TRUNC | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

/// `results/<name>`, without an allocation.
fn below_results<'a>(
    name: &str,
    path: &'a mut [u8; RESULTS.len() + 1 + NAME_BYTES_MAX],
) -> io::Result<&'a [u8]> {
    let begin = RESULTS.len() + 1;
    let end = begin + name.len();
    let place = path.get_mut(begin..end).ok_or(io::ErrorKind::InvalidFilename)?;
    place.copy_from_slice(name.as_bytes());
    path[..RESULTS.len()].copy_from_slice(RESULTS.as_bytes());
    path[RESULTS.len()] = b'/';
    Ok(&path[..end])
}

/// One write call, no newline.
fn write_decimal(file: &mut File, value: i64) -> io::Result<()> {
    let mut text = [0; 20];
    let mut rest = io::Cursor::new(&mut text[..]);
    write!(rest, "{value}")?;
    let length = usize::try_from(rest.position()).unwrap_or(0);
    file.write_all(&text[..length])
}
