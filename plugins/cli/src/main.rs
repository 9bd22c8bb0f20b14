//! The `frogfish` command: the only place that reads settings, and the last that decides an exit status.

mod args;
mod commands;
mod execute;
mod exit;
mod files;
mod follow;
mod instances;
mod mounts;
mod out;
mod out_dir;
mod problem;
mod receipts;
mod report;
mod session;
mod settings;
mod signals;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and versions come as errors too; nobody is left to tell if they cannot be printed.
            let _ = error.print();
            return exit::code(if error.use_stderr() { exit::USAGE } else { 0 });
        }
    };
    let (json, runs_a_job) = (cli.command.wants_json(), cli.command.runs_a_job());
    let status = commands::run(cli).unwrap_or_else(|problem| {
        match (json, runs_a_job) {
            (true, true) => drop(out::json(&report::never_started(&problem))),
            (json, _) => out::problem(&problem, json),
        }
        problem.status
    });
    exit::code(status)
}
