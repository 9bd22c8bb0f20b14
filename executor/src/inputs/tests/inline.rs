use super::*;
use crate::inputs::archive::{checked_parts, unpack};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::io::Write;
use tar::{EntryType, Header};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// One tar entry with exactly this name, however bad.
fn entry(name: &[u8], kind: EntryType, data: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len().min(100)].copy_from_slice(&name[..name.len().min(100)]);
    header.set_entry_type(kind);
    header.set_size(data.len() as u64);
    header.set_mode(0o600);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn file(name: &str, data: &[u8]) -> Vec<u8> {
    entry(name.as_bytes(), EntryType::Regular, data)
}

fn archive(entries: &[Vec<u8>]) -> Input {
    use base64::Engine as _;
    let bytes = gzip(&[entries.concat(), vec![0; 1024]].concat());
    inline(&format!("data:application/gzip;base64,{}", base64::prelude::BASE64_STANDARD.encode(bytes)))
}

async fn prepared(input: Input, change: impl FnOnce(&mut Limits)) -> (TempDir, Result<Prepared, Failure>) {
    let (dir, execution) = execution();
    let mut limits = Limits::default();
    change(&mut limits);
    let context = InputContext { limits: Arc::new(limits), grants: Vec::new() };
    let checked = sources().check(std::slice::from_ref(&input), &context).await;
    let prepared = sources().prepare(&[input], &context, &execution).await.map(|mut all| all.remove(0));
    match (&checked, &prepared) {
        (Ok(size), Ok(prepared)) => assert_eq!(size.bytes, prepared.bytes),
        (Err(checked), Err(prepared)) => assert_eq!(checked, prepared),
        other => panic!("check and prepare disagree: {other:?}"),
    }
    (dir, prepared)
}

async fn refused(input: Input, change: impl FnOnce(&mut Limits)) -> String {
    let (dir, prepared) = prepared(input, change).await;
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing outside the execution's folder");
    prepared.unwrap_err().message
}

#[tokio::test]
async fn i_inl_01_a_file_goes_through_a_data_url() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    fs::write(&path, b"\0\x01\xfe\xff").unwrap();
    let source = inline_from_path(&path, &Limits::default()).unwrap();
    assert_eq!(&*source.url, "data:application/octet-stream;base64,AAH+/w==");
    let (_dir, prepared) = prepared(input(Source::Inline(source), "/in"), |_| {}).await;
    let prepared = prepared.unwrap();
    assert_eq!((prepared.bytes, prepared.read_only), (4, true));
    assert_eq!(fs::read(&prepared.path).unwrap(), b"\0\x01\xfe\xff");
}

#[tokio::test]
async fn i_inl_02_a_folder_goes_through_a_gzip_data_url() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("data");
    fs::create_dir_all(folder.join("sub")).unwrap();
    fs::write(folder.join("file1"), "1234").unwrap();
    fs::write(folder.join("sub/file2"), "5678").unwrap();
    let source = inline_from_path(&folder, &Limits::default()).unwrap();
    assert!(source.url.starts_with("data:application/gzip;base64,"));
    assert_eq!(source, inline_from_path(&folder, &Limits::default()).unwrap());
    let (_dir, prepared) = prepared(input(Source::Inline(source), "/in"), |_| {}).await;
    let prepared = prepared.unwrap();
    assert_eq!(prepared.bytes, 8);
    assert_eq!(prepared.path.file_name().unwrap(), "data");
    assert_eq!(fs::read_to_string(prepared.path.join("sub/file2")).unwrap(), "5678");
}

// Differs from Bacalhau, where the task sees `/in/data/file1`.
#[tokio::test]
async fn i_inl_03_the_name_a_folder_was_packed_under_is_not_seen() {
    let folder = entry(b"data/", EntryType::Directory, b"");
    let packed = archive(&[folder.clone(), file("data/file1", b"1"), file("data/file2", b"2")]);
    let (_dir, found) = prepared(packed, |_| {}).await;
    let names = |path: &Path| {
        let mut names: Vec<_> = fs::read_dir(path).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&found.unwrap().path), ["file1", "file2"]);
    // Two names at the top, or a root of its own, are no such name.
    let (_dir, found) = prepared(archive(&[folder.clone(), file("other", b"1")]), |_| {}).await;
    assert_eq!(names(&found.unwrap().path), ["data", "other"]);
    let (_dir, found) = prepared(archive(&[entry(b"./", EntryType::Directory, b""), folder]), |_| {}).await;
    assert_eq!(names(&found.unwrap().path), ["data"]);
    // A file stays a file.
    let (_dir, found) = prepared(archive(&[file("only", b"content")]), |_| {}).await;
    assert_eq!(fs::read(found.unwrap().path).unwrap(), b"content");
    let (_dir, found) = prepared(archive(&[]), |_| {}).await;
    assert!(names(&found.unwrap().path).is_empty());
}

#[tokio::test]
async fn i_inl_04_names_that_leave_the_folder_are_refused() {
    for (name, why) in [
        ("../x", "`..`"),
        ("a/../../x", "`..`"),
        ("a/..", "`..`"),
        ("/etc/x", "absolute"),
        ("a\\..\\x", "backslash"),
    ] {
        let message = refused(archive(&[file("good", b""), file(name, b"x")]), |_| {}).await;
        assert!(message.contains(why), "{name}: {message}");
        let long = entry(b"././@LongLink", EntryType::GNULongName, format!("{name}\0").as_bytes());
        let message = refused(archive(&[long, file("innocent", b"x")]), |_| {}).await;
        assert!(message.contains(why), "{name}: {message}");
        let record = format!(" path={name}\n");
        let record = format!("{}{record}", record.len() + 2);
        let pax = entry(b"pax", EntryType::XHeader, record.as_bytes());
        let message = refused(archive(&[pax, file("innocent", b"x")]), |_| {}).await;
        assert!(message.contains(why), "{name}: {message}");
    }
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Char, EntryType::Fifo, EntryType::GNUSparse]
    {
        let message = refused(archive(&[entry(b"x", kind, b"")]), |_| {}).await;
        assert!(message.contains("only files and folders"), "{message}");
    }
}

#[tokio::test]
async fn i_inl_05_a_file_over_the_limit_is_refused_by_its_size() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("big");
    fs::write(&path, vec![0; 10_000_001]).unwrap();
    let failure = inline_from_path(&path, &Limits::default()).unwrap_err();
    assert!(failure.message.contains("more than 10000000 bytes"), "{failure}");
    let small = |limits: &mut Limits| limits.inline_file_bytes_max = 3;
    assert!(refused(inline("data:,1234"), small).await.contains("has 4 bytes, inline_file_bytes_max is 3"));
    let long = format!("data:,{}", "x".repeat(1000));
    assert!(refused(inline(&long), small).await.contains("inline_file_bytes_max is 3"));
    assert!(refused(archive(&[file("f", b"1234")]), small).await.contains("inline_file_bytes_max is 3"));
    assert!(prepared(inline("data:,123"), small).await.1.is_ok());
}

#[tokio::test]
async fn i_inl_06_removing_the_executions_folder_leaves_nothing() {
    let unreadable = {
        let mut entry = entry(b"closed/", EntryType::Directory, b"");
        let mut header = Header::new_gnu();
        header.as_mut_bytes().copy_from_slice(&entry[..512]);
        header.set_mode(0);
        header.set_cksum();
        entry.copy_from_slice(header.as_bytes());
        entry
    };
    let (dir, prepared) = prepared(archive(&[unreadable, file("closed/f", b"x")]), |_| {}).await;
    prepared.unwrap();
    fs::remove_dir_all(dir.path().join("e-1")).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn archives_are_bounded_in_count_bytes_depth_and_headers() {
    let files = |n: usize| (0..n).map(|i| file(&format!("f{i}"), b"12345")).collect::<Vec<_>>();
    assert!(refused(archive(&files(6)), |l| l.inline_entries_max = 5).await.contains("5 entries"));
    assert!(prepared(archive(&files(5)), |l| l.inline_entries_max = 5).await.1.is_ok());
    assert!(refused(archive(&files(6)), |l| l.inline_bytes_max = 29).await.contains("29 bytes"));
    let deep = archive(&[file("a/b/c/d", b"")]);
    assert!(refused(deep.clone(), |l| l.path_depth_max = 3).await.contains("path_depth_max"));
    assert!(prepared(deep, |l| l.path_depth_max = 4).await.1.is_ok());
    let headers = vec![entry(b"x", EntryType::GNULongName, b"y\0"); 20];
    assert!(refused(archive(&headers), |l| l.inline_entries_max = 5).await.contains("5 entries"));
    let long = entry(b"x", EntryType::GNULongName, &vec![b'y'; 1 << 20]);
    assert!(refused(archive(&[long]), |_| {}).await.contains("4096 bytes in one header"));
    let name = "n".repeat(256);
    let long = entry(b"x", EntryType::GNULongName, name.as_bytes());
    assert!(refused(archive(&[long, file("x", b"")]), |_| {}).await.contains("longer than 255 bytes"));
    // A few kilobytes that would become many more.
    let bomb = entry(b"bomb", EntryType::XGlobalHeader, &vec![0; 4 << 20]);
    let message = refused(archive(&[bomb]), |l| (l.inline_entries_max, l.inline_bytes_max) = (1, 1000)).await;
    assert!(message.contains("reading the archive"), "{message}");
}

#[tokio::test]
async fn broken_archives_are_said_to_be_broken() {
    let mut cut = archive(&[file("f", &[7; 2000])]);
    let Source::Inline(source) = &mut cut.source else { unreachable!() };
    let text = source.url[..source.url.len() - 8].to_owned();
    *source = InlineSource::new(text);
    for broken in [cut, inline("data:application/gzip,nonsense"), inline("data:application/gzip,")] {
        assert!(refused(broken, |_| {}).await.contains("inline archive: "));
    }
    let lies = entry(b"pax", EntryType::XHeader, b"999999 path=x\n");
    assert!(refused(archive(&[lies, file("x", b"")]), |_| {}).await.contains("broken extended header"));
    let lies = entry(b"pax", EntryType::XHeader, b"12 size=999\n");
    assert!(refused(archive(&[lies, file("x", b"")]), |_| {}).await.contains("extended size"));
    let conflict = archive(&[file("a", b"file"), file("a/b", b"below a file")]);
    let (_dir, prepared) = prepared_only(conflict).await;
    assert!(prepared.unwrap_err().message.contains("writing"));
}

/// Without the check, which does not look for files that stand in each other's way.
async fn prepared_only(input: Input) -> (TempDir, Result<Vec<Prepared>, Failure>) {
    let (dir, execution) = execution();
    let prepared = sources().prepare(&[input], &InputContext::default(), &execution).await;
    (dir, prepared)
}

#[tokio::test]
async fn every_user_may_read_what_was_unpacked() {
    let script = {
        let mut header = Header::new_gnu();
        header.set_path("d/run").unwrap();
        header.set_mode(0o4700);
        header.set_size(0);
        header.set_cksum();
        header.as_bytes().to_vec()
    };
    let (_dir, found) = prepared(archive(&[file("d/a", b"x"), script]), |_| {}).await;
    let base = found.unwrap().path;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&base), mode(&base.join("a")), mode(&base.join("run"))), (0o755, 0o644, 0o755));
    let (_dir, found) = prepared(inline("data:,x"), |_| {}).await;
    let path = found.unwrap().path;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o644, 0o700));
}

#[tokio::test]
async fn a_name_that_comes_twice_is_the_later_file() {
    let (_dir, found) = prepared(archive(&[file("d/a", b"old"), file("d/a", b"new")]), |_| {}).await;
    assert_eq!(fs::read(found.unwrap().path.join("a")).unwrap(), b"new");
}

#[test]
fn a_stopped_unpacking_ends() {
    let bytes = gzip(&[file("f", b"x"), vec![0; 1024]].concat());
    let error = unpack(&bytes, None, &Limits::default(), &AtomicBool::new(true)).unwrap_err();
    assert_eq!(error.to_string(), "unpacking was stopped");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn any_entry_name_stays_below_the_folder_or_is_refused(
        name in "([a.]|\\.\\.|/|\\\\|\0|ä){0,20}",
    ) {
        if let Ok(parts) = checked_parts(name.as_bytes(), &Limits::default()) {
            prop_assert!(!name.starts_with('/') && !name.contains(['\\', '\0']));
            for part in parts {
                prop_assert!(!part.is_empty() && part != b"." && part != b".." && !part.contains(&b'/'));
            }
        }
    }

    #[test]
    fn any_bytes_are_unpacked_or_refused_below_the_folder(
        bytes in proptest::collection::vec(any::<u8>(), 0..1500),
        name in "[a./]{1,12}",
        kind in any::<u8>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("f");
        let tar = [file("a/good", b"x"), entry(name.as_bytes(), EntryType::new(kind), &bytes), bytes].concat();
        let _ = unpack(&gzip(&tar), Some(&folder), &Limits::default(), &AtomicBool::new(false));
        prop_assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
