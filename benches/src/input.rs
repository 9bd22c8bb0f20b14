//! Files that scenarios read: repeatable bytes, fixture guests, modules that nobody has seen.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

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
    std::fs::write(&path, bytes).map_err(Error::io("write", &path))?;
    Ok(Some(path))
}

/// The bytes of a fixture guest by name.
fn guest_bytes(name: &str) -> Option<Vec<u8>> {
    (name == "noop").then(|| NOOP.to_vec())
}

/// `(module $noop (memory (export "memory") 1) (func (export "_start")))`, with the name section that Bacalhau's executor needs.
const NOOP: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x05\x03\x01\0\x01\
\x07\x13\x02\x06memory\x02\0\x06_start\0\0\x0a\x04\x01\x02\0\x0b\x00\x0c\x04name\x00\x05\x04noop";

/// Gives the module a custom section of its own, so that no compiled-module cache can know it.
pub(crate) fn unseen(module: &[u8], run: u64) -> Vec<u8> {
    const NAME: &[u8] = b"bench";
    let payload = run.to_le_bytes();
    let mut unseen = module.to_vec();
    // Section 0, its length, the length of its name, the name, eight bytes; all lengths fit one LEB byte.
    #[expect(clippy::cast_possible_truncation, reason = "14 and 5")]
    unseen.extend([0, (1 + NAME.len() + payload.len()) as u8, NAME.len() as u8]);
    unseen.extend(NAME);
    unseen.extend(payload);
    unseen
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
        let (one, two) = (unseen(NOOP, 1), unseen(NOOP, 2));
        assert_ne!(one, two);
        assert!(one.starts_with(NOOP));
        assert_eq!(one.len(), NOOP.len() + 2 + 14);
    }
}
