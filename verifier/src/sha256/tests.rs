use super::*;

#[test]
fn pair_equals_two_single_digests_on_every_length_around_block_borders() {
    let bytes: Vec<u8> = (0..20_100u32).map(|i| (i * 131 + i / 251).to_le_bytes()[0]).collect();
    for length in (0..=400).chain(4_000..4_200).chain([9_999, 10_000]) {
        for offset in [0, 1, 7] {
            let (a, b) = (&bytes[offset..offset + length], &bytes[10_000..10_000 + length]);
            assert_eq!(digest_pair(a, b), [digest(a), digest(b)], "{length} bytes at {offset}");
        }
    }
}

#[test]
fn pair_of_unequal_lengths_is_hashed_all_the_same() {
    assert_eq!(digest_pair(b"abc", b""), [digest(b"abc"), digest(b"")]);
}

#[test]
#[cfg(target_arch = "x86_64")]
fn lanes_are_used_where_the_cpu_has_them() {
    assert_eq!(pair::digest_pair(b"a", b"b").is_some(), is_x86_feature_detected!("sha"));
}

#[test]
fn published_digests_come_out() {
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let none = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(digest_pair(b"abc", b"abc").map(|digest| digest.to_string()), [abc, abc]);
    assert_eq!(digest_pair(b"", b"").map(|digest| digest.to_string()), [none, none]);
}
