//! Starts a job that never ends, and cancels it: what it came to is kept.
//!
//! `cargo run -p frogfish --example cancel`

use frogfish::{Execution, Runner, State};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let module = dir.path().join("loop.wasm");
    std::fs::write(&module, frogfish_fixtures::guests::ENDLESS_LOOP.bytes())?;

    let runner = Runner::builder().wasm().build().await?;
    let handle = runner.start(Execution::wasm(&module)).await?;
    handle.reached(State::Running).await?;
    handle.cancel();

    let done = handle.wait().await?;
    println!("{}: {}", done.state, done.failure.ok_or("a cancelled job says why")?);
    assert_eq!(done.state, State::Cancelled);
    Ok(())
}
