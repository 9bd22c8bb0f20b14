//! The commands, one module each.

mod cancel;
mod completions;
mod config;
mod describe;
mod diff;
mod doctor;
mod hash;
mod logs;
mod man;
mod prune;
mod ps;
mod run;
mod schema;
mod validate;
mod verify;
mod wasm;

pub(crate) use hash::{chain, unreadable};

use crate::args::{Cli, Command, Global, WasmCommand};
use crate::exit;
use crate::problem::Problem;
use crate::session;
use crate::settings::{Settings, Variables};

/// Runs a command and returns its exit status.
///
/// What a command does not need is not set up: settings, logging and runtime belong to those that use them.
pub(crate) fn run(cli: Cli) -> Result<u8, Problem> {
    let Cli { global, command } = cli;
    match command {
        Command::Run(args) => run::run(&args, &settings(&global)?),
        Command::Wasm(WasmCommand::Run(args)) => wasm::run(&args, &settings(&global)?),
        Command::Validate(args) => validate::run(&args),
        Command::Hash(args) => hash::run(&args).map_err(never_an_answer),
        Command::Diff(args) => diff::run(&args).map_err(never_an_answer),
        Command::Ps(args) => ps::run(&args, &settings(&global)?),
        Command::Logs(args) => logs::run(&args, &settings(&global)?),
        Command::Cancel(args) => cancel::run(&args, &settings(&global)?),
        Command::Describe(args) => describe::run(&args, &settings(&global)?),
        Command::Prune(args) => prune::run(&args, &settings(&global)?),
        Command::Doctor(args) => doctor::run(&args, &settings(&global)?),
        Command::Verify(args) => verify::run(&args, || settings(&global)).map_err(never_an_answer),
        Command::Config(args) => config::run(&args, &settings(&global)?),
        Command::Schema(args) => schema::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}

/// Whatever keeps a comparison from an answer has one status, which is none of its answers.
fn never_an_answer(problem: Problem) -> Problem {
    problem.with_status(exit::USAGE)
}

/// The settings in force.
fn settings(global: &Global) -> Result<Settings, Problem> {
    let variables: Variables = std::env::vars_os().filter_map(session::variable).collect();
    Settings::resolve(global, &variables)
}
