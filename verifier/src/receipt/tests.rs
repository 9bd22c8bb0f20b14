use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{Digest, HamtBoundary, Profile};

pub(crate) fn claim() -> Claim {
    let job = json!({"Type": "batch", "Tasks": [{"Name": "main", "Engine": {"Type": "wasm"}}]});
    Claim {
        job_digest: crate::canonical::digest(&job).unwrap(),
        job,
        engine: "wasm".into(),
        program: Some(Program::Module(Digest::of(b"module"))),
        inputs: vec![
            ClaimInput {
                source_type: "urlDownload".into(),
                target: "/in".into(),
                content: Some(ContentId::Digest(Digest::of(b"input"))),
            },
            ClaimInput {
                source_type: "ipfs".into(),
                target: "/more".into(),
                content: Some(ContentId::Cid(Cid::v0(Digest::of(b"folder")))),
            },
        ],
        determinism: Determinism {
            level: DeterminismLevel::Anywhere,
            settings: BTreeMap::from([("clock".into(), json!("virtual")), ("seed".into(), json!(7))]),
        },
        outcome: Outcome {
            state: "Completed".into(),
            exit_code: Some(0),
            reason_code: Some("exited".into()),
            reproducible: true,
        },
        truncated: Truncation::default(),
        instruction_count: Some(123_456),
        cid: Some(Cid::v0(Digest::of(b"results"))),
        manifest: Some(Digest::of(b"manifest")),
        profile: Profile::UnixfsV0_2015,
        hamt_boundary: HamtBoundary::Kubo040,
    }
}

pub(crate) fn observation() -> Observation {
    Observation {
        execution_id: "e-1".into(),
        job_id: "j-1".into(),
        instance: "i-1".into(),
        host: "pond".into(),
        job: Some(serde_json::json!({"Name": "as it was given"})),
        versions: BTreeMap::from([("frogfish".into(), "0.1.0".into())]),
        started_at: "2026-11-22T10:00:00Z".into(),
        finished_at: "2026-11-22T10:00:01.5Z".into(),
        durations_us: BTreeMap::from([("running".into(), 1_500_000)]),
        usage: Usage { cpu_time_us: Some(1_400_000), memory_peak_bytes: Some(1 << 20), ..Usage::default() },
        logs: BTreeMap::from([("stdout".into(), LogDigest { digest: Digest::of(b"hello\n"), bytes: 6 })]),
        hidden: vec![PathName::from(".cache"), PathName::new(*b".\xff")],
        hidden_count: 2,
        gpus: vec![GpuTelemetry {
            uuid: "GPU-1".into(),
            model: "NVIDIA H100".into(),
            driver: "580.1".into(),
            utilization_mean_percent: Some(97.5),
            ..GpuTelemetry::default()
        }],
    }
}

use crate::{Cid, PathName};

fn receipt() -> Receipt {
    Receipt::new(claim(), observation())
}

fn read(bytes: &[u8]) -> Result<Receipt, ReceiptError> {
    Receipt::from_json(bytes, &ReceiptLimits::default())
}

#[test]
fn receipt_reads_back_equal_with_an_equal_digest() {
    let mut receipt = receipt();
    for signature in [
        None,
        Some(Signature {
            scheme: "eip712".into(),
            signer: "0x00".into(),
            chain_id: Some(42_161),
            nonce: None,
            value: "0x".into(),
        }),
    ] {
        receipt.signature = signature;
        let back = read(&receipt.to_json().unwrap()).unwrap();
        assert_eq!(back, receipt);
        assert_eq!(back.claim.digest().unwrap(), receipt.claim.digest().unwrap());
        assert_eq!(back.observation.digest().unwrap(), receipt.observation.digest().unwrap());
    }
}

#[test]
fn claim_digest_ignores_the_order_of_keys_and_nothing_else() {
    let base = claim();
    let digest = base.digest().unwrap();
    let mut reordered = base.clone();
    reordered.job = json!({"Tasks": [{"Engine": {"Type": "wasm"}, "Name": "main"}], "Type": "batch"});
    assert_eq!(reordered.digest().unwrap(), digest);
    // The same through the eyes of a reader that knows only JSON.
    let value = serde_json::to_value(&base).unwrap();
    assert_eq!(crate::canonical::digest(&value).unwrap(), digest);
    let changes: [fn(&mut Claim); 8] = [
        |claim| claim.job["Type"] = json!("ops"),
        |claim| claim.program = None,
        |claim| claim.inputs.reverse(),
        |claim| claim.outcome.exit_code = Some(1),
        |claim| claim.truncated.stdout = true,
        |claim| claim.instruction_count = None,
        |claim| claim.hamt_boundary = HamtBoundary::Kubo030,
        |claim| claim.determinism.level = DeterminismLevel::Machine,
    ];
    for change in changes {
        let mut changed = base.clone();
        change(&mut changed);
        assert_ne!(changed.digest().unwrap(), digest);
    }
}

#[test]
fn schema_accepts_real_receipts_and_refuses_broken_ones() {
    let schema = jsonschema::validator_for(&receipt_schema()).unwrap();
    let good: Value = serde_json::from_slice(&receipt().to_json().unwrap()).unwrap();
    assert!(schema.is_valid(&good), "{:?}", schema.iter_errors(&good).next().map(|error| error.to_string()));
    let breaks: [fn(&mut Value); 9] = [
        |receipt| receipt["version"] = json!(2),
        |receipt| receipt["extra"] = json!(1),
        |receipt| receipt["claim"]["extra"] = json!(1),
        |receipt| receipt["claim"]["job_digest"] = json!("ABC"),
        |receipt| receipt["claim"]["profile"] = json!("unixfs"),
        |receipt| receipt["claim"]["outcome"]["exit_code"] = json!("0"),
        |receipt| receipt["claim"]["program"] = json!({"binary": "x"}),
        |receipt| receipt["observation"]["hidden"] = json!([{"b64": "?"}]),
        |receipt| drop(receipt["claim"].as_object_mut().unwrap().remove("job")),
    ];
    for (index, change) in breaks.iter().enumerate() {
        let mut broken = good.clone();
        change(&mut broken);
        assert!(!schema.is_valid(&broken), "break {index}");
        assert!(read(broken.to_string().as_bytes()).is_err(), "break {index}");
    }
}

#[test]
fn bounds_and_versions_have_typed_errors() {
    let bytes = receipt().to_json().unwrap();
    let small = ReceiptLimits { bytes_max: 100, ..ReceiptLimits::default() };
    assert!(matches!(Receipt::from_json(&bytes, &small), Err(ReceiptError::TooLarge { .. })));
    let flat = ReceiptLimits { depth_max: 3, ..ReceiptLimits::default() };
    assert!(matches!(Receipt::from_json(&bytes, &flat), Err(ReceiptError::TooDeep { .. })));
    assert!(matches!(
        read("[".repeat(100_000).as_bytes()),
        Err(ReceiptError::TooDeep { found: 100_000, .. })
    ));
    assert!(matches!(read(br#"{"version":7,"later":true}"#), Err(ReceiptError::Version { found: 7 })));
    for end in 0..bytes.len() {
        assert!(matches!(read(&bytes[..end]), Err(ReceiptError::Json(_))));
    }
}

#[test]
fn job_with_a_key_twice_is_refused() {
    let text = String::from_utf8(receipt().to_json().unwrap()).unwrap();
    let twice = text.replacen("\"Type\":\"batch\"", "\"Type\":\"ops\",\"Type\":\"batch\"", 1);
    assert_ne!(text, twice);
    assert!(read(twice.as_bytes()).is_err());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-(1i64 << 53) + 1..1i64 << 53).prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(".*", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_job_keeps_its_digest_through_the_stored_form(job in any_json()) {
        let mut receipt = receipt();
        receipt.claim.job = job;
        let back = read(&receipt.to_json().unwrap()).unwrap();
        prop_assert_eq!(back.claim.digest().unwrap(), receipt.claim.digest().unwrap());
    }

    #[test]
    fn changed_bytes_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = receipt().to_json().unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = read(&bytes);
    }
}
