//! The fuzz targets' functions over their committed seeds, on any compiler.

#[path = "../../fuzz/src/verifier.rs"]
#[allow(unreachable_pub, reason = "the file is public in the package of the fuzz targets")]
mod entries;

use std::path::Path;

/// Calls `entry` with each file of a folder of fixtures: whole, cut at some lengths, and with one byte turned.
///
/// Whole files are accepted exactly if `good` says so.
fn over_files(folder: &str, entry: fn(&[u8]) -> bool, good: impl Fn(&str) -> bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(folder);
    let mut seeds = 0;
    for file in std::fs::read_dir(&folder).expect("list the seeds") {
        let file = file.expect("read a seed's entry");
        let name = file.file_name().to_string_lossy().into_owned();
        let bytes = std::fs::read(file.path()).expect("read a seed");
        assert_eq!(entry(&bytes), good(&name), "whether {name} is accepted");
        for step in 1..=16 {
            entry(&bytes[..bytes.len() * step / 17]);
            let mut turned = bytes.clone();
            if let Some(byte) = turned.get_mut(bytes.len() * step / 17) {
                *byte ^= 0x41;
                entry(&turned);
            }
        }
        seeds += 1;
    }
    assert!(seeds >= 3, "{} holds {seeds} seeds", folder.display());
}

#[test]
fn receipts_that_are_cut_or_garbled_are_refused_and_good_ones_survive() {
    over_files("fuzz-seeds/receipt", entries::receipt, |name| {
        ["complete.json", "failed-signed.json"].contains(&name)
    });
}

#[test]
fn manifests_that_are_cut_or_garbled_are_refused_and_good_ones_survive() {
    over_files("fuzz-seeds/manifest", entries::manifest, |name| {
        ["folder.bin", "folder.json"].contains(&name)
    });
}

#[test]
fn texts_that_are_no_cid_are_refused() {
    let good = ["v0", "v1-raw", "v1-upper", "identity", "other-base"];
    over_files("fuzz-seeds/cid", entries::cid, |name| good.contains(&name));
}
