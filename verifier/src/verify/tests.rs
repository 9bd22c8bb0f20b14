use super::*;
use crate::receipt::tests::{claim, observation};
use crate::receipt::{Claim, Truncation};

fn receipt(change: impl FnOnce(&mut Receipt)) -> Receipt {
    let mut receipt = Receipt::new(claim(), observation());
    change(&mut receipt);
    receipt
}

fn rerun(change: impl FnOnce(&mut Receipt)) -> Receipt {
    receipt(|receipt| {
        receipt.observation.execution_id = "e-2".into();
        change(receipt);
    })
}

fn verdict(receipt: &Receipt, reruns: &[Receipt]) -> Verification {
    verify(receipt, &Evidence::none().with_reruns(reruns))
}

#[test]
fn nothing_to_check_against_is_undecided() {
    let verification = verdict(&receipt(|_| ()), &[]);
    assert_eq!(verification.verdict, Verdict::Undecided);
    assert!(verification.reasons.contains(&Reason::NothingToCheck));
    assert!(verification.claim_digest.is_some());
}

#[test]
fn equal_rerun_matches_and_is_named_as_the_basis() {
    let verification = verdict(&receipt(|_| ()), &[rerun(|rerun| rerun.observation.host = "lake".into())]);
    assert_eq!(verification.verdict, Verdict::Match);
    assert_eq!(verification.basis, [Basis::Reruns { count: 1, level: DeterminismLevel::Anywhere }]);
    // The observation names hidden files, which no CID covers.
    assert!(matches!(&verification.reasons[..], [Reason::Hidden { count: 2, .. }]));
}

#[test]
fn rerun_with_another_end_is_a_mismatch_that_names_the_fields() {
    let other = rerun(|rerun| {
        rerun.claim.cid = None;
        rerun.claim.outcome.exit_code = Some(3);
    });
    let equal = rerun(|rerun| rerun.observation.execution_id = "e-3".into());
    let verification = verdict(&receipt(|_| ()), &[equal, other]);
    assert_eq!(verification.verdict, Verdict::Mismatch);
    let fields = vec!["outcome".to_owned(), "cid".to_owned()];
    assert!(verification.reasons.contains(&Reason::Rerun { rerun: 1, fields }));
}

#[test]
fn receipt_is_no_rerun_of_itself() {
    let original = receipt(|_| ());
    let verification = verdict(&original, std::slice::from_ref(&original));
    assert_eq!(verification.verdict, Verdict::Undecided);
    assert!(verification.reasons.contains(&Reason::SameExecution { rerun: 0 }));
    let twice = verdict(&original, &[rerun(|_| ()), rerun(|_| ())]);
    assert!(twice.reasons.contains(&Reason::SameExecution { rerun: 1 }));
}

#[test]
fn rerun_of_other_work_decides_nothing() {
    let other = rerun(|rerun| rerun.claim.inputs.clear());
    let verification = verdict(&receipt(|_| ()), &[other]);
    assert_eq!(verification.verdict, Verdict::Undecided);
    let fields = vec!["inputs".to_owned()];
    assert!(verification.reasons.contains(&Reason::OtherWork { rerun: 0, fields }));
}

#[test]
fn differing_ends_that_the_level_allows_are_undecided() {
    let differ = |level, change: fn(&mut Receipt)| {
        let original = receipt(|receipt| receipt.claim.determinism.level = level);
        let other = rerun(|rerun| {
            rerun.claim.determinism.level = level;
            rerun.claim.instruction_count = None;
            change(rerun);
        });
        verdict(&original, &[other]).verdict
    };
    let other_host: fn(&mut Receipt) = |rerun| rerun.observation.host = "lake".into();
    let other_gpu: fn(&mut Receipt) = |rerun| rerun.observation.gpus[0].driver = "1".into();
    let machine_made: fn(&mut Receipt) = |rerun| rerun.claim.outcome.reproducible = false;
    assert_eq!(differ(DeterminismLevel::None, |_| ()), Verdict::Undecided);
    assert_eq!(differ(DeterminismLevel::Machine, other_host), Verdict::Undecided);
    assert_eq!(differ(DeterminismLevel::Machine, |_| ()), Verdict::Mismatch);
    assert_eq!(differ(DeterminismLevel::Class, other_gpu), Verdict::Undecided);
    assert_eq!(differ(DeterminismLevel::Class, other_host), Verdict::Mismatch);
    assert_eq!(differ(DeterminismLevel::Anywhere, other_host), Verdict::Mismatch);
    assert_eq!(differ(DeterminismLevel::Anywhere, machine_made), Verdict::Undecided);
}

#[test]
fn job_that_is_not_the_one_digested_is_a_mismatch() {
    let forged = receipt(|receipt| receipt.claim.job["Type"] = "ops".into());
    assert_eq!(verdict(&forged, &[]).verdict, Verdict::Mismatch);
}

#[test]
fn claim_without_canonical_text_is_never_a_match() {
    let forged = |receipt: &mut Receipt| receipt.claim.instruction_count = Some(u64::MAX);
    let verification = verdict(&receipt(forged), &[rerun(forged)]);
    assert_eq!(verification.verdict, Verdict::Undecided);
    assert_eq!(verification.claim_digest, None);
}

#[cfg(target_os = "linux")]
mod folders {
    use std::fs;

    use super::*;
    use crate::{HashOptions, hash_path};

    fn claimed(folder: &std::path::Path, change: impl FnOnce(&mut Claim)) -> Receipt {
        let hashed = hash_path(folder, &HashOptions::default()).unwrap();
        receipt(|receipt| {
            receipt.claim.cid = Some(hashed.cid);
            receipt.claim.manifest = Some(hashed.root);
            receipt.observation.hidden.clear();
            receipt.observation.hidden_count = 0;
            change(&mut receipt.claim);
        })
    }

    #[test]
    fn results_folder_matches_until_a_byte_or_a_bit_changes() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stdout");
        fs::write(&path, "hello\n").unwrap();
        let receipt = claimed(folder.path(), |_| ());
        let evidence = Evidence::none().with_results(folder.path());
        let verification = verify(&receipt, &evidence);
        assert_eq!(verification.verdict, Verdict::Match);
        assert!(matches!(verification.basis[..], [Basis::Results { .. }]));
        assert_eq!(verification.reasons, []);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let verification = verify(&receipt, &evidence);
        assert_eq!(verification.verdict, Verdict::Mismatch);
        assert!(matches!(verification.reasons[..], [Reason::Manifest { .. }]));
        fs::write(&path, "hello").unwrap();
        assert!(matches!(
            verify(&receipt, &evidence).reasons[..],
            [Reason::Cid { .. }, Reason::Manifest { .. }]
        ));
    }

    #[test]
    fn hidden_files_truncation_and_unchecked_signatures_are_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("stdout"), "hello\n").unwrap();
        let mut receipt = claimed(folder.path(), |claim| {
            claim.truncated = Truncation { stdout: true, ..Truncation::default() };
        });
        receipt.signature = Some(crate::receipt::Signature {
            scheme: "eip712".into(),
            signer: "0x01".into(),
            chain_id: None,
            nonce: None,
            value: "0x".into(),
        });
        fs::write(folder.path().join(".secret"), "").unwrap();
        let verification = verify(&receipt, &Evidence::none().with_results(folder.path()));
        assert_eq!(verification.verdict, Verdict::Match);
        assert_eq!(
            verification.reasons,
            [
                Reason::Hidden { paths: vec![".secret".into()], count: 1 },
                Reason::Truncated { what: vec!["stdout".into()] },
                Reason::SignatureNotChecked { signer: "0x01".into() },
            ]
        );
    }

    #[test]
    fn results_that_cannot_be_read_whole_are_never_a_match() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("stdout"), "hello\n").unwrap();
        let receipt = claimed(folder.path(), |_| ());
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
        let rerun = rerun(|rerun| rerun.claim = receipt.claim.clone());
        let reruns = [rerun];
        let evidence = Evidence::none().with_results(folder.path()).with_reruns(&reruns);
        let verification = verify(&receipt, &evidence);
        assert_eq!(verification.verdict, Verdict::Undecided);
        assert!(
            matches!(&verification.reasons[0], Reason::Unreadable { path, .. } if *path == "socket".into())
        );
        let missing = folder.path().join("no");
        assert_eq!(verify(&receipt, &Evidence::none().with_results(&missing)).verdict, Verdict::Undecided);
    }

    #[test]
    fn folder_against_a_claim_without_results_is_undecided() {
        let folder = tempfile::tempdir().unwrap();
        let receipt = claimed(folder.path(), |claim| claim.manifest = None);
        let verification = verify(&receipt, &Evidence::none().with_results(folder.path()));
        assert_eq!(verification.verdict, Verdict::Undecided);
        assert_eq!(verification.reasons, [Reason::NoResultsClaimed]);
    }
}
