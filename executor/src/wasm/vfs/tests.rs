use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use proptest::prelude::*;
use rustix::io::Errno;

use super::*;

const READ: OpenHow = OpenHow {
    read: true,
    write: false,
    append: false,
    synchronous: false,
    create: false,
    exclusive: false,
    truncate: false,
    directory: false,
    follow: true,
};

fn names(fs: &Vfs, dir: &Dir) -> Vec<String> {
    let entries = fs.list(dir).unwrap();
    entries.iter().map(|entry| String::from_utf8_lossy(&entry.name).into_owned()).skip(2).collect()
}

/// What a path leads to: the host's inode of a file, `None` for a folder.
fn leads_to(fs: &Vfs, path: &str) -> FsResult<Option<u64>> {
    let root = fs.root()?;
    let opened = match fs.open(&root, path.as_bytes(), READ)? {
        Opened::Dir(_) => None,
        Opened::File(file) => Some(fs.stat_file(&file)?.ino),
    };
    let stat = fs.stat(&root, path.as_bytes(), true)?;
    assert_eq!(
        opened,
        (stat.kind == FileKind::Regular).then_some(stat.ino),
        "opened and seen differ: {path}"
    );
    Ok(opened)
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn w_fs_01_the_root_lists_exactly_what_is_mounted() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("f"), "");
    let mut tree = Tree::new();
    for target in ["test", "more", "empty"] {
        tree.mount(dir.path(), target, false).unwrap();
    }
    tree.mount(&dir.path().join("f"), "sub/stuff", false).unwrap();
    tree.mount(&dir.path().join("f"), "/root", false).unwrap();
    let fs = Vfs::new(tree, false);
    assert_eq!(names(&fs, &fs.root().unwrap()), ["empty", "more", "root", "sub", "test"]);
}

#[test]
fn w_fs_02_files_and_folders_are_what_they_are() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("dir.go"), "package");
    let mut tree = Tree::new();
    tree.mount(dir.path(), "more", false).unwrap();
    let fs = Vfs::new(tree, false);
    let kind = |path: &str| fs.stat(&fs.root().unwrap(), path.as_bytes(), true).map(|stat| stat.kind);
    assert_eq!(kind("more/dir.go"), Ok(FileKind::Regular));
    assert_eq!(kind("more"), Ok(FileKind::Dir));
    assert_eq!(kind("more/"), Ok(FileKind::Dir));
    assert_eq!(kind("more/dir.go/"), Err(Errno::NOTDIR));
    assert_eq!(kind("more/fake.go"), Err(Errno::NOENT));
    // Guests' libraries turn absolute paths into paths below `/`; a raw one is above every folder.
    assert_eq!(kind("/more"), Err(Errno::PERM));
}

#[test]
fn w_fs_03_mounts_that_meet_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("f"), "");
    let file = dir.path().join("f");
    let mut tree = Tree::new();
    tree.mount(&file, "a", false).unwrap();
    assert!(matches!(tree.mount(&file, "/a/", false), Err(MountError::Taken)));
    assert!(matches!(tree.mount(&file, "a/b", false), Err(MountError::BelowFile(_))));
    tree.mount(&file, "deep/er/still", false).unwrap();
    assert!(matches!(tree.mount(&file, "deep/er", false), Err(MountError::FileAbove)));
    tree.mount(dir.path(), "deep/er", false).unwrap();
    assert!(matches!(tree.mount(&file, "x/../y", false), Err(MountError::Leaves)));
    assert!(matches!(tree.mount(&file, "", false), Err(MountError::Empty)));
    assert!(matches!(tree.mount(Path::new("/dev/null"), "null", false), Err(MountError::Special)));
}

#[test]
fn w_fs_04_output_files_are_read_created_and_written() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("test.txt"), "hello");
    let mut tree = Tree::new();
    tree.mount_output(dir.path(), "out").unwrap();
    let fs = Vfs::new(tree, false);
    let root = fs.root().unwrap();
    let open = |path: &[u8], how| match fs.open(&root, path, how).unwrap() {
        Opened::File(file) => file,
        Opened::Dir(_) => panic!("a folder"),
    };
    let mut text = [0; 16];
    assert_eq!(open(b"out/test.txt", READ).read(&mut text, None), Ok(5));
    assert_eq!(&text[..5], b"hello");
    open(b"out/new", OpenHow { write: true, create: true, ..READ });
    assert_eq!(std::fs::read(dir.path().join("new")).unwrap(), b"");
    let cool = open(b"out/cool", OpenHow { write: true, create: true, ..READ });
    assert_eq!(cool.write(b"cool", None), Ok(4));
    assert_eq!(std::fs::read(dir.path().join("cool")).unwrap(), b"cool");
}

#[test]
fn a_source_that_was_exchanged_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("f"), "mounted");
    write(&dir.path().join("secret"), "secret");
    let mut tree = Tree::new();
    tree.mount(&dir.path().join("f"), "f", false).unwrap();
    std::fs::remove_file(dir.path().join("f")).unwrap();
    symlink("secret", dir.path().join("f")).unwrap();
    let fs = Vfs::new(tree, false);
    assert_eq!(leads_to(&fs, "f"), Err(Errno::STALE));
}

#[test]
fn a_mount_point_stays_where_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut tree = Tree::new();
    tree.mount_output(dir.path(), "out").unwrap();
    let inner = tempfile::tempdir().unwrap();
    tree.mount(inner.path(), "out/in/deep", false).unwrap();
    let fs = Vfs::new(tree, false);
    let root = fs.root().unwrap();
    for path in [&b"out"[..], b"out/in", b"out/in/deep"] {
        assert_eq!(fs.remove_dir(&root, path), Err(Errno::BUSY));
        assert_eq!(fs.rename((&root, path), (&root, b"out/other")), Err(Errno::BUSY));
        assert_eq!(fs.make_dir(&root, path), Err(Errno::EXIST));
    }
    fs.make_dir(&root, b"out/in2").unwrap();
    assert_eq!(fs.rename((&root, b"out/in2"), (&root, b"out/in")), Err(Errno::BUSY));
    assert_eq!(fs.make_dir(&root, b"elsewhere"), Err(Errno::ROFS));
}

#[test]
fn synthetic_numbers_do_not_come_back_with_the_hosts() {
    let dir = tempfile::tempdir().unwrap();
    let mut tree = Tree::new();
    tree.mount_output(dir.path(), "out").unwrap();
    let fs = Vfs::new(tree, true);
    let root = fs.root().unwrap();
    let mut seen = BTreeSet::new();
    for _ in 0..20 {
        let how = OpenHow { write: true, create: true, ..READ };
        assert!(matches!(fs.open(&root, b"out/f", how), Ok(Opened::File(_))));
        let stat = fs.stat(&root, b"out/f", true).unwrap();
        assert!(seen.insert(stat.ino), "the host's file system gave the number of a removed file again");
        fs.unlink(&root, b"out/f").unwrap();
    }
}

#[test]
fn a_path_longer_than_any_is_refused() {
    let fs = Vfs::new(Tree::new(), false);
    let root = fs.root().unwrap();
    assert!(matches!(fs.lookup(&root, &[b'a'; 5_000]), Err(Errno::NAMETOOLONG)));
    assert!(matches!(fs.lookup(&root, b"a\0b"), Err(Errno::INVAL)));
    assert!(matches!(fs.lookup(&root, b""), Err(Errno::NOENT)));
}

/// A tree with links of every kind, and what lies inside it.
struct Maze {
    dir: tempfile::TempDir,
    inside: BTreeSet<u64>,
}

fn maze(links: &[(String, String)]) -> Maze {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("secret"), "secret");
    write(&dir.path().join("b/secret"), "secret");
    let mount = dir.path().join("mount");
    let mut inside = BTreeSet::new();
    for file in ["f", "a/f", "a/b/f", "b/f"] {
        write(&mount.join(file), file);
        inside.insert(std::fs::metadata(mount.join(file)).unwrap().ino());
    }
    for (place, target) in links {
        // A name that is taken stays what it is.
        let _ = symlink(target, mount.join(place));
    }
    Maze { dir, inside }
}

fn part() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "f", "l", "m", "..", ".", "", "secret", "mount", "in"])
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(part(), 1..8).prop_map(|parts| parts.join("/"))
}

fn link() -> impl Strategy<Value = (String, String)> {
    let place =
        prop::sample::select(vec!["l", "m", "a/l", "a/m", "a/b/l", "b/l", "b/m"]).prop_map(str::to_owned);
    let target = prop_oneof![4 => path(), 1 => Just("/etc/passwd".to_owned()), 1 => Just("/".to_owned())];
    (place, target)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_path_and_no_link_leads_outside(
        links in prop::collection::vec(link(), 0..6),
        paths in prop::collection::vec(path(), 1..12),
    ) {
        let maze = maze(&links);
        let mount = maze.dir.path().join("mount");
        let plain = {
            let mut tree = Tree::new();
            tree.mount(&mount, "in", false).unwrap();
            Vfs::new(tree, false)
        };
        // A mount within the mount makes every path be walked step by step.
        let nested = {
            let mut tree = Tree::new();
            tree.mount(&mount, "in", false).unwrap();
            tree.mount(&mount.join("f"), "in/nested", false).unwrap();
            Vfs::new(tree, false)
        };
        for path in &paths {
            for path in [path.clone(), format!("in/{path}")] {
                let fast = leads_to(&plain, &path);
                if let Ok(Some(ino)) = fast {
                    prop_assert!(maze.inside.contains(&ino), "{} leads out, links {:?}", path, links);
                }
                let slow = leads_to(&nested, &path);
                prop_assert_eq!(fast.is_ok(), slow.is_ok(), "{} by {:?}: {:?} {:?}", path, links, fast, slow);
                if let (Ok(fast), Ok(slow)) = (fast, slow) {
                    prop_assert_eq!(fast, slow, "{}", path);
                }
            }
        }
    }

    #[test]
    fn nothing_is_made_or_removed_outside(
        links in prop::collection::vec(link(), 0..6),
        paths in prop::collection::vec((0..6u8, path(), path()), 1..12),
    ) {
        let maze = maze(&links);
        let mut tree = Tree::new();
        tree.mount_output(&maze.dir.path().join("mount"), "in").unwrap();
        let fs = Vfs::new(tree, false);
        let root = fs.root().unwrap();
        for (what, one, other) in &paths {
            let (one, other) = (format!("in/{one}"), format!("in/{other}"));
            let (one, other) = (one.as_bytes(), other.as_bytes());
            let _ = match what {
                0 => fs.make_dir(&root, one),
                1 => fs.unlink(&root, one),
                2 => fs.remove_dir(&root, one),
                3 => fs.rename((&root, one), (&root, other)),
                4 => fs.link((&root, one), (&root, other)),
                _ => fs.open(&root, one, OpenHow { write: true, create: true, truncate: true, ..READ }).map(drop),
            };
        }
        let mut left: Vec<_> = std::fs::read_dir(maze.dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        prop_assert_eq!(left, ["b", "mount", "secret"]);
        prop_assert_eq!(std::fs::read(maze.dir.path().join("secret")).unwrap(), b"secret");
        prop_assert_eq!(std::fs::read(maze.dir.path().join("b/secret")).unwrap(), b"secret");
        prop_assert_eq!(std::fs::read_dir(maze.dir.path().join("b")).unwrap().count(), 1);
    }
}
