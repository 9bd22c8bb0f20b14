//! Files that scenarios read: repeatable bytes, fixture guests, modules that nobody has seen.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use frogfish_fixtures::guests::{self, Guest};

use crate::error::Error;
use crate::scenario::{Input, Scenario};
use crate::stats::SplitMix64;

/// Files per sub-folder of an input tree.
const FILES_PER_FOLDER: u32 = 1_000;
/// Seed of every input, so that its CID is the same on every machine.
const INPUT_SEED: u64 = 0x66_72_6f_67;

/// Writes a scenario's input below `folder` and gives its path; `None` when it has none.
pub(crate) fn write_input(
    input: Option<&Input>,
    quick: bool,
    folder: &Path,
) -> Result<Option<PathBuf>, Error> {
    let Some(input) = input else { return Ok(None) };
    let bytes = if quick { input.quick_bytes_each.unwrap_or(input.bytes_each) } else { input.bytes_each };
    let files = if quick { input.quick_files.or(input.files) } else { input.files };
    let mut random = SplitMix64(INPUT_SEED);
    let path = folder.join("input");
    let Some(files) = files else {
        write_random(&path, bytes, &mut random)?;
        return Ok(Some(path));
    };
    for file in 0..files {
        let below = path.join(format!("d{:03}", file / FILES_PER_FOLDER));
        if file % FILES_PER_FOLDER == 0 {
            std::fs::create_dir_all(&below).map_err(Error::io("create", &below))?;
        }
        write_random(&below.join(format!("f{file:06}")), bytes, &mut random)?;
    }
    Ok(Some(path))
}

fn write_random(path: &Path, bytes: u64, random: &mut SplitMix64) -> Result<(), Error> {
    let mut write = || {
        let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        let mut left = bytes;
        while left > 0 {
            let word = random.next().to_le_bytes();
            let take = usize::try_from(left.min(8)).unwrap_or(8);
            file.write_all(&word[..take])?;
            left -= take as u64;
        }
        file.flush()
    };
    write().map_err(Error::io("write", path))
}

/// Writes the scenario's module below `folder`; `None` when it has none.
pub(crate) fn write_module(scenario: &Scenario, folder: &Path) -> Result<Option<PathBuf>, Error> {
    let bytes = match (&scenario.module, scenario.guests.first()) {
        (Some(path), _) => std::fs::read(path).map_err(Error::io("read module", path))?,
        (None, Some(guest)) => guest_bytes(guest)
            .ok_or_else(|| Error::scenario(&scenario.name, format!("the fixtures have no guest {guest}")))?,
        (None, None) => return Ok(None),
    };
    let path = folder.join("module.wasm");
    std::fs::write(&path, named(bytes)).map_err(Error::io("write", &path))?;
    Ok(Some(path))
}

/// The bytes of a fixture guest by name.
pub(crate) fn guest_bytes(name: &str) -> Option<Vec<u8>> {
    let guest = guests::find(name).filter(Guest::is_module)?;
    Some(guest.bytes().into_owned())
}

/// Adds a name section that holds the module's name, where the module has none.
///
/// Bacalhau's executor refuses a module without one (its tracing needs it, seen in 1.9.3); all sides get the same bytes.
pub(crate) fn named(mut module: Vec<u8>) -> Vec<u8> {
    if !has_section(&module, b"name") {
        push_section(&mut module, b"name", b"\0\x05\x04main");
    }
    module
}

/// Gives the module a custom section of its own, so that no compiled-module cache can know it.
pub(crate) fn unseen(module: &[u8], nonce: u64) -> Vec<u8> {
    let mut unseen = module.to_vec();
    push_section(&mut unseen, b"bench", &nonce.to_le_bytes());
    unseen
}

/// Appends a custom section; its lengths must fit one LEB byte.
fn push_section(module: &mut Vec<u8>, name: &[u8], payload: &[u8]) {
    let length = |bytes: usize| u8::try_from(bytes).unwrap_or(u8::MAX);
    debug_assert!(1 + name.len() + payload.len() < 0x80);
    module.extend([0, length(1 + name.len() + payload.len()), length(name.len())]);
    module.extend(name);
    module.extend(payload);
}

/// Whether a module has a custom section of this name; false where its sections cannot be followed.
fn has_section(module: &[u8], name: &[u8]) -> bool {
    let mut rest = module.get(8..).unwrap_or_default();
    while let Some((&id, after)) = rest.split_first() {
        let Some((length, body)) = leb(after) else { return false };
        let Some((body, next)) = body.split_at_checked(length) else { return false };
        let section_name = leb(body).and_then(|(length, body)| body.get(..length));
        if id == 0 && section_name == Some(name) {
            return true;
        }
        rest = next;
    }
    false
}

/// An unsigned LEB128 number of at most 32 bits, and what follows it.
fn leb(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_usize;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_have_the_asked_shape_and_the_same_bytes_every_time() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let input = Input { files: Some(3), bytes_each: 13, quick_bytes_each: None, quick_files: Some(2) };
        let first = write_input(Some(&input), false, a.path()).unwrap().unwrap();
        let second = write_input(Some(&input), false, b.path()).unwrap().unwrap();
        let read = |root: &Path, name: &str| std::fs::read(root.join("d000").join(name)).unwrap();
        assert_eq!(read(&first, "f000002"), read(&second, "f000002"));
        assert_eq!(read(&first, "f000002").len(), 13);
        assert_ne!(read(&first, "f000001"), read(&first, "f000002"));
        let quick_folder = tempfile::tempdir().unwrap();
        let quick = write_input(Some(&input), true, quick_folder.path()).unwrap().unwrap();
        assert_eq!(crate::sample::files_below(&quick), 1 + 2);
    }

    #[test]
    fn unseen_modules_differ_and_begin_with_the_module() {
        let noop = guest_bytes("noop").unwrap();
        let (one, two) = (unseen(&noop, 1), unseen(&noop, 2));
        assert_ne!(one, two);
        assert!(one.starts_with(&noop) && has_section(&one, b"bench"));
    }

    #[test]
    fn a_module_gets_a_name_section_once() {
        let noop = guest_bytes("noop").unwrap();
        assert!(!has_section(&noop, b"name"));
        let once = named(noop);
        assert!(has_section(&once, b"name"));
        assert_eq!(named(once.clone()), once);
        assert!(!has_section(b"\0asm\x01\0\0\0\0\xff\xff\xff\xff\x0f", b"name"));
    }
}
