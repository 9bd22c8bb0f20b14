//! `frogfish run`: runs a job file.

use crate::args::RunJob;
use crate::execute::{self, Request};
use crate::files;
use crate::problem::Problem;
use crate::settings::Settings;

pub(super) fn run(args: &RunJob, settings: &Settings) -> Result<u8, Problem> {
    let mut job = files::read_job(&args.job)?;
    files::make_sources_absolute(&mut job);
    execute::run(&Request { job, granted: Vec::new(), options: &args.options }, settings)
}
