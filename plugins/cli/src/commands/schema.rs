//! `frogfish schema`: what a job file, a receipt or a settings file may hold.

use crate::args::{Schema, SchemaName};
use crate::out;
use crate::problem::Problem;
use crate::settings;

pub(super) fn run(args: &Schema) -> Result<u8, Problem> {
    let schema = match args.name {
        SchemaName::Job => frogfish::spec::job_schema(),
        SchemaName::Receipt => frogfish_verifier::receipt_schema(),
        SchemaName::Config => settings::schema(),
    };
    out::json(&schema)?;
    Ok(0)
}
