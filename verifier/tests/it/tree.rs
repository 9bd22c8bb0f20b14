//! Trees that a seed fixes: the same on every machine, for Kubo and for us.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

/// Trees that the golden CIDs cover: seeds 0 to this, exclusive.
pub(crate) const TREES: u64 = 210;

/// splitmix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len() as u64) as usize]
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(count + 8);
        while bytes.len() < count {
            bytes.extend_from_slice(&self.roll().to_le_bytes());
        }
        bytes.truncate(count);
        bytes
    }
}

/// Makes the tree of `seed` at `root`, which must not exist.
pub(crate) fn plant(root: &Path, seed: u64) {
    let mut dice = Dice(seed);
    fs::create_dir(root).unwrap();
    match seed % 15 {
        13 => wide(&mut dice, root, seed),
        14 => tall(&mut dice, root, seed),
        _ => random(&mut dice, root, 0),
    }
}

/// A folder around or above the size at which it is sharded.
fn wide(dice: &mut Dice, root: &Path, seed: u64) {
    let folder = root.join("wide");
    fs::create_dir(&folder).unwrap();
    let name_bytes = 60 + dice.below(150) as usize;
    // CIDv0 adds 34 bytes to each name in Kubo's estimate; CIDv1 36 and some framing.
    let entry_bytes = if seed % 2 == 0 { name_bytes + 34 } else { name_bytes + 52 };
    let count = 262_144 / entry_bytes + 4 - (seed / 15 % 10) as usize;
    for i in 0..count {
        let name = format!("{i:0name_bytes$}");
        fs::write(folder.join(name), dice.bytes(dice_size(i))).unwrap();
    }
}

fn dice_size(i: usize) -> usize {
    if i % 97 == 0 { 300 } else { i % 3 }
}

/// Folders deep inside each other and one file of many chunks.
fn tall(dice: &mut Dice, root: &Path, seed: u64) {
    let mut folder = root.to_owned();
    for _ in 0..20 {
        folder = folder.join(format!("d{}", dice.below(9)));
        fs::create_dir(&folder).unwrap();
    }
    let chunks = [3, 9, 20, 174, 175, 180, 4][(seed / 15 % 7) as usize];
    let size = chunks * 262_144 + [0, 1, 262_143][(seed / 45 % 3) as usize];
    let mut file = fs::File::create(folder.join("tall")).unwrap();
    let block = dice.bytes(65_536 + 7);
    let mut left = size;
    while left > 0 {
        let part = left.min(block.len());
        file.write_all(&block[..part]).unwrap();
        left -= part;
    }
}

fn random(dice: &mut Dice, folder: &Path, depth: u32) {
    let mut names = BTreeSet::new();
    for _ in 0..dice.below(9) {
        names.insert(name(dice));
    }
    for name in names {
        let path = folder.join(OsStr::from_bytes(&name));
        match dice.below(10) {
            0..2 if depth < 5 => {
                fs::create_dir(&path).unwrap();
                random(dice, &path, depth + 1);
            }
            2 => {
                let target: &[u8] =
                    dice.pick(&[&b"a"[..], b"/etc/passwd", b"../../..", b"no\xffwhere", b"with space"]);
                symlink(OsStr::from_bytes(target), &path).unwrap();
            }
            3 => fs::create_dir(&path).unwrap(),
            _ => {
                let sizes: [u64; 12] =
                    [0, 1, 5, 100, 4096, 70_000, 262_143, 262_144, 262_145, 524_288, 1_048_576, 1_048_577];
                let pick = if dice.below(3) == 0 { dice.below(12) } else { dice.below(5) };
                fs::write(&path, dice.bytes(sizes[pick as usize] as usize)).unwrap();
                let mode = if dice.below(3) == 0 { 0o755 } else { 0o644 };
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
        }
    }
}

fn name(dice: &mut Dice) -> Vec<u8> {
    let fixed: [&[u8]; 16] = [
        b"a",
        b"a-b",
        b"a.b",
        b"A",
        b"stdout",
        b"stderr",
        b"exitCode",
        b".hidden",
        b"...",
        b"a b",
        b"line\nbreak",
        "é".as_bytes(),
        "e\u{301}".as_bytes(),
        "日本".as_bytes(),
        b"wild\xff\xfe\x80",
        b"back\\slash",
    ];
    match dice.below(4) {
        0 => format!("f{}", dice.below(1000)).into_bytes(),
        1 => vec![b'x'; 1 + dice.below(255) as usize],
        _ => dice.pick(&fixed).to_vec(),
    }
}
