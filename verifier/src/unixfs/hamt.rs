//! HAMT-sharded folders: fan-out 256, one byte of the name's hash per level.

use super::folder::{NamedLink, ShardTooDeep};
use super::murmur3::murmur3_x64_64;
use super::pb::{SHARD_DATA, put_bytes, put_link, put_varint};
use super::{Link, Profile};
use crate::sha256;

/// Multihash code of murmur3-x64-64, `Data.hashType` of every shard.
const MURMUR3_X64_64: u64 = 0x22;
const FANOUT: usize = 256;
const LEVELS_MAX: usize = 8;
const HEX: &[u8; 16] = b"0123456789ABCDEF";

struct Hashed<'a> {
    hash: [u8; 8],
    entry: NamedLink<'a>,
}

/// The link to the root shard over `entries`.
pub(super) fn shard_link<'a>(
    profile: Profile,
    entries: impl Iterator<Item = NamedLink<'a>>,
) -> Result<Link, ShardTooDeep> {
    let mut hashed: Vec<Hashed<'a>> =
        entries.map(|entry| Hashed { hash: murmur3_x64_64(entry.name).to_be_bytes(), entry }).collect();
    hashed.sort_unstable_by_key(|hashed| hashed.hash);
    shard(profile, &hashed, 0)
}

/// The shard over entries whose hashes are equal in the first `level` bytes; recursion ends after eight levels.
fn shard(profile: Profile, entries: &[Hashed<'_>], level: usize) -> Result<Link, ShardTooDeep> {
    if level == LEVELS_MAX {
        return Err(ShardTooDeep);
    }
    let mut block = Vec::with_capacity(entries.len().min(FANOUT) * 96 + 64);
    let mut bits = [0u8; FANOUT / 8];
    let mut below = 0;
    for slot in entries.chunk_by(|a, b| a.hash[level] == b.hash[level]) {
        let index = slot[0].hash[level];
        // The bit field is one big-endian number.
        bits[FANOUT / 8 - 1 - usize::from(index / 8)] |= 1 << (index % 8);
        let prefix = [HEX[usize::from(index >> 4)], HEX[usize::from(index & 15)]];
        let (name, link) = match slot {
            [only] => (only.entry.name, only.entry.link),
            _ => (&b""[..], shard(profile, slot, level + 1)?),
        };
        put_link(&mut block, [&prefix, name], &link);
        below += link.tsize;
    }
    let zeros = bits.iter().take_while(|byte| **byte == 0).count();
    let mut data = Vec::with_capacity(48);
    data.extend_from_slice(&SHARD_DATA);
    put_bytes(&mut data, 0x12, &bits[zeros..]);
    data.push(0x28);
    put_varint(&mut data, MURMUR3_X64_64);
    data.push(0x30);
    put_varint(&mut data, FANOUT as u64);
    put_bytes(&mut block, 0x0a, &data);
    Ok(Link::node(profile, sha256::digest(&block), block.len() as u64 + below))
}
