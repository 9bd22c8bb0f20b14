//! `frogfish completions`: a script for a shell.

use clap::CommandFactory as _;

use crate::args::{Cli, Completions};
use crate::out;
use crate::problem::Problem;

pub(super) fn run(args: &Completions) -> Result<u8, Problem> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "frogfish", &mut script);
    out::bytes(&script)?;
    Ok(0)
}
