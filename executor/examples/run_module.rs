//! Runs a module on a folder and prints where the results lie and what they hash to.
//!
//! `cargo run -p frogfish --example run_module`

use frogfish::{Execution, Runner};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let module = frogfish_fixtures::files::guests().join("wordcount.wasm");
    let text = frogfish_fixtures::files::example_text();

    let runner = Runner::builder().wasm().build().await?;
    let job = Execution::wasm(module).arg("/in").input(text, "/in").output("out", "/out");
    let done = runner.start(job).await?.wait().await?;

    let results = done.results.as_deref().ok_or("the job never ran")?;
    print!("{}", std::fs::read_to_string(results.join("stdout"))?);
    println!("exit {} -> {}", done.exit_code, done.cid);
    assert!(done.success());
    Ok(())
}
