use super::frame::{END_FRAME, header};
use super::*;
use crate::clock::rfc3339_nanos;
use proptest::prelude::*;
use std::fs;
use std::io::{Read, Write};
use tempfile::TempDir;

const NOW: Duration = Duration::from_secs(1_700_000_000);
const HOUR: Duration = Duration::from_hours(1);

fn frame(stream: LogStream, at: Duration, data: &[u8]) -> Vec<u8> {
    let mut frame = header(stream, FRAME_STAMP_BYTES + data.len()).to_vec();
    frame.extend(rfc3339_nanos(at).bytes());
    frame.push(b' ');
    frame.extend(data);
    frame
}

fn plain(stream: LogStream, data: &[u8]) -> Vec<u8> {
    [&header(stream, data.len()), data].concat()
}

fn copy(log: &[u8], since: Option<Duration>) -> (Result<u64, LogError>, Vec<u8>) {
    let mut out = Vec::new();
    let done = strip_copy(&mut &log[..], &mut out, since);
    (done, out)
}

#[test]
fn l_01_frames_lose_their_times() {
    let log = [frame(LogStream::Stdout, NOW, b"out"), frame(LogStream::Stderr, NOW, b"err")].concat();
    let (done, out) = copy(&log, None);
    assert_eq!(done.unwrap(), 16 + 6);
    assert_eq!(out, [plain(LogStream::Stdout, b"out"), plain(LogStream::Stderr, b"err")].concat());
}

#[test]
fn l_02_frames_before_since_are_left_out() {
    let hour_before = NOW.checked_sub(HOUR).unwrap();
    let log = [
        frame(LogStream::Stdout, hour_before, b"1"),
        frame(LogStream::Stdout, NOW, b"2"),
        frame(LogStream::Stdout, NOW + Duration::from_mins(1), b"3"),
    ]
    .concat();
    let since = |since| copy(&log, Some(since)).0.unwrap();
    assert_eq!(since(NOW), 2 * 9);
    assert_eq!(since(NOW + HOUR), 0);
    assert_eq!(since(hour_before), 3 * 9);
}

#[test]
fn l_03_an_empty_log_is_no_error() {
    assert_eq!(copy(b"", None).0.unwrap(), 0);
}

#[test]
fn l_04_a_system_message_is_an_error_with_its_text() {
    for log in [frame(LogStream::System, NOW, b"no such device"), plain(LogStream::System, b"no such device")]
    {
        let error = copy(&log, None).0.unwrap_err();
        assert_eq!(error.to_string(), "error from daemon in stream: no such device");
    }
}

/// Gives its bytes a few at a time.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let bytes = self.1.min(self.0.len()).min(to.len());
        to[..bytes].copy_from_slice(&self.0[..bytes]);
        self.0 = &self.0[bytes..];
        Ok(bytes)
    }
}

#[test]
fn l_05_bytes_in_chunks_of_ten_give_the_same() {
    let log = [frame(LogStream::Stdout, NOW, &[7; 100]), frame(LogStream::Stderr, NOW, b"")].concat();
    let mut out = Vec::new();
    strip_copy(&mut Slow(&log, 10), &mut out, None).unwrap();
    assert_eq!(out, copy(&log, None).1);
    assert_eq!(out.len(), 116);
}

#[test]
fn l_06_a_bad_time_and_a_short_frame_are_named() {
    let mut log = frame(LogStream::Stdout, NOW, b"x");
    for bad in [b'x', b' ', b'+'] {
        log[8 + 3] = bad;
        let error = copy(&log, None).0.unwrap_err().to_string();
        assert!(error.starts_with("parsing time \""), "{error}");
    }
    let mut month_13 = frame(LogStream::Stdout, NOW, b"x");
    month_13[8 + 5..8 + 7].copy_from_slice(b"13");
    assert!(matches!(copy(&month_13, None).0, Err(LogError::BadTime { offset: 0, .. })));
    let error = copy(&plain(LogStream::Stdout, &[b'x'; 30]), None).0.unwrap_err().to_string();
    assert!(error.contains("frame is too short"), "{error}");
}

#[test]
fn l_07_frames_over_32_kib_are_complete() {
    for bytes in [32 * 1024 + 1, 60 * 1024] {
        let data = vec![b'y'; bytes];
        let (done, out) = copy(&frame(LogStream::Stdout, NOW, &data), None);
        assert_eq!((done.unwrap(), out), (bytes as u64 + 8, plain(LogStream::Stdout, &data)));
    }
    // A longer one comes in pieces, none of it lost.
    let data: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    let mut buffer = FrameBuffer::default();
    buffer.extend(&frame(LogStream::Stderr, NOW, &data));
    let mut seen = Vec::new();
    while let Some(piece) = buffer.next().unwrap() {
        assert_eq!((piece.stream, piece.at, piece.bytes_before), (LogStream::Stderr, NOW, seen.len() as u64));
        assert!(piece.bytes.len() <= ENTRY_BYTES_MAX);
        seen.extend_from_slice(piece.bytes);
    }
    assert!(seen == data);
}

#[test]
fn l_08_a_frame_that_was_cut_off_is_left_out() {
    let whole = frame(LogStream::Stdout, NOW, b"whole");
    let cut = frame(LogStream::Stdout, NOW, b"cut off");
    for length in 1..cut.len() {
        let (done, out) = copy(&[&whole, &cut[..length]].concat(), None);
        assert_eq!((done.unwrap(), out), (13, plain(LogStream::Stdout, b"whole")), "{length}");
    }
}

/// Takes a few bytes and then fails, or takes no more.
struct Stuck(usize, Option<io::ErrorKind>);

impl Write for Stuck {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        let bytes = from.len().min(self.0);
        self.0 -= bytes;
        match self.1 {
            Some(kind) if bytes == 0 => Err(kind.into()),
            _ => Ok(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn l_09_the_writers_own_error_comes_back() {
    let log = frame(LogStream::Stdout, NOW, b"hello");
    for (refusal, kind) in [
        (Some(io::ErrorKind::ConnectionReset), io::ErrorKind::ConnectionReset),
        (None, io::ErrorKind::WriteZero),
    ] {
        match strip_copy(&mut &log[..], &mut Stuck(10, refusal), None) {
            Err(LogError::Write(error)) => assert_eq!(error.kind(), kind),
            other => panic!("{other:?}"),
        }
    }
}

struct Stored(TempDir);

impl Stored {
    fn new(log: &[u8]) -> Self {
        let stored = Self(tempfile::tempdir().unwrap());
        fs::write(stored.path(), log).unwrap();
        stored
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("log")
    }

    fn append(&self, bytes: &[u8]) {
        File::options().append(true).open(self.path()).unwrap().write_all(bytes).unwrap();
    }

    fn open(&self, options: LogOptions) -> Logs {
        Logs::open(self.path(), options).unwrap()
    }
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), work).await.expect("in thirty seconds")
}

async fn texts(mut logs: Logs) -> Vec<String> {
    let mut texts = Vec::new();
    while let Some(entry) = within(logs.next()).await.unwrap() {
        texts.push(String::from_utf8(entry.bytes).unwrap());
    }
    texts
}

#[tokio::test]
async fn l_10_following_without_an_end_stops_when_cancelled() {
    let stored = Stored::new(&frame(LogStream::Stdout, NOW, b"first"));
    let follow = LogOptions { follow: true, ..LogOptions::default() };
    let mut logs = stored.open(follow).follow_until(std::future::pending());
    assert_eq!(within(logs.next()).await.unwrap().unwrap().bytes, b"first");
    let waiting = tokio::time::timeout(Duration::from_millis(1), logs.next()).await;
    assert!(waiting.is_err(), "it waits, and is dropped");
    stored.append(&frame(LogStream::Stdout, NOW, b"second"));
    assert_eq!(within(logs.next()).await.unwrap().unwrap().bytes, b"second", "and nothing was lost");
}

#[tokio::test]
async fn l_13_following_ends_at_the_end_frame() {
    let stored = Stored::new(&frame(LogStream::Stdout, NOW, b"hello\n"));
    let logs = stored.open(LogOptions::default()).follow_until(std::future::pending());
    let all = tokio::spawn(texts(logs));
    stored.append(&frame(LogStream::Stdout, NOW, b"more\n"));
    stored.append(&END_FRAME);
    assert_eq!(within(all).await.unwrap(), ["hello\n", "more\n"]);
}

#[tokio::test]
async fn l_16_the_log_of_a_killed_process_ends_when_its_execution_is_terminal() {
    let cut = &frame(LogStream::Stdout, NOW, b"cut off")[..20];
    let stored = Stored::new(&[&frame(LogStream::Stdout, NOW, b"last words"), cut].concat());
    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    let ended = async move {
        let _ = told.await;
    };
    let mut logs = stored.open(LogOptions::default()).follow_until(ended);
    assert_eq!(within(logs.next()).await.unwrap().unwrap().bytes, b"last words");
    tell.send(()).unwrap();
    assert!(within(logs.next()).await.unwrap().is_none());
}

#[tokio::test]
async fn l_16_a_log_that_is_gone_is_said_at_once() {
    let error = Logs::open("/nowhere/log", LogOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "no log at /nowhere/log");
}

#[tokio::test]
async fn l_18_a_follower_of_an_empty_log_waits_for_its_first_entry() {
    let stored = Stored::new(b"");
    let mut logs = stored.open(LogOptions::default()).follow_until(std::future::pending());
    let next = tokio::spawn(async move { logs.next().await });
    // Byte by byte: a frame that is being written is not given before it is whole.
    for byte in frame(LogStream::System, NOW, b"pulling") {
        stored.append(&[byte]);
    }
    assert_eq!(within(next).await.unwrap().unwrap().unwrap().bytes, b"pulling");
}

fn ten_lines() -> Vec<u8> {
    (0..10)
        .flat_map(|i| {
            let stream = if i % 2 == 0 { LogStream::Stdout } else { LogStream::Stderr };
            frame(stream, NOW + Duration::from_secs(i), format!("line {i}\n").as_bytes())
        })
        .collect()
}

#[tokio::test]
async fn l_22_tail_since_until_and_streams_choose_entries() {
    let stored = Stored::new(&ten_lines());
    let all = LogOptions::default;
    let seconds = |s| Some(NOW + Duration::from_secs(s));
    let tail = |lines| LogOptions { tail_lines: Some(lines), ..all() };
    assert_eq!(texts(stored.open(tail(2))).await, ["line 8\n", "line 9\n"]);
    assert_eq!(texts(stored.open(tail(0))).await, [""; 0]);
    assert_eq!(texts(stored.open(tail(usize::MAX))).await.len(), 10);
    let since = LogOptions { since: seconds(8), ..all() };
    assert_eq!(texts(stored.open(since)).await, ["line 8\n", "line 9\n"]);
    let until = LogOptions { until: seconds(1), ..all() };
    assert_eq!(texts(stored.open(until)).await, ["line 0\n", "line 1\n"]);
    let errors = LogOptions { stdout: false, tail_lines: Some(2), until: seconds(8), ..all() };
    assert_eq!(texts(stored.open(errors)).await, ["line 5\n", "line 7\n"]);
    let follow = LogOptions { follow: true, until: seconds(1), ..all() };
    let logs = stored.open(follow).follow_until(std::future::pending());
    assert_eq!(texts(logs).await.len(), 2, "following ends there");
}

#[tokio::test]
async fn l_22_tail_counts_lines_and_not_writes() {
    let log = [
        frame(LogStream::Stdout, NOW, b"one\ntwo\nthr"),
        frame(LogStream::Stdout, NOW, b"ee\nfo"),
        frame(LogStream::Stdout, NOW, b"ur"),
        END_FRAME.to_vec(),
    ]
    .concat();
    let stored = Stored::new(&log);
    for (lines, text) in
        [(1, "four"), (2, "three\nfour"), (3, "two\nthree\nfour"), (9, "one\ntwo\nthree\nfour")]
    {
        let options = LogOptions { tail_lines: Some(lines), ..LogOptions::default() };
        assert_eq!(texts(stored.open(options)).await.concat(), text);
    }
}

#[test]
fn l_22_times_are_printed_before_each_line() {
    let entry = |stream, bytes: &[u8]| LogEntry { stream, at: NOW, bytes: bytes.to_vec() };
    let entries = [
        entry(LogStream::Stdout, b"a\nb"),
        entry(LogStream::Stdout, b"c\n"),
        entry(LogStream::System, b"timed out"),
    ];
    let printed = |timestamps| {
        let (mut printer, mut out) = (LogPrinter::new(timestamps), Vec::new());
        for entry in &entries {
            printer.print(entry, &mut out).unwrap();
        }
        String::from_utf8(out).unwrap()
    };
    assert_eq!(printed(false), "a\nbc\ntimed out\n");
    let t = "2023-11-14T22:13:20.000000000Z";
    assert_eq!(printed(true), format!("{t} a\n{t} bc\n{t} timed out\n"));
}

#[tokio::test]
async fn what_is_no_log_gives_a_typed_error_with_its_place() {
    let good = frame(LogStream::Stdout, NOW, b"x");
    let offset = good.len() as u64;
    for bad in [
        &[0_u8; 8][..],
        b"\x05\0\0\0\0\0\0\0",
        b"\x01\0\x01\0\0\0\0\x20",
        b"\x04\0\0\0\0\0\0\x01",
        b"plain text",
    ] {
        let stored = Stored::new(&[&good, bad].concat());
        let mut logs = stored.open(LogOptions::default());
        assert!(logs.next().await.unwrap().is_some());
        match logs.next().await {
            Err(LogError::NotAFrame { offset: at, .. }) => assert_eq!(at, offset),
            other => panic!("{other:?}"),
        }
    }
}

fn drain(buffer: &mut FrameBuffer, to: &mut Vec<(LogStream, Duration, Vec<u8>)>) -> Result<(), LogError> {
    while let Some(piece) = buffer.next()? {
        to.push((piece.stream, piece.at, piece.bytes.to_vec()));
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic_and_in_bounded_memory(
        bytes in proptest::collection::vec(any::<u8>(), 0..2000),
        claim in any::<u32>(),
        stream in 0_u8..6,
    ) {
        let mut log = frame(LogStream::Stdout, NOW, b"first");
        log.extend([stream, 0, 0, 0]);
        log.extend(claim.to_be_bytes());
        log.extend(&bytes);
        let mut buffer = FrameBuffer::default();
        let mut given = 0;
        for chunk in log.chunks(97) {
            buffer.extend(chunk);
            let mut pieces = Vec::new();
            let done = drain(&mut buffer, &mut pieces);
            given += pieces.iter().map(|(_, _, bytes)| bytes.len()).sum::<usize>();
            if done.is_err() {
                break;
            }
        }
        prop_assert!(given <= log.len());
    }

    #[test]
    fn entries_do_not_depend_on_how_the_bytes_arrive(
        data in proptest::collection::vec((1_u8..4, proptest::collection::vec(any::<u8>(), 0..300)), 0..20),
        chunk in 1_usize..500,
    ) {
        let stream = |n| [LogStream::Stdout, LogStream::Stderr, LogStream::System][usize::from(n) - 1];
        let log: Vec<u8> = data.iter().flat_map(|(n, bytes)| frame(stream(*n), NOW, bytes)).collect();
        let mut buffer = FrameBuffer::default();
        let mut seen = Vec::new();
        for piece in log.chunks(chunk) {
            buffer.extend(piece);
            drain(&mut buffer, &mut seen).unwrap();
        }
        let wanted: Vec<_> = data.into_iter().map(|(n, bytes)| (stream(n), NOW, bytes)).collect();
        prop_assert_eq!(seen, wanted);
        prop_assert_eq!(buffer.frame_offset(), log.len() as u64);
    }
}
