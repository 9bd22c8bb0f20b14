//! Measures Frogfish beside the programs it replaces, and says where it is slower.
//!
//! ```text
//! scenario (TOML) ─► cases ─► pairs ─► A B A B … A B ─► samples ─► report ─► JSON, HTML
//!                             subject and one peer       every run   medians, ratios, drift, budgets
//! ```
//! The measuring core knows nothing of Frogfish; only `peer/library` does.

mod cli;
mod compare;
mod error;
mod input;
mod machine;
mod measure;
mod peer;
mod report;
mod sample;
mod scenario;
mod schedule;
mod stats;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::run(cli::Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("frogfish-benches: {error}");
            ExitCode::FAILURE
        }
    }
}
