//! Prints a job's output while it runs.
//!
//! `cargo run -p frogfish --example stream_logs`

use std::io::Write;

use frogfish::logs::{LogOptions, LogStream};
use frogfish::{Execution, Runner};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let module = frogfish_fixtures::files::guests().join("logtest.wasm");
    let text = frogfish_fixtures::files::example_text();

    let runner = Runner::builder().wasm().build().await?;
    let job = Execution::wasm(module).args(["/in/opticks-1.txt", "--fast"]).input(text, "/in");
    let handle = runner.start(job).await?;

    let mut logs = handle.logs(LogOptions { follow: true, ..LogOptions::default() }).await?;
    let (mut stdout, mut stderr) = (0, 0);
    while let Some(entry) = logs.next().await? {
        match entry.stream {
            LogStream::Stdout => stdout += entry.bytes.len(),
            _ => stderr += entry.bytes.len(),
        }
    }
    let done = handle.wait().await?;
    writeln!(std::io::stdout(), "{stdout} bytes of stdout, {stderr} of stderr, exit {}", done.exit_code)?;
    assert!(stdout > 0 && stderr > 0);
    Ok(())
}
