//! Every limit of one runner, with its unit in its name.

use serde::{Deserialize, Serialize};

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $default:expr,)*) => {
        /// The bounds within which a runner works. Over a limit is a typed failure or a flagged truncation.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        #[non_exhaustive]
        pub struct Limits { $($(#[$doc])* pub $name: $type,)* }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }
    };
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

limits! {
    /// Bytes kept of `stdout` as a result file (Bacalhau 1.9.3: 1 GiB); what is over is dropped and flagged.
    stdout_bytes_max: u64 = GIB,
    /// Bytes kept of `stderr` as a result file (Bacalhau 1.9.3: 1 GiB).
    stderr_bytes_max: u64 = GIB,
    /// Bytes of each stream kept in the outcome itself (Bacalhau 1.9.3: 2 048).
    summary_bytes_max: usize = 2_048,
    /// Bytes of one execution's log file, framing included; what is over is dropped and flagged.
    log_bytes_max: u64 = 4 * GIB,
    /// Bytes of one frame of the log file: a longer write becomes several.
    log_frame_bytes_max: usize = 64 * 1024,
    /// Files and folders below one execution's results.
    result_entries_max: u64 = 10_000_000,
    /// Bytes of one job file, inline inputs included.
    job_bytes_max: usize = 64 << 20,
    /// Inputs of one execution.
    inputs_max: usize = 1_024,
    /// Uncompressed bytes of one inline file (Bacalhau 1.9.3: 10 MB).
    inline_file_bytes_max: u64 = 10_000_000,
    /// Uncompressed bytes of one inline archive.
    inline_bytes_max: u64 = 256 * MIB,
    /// Entries of one inline archive.
    inline_entries_max: u64 = 100_000,
    /// Folders above an entry of an archive.
    path_depth_max: usize = 128,
    /// Bytes of environment that one execution gets.
    env_bytes_max: usize = 1 << 20,
    /// Bytes of arguments that one execution gets.
    args_bytes_max: usize = 1 << 20,
    /// Bytes of one WASM module.
    module_bytes_max: u64 = 256 * MIB,
    /// Modules that one WASM execution links.
    modules_max: usize = 64,
    /// Bytes of memory of one WASM execution, over all its memories, when the job names none.
    wasm_memory_bytes_max: u64 = 4 * GIB,
    /// Elements of all tables of one WASM execution.
    wasm_table_elements_max: usize = 1_000_000,
    /// Bytes of native stack that a WASM guest may use.
    wasm_stack_bytes_max: usize = 1 << 20,
    /// Descriptors that a WASM guest may hold open.
    wasm_descriptors_max: usize = 1_024,
    /// Bytes of the compiled modules kept in memory.
    module_memory_cache_bytes_max: u64 = 256 * MIB,
    /// Bytes of the compiled modules kept on disk.
    module_disk_cache_bytes_max: u64 = 2 * GIB,
    /// Executions waiting for capacity.
    queue_max: usize = 100_000,
    /// Milliseconds that a reservation is held when nobody starts it.
    hold_ms_max: u64 = 60_000,
    /// Milliseconds an engine gets to end a stopped execution before it is given up.
    stop_grace_ms_max: u64 = 10_000,
    /// Ended executions that are remembered in memory, give or take a batch of 64.
    ended_in_memory_max: usize = 256,
    /// Bytes of one request on the control socket.
    control_request_bytes_max: usize = 64 << 10,
    /// Clients of the control socket at once.
    control_clients_max: usize = 64,
    /// Seconds that an ended execution's folder and record are kept.
    retention_s: u64 = 7 * 24 * 3_600,
    /// Bytes that an ended execution's receipt may have.
    receipt_bytes_max: u64 = 64 * MIB,
    /// Bytes read at once from a file.
    read_bytes_max: u64 = 256 * KIB,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_names_its_unit() {
        let json = serde_json::to_value(Limits::default()).unwrap();
        for name in json.as_object().unwrap().keys() {
            assert!(name.ends_with("_max") || name.ends_with("_s"), "{name}");
        }
    }
}
