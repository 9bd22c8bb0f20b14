//! Files in memory against files on disk.

use std::os::unix::ffi::OsStrExt as _;

use super::{HashOptions, hash_files, hash_path};
use crate::Profile;

#[test]
fn files_in_memory_hash_as_the_same_files_on_disk() {
    let (dir, large) = (tempfile::tempdir().unwrap(), vec![7; 300_000]);
    let files: [(&[u8], &[u8]); 5] = [
        (b"stdout", b"hello\n"),
        (b"stderr", b""),
        (b"exitCode", b"0"),
        (b".hidden", b"x"),
        (b"\xff", &large),
    ];
    for (name, content) in files {
        std::fs::write(dir.path().join(std::ffi::OsStr::from_bytes(name)), content).unwrap();
    }
    for profile in [Profile::UnixfsV0_2015, Profile::UnixfsV1_2025] {
        let options = HashOptions::default().with_profile(profile);
        let (disk, memory) =
            (hash_path(dir.path(), &options).unwrap(), hash_files(&files, &options).unwrap());
        assert_eq!((disk.cid, disk.root, disk.bytes), (memory.cid, memory.root, memory.bytes));
        assert_eq!((disk.manifest, disk.hidden, disk.files), (memory.manifest, memory.hidden, memory.files));
    }
    assert!(hash_files(&[(b"a", b""), (b"a", b"")], &HashOptions::default()).is_err());
    assert!(hash_files(&[(b"a/b", b"")], &HashOptions::default()).is_err());
}
