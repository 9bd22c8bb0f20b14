use super::*;
use crate::clock::SystemClock;
use crate::logs::{FRAME_STAMP_BYTES, LogEntry};
use std::fs;
use std::time::Duration;
use tempfile::TempDir;

struct Fixture {
    _dir: TempDir,
    results: ResultsFolder,
    capture: Arc<Capture>,
}

fn capture_with(change: impl FnOnce(&mut Limits)) -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let mut limits = Limits::default();
    change(&mut limits);
    let results = ResultsFolder::create(dir.path().join("e-1"), []).unwrap();
    let capture = Capture::create(&results, Arc::new(SystemClock::new()), Arc::new(limits)).unwrap();
    Fixture { _dir: dir, results, capture: Arc::new(capture) }
}

impl Fixture {
    fn file(&self, name: &str) -> Vec<u8> {
        fs::read(self.results.path().join(name)).unwrap()
    }

    async fn entries(&self) -> Vec<LogEntry> {
        let mut logs = Logs::open(self.capture.log_path(), LogOptions::default()).unwrap();
        let mut entries = Vec::new();
        while let Some(entry) = logs.next().await.unwrap() {
            entries.push(entry);
        }
        entries
    }
}

/// A file that takes nothing: what a full disk does.
fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

#[tokio::test]
async fn l_20_both_streams_are_logged_in_order_with_their_types() {
    let f = capture_with(|_| {});
    for (stream, text) in [(Stream::Stdout, "a\n"), (Stream::Stderr, "b\n"), (Stream::Stdout, "c\n")] {
        f.capture.write(stream, text.as_bytes()).unwrap();
    }
    let end = f.capture.finish();
    let seen: Vec<_> = f.entries().await.into_iter().map(|e| (e.stream, e.bytes)).collect();
    let b = |text: &str| text.as_bytes().to_vec();
    assert_eq!(
        seen,
        [(LogStream::Stdout, b("a\n")), (LogStream::Stderr, b("b\n")), (LogStream::Stdout, b("c\n"))]
    );
    assert_eq!(f.file("stdout"), b"a\nc\n");
    assert_eq!(f.file("stderr"), b"b\n");
    assert_eq!(end.log_bytes, fs::metadata(f.capture.log_path()).unwrap().len());
    assert_eq!((end.stdout.bytes_total, end.stderr.bytes_total), (4, 2));
}

#[test]
fn the_log_is_framed_as_docker_does_with_an_end_frame() {
    let f = capture_with(|_| {});
    f.capture.write(Stream::Stderr, b"oops").unwrap();
    f.capture.finish();
    let log = fs::read(f.capture.log_path()).unwrap();
    assert_eq!(log[..8], [2, 0, 0, 0, 0, 0, 0, 35]);
    assert_eq!(log[8 + 29..8 + 31], *b"Z ");
    assert_eq!(log[8 + FRAME_STAMP_BYTES..], *b"oops\x04\0\0\0\0\0\0\0");
}

#[test]
fn what_was_written_is_in_the_files_before_the_end() {
    let f = capture_with(|_| {});
    f.capture.write(Stream::Stdout, b"half").unwrap();
    assert_eq!(f.file("stdout"), b"half");
    assert!(fs::read(f.capture.log_path()).unwrap().ends_with(b"half"));
    assert!(!f.results.path().join("stderr").exists(), "made when first needed");
    f.capture.finish();
    assert_eq!(f.file("stderr"), b"");
}

#[test]
fn b_11_output_over_the_limit_is_dropped_and_flagged_and_the_program_goes_on() {
    let f = capture_with(|limits| limits.stdout_bytes_max = 1 << 20);
    let piece = [b'x'; 4096];
    for _ in 0..300 {
        f.capture.write(Stream::Stdout, &piece).unwrap();
    }
    let end = f.capture.finish();
    assert_eq!(f.file("stdout").len(), 1 << 20);
    assert!(end.stdout.truncated);
    assert_eq!((end.stdout.bytes_total, end.stdout.bytes_kept), (300 * 4096, 1 << 20));
    assert!(!end.stderr.truncated);
}

#[tokio::test]
async fn a_long_write_becomes_frames_within_their_limit() {
    let f = capture_with(|limits| limits.log_frame_bytes_max = 100);
    let data: Vec<u8> = (0..=255).cycle().take(1000).collect();
    f.capture.write(Stream::Stdout, &data).unwrap();
    f.capture.finish();
    let entries = f.entries().await;
    assert!(entries.iter().all(|entry| entry.bytes.len() <= 61) && entries.len() == 17);
    assert_eq!(entries.into_iter().flat_map(|entry| entry.bytes).collect::<Vec<_>>(), data);
}

#[tokio::test]
async fn a_log_over_its_limit_says_so_and_keeps_the_reason_of_the_end() {
    let f = capture_with(|limits| limits.log_bytes_max = 4_096);
    for _ in 0..1000 {
        f.capture.write(Stream::Stdout, b"0123456789").unwrap();
    }
    f.capture.note("timed out after 1 s").unwrap();
    let end = f.capture.finish();
    assert!(end.log_truncated && end.log_bytes <= 4_096);
    assert!(!end.stdout.truncated);
    let entries = f.entries().await;
    let notes: Vec<_> = entries.iter().filter(|entry| entry.stream == LogStream::System).collect();
    assert_eq!(notes[0].bytes, b"log ends here: log_bytes_max is 4096 bytes");
    assert_eq!(notes[1].bytes, b"timed out after 1 s");
}

#[test]
fn no_limit_is_too_small() {
    let f = capture_with(|limits| {
        limits.log_bytes_max = 0;
        limits.log_frame_bytes_max = 0;
        limits.stdout_bytes_max = 0;
        limits.summary_bytes_max = 0;
    });
    f.capture.write(Stream::Stdout, b"hello").unwrap();
    let end = f.capture.finish();
    assert_eq!((end.log_bytes, end.log_truncated, end.stdout.truncated), (0, true, true));
    assert_eq!(f.file("stdout"), b"");
}

#[test]
fn a_full_disk_fails_the_capture_for_good_and_what_was_kept_stays() {
    let f = capture_with(|_| {});
    f.capture.write(Stream::Stdout, b"kept").unwrap();
    f.capture.lock().log = Some(full());
    for _ in 0..2 {
        let error = f.capture.write(Stream::Stdout, b"lost").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
    let end = f.capture.finish();
    let failure = end.failure.unwrap();
    assert_eq!(failure.code, ReasonCode::ResultsError);
    assert!(failure.message.contains("writing the log: No space left"), "{}", failure.message);
    assert_eq!((f.file("stdout"), end.stdout.summary), (b"kept".to_vec(), b"kept".to_vec()));
}

#[test]
fn a_frame_that_was_written_in_part_is_taken_back() {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
    let f = capture_with(|_| {});
    // A file that takes its first page and refuses the second.
    let disk = File::from(memfd_create("disk", MemfdFlags::ALLOW_SEALING).unwrap());
    disk.set_len(4096).unwrap();
    fcntl_add_seals(&disk, SealFlags::GROW).unwrap();
    f.capture.lock().log = Some(disk.try_clone().unwrap());
    assert!(f.capture.write(Stream::Stdout, &[b'x'; 6000]).is_err());
    assert_eq!(disk.metadata().unwrap().len(), 0, "no part of the frame");
}

#[test]
fn writes_after_the_end_are_refused() {
    let f = capture_with(|_| {});
    let end = f.capture.finish();
    assert_eq!(f.capture.write(Stream::Stdout, b"late").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(f.capture.finish(), end);
    assert_eq!(f.file("stdout"), b"");
}

#[tokio::test]
async fn many_threads_lose_nothing() {
    let f = capture_with(|_| {});
    let threads: Vec<_> = (0..8)
        .map(|id| {
            let capture = f.capture.clone();
            std::thread::spawn(move || {
                for i in 0..200 {
                    let stream = if id % 2 == 0 { Stream::Stdout } else { Stream::Stderr };
                    capture.write(stream, format!("{id} {i}\n").as_bytes()).unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    f.capture.finish();
    let mut seen = f.entries().await;
    assert_eq!(seen.len(), 1600);
    assert!(seen.is_sorted_by_key(|entry| entry.at), "times are taken in the log's order");
    seen.retain(|entry| entry.bytes.starts_with(b"3 "));
    let lines: Vec<_> = seen.iter().map(|entry| String::from_utf8_lossy(&entry.bytes).into_owned()).collect();
    assert_eq!(lines, (0..200).map(|i| format!("3 {i}\n")).collect::<Vec<_>>());
}

#[tokio::test]
async fn l_17_a_follower_gets_each_line_while_the_program_runs() {
    let f = capture_with(|_| {});
    let mut logs = f.capture.logs(LogOptions { follow: true, ..LogOptions::default() }).unwrap();
    for i in 0..10 {
        let line = format!("line {i}\n");
        f.capture.write(Stream::Stdout, line.as_bytes()).unwrap();
        let entry = within(logs.next()).await.unwrap().unwrap();
        assert_eq!((entry.stream, entry.bytes), (LogStream::Stdout, line.into_bytes()));
    }
    f.capture.finish();
    assert!(within(logs.next()).await.unwrap().is_none());
}

#[tokio::test]
async fn l_14_following_from_now_on_gives_only_new_lines() {
    let f = capture_with(|_| {});
    f.capture.write(Stream::Stdout, b"old\n").unwrap();
    let options = LogOptions { follow: true, tail_lines: Some(0), ..LogOptions::default() };
    let mut logs = f.capture.logs(options).unwrap();
    let next = tokio::spawn(async move { logs.next().await });
    // It is past the old line when it waits for the length to change.
    while f.capture.length.receiver_count() == 0 {
        tokio::task::yield_now().await;
    }
    wait_until_idle(&next).await;
    f.capture.write(Stream::Stdout, b"new\n").unwrap();
    assert_eq!(within(next).await.unwrap().unwrap().unwrap().bytes, b"new\n");
}

#[tokio::test]
async fn l_19_a_failed_start_ends_the_log_with_the_reason() {
    let f = capture_with(|_| {});
    let mut logs = f.capture.logs(LogOptions { follow: true, ..LogOptions::default() }).unwrap();
    f.capture.note("image busybox:nope not found").unwrap();
    f.capture.finish();
    let entry = within(logs.next()).await.unwrap().unwrap();
    assert_eq!((entry.stream, entry.bytes), (LogStream::System, b"image busybox:nope not found".to_vec()));
    assert!(within(logs.next()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_follower_ends_when_the_capture_is_dropped() {
    let f = capture_with(|_| {});
    f.capture.write(Stream::Stdout, b"last").unwrap();
    let mut logs = f.capture.logs(LogOptions { follow: true, ..LogOptions::default() }).unwrap();
    drop(f.capture);
    assert_eq!(within(logs.next()).await.unwrap().unwrap().bytes, b"last");
    assert!(within(logs.next()).await.unwrap().is_none());
}

#[test]
fn a_follower_that_does_not_read_never_slows_the_program() {
    let f = capture_with(|_| {});
    let _slow = f.capture.logs(LogOptions { follow: true, ..LogOptions::default() }).unwrap();
    for _ in 0..10_000 {
        f.capture.write(Stream::Stdout, b"a line that nobody reads\n").unwrap();
    }
    assert_eq!(f.capture.finish().stdout.bytes_total, 250_000);
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), work).await.expect("in ten seconds")
}

/// Lets a task run until it waits for something else than a blocking read.
async fn wait_until_idle<T>(task: &tokio::task::JoinHandle<T>) {
    for _ in 0..200 {
        tokio::task::spawn_blocking(|| {}).await.unwrap();
        assert!(!task.is_finished());
    }
}
