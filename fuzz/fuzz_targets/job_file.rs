#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = frogfish_fuzz::executor::job_file(bytes);
});
