//! Runs a hundred jobs; the runner holds back what the host has no room for.
//!
//! `cargo run -p frogfish --example many_at_once`

use std::collections::BTreeSet;

use frogfish::{Execution, Runner};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let module = frogfish_fixtures::files::guests().join("noop.wasm");

    let runner = Runner::builder().wasm().build().await?;
    let mut handles = Vec::new();
    for _ in 0..100 {
        handles.push(runner.start(Execution::wasm(&module)).await?);
    }
    let mut cids = BTreeSet::new();
    for handle in handles {
        cids.insert(handle.wait().await?.cid.to_string());
    }
    println!("100 jobs, {} result: {}", cids.len(), cids.first().ok_or("no result")?);
    assert_eq!(cids.len(), 1);
    Ok(())
}
