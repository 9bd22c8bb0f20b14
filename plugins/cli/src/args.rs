//! The command line as it is typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Runs WebAssembly jobs and gives every result a hash that anyone can check.
#[derive(Debug, Parser)]
#[command(name = "frogfish", version, about, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = "Exit status: the job's own code; 124 timed out, 125 Frogfish failed, 126 refused, \
                        130/143 cancelled, 134 trap, 137 out of memory; diff and verify: 0 same, 1 different, \
                        2 could not tell; 64 wrong usage.")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Keep executions and caches below this folder.
    #[arg(long, global = true, value_name = "DIR", env = "FROGFISH_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Read settings from this file.
    #[arg(long, global = true, value_name = "FILE", env = "FROGFISH_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Say more on stderr (`error`, `warn`, `info`, `debug`, `trace`, or a filter per module).
    #[arg(long, global = true, value_name = "FILTER", env = "FROGFISH_LOG")]
    pub(crate) log: Option<String>,
}

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one of it, and it lives as long as the process")]
pub(crate) enum Command {
    /// Run a job file.
    Run(RunJob),
    /// Run a WebAssembly module.
    #[command(subcommand)]
    Wasm(WasmCommand),
    /// Show a job as it is understood, or what is wrong with it.
    Validate(Validate),
    /// Print the CID of a file or folder.
    Hash(Hash),
    /// Compare two result folders or receipts.
    Diff(Diff),
    /// Check a receipt against results, re-runs or both.
    Verify(Verify),
    /// List executions.
    Ps(Ps),
    /// Print what an execution printed.
    Logs(Logs),
    /// Stop an execution.
    Cancel(Cancel),
    /// Show everything known about an execution.
    Describe(Describe),
    /// Remove ended executions and unused caches.
    Prune(Prune),
    /// Show what works here, what does not, and what mends it.
    Doctor(Doctor),
    /// Show the settings in force.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a JSON schema.
    Schema(Schema),
    /// Print shell completions.
    Completions(Completions),
    /// Write the manual pages into a folder.
    Man(Man),
}

impl Command {
    /// Whether it runs a job, and says so in the object of one.
    pub(crate) fn runs_a_job(&self) -> bool {
        matches!(self, Self::Run(_) | Self::Wasm(WasmCommand::Run(_)))
    }

    /// Whether whoever called wants JSON, also about failures.
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Self::Run(run) => run.options.json,
            Self::Wasm(WasmCommand::Run(run)) => run.options.json,
            Self::Hash(hash) => hash.json,
            Self::Diff(diff) => diff.json,
            Self::Verify(verify) => verify.json,
            Self::Ps(ps) => ps.json,
            Self::Cancel(cancel) => cancel.json,
            Self::Describe(describe) => describe.json,
            Self::Prune(prune) => prune.json,
            Self::Doctor(doctor) => doctor.json,
            Self::Validate(_) | Self::Schema(_) => false,
            Self::Logs(_) | Self::Config(_) | Self::Completions(_) | Self::Man(_) => false,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum WasmCommand {
    /// Run a module of this host.
    Run(RunWasm),
}

/// Options of everything that runs a job.
#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    /// Copy exactly the results into this folder, which must be empty or absent; the receipt lies beside it as
    /// DIR.receipt.json.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Keep chance out: virtual clock, seeded randomness, canonical NaN, counted instructions.
    #[arg(long)]
    pub(crate) deterministic: bool,
    /// Print the CID alone.
    #[arg(long, conflicts_with = "json")]
    pub(crate) cid: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// Allow a local path that the job names (a glob; `:rw` lets the job write).
    #[arg(long, value_name = "PATH")]
    pub(crate) allow_path: Vec<String>,
    /// Show what would run and whether it could, and run nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunJob {
    /// The job file, YAML or JSON; `-` reads it from stdin.
    pub(crate) job: PathBuf,
    #[command(flatten)]
    pub(crate) options: RunOptions,
}

#[derive(Debug, Args)]
pub(crate) struct RunWasm {
    /// Give the job an input: SOURCE:TARGET[:rw], or src=…,dst=…[,opt=rw].
    #[arg(short, long = "input", value_name = "SOURCE:TARGET")]
    pub(crate) input: Vec<String>,
    /// Make the folder PATH a result named NAME.
    #[arg(short, long = "output", value_name = "NAME:PATH")]
    pub(crate) output: Vec<String>,
    /// Set a variable of the job's environment.
    #[arg(short, long = "env", value_name = "NAME=VALUE")]
    pub(crate) env: Vec<String>,
    /// Processor share (`500m`, `0.5`, `2`).
    #[arg(long, value_name = "CORES")]
    pub(crate) cpu: Option<String>,
    /// Memory limit (`512Mb`, `1GiB`).
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory: Option<String>,
    /// Disk limit (`10GB`).
    #[arg(long, value_name = "SIZE")]
    pub(crate) disk: Option<String>,
    /// How long it may run (`90`, `1m30s`).
    #[arg(long, value_name = "DURATION")]
    pub(crate) timeout: Option<String>,
    /// The function to call.
    #[arg(long, value_name = "NAME")]
    pub(crate) entrypoint: Option<String>,
    /// Instantiate a module of the job's file system first.
    #[arg(long = "import-module", value_name = "PATH")]
    pub(crate) import_modules: Vec<String>,
    #[command(flatten)]
    pub(crate) options: RunOptions,
    /// The module.
    pub(crate) module: PathBuf,
    /// Arguments of the program; `--` before them if the first begins with a dash.
    #[arg(trailing_var_arg = true)]
    pub(crate) args: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// The job file; `-` reads it from stdin.
    pub(crate) job: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ProfileName {
    /// CIDv0, 256 KiB chunks: `ipfs add` of Kubo up to today.
    #[value(name = "unixfs-v0-2015")]
    V0,
    /// CIDv1, 1 MiB chunks, raw leaves.
    #[value(name = "unixfs-v1-2025")]
    V1,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Boundary {
    /// A folder is sharded above 262 144 bytes.
    #[value(name = "kubo-0.40")]
    Kubo040,
    /// A folder is sharded from 262 144 bytes on.
    #[value(name = "kubo-0.30")]
    Kubo030,
}

#[derive(Debug, Args)]
pub(crate) struct Hash {
    /// A file or folder.
    pub(crate) path: PathBuf,
    /// The import parameters that fix the CID.
    #[arg(long, value_enum, default_value = "unixfs-v0-2015")]
    pub(crate) profile: ProfileName,
    /// Which Kubo's rule for big folders.
    #[arg(long, value_enum, default_value = "kubo-0.40")]
    pub(crate) hamt_boundary: Boundary,
    /// Print CID, manifest root, sizes and what was left out as one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// A result folder or a receipt.
    pub(crate) a: PathBuf,
    /// Another.
    pub(crate) b: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The receipt.
    pub(crate) receipt: PathBuf,
    /// The results it speaks of.
    #[arg(long, value_name = "DIR")]
    pub(crate) results: Option<PathBuf>,
    /// Run the job again so many times and compare.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) rerun: u32,
    /// Look for local inputs below this folder instead of where the job named them.
    #[arg(long, value_name = "DIR")]
    pub(crate) inputs: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Ps {
    /// Show ended executions too.
    #[arg(short, long)]
    pub(crate) all: bool,
    /// Print a JSON array.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// The execution's ID, or an unambiguous beginning of it or of its job's.
    pub(crate) id: String,
    /// Go on until it ends.
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// The last N lines only.
    #[arg(long, value_name = "N")]
    pub(crate) tail: Option<u64>,
    /// Not older than this (`10s`, `2026-01-31T12:00:00Z`).
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Put the time before each line.
    #[arg(short, long)]
    pub(crate) timestamps: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Cancel {
    /// The execution's ID, or an unambiguous beginning of it or of its job's.
    pub(crate) id: String,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Describe {
    /// The execution's ID, or an unambiguous beginning of it or of its job's.
    pub(crate) id: String,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Prune {
    /// Remove every ended execution, not only those kept longer than the retention.
    #[arg(long)]
    pub(crate) all: bool,
    /// Remove compiled modules too.
    #[arg(long)]
    pub(crate) caches: bool,
    /// Say what would go, and remove nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every setting.
    Show {
        /// Say where each comes from.
        #[arg(long)]
        origin: bool,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum SchemaName {
    Job,
    Receipt,
    Config,
}

#[derive(Debug, Args)]
pub(crate) struct Schema {
    #[arg(value_enum)]
    pub(crate) name: SchemaName,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The folder; made if missing.
    pub(crate) dir: PathBuf,
}
