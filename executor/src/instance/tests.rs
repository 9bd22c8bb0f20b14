use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_folder_has_one_owner_and_keeps_its_id() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("a/b");
    let first = Instance::open(&folder).unwrap();
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(first.interrupted(), None);
    let error = Instance::open(&folder).unwrap_err();
    assert!(
        matches!(error, InstanceError::Held { pid: Some(pid), .. } if pid == std::process::id()),
        "{error}"
    );
    let id = first.id().clone();
    first.close().unwrap();
    let second = Instance::open(&folder).unwrap();
    assert_eq!((second.id(), second.interrupted()), (&id, None));
}

#[test]
fn one_who_did_not_close_is_found_dead() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run-0");
    let life = || list(root.path()).unwrap().into_iter().map(|found| found.life).collect::<Vec<_>>();
    let pid = std::process::id();
    let instance = Instance::open(&folder).unwrap();
    assert_eq!(life(), [Life::Live { pid }]);
    drop(instance);
    assert_eq!(life(), [Life::Dead { pid }]);
    let instance = Instance::open(&folder).unwrap();
    assert_eq!(instance.interrupted(), Some(pid));
    assert_eq!(life(), [Life::Live { pid }]);
    instance.close().unwrap();
    assert_eq!(life(), [Life::Closed]);
}

#[test]
fn the_first_free_folder_is_taken() {
    let root = tempfile::tempdir().unwrap();
    let open = || Instance::open_first_free(root.path(), "run").unwrap();
    let (a, b, c) = (open(), open(), open());
    let name = |i: &Instance| i.folder().file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!([name(&a), name(&b), name(&c)], ["run-0", "run-1", "run-2"]);
    drop(b);
    assert_eq!(name(&open()), "run-1");
    assert_eq!(list(root.path()).unwrap().len(), 3);
}

#[test]
fn a_folder_that_others_reach_is_refused_unless_it_is_unused() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("x");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(folder.join("somebody's"), "").unwrap();
    let error = Instance::open(&folder).unwrap_err();
    assert!(error.to_string().contains("chmod 700"), "{error}");
    assert_eq!(mode(&folder), 0o755, "it is left as it was");
    fs::remove_file(folder.join("somebody's")).unwrap();
    Instance::open(&folder).unwrap();
    assert_eq!(mode(&folder), 0o700);
}

#[test]
fn a_link_or_a_file_is_no_data_folder() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("real")).unwrap();
    let link = root.path().join("link");
    std::os::unix::fs::symlink("real", &link).unwrap();
    assert!(matches!(Instance::open(&link), Err(InstanceError::NotOurs { .. })));
    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(Instance::open(&file).is_err());
    assert!(fs::read_dir(root.path().join("real")).unwrap().next().is_none());
}

#[test]
fn a_folder_of_another_user_is_refused() {
    // `/` belongs to root; `/proc/1/task` too. For root no foreign folder is certain: make one.
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("theirs");
    fs::create_dir(&folder).unwrap();
    let foreign =
        if std::os::unix::fs::chown(&folder, Some(12_345), None).is_ok() { folder } else { "/".into() };
    let error = Instance::open(&foreign).unwrap_err();
    assert!(error.to_string().contains("belongs to user"), "{error}");
}

#[test]
fn a_damaged_id_is_an_error_and_not_a_path() {
    let root = tempfile::tempdir().unwrap();
    drop(Instance::open(root.path()).unwrap());
    for bad in ["../../etc", "", "x".repeat(1_000).as_str(), "a\nb"] {
        fs::write(root.path().join(ID_FILE), bad).unwrap();
        assert!(matches!(Instance::open(root.path()), Err(InstanceError::Damaged { .. })), "{bad}");
        assert!(list(root.path()).unwrap().is_empty());
    }
    fs::write(root.path().join(ID_FILE), [0xff, 0xfe]).unwrap();
    assert!(matches!(Instance::open(root.path()), Err(InstanceError::Damaged { .. })));
}

#[test]
fn a_private_folder_goes_with_its_process_and_dead_ones_are_swept() {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("frogfish-0");
    let live = private::open(&root).unwrap();
    assert_eq!(mode(&root), 0o700);
    assert!(live.is_private());
    // What a killed process leaves: the folder, its marker, no lock.
    let dead = root.join("dead");
    let id = {
        let dead = Instance::open(&dead).unwrap();
        fs::create_dir_all(dead.execution_folder(&ExecutionId::try_new("e-1").unwrap())).unwrap();
        dead.id().clone()
    };
    let next = private::open(&root).unwrap();
    assert_eq!(next.swept(), [id]);
    assert!(!dead.exists());
    assert!(live.folder().exists());
    drop((live, next));
    assert!(fs::read_dir(&root).unwrap().next().is_none(), "nothing is left");
}

#[test]
fn a_private_root_that_is_open_to_others_or_a_link_is_refused() {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::set_permissions(&root, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(private::open(&root), Err(InstanceError::NotOurs { .. })));
    let link = outer.path().join("link");
    std::os::unix::fs::symlink("/tmp", &link).unwrap();
    assert!(matches!(private::open(&link), Err(InstanceError::NotOurs { .. })));
    fs::set_permissions(&root, fs::Permissions::from_mode(0o700)).unwrap();
    drop(private::open(&root).unwrap());
}

#[test]
fn the_private_root_names_this_user() {
    let me = fs::metadata("/proc/self").unwrap().uid();
    assert_eq!(private::root(), Path::new(&format!("/tmp/frogfish-{me}")));
}

#[test]
fn twenty_at_once_each_get_a_folder() {
    let root = tempfile::tempdir().unwrap();
    let private_root = root.path().join("private");
    let opened: Vec<Instance> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..20)
            .map(|n| {
                let (root, private_root) = (root.path(), &private_root);
                scope.spawn(move || match n % 2 {
                    0 => Instance::open_first_free(root, "run").unwrap(),
                    _ => private::open(private_root).unwrap(),
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let folders: std::collections::BTreeSet<_> = opened.iter().map(|i| i.folder().to_path_buf()).collect();
    assert_eq!(folders.len(), 20);
    assert!(folders.iter().all(|folder| folder.join(LOCK_FILE).exists()));
}
