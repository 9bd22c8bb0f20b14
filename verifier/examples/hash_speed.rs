//! Hashes a path again and again and prints the fastest pass: `hash_speed PATH [PASSES] [THREADS]`.
#![allow(clippy::unwrap_used, missing_docs)] // A tool for measuring may stop at the first surprise.

#[cfg(target_os = "linux")]
fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = std::path::PathBuf::from(arguments.next().expect("usage: hash_speed PATH [PASSES] [THREADS]"));
    let passes = arguments.next().map_or(1, |passes| passes.parse().unwrap());
    let mut options = frogfish_verifier::HashOptions::default();
    options.threads = arguments.next().map(|threads| threads.parse().unwrap());
    options.entries = std::env::var_os("ROOT_ONLY").is_none();
    let mut times: Vec<std::time::Duration> = (0..passes)
        .map(|_| {
            let start = std::time::Instant::now();
            let hashed = frogfish_verifier::hash_path(&path, &options).unwrap();
            std::hint::black_box(&hashed);
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    let hashed = frogfish_verifier::hash_path(&path, &options).unwrap();
    println!(
        "{} {} files {} bytes: fastest {:?}, median {:?}",
        hashed.cid,
        hashed.files,
        hashed.bytes,
        times[0],
        times[times.len() / 2]
    );
}

#[cfg(not(target_os = "linux"))]
fn main() {}
