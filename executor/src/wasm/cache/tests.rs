use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;

const NOOP: &str = r#"(module (func (export "_start")))"#;

fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

/// A cache over `dir`, as a fresh process would have it.
fn fresh(dir: &Path) -> (Compiler, ModuleCache) {
    let config = WasmConfig { cache_dir: Some(dir.to_owned()), ..WasmConfig::default() };
    (Compiler::new(Mode::Ordinary, &config).unwrap(), ModuleCache::new(&config))
}

fn entries(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn another_process_loads_what_one_compiled() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("modules");
    let (compiler, cache) = fresh(&dir);
    cache.compiled(&compiler, &wasm(NOOP), None).unwrap();
    assert_eq!(entries(&dir).len(), 1);
    assert_eq!(std::fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
    let (compiler, cache) = fresh(&dir);
    let compiled = cache.compiled(&compiler, &wasm(NOOP), None).unwrap();
    assert_eq!(cache.compilations(), 0);
    assert_eq!(compiled.digest, Digest::of(&wasm(NOOP)));
    assert!(compiled.linked.is_some());
}

#[test]
fn damaged_forged_and_foreign_entries_are_compiled_anew() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("modules");
    let (compiler, cache) = fresh(&dir);
    cache.compiled(&compiler, &wasm(NOOP), None).unwrap();
    let path = entries(&dir).remove(0);
    let whole = std::fs::read(&path).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    // The right digest over a body that wasmtime never made, and over another key.
    let body = b"not a module at all".to_vec();
    let key = compiler.key(&Digest::of(&wasm(NOOP)));
    let signed =
        |key: &[u8]| [&body[..], &Sha256::new().chain_update(key).chain_update(&body).finalize()].concat();
    let cases =
        [flipped, whole[..whole.len() - 1].to_vec(), Vec::new(), vec![7; 31], signed(&key), signed(&[0; 32])];
    for (i, bytes) in cases.into_iter().enumerate() {
        std::fs::write(&path, bytes).unwrap();
        let (compiler, cache) = fresh(&dir);
        cache.compiled(&compiler, &wasm(NOOP), None).unwrap();
        assert_eq!(cache.compilations(), 1, "case {i}");
        assert_eq!(std::fs::read(&path).unwrap(), whole, "case {i} is written again");
    }
}

#[test]
fn a_folder_that_others_could_change_is_not_used() {
    let parent = tempfile::tempdir().unwrap();
    let open = parent.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o770)).unwrap();
    let link = parent.path().join("link");
    let private = parent.path().join("private");
    let (compiler, cache) = fresh(&private);
    cache.compiled(&compiler, &wasm(NOOP), None).unwrap();
    std::os::unix::fs::symlink(&private, &link).unwrap();
    for dir in [&open, &link] {
        let (compiler, cache) = fresh(dir);
        cache.compiled(&compiler, &wasm(NOOP), None).unwrap();
        assert_eq!(cache.compilations(), 1, "{}", dir.display());
    }
    assert!(entries(&open).is_empty());
    // An entry that is a link is none of ours either.
    let entry = entries(&private).remove(0);
    std::fs::rename(&entry, parent.path().join("moved")).unwrap();
    std::os::unix::fs::symlink(parent.path().join("moved"), &entry).unwrap();
    let (compiler, cache) = fresh(&private);
    cache.compiled(&compiler, &wasm(NOOP), None).unwrap();
    assert_eq!(cache.compilations(), 1);
}

#[test]
fn a_folder_that_cannot_be_made_or_written_is_no_error() {
    let (compiler, cache) = fresh(Path::new("/proc/no/such/folder"));
    cache.compiled(&compiler, &wasm(NOOP), None).unwrap();
    assert_eq!(cache.compilations(), 1);
}

#[test]
fn threads_and_processes_that_write_at_once_leave_whole_entries() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("modules");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let (compiler, cache) = fresh(&dir);
                cache.compiled(&compiler, &wasm(NOOP), None).unwrap();
            });
        }
    });
    assert_eq!(entries(&dir).len(), 1);
    let (compiler, cache) = fresh(&dir);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| cache.compiled(&compiler, &wasm(NOOP), None).unwrap());
        }
    });
    assert_eq!(cache.compilations(), 0);
}

#[test]
fn one_compilation_serves_all_who_wait() {
    let config = WasmConfig::default();
    let (compiler, cache) = (Compiler::new(Mode::Ordinary, &config).unwrap(), ModuleCache::new(&config));
    let bytes = frogfish_fixtures::guests::FS.bytes();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| cache.compiled(&compiler, &bytes, None).unwrap());
        }
    });
    assert_eq!(cache.compilations(), 1);
}

#[test]
fn both_caches_stay_within_their_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("modules");
    let module = |n: u32| wasm(&format!(r#"(module (func (export "_start") (drop (i32.const {n}))))"#));
    let size = {
        let (compiler, cache) = fresh(&dir);
        cache.compiled(&compiler, &module(0), None).unwrap();
        std::fs::metadata(&entries(&dir)[0]).unwrap().len()
    };
    let config = WasmConfig {
        cache_dir: Some(dir.clone()),
        memory_cache_bytes_max: 3 * size,
        disk_cache_bytes_max: 3 * size + size / 2,
        ..WasmConfig::default()
    };
    let (compiler, cache) = (Compiler::new(Mode::Ordinary, &config).unwrap(), ModuleCache::new(&config));
    for n in 1..12 {
        cache.compiled(&compiler, &module(n), None).unwrap();
    }
    assert!(entries(&dir).len() <= 3, "{:?}", entries(&dir));
    let memory = cache.memory();
    assert!(memory.bytes <= config.memory_cache_bytes_max && memory.modules.len() <= 3);
}

#[test]
fn a_module_that_does_not_compile_is_not_remembered() {
    let config = WasmConfig::default();
    let (compiler, cache) = (Compiler::new(Mode::Ordinary, &config).unwrap(), ModuleCache::new(&config));
    assert!(cache.compiled(&compiler, b"garbage", None).is_err());
    assert!(cache.memory().modules.is_empty());
}

#[test]
fn a_file_is_known_by_its_times_once_they_are_old_enough() {
    let config = WasmConfig::default();
    let (compiler, cache) = (Compiler::new(Mode::Ordinary, &config).unwrap(), ModuleCache::new(&config));
    let old = FileIdentity { dev: 1, ino: 2, size: 3, mtime_ns: 4, ctime_ns: 5 };
    assert!(cache.known(&compiler, &old).is_none());
    cache.compiled(&compiler, &wasm(NOOP), Some(&old)).unwrap();
    assert!(cache.known(&compiler, &old).is_some());
    assert!(cache.known(&compiler, &FileIdentity { ctime_ns: 6, ..old }).is_none());
    let new = FileIdentity { ctime_ns: i128::from(u64::MAX), ..old };
    cache.compiled(&compiler, &wasm(NOOP), Some(&new)).unwrap();
    assert!(cache.known(&compiler, &new).is_none());
    // What a receipt rests on is read every time.
    let deterministic = Compiler::new(Mode::Deterministic, &config).unwrap();
    cache.compiled(&deterministic, &wasm(NOOP), Some(&old)).unwrap();
    assert!(cache.known(&deterministic, &old).is_none());
}

#[test]
fn modes_and_modules_have_keys_of_their_own() {
    let config = WasmConfig::default();
    let [ordinary, deterministic] =
        [Mode::Ordinary, Mode::Deterministic].map(|m| Compiler::new(m, &config).unwrap());
    let (one, other) = (Digest::of(b"1"), Digest::of(b"2"));
    assert_ne!(ordinary.key(&one), deterministic.key(&one));
    assert_ne!(ordinary.key(&one), ordinary.key(&other));
}

#[test]
fn start_sections_are_seen() {
    assert!(has_start_section(&wasm("(module (func $f) (start $f))")));
    assert!(!has_start_section(&wasm(NOOP)));
    for cut in 0..wasm(NOOP).len() {
        assert!(!has_start_section(&wasm(NOOP)[..cut]));
    }
    assert!(!has_start_section(&[0, 1, 2, 3, 4, 5, 6, 7, 1, 255, 255, 255, 255, 255, 255]));
}

#[test]
fn the_version_is_the_one_that_is_linked_and_recent_enough() {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock")).unwrap();
    let (_, rest) = lock.split_once("name = \"wasmtime\"\nversion = \"").unwrap();
    let version = rest.split('"').next().unwrap();
    assert_eq!(version, crate::wasm::config::WASMTIME_VERSION);
    let numbers: Vec<u32> = version.split('.').map(|n| n.parse().unwrap()).collect();
    assert!(numbers >= vec![48, 0, 8]);
}
