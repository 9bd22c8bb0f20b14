//! The peers inside this binary, each in a child process of its own.

use super::Peer;
use crate::error::Error;

/// Gives a library peer by name; says so where this build has none.
pub(crate) fn find(name: &str) -> Result<Box<dyn Peer>, Error> {
    match name {
        #[cfg(feature = "library")]
        "frogfish" => Ok(Box::new(super::frogfish::Frogfish::default())),
        #[cfg(feature = "library")]
        "wasmtime-loop" => Ok(Box::new(super::wasmtime_loop::WasmtimeLoop::default())),
        _ => Err(Error::peer(name, "is not in this build (feature `library`)")),
    }
}
