//! What can go wrong while measuring, each with what was attempted on what.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;

/// A measurement, scenario or report that could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("could not {doing} {path}: {source}")]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("scenario {name}: {message}")]
    Scenario { name: String, message: String },
    #[error("peer {peer}: {message}")]
    Peer { peer: String, message: String },
    #[error("report {path}: {message}")]
    Report { path: PathBuf, message: String },
    #[error("{0}")]
    Usage(String),
}

impl Error {
    /// Gives a closure for `map_err` that says what was attempted on which path.
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }

    pub(crate) fn peer(peer: &str, message: impl Display) -> Self {
        Self::Peer { peer: peer.to_owned(), message: message.to_string() }
    }

    pub(crate) fn scenario(name: &str, message: impl Display) -> Self {
        Self::Scenario { name: name.to_owned(), message: message.to_string() }
    }
}
