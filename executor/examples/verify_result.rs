//! Runs a job twice in deterministic mode and checks one result against the other.
//!
//! `cargo run -p frogfish --example verify_result`

use frogfish::verifier::{HashOptions, hash_path};
use frogfish::{Execution, Runner};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let module = frogfish_fixtures::files::guests().join("random.wasm");

    let runner = Runner::builder().wasm().build().await?;
    let first = runner.start(Execution::wasm(&module).deterministic()).await?.wait().await?;
    let again = runner.start(Execution::wasm(&module).deterministic()).await?.wait().await?;

    // What was claimed can be recomputed from the folder by anyone, with this library or with `ipfs add -Qrn`.
    let results = first.results.as_deref().ok_or("the job never ran")?;
    assert_eq!(hash_path(results, &HashOptions::default())?.cid, first.cid);

    // Equal work has an equal claim: job, module, inputs, outcome, instructions, CID.
    let claim = first.receipt.ok_or("a job that ran has a receipt")?.claim.digest()?;
    let other = again.receipt.ok_or("a job that ran has a receipt")?.claim.digest()?;
    assert_eq!(claim, other);
    println!("claim {claim}\nresult {}\n{:?} instructions", first.cid, first.instruction_count);
    Ok(())
}
