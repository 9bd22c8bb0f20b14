use super::pb::leaf_digest;
use super::*;

fn cid_of(profile: Profile, pieces: &[&[u8]]) -> String {
    let mut hasher = FileHasher::new(profile);
    for piece in pieces {
        hasher.update(piece);
    }
    hasher.finish().0.cid().to_string()
}

#[test]
fn known_files_have_their_known_cids() {
    let v0 = |bytes: &[u8]| cid_of(Profile::UnixfsV0_2015, &[bytes]);
    assert_eq!(v0(b""), "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH");
    assert_eq!(v0(b"hello world\n"), "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o");
    let v1 = |bytes: &[u8]| cid_of(Profile::UnixfsV1_2025, &[bytes]);
    assert_eq!(v1(b""), "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku");
}

#[test]
fn empty_folder_has_its_known_cid() {
    let folder =
        |profile| FolderHasher::new(profile, HamtBoundary::Kubo040).finish().unwrap().cid().to_string();
    assert_eq!(folder(Profile::UnixfsV0_2015), "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn");
    assert_eq!(folder(Profile::UnixfsV1_2025), "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354");
}

#[test]
fn pieces_of_any_length_give_the_same_cid() {
    let bytes: Vec<u8> = (0..700_000u32).map(|i| (i * 7 + i / 1000).to_le_bytes()[0]).collect();
    for profile in [Profile::UnixfsV0_2015, Profile::UnixfsV1_2025] {
        let whole = cid_of(profile, &[&bytes]);
        for piece_bytes in [1000, 262_143, 262_144, 262_145, 600_000] {
            let pieces: Vec<&[u8]> = bytes.chunks(piece_bytes).collect();
            assert_eq!(cid_of(profile, &pieces), whole);
        }
    }
}

#[test]
fn names_of_profiles_and_boundaries_round_trip() {
    for profile in [Profile::UnixfsV0_2015, Profile::UnixfsV1_2025] {
        assert_eq!(profile.to_string().parse(), Ok(profile));
        assert_eq!(serde_json::to_string(&profile).unwrap(), format!("\"{profile}\""));
    }
    for boundary in [HamtBoundary::Kubo040, HamtBoundary::Kubo030] {
        assert_eq!(boundary.to_string().parse(), Ok(boundary));
    }
    assert!("unixfs".parse::<Profile>().is_err());
}

/// A folder of `count` files named so that Kubo's estimate is exactly `bytes`.
fn folder_of_estimate(bytes: usize, boundary: HamtBoundary) -> Link {
    let (digest, block_bytes) = leaf_digest(Profile::UnixfsV0_2015, b"x");
    let link = Link::leaf(Profile::UnixfsV0_2015, digest, block_bytes);
    let mut folder = FolderHasher::new(Profile::UnixfsV0_2015, boundary);
    let mut left = bytes;
    for i in 0.. {
        let name_bytes = if left < 160 { left - 34 } else { 46 };
        folder.add(format!("{i:0name_bytes$}").as_bytes(), link);
        left -= name_bytes + 34;
        if left == 0 {
            return folder.finish().unwrap();
        }
    }
    unreachable!()
}

#[test]
fn boundaries_differ_at_exactly_the_threshold_and_nowhere_else() {
    for (bytes, equal) in [(262_143, true), (262_144, false), (262_145, true)] {
        let new = folder_of_estimate(bytes, HamtBoundary::Kubo040);
        let old = folder_of_estimate(bytes, HamtBoundary::Kubo030);
        assert_eq!(new == old, equal, "{bytes}");
    }
}
