//! CIDs equal to those of the real Kubo.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use frogfish_verifier::{HamtBoundary, HashOptions, Manifest, ManifestLimits, Profile, hash_path};
use serde_json::Value;

use crate::tree;

fn golden(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn cid(path: &Path, options: &HashOptions) -> String {
    hash_path(path, options).unwrap().cid.to_string()
}

#[test]
fn random_trees_have_the_cids_that_kubo_gives_them() {
    let folder = crate::folder();
    let rows = golden("trees.json");
    assert_eq!(rows.len() as u64, tree::TREES);
    for row in rows {
        let seed = row["seed"].as_u64().unwrap();
        let path = folder.path().join("tree");
        tree::plant(&path, seed);
        for profile in [Profile::UnixfsV0_2015, Profile::UnixfsV1_2025] {
            let hashed = hash_path(&path, &HashOptions::default().with_profile(profile)).unwrap();
            assert_eq!(hashed.cid.to_string(), row[profile.name()], "seed {seed}, {profile}");

            // The root that the walk has computed is the root of the list that it has made.
            let manifest = hashed.manifest.unwrap();
            let limits = ManifestLimits::default();
            assert_eq!(Manifest::from_bytes(&manifest.to_bytes(), &limits).unwrap(), manifest);
            assert_eq!(Manifest::from_json(&manifest.to_json(), &limits).unwrap(), manifest);
        }
        fs::remove_dir_all(&path).unwrap();
    }
}

#[test]
fn threads_and_kept_entries_change_no_digest() {
    let folder = crate::folder();
    for seed in [3, 13, 14, 29, 43] {
        let path = folder.path().join(format!("tree-{seed}"));
        tree::plant(&path, seed);
        let alone = HashOptions::default().with_threads(1.try_into().unwrap());
        let many = HashOptions::default().with_threads(7.try_into().unwrap());
        let one = hash_path(&path, &alone).unwrap();
        let other = hash_path(&path, &many).unwrap();
        assert_eq!(
            (one.cid, one.root, one.bytes, one.files),
            (other.cid, other.root, other.bytes, other.files)
        );
        assert_eq!(one.manifest, other.manifest);
        assert_eq!(one.hidden, other.hidden);
        let bare = hash_path(&path, &many.with_entries(false)).unwrap();
        assert_eq!((one.cid, one.root), (bare.cid, bare.root));
        assert!(bare.manifest.is_none());
    }
}

/// Makes the tree that a vector describes, in its own words or by its name.
fn plant_vector(root: &Path, vector: &Value) {
    let Some(tree) = vector["tree"].as_array() else {
        plant_many(root, vector["name"].as_str().unwrap());
        return;
    };
    for entry in tree {
        let path = root.join(entry["path"].as_str().unwrap());
        let mode = u32::from_str_radix(entry["mode"].as_str().unwrap(), 8).unwrap();
        match entry["type"].as_str().unwrap() {
            "dir" => fs::create_dir(&path).unwrap(),
            "symlink" => {
                symlink(entry["target"].as_str().unwrap(), &path).unwrap();
                continue;
            }
            _ => {
                let content = STANDARD.decode(entry["content_b64"].as_str().unwrap_or("")).unwrap();
                let repeat = entry["repeat"].as_u64().unwrap_or(1) as usize;
                fs::write(&path, content.repeat(repeat)).unwrap();
            }
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

fn plant_many(root: &Path, name: &str) {
    let (count, odd_name_bytes) = match name {
        "many_3000" => (3000, 0),
        "many_6000" => (6000, 0),
        "hamt_3276" => (3276, 0),
        "hamt_3277" => (3277, 0),
        "hamt_exact_minus_1" => (3276, 29),
        "hamt_exact_plus_1" => (3276, 31),
        other => panic!("the vector {other} has no recipe"),
    };
    let folder = root.join("outputs");
    fs::create_dir(&folder).unwrap();
    for i in 0..count {
        fs::write(folder.join(format!("file-{i:06}-with-a-long-name-to-force-sharding")), "x").unwrap();
    }
    if odd_name_bytes > 0 {
        fs::write(folder.join("y".repeat(odd_name_bytes)), "x").unwrap();
    }
}

#[test]
fn result_folders_have_the_cids_that_lilypad_gives_them() {
    let options = HashOptions::default();
    let old = HashOptions::default().with_boundary(HamtBoundary::Kubo030);
    for vector in golden("lilypad_results_cids.json") {
        let folder = crate::folder();
        plant_vector(folder.path(), &vector);
        assert_eq!(cid(folder.path(), &options), vector["cid"], "{}", vector["name"]);
        assert_eq!(cid(folder.path(), &old), vector["cid"], "{}", vector["name"]);
    }
}

#[test]
fn file_of_three_levels_has_the_cid_that_kubo_gives_it() {
    let folder = crate::folder();
    let path = folder.path().join("v");
    fs::File::create(&path).unwrap().set_len((1 << 30) + 1).unwrap();
    let options = HashOptions::default();
    assert_eq!(cid(&path, &options), "QmPsY8mLDNzxziyzLErtpCWsbGWuR34ALwyupbqnR1gm5j");
    assert_eq!(
        cid(&path, &options.with_profile(Profile::UnixfsV1_2025)),
        "bafybeigx4uyebjbq65346xh6cjrt6yshbdudzudhnqecwbzvymslxj7gje"
    );
}
