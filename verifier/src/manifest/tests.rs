use proptest::prelude::*;

use super::*;

fn digest(n: u64) -> Digest {
    Digest::of(&n.to_le_bytes())
}

fn file(path: &str, size: u64) -> Entry {
    let chunks = (0..Profile::UnixfsV0_2015.chunk_count(size)).map(digest).collect();
    Entry { path: path.into(), kind: EntryKind::File, size, executable: false, chunks }
}

fn folder(path: &str) -> Entry {
    Entry { path: path.into(), kind: EntryKind::Folder, size: 0, executable: false, chunks: vec![] }
}

fn manifest(entries: Vec<Entry>) -> Result<Manifest, ManifestError> {
    Manifest::new(Profile::UnixfsV0_2015, entries)
}

fn sample() -> Manifest {
    let link = Entry { kind: EntryKind::Symlink, ..file("out-b", 3) };
    let program = Entry { executable: true, ..file("out/run", 300_000) };
    let wild = Entry { path: PathName::new(*b"out/\xff"), ..file("", 0) };
    manifest(vec![program, folder("out"), link, wild, file("stdout", 5), folder("empty")]).unwrap()
}

#[test]
fn entries_are_in_byte_order_of_their_paths() {
    let paths: Vec<String> = sample().entries().iter().map(|entry| entry.path.to_string()).collect();
    assert_eq!(paths, ["empty", "out", "out-b", "out/run", "out/\\xff", "stdout"]);
}

#[test]
fn both_forms_read_back_equal() {
    let limits = ManifestLimits::default();
    for manifest in [sample(), manifest(vec![]).unwrap(), manifest(vec![file("", 7)]).unwrap()] {
        assert_eq!(Manifest::from_json(&manifest.to_json(), &limits).unwrap(), manifest);
        assert_eq!(Manifest::from_bytes(&manifest.to_bytes(), &limits).unwrap(), manifest);
    }
}

#[test]
fn root_depends_on_every_field_and_on_nothing_else() {
    let base = sample();
    let mut roots = std::collections::BTreeSet::from([base.root()]);
    let mut change = |index: usize, with: &dyn Fn(&mut Entry)| {
        let mut entries = base.entries().to_vec();
        with(&mut entries[index]);
        assert!(roots.insert(manifest(entries).unwrap().root()));
    };
    change(3, &|entry| entry.executable = false);
    change(3, &|entry| entry.size += 1);
    change(3, &|entry| entry.chunks.swap(0, 1));
    change(3, &|entry| entry.path = "out/ruN".into());
    change(3, &|entry| entry.path = "empty/run".into());
    change(2, &|entry| entry.kind = EntryKind::File);
    change(2, &|entry| entry.path = "out/b".into());
    change(5, &|entry| entry.chunks[0] = digest(99));
    let mut reversed = base.entries().to_vec();
    reversed.reverse();
    assert_eq!(manifest(reversed).unwrap().root(), base.root());
    let other = Manifest::new(Profile::UnixfsV1_2025, vec![]).unwrap();
    assert_ne!(other.root(), manifest(vec![]).unwrap().root());
}

#[test]
fn root_is_the_published_one() {
    // Computed by hand from the layout in the module's head, with Python's hashlib.
    let root = manifest(vec![folder("a"), file("a/b", 1)]).unwrap().root().to_string();
    assert_eq!(root, "585f7b2c99f679e5310f6adb50b2962af36659d5e2373774a4fdc39f6b8d18f1");
}

#[test]
fn paths_that_leave_the_folder_are_refused() {
    for path in ["/etc/passwd", "..", "a/../b", "./a", "a//b", "a/", "a\0b", ".hidden", "a/.b/c"] {
        let mut entries = vec![file(path, 1)];
        if path.starts_with("a/") {
            entries.push(folder("a"));
        }
        assert!(matches!(manifest(entries), Err(ManifestError::BadPath { .. })), "{path}");
    }
    assert!(manifest(vec![file("", 1), file("b", 1)]).is_err());
    assert!(manifest(vec![folder("")]).is_err());
}

#[test]
fn entries_without_a_folder_around_them_are_refused() {
    for entries in
        [vec![file("a/b", 1)], vec![file("a", 1), file("a/b", 1)], vec![folder("a"), folder("a/b/c")]]
    {
        assert!(matches!(manifest(entries), Err(ManifestError::NoParent { .. })));
    }
}

#[test]
fn duplicates_wrong_lengths_and_impossible_kinds_are_refused() {
    assert!(matches!(manifest(vec![file("a", 1), file("a", 2)]), Err(ManifestError::DuplicatePath { .. })));
    let short = Entry { chunks: vec![], ..file("a", 1) };
    assert!(matches!(manifest(vec![short]), Err(ManifestError::ChunkCount { wanted: 1, found: 0, .. })));
    let long = Entry { size: 1 << 60, ..file("a", 1) };
    assert!(matches!(manifest(vec![long]), Err(ManifestError::ChunkCount { .. })));
    let heavy = Entry { size: 3, ..folder("a") };
    assert!(matches!(manifest(vec![heavy]), Err(ManifestError::FolderSize { .. })));
    let runnable = Entry { executable: true, ..folder("a") };
    assert!(matches!(manifest(vec![runnable]), Err(ManifestError::ExecutableKind { .. })));
}

#[test]
fn limits_are_kept_with_typed_errors() {
    let json = sample().to_json();
    let bytes = sample().to_bytes();
    let limits = ManifestLimits { bytes_max: 10, ..ManifestLimits::default() };
    assert!(matches!(Manifest::from_json(&json, &limits), Err(ManifestError::TooLarge { .. })));
    assert!(matches!(Manifest::from_bytes(&bytes, &limits), Err(ManifestError::TooLarge { .. })));
    let limits = ManifestLimits { entries_max: 5, ..ManifestLimits::default() };
    assert!(matches!(Manifest::from_json(&json, &limits), Err(ManifestError::TooManyEntries { .. })));
    assert!(matches!(Manifest::from_bytes(&bytes, &limits), Err(ManifestError::TooManyEntries { .. })));
    let limits = ManifestLimits { depth_max: 1, ..ManifestLimits::default() };
    assert!(matches!(Manifest::from_json(&json, &limits), Err(ManifestError::TooDeep { .. })));
    let limits = ManifestLimits { path_bytes_max: 3, ..ManifestLimits::default() };
    assert!(matches!(Manifest::from_bytes(&bytes, &limits), Err(ManifestError::PathTooLong { .. })));
}

#[test]
fn every_truncation_is_refused() {
    let limits = ManifestLimits::default();
    let (json, bytes) = (sample().to_json(), sample().to_bytes());
    for end in 0..json.len() {
        assert!(Manifest::from_json(&json[..end], &limits).is_err());
    }
    for end in 0..bytes.len() {
        assert!(Manifest::from_bytes(&bytes[..end], &limits).is_err());
    }
}

#[test]
fn text_with_other_keys_twice_the_same_key_or_another_root_is_refused() {
    let limits = ManifestLimits::default();
    let read = |text: &str| Manifest::from_json(text.as_bytes(), &limits);
    let text = String::from_utf8(sample().to_json()).unwrap();
    assert!(read(&text).is_ok());
    assert!(matches!(
        read(&text.replacen("\"version\":1", "\"version\":2", 1)),
        Err(ManifestError::Version { found: 2 })
    ));
    assert!(read(&text.replacen("{\"version\"", "{\"other\":1,\"version\"", 1)).is_err());
    assert!(read(&text.replacen("{\"version\"", "{\"version\":1,\"version\"", 1)).is_err());
    assert!(read(&text.replacen("\"size\":5", "\"size\":5,\"mode\":0", 1)).is_err());
    assert!(matches!(read(&text.replacen("\"size\":5", "\"size\":6", 1)), Err(ManifestError::Root { .. })));
    assert!(read(&format!("{text}{text}")).is_err());
}

fn wild_entry() -> impl Strategy<Value = Entry> {
    let part = prop::sample::select(vec!["a", "b", "a-b", "..", ".", "", "c\0", "é"]);
    let kind = prop::sample::select(vec![EntryKind::File, EntryKind::Folder, EntryKind::Symlink]);
    (prop::collection::vec(part, 1..4), kind, 0..600_000u64, any::<bool>(), 0..4usize).prop_map(
        |(parts, kind, size, executable, chunks)| Entry {
            path: parts.join("/").as_str().into(),
            kind,
            size,
            executable,
            chunks: (0..chunks as u64).map(digest).collect(),
        },
    )
}

proptest! {
    #[test]
    fn whatever_is_accepted_reads_back_equal(entries in prop::collection::vec(wild_entry(), 0..6)) {
        if let Ok(manifest) = manifest(entries) {
            let limits = ManifestLimits::default();
            prop_assert_eq!(&Manifest::from_json(&manifest.to_json(), &limits).unwrap(), &manifest);
            prop_assert_eq!(&Manifest::from_bytes(&manifest.to_bytes(), &limits).unwrap(), &manifest);
        }
    }

    #[test]
    fn changed_bytes_never_panic_and_never_keep_the_root(at in 0..600usize, bit in 0..8u32) {
        let limits = ManifestLimits::default();
        let manifest = sample();
        for (mut bytes, binary) in [(manifest.to_bytes(), true), (manifest.to_json(), false)] {
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            let read = if binary {
                Manifest::from_bytes(&bytes, &limits)
            } else {
                Manifest::from_json(&bytes, &limits)
            };
            if let Ok(read) = read {
                prop_assert_eq!(read, manifest.clone());
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let limits = ManifestLimits::default();
        let _ = Manifest::from_json(&bytes, &limits);
        let _ = Manifest::from_bytes(&bytes, &limits);
        let _ = Manifest::from_bytes(&[b"FFM1\x01", &bytes[..]].concat(), &limits);
    }
}
