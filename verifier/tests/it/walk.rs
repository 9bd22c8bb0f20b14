//! What a walk over real files leaves out, refuses and names.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use frogfish_verifier::{EntryKind, HashError, HashOptions, PathName, hash_bytes, hash_path};

#[test]
fn hidden_names_are_left_out_and_listed() {
    let folder = crate::folder();
    let options = HashOptions::default();
    fs::create_dir(folder.path().join("out")).unwrap();
    fs::write(folder.path().join("out/v"), "1").unwrap();
    let before = hash_path(folder.path(), &options).unwrap();
    fs::write(folder.path().join("out/.keep"), "").unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    fs::write(folder.path().join(".git/HEAD"), "").unwrap();
    let _socket = UnixListener::bind(folder.path().join(".socket")).unwrap();
    let after = hash_path(folder.path(), &options).unwrap();
    assert_eq!((before.cid, before.root), (after.cid, after.root));
    assert_eq!(before.hidden, []);
    assert_eq!(after.hidden, [".git", ".socket", "out/.keep"].map(PathName::from));
    assert_eq!(after.hidden_count, 3);
    let mut few = HashOptions::default();
    few.hidden_max = 1;
    let few = hash_path(folder.path(), &few).unwrap();
    assert_eq!((few.hidden.len(), few.hidden_count), (1, 3));
}

#[test]
fn special_files_are_named_and_not_waited_for() {
    let folder = crate::folder();
    fs::create_dir(folder.path().join("out")).unwrap();
    let fifo = folder.path().join("out/pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::from(0o600), 0)
        .unwrap();
    let error = hash_path(folder.path(), &HashOptions::default()).unwrap_err();
    assert!(matches!(&error, HashError::Special { kind: "fifo", .. }), "{error:?}");
    assert_eq!(error.path(), &PathName::from("out/pipe"));
    assert!(matches!(hash_path(&fifo, &HashOptions::default()), Err(HashError::Special { .. })));
    fs::remove_file(&fifo).unwrap();
    let _socket = UnixListener::bind(&fifo).unwrap();
    let error = hash_path(folder.path(), &HashOptions::default()).unwrap_err();
    assert!(matches!(error, HashError::Special { kind: "socket", .. }));
}

#[test]
fn symlinks_are_hashed_and_never_followed() {
    let folder = crate::folder();
    let outside = crate::folder();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    let tree = folder.path().join("tree");
    fs::create_dir(&tree).unwrap();
    symlink(outside.path(), tree.join("away")).unwrap();
    symlink("..", tree.join("up")).unwrap();
    let options = HashOptions::default();
    let hashed = hash_path(&tree, &options).unwrap();
    let manifest = hashed.manifest.unwrap();
    assert!(manifest.entries().iter().all(|entry| entry.kind == EntryKind::Symlink));
    assert_eq!(manifest.entry(&"up".into()).unwrap().size, 2);
    // A symlink given by itself is a symlink, as for Kubo.
    let link = hash_path(&tree.join("up"), &options).unwrap();
    assert_eq!(link.manifest.unwrap().entries()[0].kind, EntryKind::Symlink);
}

#[test]
fn execute_bit_changes_the_manifest_and_not_the_cid() {
    let folder = crate::folder();
    let path = folder.path().join("a");
    fs::write(&path, "x").unwrap();
    let options = HashOptions::default();
    let plain = hash_path(folder.path(), &options).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o744)).unwrap();
    let executable = hash_path(folder.path(), &options).unwrap();
    assert_eq!(plain.cid, executable.cid);
    assert_ne!(plain.root, executable.root);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o655)).unwrap();
    assert_eq!(hash_path(folder.path(), &options).unwrap().root, plain.root, "only the owner's bit counts");
}

#[test]
fn bytes_and_the_file_that_holds_them_are_equal() {
    let folder = crate::folder();
    let path = folder.path().join("a");
    for size in [0, 1, 262_144, 262_145, 5_000_000] {
        let bytes: Vec<u8> = (0..size).map(|i: u32| (i * 31 + i / 7) as u8).collect();
        fs::write(&path, &bytes).unwrap();
        let file = hash_path(&path, &HashOptions::default()).unwrap();
        let memory = hash_bytes(&bytes, &HashOptions::default());
        assert_eq!((file.cid, file.root, file.manifest), (memory.cid, memory.root, memory.manifest));
    }
}

#[test]
fn file_that_changes_while_it_is_read_is_named() {
    let folder = crate::folder();
    let path = folder.path().join("growing");
    fs::File::create(&path).unwrap().set_len(64 << 20).unwrap();
    // The file is written to from within the pass itself, at its first sign of progress.
    let target = path.clone();
    let once = AtomicU64::new(0);
    let touch = move |_| {
        if once.fetch_add(1, Ordering::Relaxed) == 0 {
            use std::io::Write as _;
            fs::OpenOptions::new().append(true).open(&target).unwrap().write_all(b"more").unwrap();
        }
    };
    let options = HashOptions::default().with_progress(Arc::new(touch));
    let error = hash_path(folder.path(), &options).unwrap_err();
    assert!(matches!(&error, HashError::Changed { path } if *path == "growing".into()), "{error}");
}

#[test]
fn progress_grows_to_the_whole() {
    let folder = crate::folder();
    for i in 0..500 {
        fs::write(folder.path().join(format!("f{i}")), vec![1; i]).unwrap();
    }
    let most = Arc::new((AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)));
    let seen = Arc::clone(&most);
    let options = HashOptions::default().with_progress(Arc::new(move |progress| {
        seen.0.fetch_max(progress.bytes, Ordering::Relaxed);
        seen.1.fetch_max(progress.files, Ordering::Relaxed);
        seen.2.fetch_add(1, Ordering::Relaxed);
    }));
    let hashed = hash_path(folder.path(), &options).unwrap();
    assert_eq!((hashed.bytes, hashed.files), (124_750, 500));
    assert_eq!(most.0.load(Ordering::Relaxed), 124_750);
    assert_eq!(most.1.load(Ordering::Relaxed), 500);
    assert!(most.2.load(Ordering::Relaxed) >= 4);
}

#[test]
fn folders_deeper_than_the_limit_are_refused_and_those_at_it_are_hashed() {
    let folder = crate::folder();
    let mut path = folder.path().to_owned();
    let mut options = HashOptions::default();
    for _ in 0..options.depth_max {
        path.push("d");
    }
    fs::create_dir_all(&path).unwrap();
    assert!(hash_path(folder.path(), &options).is_ok());
    fs::create_dir(path.join("d")).unwrap();
    let error = hash_path(folder.path(), &options).unwrap_err();
    assert!(matches!(error, HashError::TooDeep { depth_max: 256, .. }));
    options.depth_max += 1;
    assert!(hash_path(folder.path(), &options).is_ok());
}

#[test]
fn what_is_not_there_is_an_error_that_says_so() {
    let folder = crate::folder();
    let error = hash_path(&folder.path().join("no"), &HashOptions::default()).unwrap_err();
    assert!(matches!(&error, HashError::Io { action: "opening", .. }), "{error:?}");
}
