use super::*;
use crate::{Entry, Manifest, Profile};

fn file(path: &str, chunks: &[u64]) -> Entry {
    let size = chunks.len() as u64 * 262_144;
    let chunks = chunks.iter().map(|n| Digest::of(&n.to_le_bytes())).collect();
    Entry { path: path.into(), kind: EntryKind::File, size, executable: false, chunks }
}

fn manifest(entries: Vec<Entry>) -> Manifest {
    Manifest::new(Profile::UnixfsV0_2015, entries).unwrap()
}

#[test]
fn every_kind_of_change_is_found_once_and_in_order() {
    let left = manifest(vec![file("a", &[1, 2, 3]), file("b", &[1]), file("c", &[1]), file("e", &[9])]);
    let link = Entry { kind: EntryKind::Symlink, size: 4, ..file("e", &[9]) };
    let program = Entry { executable: true, ..file("c", &[1]) };
    let right = manifest(vec![file("a", &[1, 5]), program, file("d", &[1]), link]);
    let differences = diff_manifests(&left, &right).unwrap();
    let found: Vec<String> = differences
        .differences
        .iter()
        .map(|difference| format!("{} {}", difference.path, difference.change))
        .collect();
    assert_eq!(
        found,
        [
            "a size 786432 -> 524288, first differs in chunk 1 (from byte 262144)",
            "b missing file, 262144 bytes",
            "c became executable",
            "d added file, 262144 bytes",
            "e file became symlink, size 262144 -> 4",
        ]
    );
    assert_eq!(differences.to_string().lines().count(), 5);
    let json = serde_json::to_string(&differences).unwrap();
    assert_eq!(serde_json::from_str::<Differences>(&json).unwrap(), differences);
    assert!(diff_manifests(&left, &left).unwrap().is_empty());
}

#[test]
fn manifests_of_two_profiles_cannot_be_compared() {
    let left = manifest(vec![]);
    let right = Manifest::new(Profile::UnixfsV1_2025, vec![]).unwrap();
    assert!(diff_manifests(&left, &right).is_err());
}

#[cfg(target_os = "linux")]
mod folders {
    use std::fs;
    use std::path::Path;

    use super::super::*;
    use crate::{HashOptions, hash_path};

    fn first_byte(left: &Path, right: &Path) -> Vec<Option<u64>> {
        let differences = diff_folders(left, right, &HashOptions::default()).unwrap();
        let byte = |difference: &Difference| match difference.change {
            Change::Changed { content: Some(content), .. } => content.first_byte,
            _ => None,
        };
        differences.differences.iter().map(byte).collect()
    }

    #[test]
    fn first_differing_byte_is_found_wherever_it_lies() {
        let (left, right) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let bytes = vec![7u8; 700_000];
        fs::create_dir(left.path().join("out")).unwrap();
        fs::create_dir(right.path().join("out")).unwrap();
        fs::write(left.path().join("out/v"), &bytes).unwrap();
        for at in [0, 1, 65_535, 65_536, 262_143, 262_144, 600_000, 699_999] {
            let mut changed = bytes.clone();
            changed[at] = 8;
            fs::write(right.path().join("out/v"), &changed).unwrap();
            assert_eq!(first_byte(left.path(), right.path()), [Some(at as u64)]);
        }
        fs::write(right.path().join("out/v"), &bytes[..300_000]).unwrap();
        assert_eq!(first_byte(left.path(), right.path()), [Some(300_000)]);
        fs::write(right.path().join("out/v"), &bytes).unwrap();
        assert!(first_byte(left.path(), right.path()).is_empty());
    }

    #[test]
    fn folder_is_compared_with_a_manifest_and_bytes_follow_from_both_folders() {
        let (left, right) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(left.path().join("stdout"), "hello").unwrap();
        fs::write(right.path().join("stdout"), "help").unwrap();
        std::os::unix::fs::symlink("a", left.path().join("link")).unwrap();
        std::os::unix::fs::symlink("b", right.path().join("link")).unwrap();
        let manifest = hash_path(left.path(), &HashOptions::default()).unwrap().manifest.unwrap();
        let mut differences =
            diff_folder_with_manifest(&manifest, right.path(), &HashOptions::default()).unwrap();
        assert_eq!(differences.differences.len(), 2);
        differences.find_first_bytes(left.path(), right.path());
        assert_eq!(
            differences.to_string(),
            "~ link    first differs in chunk 0 (from byte 0)\n\
             ~ stdout  size 5 -> 4, first differs at byte 3 (chunk 0)\n"
        );
    }

    #[test]
    fn differences_from_outside_lead_to_no_file_outside() {
        let (left, right) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for side in [left.path(), right.path()] {
            fs::create_dir(side.join("in")).unwrap();
            std::os::unix::fs::symlink("/etc", side.join("etc")).unwrap();
        }
        fs::write(left.path().join("a"), "1").unwrap();
        fs::write(right.path().join("a"), "2").unwrap();
        let content = Some(ContentChange { first_chunk: 0, chunk_start: 0, first_byte: None });
        for path in ["in/../a", "/etc/passwd", "etc/passwd", "../a", "etc", ""] {
            let change = Change::Changed { kind: None, size: None, executable: None, content };
            let mut differences = Differences {
                differences: vec![Difference { path: path.into(), change: change.clone() }],
                ..Differences::default()
            };
            differences.find_first_bytes(&left.path().join("in"), &right.path().join("in"));
            assert_eq!(differences.differences[0].change, change, "{path}");
        }
    }
}
