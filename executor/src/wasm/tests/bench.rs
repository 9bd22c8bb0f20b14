//! How long a warm run takes beside a bare wasmtime loop; run by hand with `--ignored --nocapture`.
