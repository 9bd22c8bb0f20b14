//! Two messages of equal length, their rounds interleaved, on the SHA instructions of x86-64.
//!
//! Source: FIPS 180-4; Intel SHA Extensions (ABEF and CDGH halves of the state, two rounds per instruction).
#![allow(unsafe_code)] // The SHA instructions are reached only through intrinsics; see the notes.

use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_blend_epi16, _mm_loadu_si128, _mm_set_epi64x,
    _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8, _mm_shuffle_epi32,
    _mm_storeu_si128,
};

use crate::Digest;

const BLOCK_BYTES: usize = 64;

const START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

#[rustfmt::skip]
static ROUND: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

/// The digests of two messages of equal length, or `None` where the CPU lacks the instructions.
pub(super) fn digest_pair(a: &[u8], b: &[u8]) -> Option<[Digest; 2]> {
    let able = is_x86_feature_detected!("sha")
        && is_x86_feature_detected!("ssse3")
        && is_x86_feature_detected!("sse4.1");
    if !able || a.len() != b.len() {
        return None;
    }
    let mut states = [START; 2];
    let (blocks_a, tail_a) = a.as_chunks();
    let (blocks_b, tail_b) = b.as_chunks();
    // SAFETY: the CPU has just been found to have the features that `compress` is compiled with.
    unsafe { compress(&mut states, blocks_a, blocks_b) };
    let (last_a, count) = padded(tail_a, a.len());
    let (last_b, _) = padded(tail_b, b.len());
    // SAFETY: as above.
    unsafe { compress(&mut states, &last_a[..count], &last_b[..count]) };
    Some(states.map(|state| {
        let mut bytes = [0; 32];
        for (into, word) in bytes.chunks_exact_mut(4).zip(state) {
            into.copy_from_slice(&word.to_be_bytes());
        }
        Digest::new(bytes)
    }))
}

/// The last one or two blocks: the rest of the message, a one bit, zeros, the length in bits.
fn padded(tail: &[u8], message_bytes: usize) -> ([[u8; BLOCK_BYTES]; 2], usize) {
    let mut blocks = [[0; BLOCK_BYTES]; 2];
    blocks[0][..tail.len()].copy_from_slice(tail);
    blocks[0][tail.len()] = 0x80;
    let count = if tail.len() + 9 <= BLOCK_BYTES { 1 } else { 2 };
    blocks[count - 1][BLOCK_BYTES - 8..].copy_from_slice(&(message_bytes as u64 * 8).to_be_bytes());
    (blocks, count)
}

/// One message's state and schedule in registers.
#[derive(Clone, Copy)]
struct Lane {
    abef: __m128i,
    cdgh: __m128i,
    words: [__m128i; 4],
}

impl Lane {
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    #[inline]
    fn new(state: &[u32; 8]) -> Self {
        // SAFETY: eight words are 32 bytes, and unaligned loads take any address.
        let (dcba, hgfe) = unsafe {
            (_mm_loadu_si128(state.as_ptr().cast()), _mm_loadu_si128(state.as_ptr().add(4).cast()))
        };
        let cdab = _mm_shuffle_epi32(dcba, 0xb1);
        let efgh = _mm_shuffle_epi32(hgfe, 0x1b);
        let abef = _mm_alignr_epi8(cdab, efgh, 8);
        let cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
        Self { abef, cdgh, words: [abef; 4] }
    }

    #[target_feature(enable = "sha,ssse3,sse4.1")]
    #[inline]
    fn store(&self, state: &mut [u32; 8]) {
        let feba = _mm_shuffle_epi32(self.abef, 0x1b);
        let dchg = _mm_shuffle_epi32(self.cdgh, 0xb1);
        let dcba = _mm_blend_epi16(feba, dchg, 0xf0);
        let hgfe = _mm_alignr_epi8(dchg, feba, 8);
        // SAFETY: eight words are 32 bytes, and unaligned stores take any address.
        unsafe {
            _mm_storeu_si128(state.as_mut_ptr().cast(), dcba);
            _mm_storeu_si128(state.as_mut_ptr().add(4).cast(), hgfe);
        }
    }

    #[target_feature(enable = "sha,ssse3,sse4.1")]
    #[inline]
    fn load(&mut self, block: &[u8; BLOCK_BYTES]) {
        let big_endian = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
        for (words, bytes) in self.words.iter_mut().zip(block.as_chunks::<16>().0) {
            // SAFETY: the chunk has 16 bytes, and unaligned loads take any address.
            let loaded = unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) };
            *words = _mm_shuffle_epi8(loaded, big_endian);
        }
    }

    /// Four rounds; from the fifth group on, their words are first derived from the sixteen before.
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    #[inline]
    fn rounds(&mut self, constants: __m128i, group: usize) {
        let words = &mut self.words;
        let index = group % 4;
        if group >= 4 {
            let (w1, w2, w3) = (words[(index + 1) % 4], words[(index + 2) % 4], words[(index + 3) % 4]);
            let partial = _mm_sha256msg1_epu32(words[index], w1);
            let shifted = _mm_add_epi32(partial, _mm_alignr_epi8(w3, w2, 4));
            words[index] = _mm_sha256msg2_epu32(shifted, w3);
        }
        let sum = _mm_add_epi32(words[index], constants);
        self.cdgh = _mm_sha256rnds2_epu32(self.cdgh, self.abef, sum);
        let high = _mm_shuffle_epi32(sum, 0x0e);
        self.abef = _mm_sha256rnds2_epu32(self.abef, self.cdgh, high);
    }
}

/// Takes both states through as many blocks as both messages have.
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn compress(states: &mut [[u32; 8]; 2], a: &[[u8; BLOCK_BYTES]], b: &[[u8; BLOCK_BYTES]]) {
    let mut left = Lane::new(&states[0]);
    let mut right = Lane::new(&states[1]);
    for (block_a, block_b) in a.iter().zip(b) {
        let before = [left.abef, left.cdgh, right.abef, right.cdgh];
        left.load(block_a);
        right.load(block_b);
        macro_rules! groups {
            ($($group:literal)*) => {$(
                // SAFETY: the group has four constants, and unaligned loads take any address.
                let constants = unsafe { _mm_loadu_si128(ROUND.as_ptr().add($group * 4).cast()) };
                left.rounds(constants, $group);
                right.rounds(constants, $group);
            )*};
        }
        groups!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        left.abef = _mm_add_epi32(left.abef, before[0]);
        left.cdgh = _mm_add_epi32(left.cdgh, before[1]);
        right.abef = _mm_add_epi32(right.abef, before[2]);
        right.cdgh = _mm_add_epi32(right.cdgh, before[3]);
    }
    left.store(&mut states[0]);
    right.store(&mut states[1]);
}
