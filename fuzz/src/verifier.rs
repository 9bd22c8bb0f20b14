//! Entries into `frogfish-verifier`.

use frogfish_verifier::{Cid, Manifest, ManifestLimits, Receipt, ReceiptLimits};

/// Whether it is a receipt; one that is accepted is written and read as the same again, with the same digest.
pub fn receipt(bytes: &[u8]) -> bool {
    let limits = ReceiptLimits::default();
    let Ok(receipt) = Receipt::from_json(bytes, &limits) else { return false };
    let written = receipt.to_json().expect("a receipt that was read can be written");
    let again = Receipt::from_json(&written, &limits).expect("a receipt that was written can be read");
    assert_eq!(receipt, again, "a receipt changed on its way through JSON");
    match (receipt.claim.digest(), again.claim.digest()) {
        (Ok(before), Ok(after)) => {
            assert_eq!(before, after, "a claim's digest changed on its way through JSON")
        }
        (Err(_), Err(_)) => {}
        (before, after) => panic!("a claim had a digest once only: {before:?}, {after:?}"),
    }
    true
}

/// Whether it is a manifest in one of its forms; one that is accepted has the same root in both.
pub fn manifest(bytes: &[u8]) -> bool {
    let limits = ManifestLimits::default();
    let mut accepted = false;
    for manifest in
        [Manifest::from_bytes(bytes, &limits), Manifest::from_json(bytes, &limits)].into_iter().flatten()
    {
        let binary =
            Manifest::from_bytes(&manifest.to_bytes(), &limits).expect("its binary form can be read");
        let json = Manifest::from_json(&manifest.to_json(), &limits).expect("its JSON form can be read");
        assert_eq!(manifest, binary, "a manifest changed on its way through bytes");
        assert_eq!(manifest, json, "a manifest changed on its way through JSON");
        accepted = true;
    }
    accepted
}

/// Whether it is the text of a CID; one that is accepted prints as a text that reads as the same CID.
pub fn cid(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Ok(cid) = text.parse::<Cid>() else { return false };
    let printed = cid.to_string();
    assert_eq!(printed.parse::<Cid>().expect("a printed CID can be read"), cid);
    true
}
