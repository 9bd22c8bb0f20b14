//! Entries into `frogfish`.

use frogfish::logs::strip_copy;
use frogfish::spec::{Job, ReadOptions};

/// Whether it is a job file; one that is accepted keeps its meaning when it is written and read again.
pub fn job_file(bytes: &[u8]) -> bool {
    let Ok(job) = Job::from_slice(bytes) else { return false };
    let written = job.to_value();
    let again = ReadOptions::wire().read_value(&written).expect("a job that was written can be read");
    assert_eq!(again.to_value(), written, "a job changed on its way through JSON");
    let normal = job.normalised();
    assert_eq!(normal.normalised(), normal, "a normalised job is not normal");
    true
}

/// Whether it is a log, which is stripped of its times; what comes out is whole frames and no more than went in.
pub fn log_frames(bytes: &[u8]) -> bool {
    let mut stripped = Vec::new();
    let mut source = bytes;
    let copied = strip_copy(&mut source, &mut stripped, None);
    assert!(stripped.len() <= bytes.len(), "a stripped log is longer than the log");
    let mut rest = stripped.as_slice();
    while !rest.is_empty() {
        assert!(rest.len() >= 8 && matches!(rest[0], 1 | 2) && rest[1..4] == [0; 3], "not a frame header");
        let length = u32::from_be_bytes([rest[4], rest[5], rest[6], rest[7]]) as usize;
        rest = rest.get(8 + length..).expect("a frame is whole");
    }
    copied.is_ok_and(|written| written == stripped.len() as u64)
}
