//! Entries into `frogfish`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use frogfish::Limits;
use frogfish::inputs::{InlineInputs, InputContext, InputSource as _};
use frogfish::logs::strip_copy;
use frogfish::spec::{InlineSource, InputSource, Job, ReadOptions, Source};

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

/// Whether it is a `data:` URL that an inline input may have; nothing is stored.
pub fn data_url(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(inline_is_accepted)
}

/// Whether it is a tar archive that an inline input may hold, once compressed and written as a URL.
pub fn archive(bytes: &[u8]) -> bool {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).expect("a vector takes all");
    let gzip = gzip.finish().expect("a vector takes all");
    let mut url = String::from("data:application/gzip,");
    for byte in gzip {
        write!(url, "%{byte:02x}").expect("a string takes all");
    }
    inline_is_accepted(&url)
}

fn inline_is_accepted(url: &str) -> bool {
    let mut limits = Limits::default();
    limits.inline_file_bytes_max = 64 << 10;
    limits.inline_bytes_max = 128 << 10;
    limits.inline_entries_max = 50;
    let bytes_max = limits.inline_bytes_max.max(limits.inline_file_bytes_max);
    let context = InputContext { limits: Arc::new(limits), ..InputContext::default() };
    let input = InputSource {
        target: "/in".to_string(),
        source: Source::Inline(InlineSource::new(url)),
        ..InputSource::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("start a runtime");
    let size = runtime.block_on(InlineInputs.check(&input, &context));
    size.is_ok_and(|size| {
        assert!(size.bytes <= bytes_max, "an input of {} bytes was accepted", size.bytes);
        true
    })
}
