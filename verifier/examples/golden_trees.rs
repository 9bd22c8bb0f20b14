//! Plants the trees whose CIDs `tests/golden/trees.json` records, for another program to hash.
#![allow(clippy::unwrap_used, missing_docs)] // A tool for making test data may stop at the first surprise.

#[cfg(target_os = "linux")]
#[path = "../tests/it/tree.rs"]
#[allow(clippy::cast_possible_truncation)] // As in the tests.
mod tree;

#[cfg(target_os = "linux")]
fn main() {
    let folder = std::env::args().nth(1).expect("usage: golden_trees FOLDER");
    std::fs::create_dir(&folder).unwrap();
    for seed in 0..tree::TREES {
        tree::plant(&std::path::Path::new(&folder).join(format!("tree-{seed}")), seed);
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {}
