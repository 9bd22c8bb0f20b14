//! `frogfish validate`: the job as it is understood.

use crate::args::Validate;
use crate::files;
use crate::out;
use crate::problem::Problem;

pub(super) fn run(args: &Validate) -> Result<u8, Problem> {
    let job = files::read_job(&args.job)?;
    out::json(&job.normalised().to_value())?;
    Ok(0)
}
