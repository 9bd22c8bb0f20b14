//! The fuzz targets' functions over their committed seeds, on any compiler.

#[path = "../../fuzz/src/executor.rs"]
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
fn good_job_files_keep_their_meaning_and_survive_being_cut_or_garbled() {
    over_files("good-jobs", entries::job_file, |name| name != "expected.json");
}

#[test]
fn bad_job_files_are_refused_however_they_are_cut_or_garbled() {
    over_files("bad-jobs", entries::job_file, |_| false);
}

#[test]
fn logs_that_are_cut_or_garbled_give_whole_frames_or_an_error() {
    let good = ["both-streams", "no-end", "larger-than-an-entry", "claims-four-gigabytes", "empty"];
    over_files("fuzz-seeds/log_frames", entries::log_frames, |name| good.contains(&name));
}
