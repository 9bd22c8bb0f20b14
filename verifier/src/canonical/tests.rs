use serde_json::{Value, json};

use super::*;

fn text(value: &impl Serialize) -> String {
    String::from_utf8(to_vec(value).unwrap()).unwrap()
}

#[test]
fn sample_of_the_rfc_has_its_canonical_text() {
    // RFC 8785, section 3.2.2 and 3.2.3.
    let value: Value = serde_json::from_str(
        r#"{
            "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
            "literals": [null, true, false]
        }"#,
    )
    .unwrap();
    assert_eq!(
        text(&value),
        concat!(
            r#"{"literals":[null,true,false],"#,
            r#""numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#,
            r#""string":"€$\u000f\nA'B\"\\\\\"/"}"#
        )
    );
}

#[test]
fn keys_are_sorted_by_utf16_code_units() {
    // RFC 8785, section 3.2.3: the emoji sorts before U+FB33, whose UTF-8 is smaller.
    let value: Value = serde_json::from_str(
        r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",
            "\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"#,
    )
    .unwrap();
    let order: Vec<String> =
        ["Carriage", "One", "Control", "Latin", "Euro", "Emoji", "Hebrew"].map(|word| word.to_owned()).into();
    let text = text(&value);
    let places: Vec<usize> = order.iter().map(|word| text.find(word.as_str()).unwrap()).collect();
    assert!(places.is_sorted(), "{text}");
}

#[test]
fn doubles_are_written_as_ecmascript_writes_them() {
    // RFC 8785, appendix B.
    for (bits, expected) in [
        (0x0000_0000_0000_0000, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0xc340_0000_0000_0000, "-9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
        (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
        (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x41b3_de43_5555_5557, "333333333.33333343"),
        (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
    ] {
        assert_eq!(text(&f64::from_bits(bits)), expected);
    }
}

#[test]
fn integers_that_no_double_holds_are_refused() {
    assert_eq!(text(&9_007_199_254_740_991u64), "9007199254740991");
    assert_eq!(text(&-9_007_199_254_740_991i64), "-9007199254740991");
    assert_eq!(text(&json!([0, -1, 1.0, 10])), "[0,-1,1,10]");
    assert_eq!(text(&9_007_199_254_740_992u64), "9007199254740992");
    assert!(matches!(to_vec(&9_007_199_254_740_993u64), Err(CanonicalError::Integer(_))));
    assert!(matches!(to_vec(&u64::MAX), Err(CanonicalError::Integer(_))));
    assert!(matches!(to_vec(&i64::MIN), Err(CanonicalError::Integer(_))));
    assert!(matches!(to_vec(&f64::NAN), Err(CanonicalError::NotFinite)));
}

#[test]
fn keys_that_are_no_text_or_occur_twice_are_refused() {
    use std::collections::BTreeMap;
    assert!(matches!(to_vec(&BTreeMap::from([(1, 2)])), Err(CanonicalError::Key)));
    struct Twice;
    impl Serialize for Twice {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map([("a", 1), ("b", 2), ("a", 3)])
        }
    }
    assert!(matches!(to_vec(&Twice), Err(CanonicalError::DuplicateKey(key)) if key == "a"));
}

#[test]
fn enums_and_structs_are_written_as_serde_json_writes_them() {
    #[derive(Serialize)]
    enum Kind {
        Unit,
        One(u8),
        Two(u8, u8),
        Named { z: u8, a: Option<u8> },
    }
    let value = [Kind::Unit, Kind::One(1), Kind::Two(1, 2), Kind::Named { z: 1, a: None }];
    assert_eq!(text(&value), r#"["Unit",{"One":1},{"Two":[1,2]},{"Named":{"a":null,"z":1}}]"#);
}

proptest::proptest! {
    #[test]
    fn canonical_text_reads_back_equal_and_is_stable(
        double in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO,
        integer in -(1i64 << 53) + 1..1i64 << 53,
        texts in proptest::collection::btree_map(".*", ".*", 0..8),
    ) {
        let value = json!({"double": double, "integer": integer, "texts": texts});
        let first = to_vec(&value).unwrap();
        let back: Value = serde_json::from_slice(&first).unwrap();
        proptest::prop_assert_eq!(back["double"].as_f64().unwrap(), double);
        proptest::prop_assert_eq!(back["integer"].as_i64().unwrap(), integer);
        proptest::prop_assert_eq!(&back["texts"], &value["texts"]);
        proptest::prop_assert_eq!(to_vec(&back).unwrap(), first);
    }
}
