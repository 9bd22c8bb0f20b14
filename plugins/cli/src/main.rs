//! The `frogfish` command: the only place that reads settings, and the last that decides an exit status.

mod args;
mod commands;
mod exit;
mod files;
mod mounts;
mod out;
mod problem;
mod receipts;
mod settings;

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
    let json = cli.command.wants_json();
    let status = commands::run(cli).unwrap_or_else(|problem| {
        out::problem(&problem, json);
        problem.status
    });
    exit::code(status)
}
