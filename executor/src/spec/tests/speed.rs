//! Not a test of time, which a loaded machine would break: run by hand with `--release --ignored --nocapture`.

use std::hint::black_box;
use std::time::Instant;

use super::good;
use crate::spec::Job;

/// A job of about 1 kB in YAML.
const JOB: &str = r#"Name: word-count
Namespace: default
Type: batch
Priority: 0
Count: 1
Labels: {team: analysis, purpose: "monthly report"}
Meta: {ticket: "ABC-123"}
Constraints:
  - Key: region
    Operator: in
    Values: [eu-west-1, eu-central-1]
Tasks:
  - Name: main
    Engine:
      Type: wasm
      Params:
        EntryModule: /app/wordcount.wasm
        Entrypoint: _start
        Parameters: ["--top", "20", "/corpus", "/out"]
    Publisher: {Type: local}
    Env: {LANG: C.UTF-8, GREETING: "hello world"}
    InputSources:
      - Target: /app/wordcount.wasm
        Source: {Type: local, Params: {SourcePath: ./wordcount.wasm}}
      - Target: /corpus
        Source:
          Type: urlDownload
          Params: {URL: "https://example.org/corpus/2026/texts.tar.gz"}
    ResultPaths:
      - Name: out
        Path: /out
    Resources: {CPU: 500m, Memory: 512Mb, Disk: 1GiB}
    Network: {Type: None}
    Timeouts: {ExecutionTimeout: 600, TotalTimeout: 1h}
"#;

#[test]
#[ignore = "measures; run by hand in release"]
fn how_long_a_job_takes_to_read() {
    let job = good(JOB);
    let json = job.to_value().to_string();
    for (what, text) in [("yaml", JOB), ("json", json.as_str())] {
        let mut best = f64::MAX;
        for _ in 0..50 {
            let start = Instant::now();
            for _ in 0..200 {
                black_box(Job::from_slice(black_box(text.as_bytes())).unwrap());
            }
            best = best.min(start.elapsed().as_secs_f64() / 200.0);
        }
        println!("{what}: {} bytes in {:.1} µs", text.len(), best * 1e6);
    }
    let start = Instant::now();
    for _ in 0..10_000 {
        black_box(black_box(&job).clone());
    }
    println!("clone: {:.2} µs", start.elapsed().as_secs_f64() * 1e2);
    let start = Instant::now();
    for _ in 0..10_000 {
        black_box(black_box(&job).validate()).unwrap();
    }
    println!("validate: {:.2} µs", start.elapsed().as_secs_f64() * 1e2);
}
