//! `frogfish man`: a manual page for the program and each command, in a folder.

use clap::CommandFactory as _;

use crate::args::{Cli, Man};
use crate::out;
use crate::problem::Problem;

pub(super) fn run(args: &Man) -> Result<u8, Problem> {
    let dir = &args.dir;
    std::fs::create_dir_all(dir)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), dir))
        .map_err(|error| Problem::failed(format!("writing manual pages into {}: {error}", dir.display())))?;
    out::say(&format!("manual pages are in {0}; read one with: man -l {0}/frogfish.1", dir.display()));
    Ok(0)
}
